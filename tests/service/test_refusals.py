"""What is refused, by HTTP and by the command line alike, and that nothing is left of it."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import pytest

from fixtures.disks import small_disk
from fixtures.media_files import sparse
from fixtures.programs import storycore
from fixtures.projects import snapshot
from fixtures.servers import serving

PACKAGE = "/v1/storycore.export.package"
FULL = Path("/dev/full")


def by_http(films, body, **settings):
    with serving(films, **settings) as url:
        answer = httpx.post(url + PACKAGE, json=body, timeout=60)
    return answer.status_code, answer.json()["error"]["details"]["reason"]


def by_command_line(*words, cwd):
    run = storycore("export", "package", *words, "--json", cwd=cwd)
    assert "Traceback" not in run.stderr
    return run.returncode, json.loads(run.stdout)["error"]["details"]["reason"]


def test_a_full_disk(film, films, tmp_path):
    (film / "assets/noise.tga").write_bytes(random.Random(1).randbytes(400_000))
    with small_disk(tmp_path / "disk", size_bytes=262_144) as disk:
        assert by_http(films, {"project_path": "little", "output_path": str(disk)}, output_roots=(disk,)) == (
            503, "disk_full",
        )  # fmt: skip
        assert by_command_line("little", "-o", str(disk), cwd=films) == (8, "disk_full")
        assert list(disk.iterdir()) == []


def test_a_disk_that_fills_up_fails_the_task_and_the_server_goes_on(film, films, tmp_path):
    (film / "assets/noise.tga").write_bytes(random.Random(1).randbytes(3_000_000))
    body = {"project_path": "little", "output_path": str(tmp_path / "disk")}
    with (
        small_disk(tmp_path / "disk", size_bytes=2 * 2**20) as disk,
        serving(films, output_roots=(disk,)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        task = client.post(PACKAGE, json=body, headers={"Prefer": "wait=0"}).json()["data"]
        state = _ended(client, task["task_id"])
        assert (state["status"], state["error"]["details"]["reason"]) == ("failed", "disk_full")
        assert list(disk.iterdir()) == []
        assert client.get("/v1/storycore.artifact.list").json()["data"]["items"] == []
        (film / "assets/noise.tga").unlink()
        assert client.post(PACKAGE, json=body).status_code == 200


def test_a_database_whose_disk_is_full_accepts_nothing_and_goes_on_when_there_is_room(film, films, tmp_path):
    with (
        small_disk(tmp_path / "disk", size_bytes=2 * 2**20) as disk,
        serving(films, database_url=f"sqlite:///{disk / 'storycore.db'}") as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(b"x" * 4096):
                pass
        for _ in range(200):  # what room the database still has in its own files runs out
            refused = client.post(PACKAGE, json={"project_path": "little"}, headers={"Prefer": "wait=0"})
            if refused.status_code != 202:
                break
        assert (refused.status_code, refused.json()["error"]["details"]["reason"]) == (503, "disk_full")
        accepted = client.get("/v1/storycore.task.list").json()["data"]["items"]
        (disk / "filler").unlink()
        assert client.post(PACKAGE, json={"project_path": "little"}).status_code in (200, 202)
        states = [_ended(client, task["task_id"])["status"] for task in accepted]
    assert states == ["completed"] * len(accepted)


def _ended(client, task_id):
    end, pause = time.monotonic() + 60, threading.Event()
    while True:
        state = client.get("/v1/storycore.task.status", params={"task_id": task_id}).json()["data"]
        if state["status"] not in ("pending", "running"):
            return state
        assert time.monotonic() < end, state
        pause.wait(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="/sys is a place that nobody may write, on Linux only")
def test_a_folder_that_nobody_may_write(film, films):
    body = {"project_path": "little", "output_path": "/sys/x"}
    assert by_http(films, body, output_roots=(Path("/sys"),)) == (403, "permission_denied")
    assert by_command_line("little", "-o", "/sys/x", cwd=films) == (4, "permission_denied")


def test_exports_that_are_a_link_do_not_open_another_place(film, films, tmp_path):
    (tmp_path / "outside").mkdir()
    (film / "exports").symlink_to(tmp_path / "outside")
    for body in ({}, {"output_path": "little/exports/x"}, {"output_path": "little/exports"}):
        assert by_http(films, {"project_path": "little", **body}) == (403, "path_outside_root")
    assert list((tmp_path / "outside").iterdir()) == []


def test_an_output_behind_a_link_that_leads_in_a_circle(film, films, tmp_path):
    (tmp_path / "places").mkdir()
    (tmp_path / "places/round").symlink_to("round")
    place = str(tmp_path / "places/round/x")
    body = {"project_path": "little", "output_path": place}
    assert by_http(films, body, output_roots=(tmp_path / "places",)) == (400, "path_invalid")
    assert by_command_line("little", "-o", place, cwd=films) == (2, "path_invalid")
    assert [path.name for path in (tmp_path / "places").iterdir()] == ["round"]


def test_a_pipe_called_project_json_blocks_nobody(films):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    (films / "pipe").mkdir()
    os.mkfifo(films / "pipe/project.json")
    assert by_http(films, {"project_path": "pipe"}) == (400, "project_invalid")
    assert by_command_line("pipe", cwd=films) == (2, "project_invalid")


@pytest.mark.parametrize(
    "text",
    [b"{", b'{"name": NaN}', b'{"name": 1e999}', b"[" * 100_000, b'{"a":' * 200 + b"1" + b"}" * 200, b"\xff\xfe", b"[]",
     b'{"name": "x", "schema_version": "2.0"}', b'{"a": 1' + b".1" * 200_000 + b"}", b'{"a": 1' + b"0" * 10**6 + b"}"],
    ids=["cut off", "NaN", "1e999", "brackets", "deep", "not UTF-8", "a list", "version 2", "dots", "digits"],
)  # fmt: skip
@pytest.mark.timeout(30)
def test_a_project_json_that_cannot_be_read(text, films):
    (films / "bad").mkdir()
    (films / "bad/project.json").write_bytes(text)
    before = snapshot(films)
    assert by_http(films, {"project_path": "bad"}) == (400, "project_invalid")
    assert by_command_line("bad", cwd=films) == (2, "project_invalid")
    assert snapshot(films) == before


def test_a_giant_project_json(films):
    (films / "giant").mkdir()
    with (films / "giant/project.json").open("wb") as file:
        file.truncate(65 * 2**20)
    assert by_http(films, {"project_path": "giant"}) == (400, "project_too_large")
    assert by_command_line("giant", cwd=films) == (2, "project_too_large")


def test_a_field_called_self_is_just_unknown(server):
    assert httpx.post(server + PACKAGE, json={"self": 1}).json()["error"]["details"]["errors"][-1] == {
        "pointer": "/self", "reason": "unknown_field", "message": "there is no such field",
    }  # fmt: skip


@pytest.mark.parametrize("origin", ["http://[", "http://", "://", "http://a b", "http://127.0.0.1:x"])
def test_a_malformed_origin_is_foreign(server, origin):
    answer = httpx.post(server + PACKAGE, json={}, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["error"]["details"]["reason"]) == (403, "cross_origin")


def test_names_of_hosts_know_no_case(films):
    with serving(films, allowed_hosts=("Film.Local",)) as url:
        assert httpx.get(f"{url}/openapi.json", headers={"Host": "film.LOCAL"}).status_code == 200


def test_a_stream_is_stored_nowhere(server, film):
    body = {"project_path": "little", "output_path": "little/exports/x"}
    answer = httpx.post(server + PACKAGE, json=body, headers={"Accept": "application/zip"})
    assert (answer.status_code, answer.json()["error"]["details"]["reason"]) == (400, "path_invalid")


def test_a_zip_that_is_ruled_out_is_not_sent(server, film):
    headers = {"Accept": "application/zip;q=0, application/json"}
    answer = httpx.post(server + PACKAGE, json={"project_path": "little"}, headers=headers)
    assert answer.headers["content-type"] == "application/json"


STRANGER = """
import os, sys
from storycore import *
from storycore.errors import StoryCoreError
import storycore.exports.package, storycore.exports.export, storycore.exports.verify, storycore.operations.project
film, closed = sys.argv[1:]
with StoryCore() as sc:
    sc.run(FormatRequest(project_path=film, target_format=["json", "zip"]))
    sc.run(VerifyRequest(package_path=film))
    os.setuid(65534)
    for request in (
        InspectRequest(project_path=closed + "/film"), PackageRequest(project_path=film, output_path=closed + "/a"),
        PackageRequest(project_path=film, output_path=closed + "/a.zip"), VerifyRequest(package_path=closed + "/a.zip"),
        FormatRequest(project_path=film, target_format="json", output_path=closed + "/a"),
    ):
        try:
            sc.run(request)
        except StoryCoreError as fault:
            print(fault.reason.value, closed in str(fault))
    print(sorted({warning.reason for warning in sc.run(InspectRequest(project_path=film)).warnings}))
"""


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root can become somebody else")
def test_places_that_one_may_not_even_look_at(film):
    with tempfile.TemporaryDirectory() as place:  # pytest's own folders are closed to others from the top down
        Path(place).chmod(0o755)
        open_film = Path(shutil.copytree(film, Path(place, "film")))
        open_film.chmod(0o755)
        (open_film / "assets/images/promoted/panel_01_promoted.png").chmod(0)
        closed = Path(place, "closed")
        closed.mkdir(mode=0o700)
        command = [sys.executable, "-c", STRANGER, str(open_film), str(closed)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.stdout.splitlines() == ["permission_denied False"] * 5 + ["['media_unreadable']"], run.stderr


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "words",
    [("metadata", "little"), ("plan", "little", "--json"), ("package", "little", "-o", "-"), ("plan", "little")],
)
def test_an_output_that_is_full_is_told(words, film):
    with FULL.open("wb") as full:
        command = [sys.executable, "-m", "storycore", "export", *words]
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=film.parent, timeout=60)
    assert (run.returncode, b"Traceback" in run.stderr, b"No room left" in run.stderr) == (8, False, True)


def test_a_failed_stream_puts_nothing_but_the_package_on_the_standard_output(films):
    run = storycore("export", "package", "missing", "-o", "-", "--json", cwd=films)
    assert (run.returncode, run.stdout) == (3, "")
    assert json.loads(run.stderr)["error"]["details"]["reason"] == "project_not_found"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_stops_measuring(film):
    sparse(film / "assets/big.mov", size_bytes=20 * 2**30)
    command = [sys.executable, "-m", "storycore", "export", "metadata", "little", "--measure", "full"]
    with subprocess.Popen(command, cwd=film.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        for line in run.stderr:
            if line.startswith("measuring"):
                break
        run.send_signal(signal.SIGINT)
        document, _ = run.communicate(timeout=30)
    assert (run.returncode, document) == (130, "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_a_server_that_is_stopped_gives_back_what_runs_and_says_so(film):
    sparse(film / "assets/big.mov", size_bytes=10 * 2**30)
    command = [sys.executable, "-m", "storycore", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=film.parent, stderr=subprocess.PIPE, text=True) as server:
        url = next(word for word in server.stderr.readline().split() if word.startswith("http"))
        call = subprocess.Popen(
            ["curl", "-s", url + PACKAGE, "-H", "Content-Type: application/json", "-d", '{"project_path": "little"}'],
            stdout=subprocess.PIPE,
        )
        deadline = time.monotonic() + 20
        while not list(film.glob("exports/*/.*.part")) and time.monotonic() < deadline:
            pass
        server.send_signal(signal.SIGINT)
        answer, _ = call.communicate(timeout=40)
        server.communicate(timeout=40)
    told = json.loads(answer)
    assert (told["status"], told["data"]["status"], told["data"]["attempt"]) == ("pending", "pending", 0)
    assert list(film.glob("exports/*")) == []


def test_two_formats_leave_nothing_when_the_second_fails(film, tmp_path):
    (tmp_path / "out/deep").mkdir(parents=True)
    (tmp_path / "out/deep/Little film.json").write_text("mine")
    run = storycore("export", "format", str(film), "--to", "zip,json", "-o", "out/deep", "--json", cwd=tmp_path)
    assert json.loads(run.stdout)["error"]["details"]["reason"] == "output_exists"
    assert [path.name for path in (tmp_path / "out/deep").iterdir()] == ["Little film.json"]
