"""The same door to a running server: requests, results, errors and files, over HTTP."""

import contextlib
import hashlib
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from fixtures.listeners import handled_by
from fixtures.media_files import sparse
from fixtures.programs import storycore
from fixtures.projects import snapshot
from fixtures.servers import serving
from fixtures.waiting import until
from storycore import (
    ArtifactListRequest,
    FormatRequest,
    InspectRequest,
    PackageRequest,
    Settings,
    StoryCore,
    StoryCoreError,
    TaskEventsRequest,
    TaskListRequest,
    TaskStatusRequest,
    VerifyRequest,
)
from storycore.observe.progress import Progress
from storycore.operations.key import KeyCreateRequest


@pytest.fixture
def there(server):
    """The library's door to a server."""
    with StoryCore(server=server) as core:
        yield core


def refused(core, request):
    with pytest.raises(StoryCoreError) as fault:
        core.run(request)
    return fault.value.reason.value


def sha256(path):
    return "sha256:" + hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_a_request_gives_the_same_there_as_here(there, film):
    with StoryCore() as here:
        assert there.run(InspectRequest(project_path=str(film))) == here.run(InspectRequest(project_path=str(film)))
        assert refused(there, InspectRequest(project_path=str(film / "no"))) == "project_not_found"


def test_long_work_is_followed_and_its_result_is_typed(there, film):
    seen = []
    result = there.run(PackageRequest(project_path=str(film)), progress=seen.append)
    assert (sha256(result.export_path), seen[-1].fraction) == (result.checksum, 1.0)
    assert [report.fraction for report in seen] == sorted(report.fraction for report in seen)


def test_what_was_made_is_fetched_to_where_the_caller_wants_it(there, film, tmp_path):
    packed = there.run(PackageRequest(project_path=str(film), output_path=str(tmp_path / "new/mine.zip")))
    both = there.run(
        FormatRequest(project_path=str(film), target_format=["zip", "json"], output_path=str(tmp_path / "both"))
    )
    assert packed.export_path == str(tmp_path / "new/mine.zip")
    assert sha256(packed.export_path) == packed.checksum
    assert [sha256(output.output_path) for output in both.outputs] == [output.checksum for output in both.outputs]
    assert sorted(path.name for path in (tmp_path / "both").iterdir()) == [
        "Little film.json", "Little film.zip", "Little film.zip.c2pa",
    ]  # fmt: skip


def test_a_file_that_stands_there_is_told_before_any_work(there, film, tmp_path):
    (tmp_path / "mine.zip").write_text("mine")
    request = PackageRequest(project_path=str(film), output_path=str(tmp_path / "mine.zip"))
    assert refused(there, request) == "output_exists"
    assert ((tmp_path / "mine.zip").read_text(), there.run(TaskListRequest()).items) == ("mine", [])


def test_nothing_is_fetched_among_the_files_of_a_project(there, film):
    before = snapshot(film)
    for place in (film, film / "assets", film / "assets/new/mine.zip", film / "exports/../mine.zip"):
        assert refused(there, PackageRequest(project_path=str(film), output_path=str(place))) == "path_invalid"
    assert (snapshot(film), there.run(TaskListRequest()).items) == (before, [])
    packed = there.run(PackageRequest(project_path=str(film), output_path=str(film / "exports/mine.zip")))
    assert sha256(film / "exports/mine.zip") == packed.checksum


def test_a_place_here_that_nothing_can_be_put_in_is_told_in_our_words(there, film, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "round").symlink_to("round")
    for place in ("file/in", "round/in"):
        request = PackageRequest(project_path=str(film), output_path=str(tmp_path / place))
        assert refused(there, request) == "path_invalid"
    assert (tmp_path / "file").read_text() == "mine"


def test_an_artifact_is_fetched_whole_or_not_at_all(there, film, tmp_path):
    there.run(PackageRequest(project_path=str(film)))
    artifact = there.run(ArtifactListRequest()).items[0]
    found = there.download(artifact.artifact_id, tmp_path)
    assert (found.path, sha256(found.path)) == (str(tmp_path / artifact.name), artifact.checksum)
    Path(artifact.path).write_bytes(b"other")
    with pytest.raises(StoryCoreError) as fault:
        there.download(artifact.artifact_id, tmp_path / "again.zip")
    assert (fault.value.reason, (tmp_path / "again.zip").exists()) == ("artifact_not_found", False)


def test_a_package_can_be_streamed_from_there(there, film, tmp_path):
    with (tmp_path / "film.zip").open("wb") as file:
        there.stream(PackageRequest(project_path=str(film)), file)
    where_it_may_be_read = (tmp_path / "film.zip").rename(film.parent / "streamed.zip")
    assert there.run(VerifyRequest(package_path=str(where_it_may_be_read))).valid


def test_events_are_followed_to_the_end(there, film):
    there.run(PackageRequest(project_path=str(film)))
    task = there.run(TaskListRequest()).items[0]
    events = list(there.events(TaskEventsRequest(task_id=task.task_id)))
    assert [events[0].event, events[-1].event] == ["accepted", "completed"]


def test_what_is_cancelled_here_is_cancelled_there(there, film):
    sparse(film / "assets/big.mov", size_bytes=10 * 2**30)

    def listen(report):
        if report.fraction > 0:
            there.drain()

    with pytest.raises(StoryCoreError) as fault:
        there.run(PackageRequest(project_path=str(film)), progress=listen)
    assert (fault.value.reason, list(film.glob("exports/*"))) == ("cancelled", [])
    assert [task.status for task in there.run(TaskListRequest()).items] == ["cancelled"]


def test_a_key_is_shown_to_a_server_that_needs_one(films, film, tmp_path, monkeypatch):
    with StoryCore() as own:
        key = own.run(KeyCreateRequest(name="suite")).key
    (tmp_path / "key").write_text(f"{key}\n")
    with serving(films, require_key=True) as url:
        with StoryCore(server=url) as stranger:
            assert refused(stranger, InspectRequest(project_path=str(film))) == "key_missing"
        monkeypatch.setenv("STORYCORE_KEY_FILE", str(tmp_path / "key"))
        with StoryCore(server=url) as friend:
            assert friend.run(InspectRequest(project_path=str(film))).project_name == "Little film"


@pytest.mark.parametrize("address", ["nonsense", "ftp://x", "http://", "http://a/b", "http://user@x"])
def test_an_address_that_is_none_is_told(address):
    with pytest.raises(StoryCoreError) as fault:
        StoryCore(server=address)
    assert fault.value.reason == "setting_invalid"


def test_a_server_that_is_none_of_ours_is_told(film):
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as url, StoryCore(server=url) as core:
        assert refused(core, InspectRequest(project_path=str(film))) == "server_unreachable"


def test_bytes_that_are_not_those_that_were_promised_are_kept_out(film, tmp_path):
    entry = {
        "artifact_id": "a", "task_id": "t", "name": "../../film.zip", "path": "/x", "size_bytes": 3,
        "checksum": "sha256:" + "0" * 64, "media_type": "application/zip", "created_at": "",
    }  # fmt: skip
    listed = json.dumps({"status": "success", "data": {"items": [entry], "next_cursor": None}}).encode()
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(it), it) for it in (listed, b"bad")]
    with listening(*answers) as url, StoryCore(server=url) as core, pytest.raises(StoryCoreError) as fault:
        core.download("a", tmp_path)
    assert (fault.value.reason, (tmp_path / "film.zip").exists()) == ("source_changed", False)


@contextlib.contextmanager
def listening(*answers):
    """A server that gives these answers, a connection each, and the last one for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def serve():
            left = list(answers)
            while not done.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        answer = left.pop(0) if len(left) > 1 else left[0]
                        connection.sendall(answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        done.set()
        with contextlib.suppress(OSError):
            socket.create_connection(listener.getsockname()).close()
        thread.join(5)


def test_commands_say_the_same_with_a_server_and_without(server, film):
    for words in (("project", "inspect", film.name), ("export", "plan", film.name), ("project", "inspect", "none")):
        near = storycore(*words, "--json", cwd=film.parent)
        far = storycore(*words, "--json", "--server", server, cwd=film.parent)
        said = [json.loads(run.stdout) | {"metadata": None} for run in (near, far)]
        assert (far.returncode, said[1]["status"]) == (near.returncode, said[0]["status"])
        assert said[0].get("data") == said[1].get("data")
        assert said[0].get("error", {}).get("details") == said[1].get("error", {}).get("details")


def test_a_command_fetches_what_a_server_made(server, film, tmp_path):
    run = storycore(
        "export", "package", film.name, "-o", str(tmp_path / "a.zip"), cwd=film.parent, STORYCORE_SERVER=server
    )
    assert (run.returncode, (tmp_path / "a.zip").is_file()) == (0, True)
    listed = storycore("artifact", "list", "--json", "--server", server, cwd=tmp_path)
    artifact = json.loads(listed.stdout)["data"]["items"][0]
    got = storycore("artifact", "download", artifact["artifact_id"], "-o", "b.zip", "--server", server, cwd=tmp_path)
    watched = storycore("task", "watch", artifact["task_id"], "--json", "--server", server, cwd=tmp_path)
    assert (got.returncode, sha256(tmp_path / "b.zip")) == (0, artifact["checksum"])
    assert json.loads(watched.stdout.splitlines()[-1])["event"] == "completed"


def test_no_server_exits_as_a_missing_dependency(film):
    run = storycore("project", "inspect", film.name, "--server", "http://127.0.0.1:1", cwd=film.parent)
    assert (run.returncode, "storycore serve" in run.stderr) == (6, True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_cancels_the_task_on_the_server(server, film):
    sparse(film / "assets/big.mov", size_bytes=10 * 2**30)
    command = [sys.executable, "-m", "storycore", "export", "package", film.name, "--server", server]
    with subprocess.Popen(command, cwd=film.parent, stderr=subprocess.PIPE, text=True) as run:
        until(lambda: list(film.glob("exports/*/.*.part")))
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
    with StoryCore(server=server) as core:
        assert [task.status for task in core.run(TaskListRequest()).items] == ["cancelled"]
    assert (run.returncode, list(film.glob("exports/*"))) == (130, [])


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill that can't be heard")
def test_a_server_that_dies_and_comes_back_is_waited_for(film):
    sparse(film / "assets/big.mov", size_bytes=600 * 2**20)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    serve = [sys.executable, "-m", "storycore", "serve", "--port", port]
    results = []

    def ask():
        with StoryCore(server=f"http://127.0.0.1:{port}") as core:
            results.append(core.run(PackageRequest(project_path=str(film))))

    asking = threading.Thread(target=ask)
    with subprocess.Popen(serve, cwd=film.parent, stderr=subprocess.PIPE, text=True) as first:
        first.stderr.readline()
        asking.start()
        until(lambda: list(film.glob("exports/*/.*.part")))
        first.kill()
    with subprocess.Popen(serve, cwd=film.parent, stderr=subprocess.DEVNULL) as second:
        asking.join(90)
        second.kill()
    assert [sha256(result.export_path) == result.checksum for result in results] == [True]
    with StoryCore() as core:
        task = core.run(TaskListRequest()).items[0]
        assert core.run(TaskStatusRequest(task_id=task.task_id)).attempt == 2


@pytest.mark.parametrize("key", ["sck_1\nsck_2", "schlüssel", "sck_\x00"])
def test_a_key_that_is_none_is_told_before_anything_is_sent(key, tmp_path, monkeypatch):
    (tmp_path / "key").write_text(key, encoding="utf-8")
    monkeypatch.setenv("STORYCORE_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(StoryCoreError) as fault:
        StoryCore(server="http://127.0.0.1:1")
    assert (fault.value.reason, key in str(fault.value.as_dict())) == ("setting_invalid", False)


@contextlib.contextmanager
def losing_the_first_answer(server, operation):
    """URL that leads to `server`; what it says to the first such call is lost, and a task has ended before the next."""
    lost = []

    class Relay(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            passed = {name: text for name, text in self.headers.items() if name.lower() != "host"}
            answer = httpx.request(self.command, server + self.path, content=body, headers=passed)
            if operation in self.path and not lost:
                lost.append(self.path)
                until(lambda: "completed" in httpx.get(f"{server}/v1/storycore.task.list").text)
                return
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET  # noqa: N815 - as its parent wants it

        def log_message(self, *_words):
            """Says nothing."""

    with handled_by(Relay) as port:
        yield f"http://127.0.0.1:{port}"


def test_a_result_comes_though_the_answer_that_named_its_task_was_lost(server, film, tmp_path):
    with losing_the_first_answer(server, "export.package") as url, StoryCore(server=url) as core:
        packed = core.run(PackageRequest(project_path=str(film), output_path=str(tmp_path / "mine.zip")))
        assert (packed.export_path, len(core.run(TaskListRequest()).items)) == (str(tmp_path / "mine.zip"), 1)
    assert sha256(packed.export_path) == packed.checksum


def test_who_is_cut_off_while_fetching_learns_how_to_fetch_again(server, film, tmp_path):
    with losing_the_first_answer(server, "artifact.download") as url, StoryCore(server=url) as core:
        with pytest.raises(StoryCoreError) as fault:
            core.run(PackageRequest(project_path=str(film), output_path=str(tmp_path / "mine.zip")))
        artifact = core.run(ArtifactListRequest()).items[0].artifact_id
    assert fault.value.reason == "server_unreachable"
    assert f"storycore artifact download {artifact} --server {url}" in fault.value.remediation
    assert list(tmp_path.glob("*mine*")) == []


@contextlib.contextmanager
def answering(*answers, kind="application/json"):
    """URL of a server that gives these answers, the last one to all calls that follow; and the calls that it had."""
    calls = []

    class Liar(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = answers[min(len(calls), len(answers) - 1)]
            calls.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - as its parent wants it

        def log_message(self, *_words):
            """Says nothing."""

    with handled_by(Liar) as port:
        yield f"http://127.0.0.1:{port}", calls


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>", b"[]", b'{"status": "success"}', b'{"status": "success", "data": [1]}',
     b'{"status": "pending", "data": {}}', b'{"status": "pending", "data": {"task_id": 5}}', b"[" * 100_000],
)  # fmt: skip
def test_what_a_stranger_answers_is_no_fault_of_ours_nor_of_the_caller(answer, film):
    with answering(answer) as (url, _), StoryCore(server=url) as core:
        assert refused(core, TaskListRequest()) == "server_unreachable"
        assert refused(core, PackageRequest(project_path=str(film))) == "server_unreachable"


@pytest.mark.parametrize(
    "line", [b"id: x\ndata: {}", b"id: 1\ndata: {", b"id: 1\nevent: a\ndata: []", b"id: 1\ndata: {}"]
)
def test_events_that_are_none_are_told(line, monkeypatch):
    monkeypatch.setattr("storycore.remote.door._TRIES", 1)
    with answering(line + b"\n\n", kind="text/event-stream") as (url, _), StoryCore(server=url) as core:
        with pytest.raises(StoryCoreError) as fault:
            list(core.events(TaskEventsRequest(task_id="task_1")))
        assert fault.value.reason == "server_unreachable"


def test_a_stream_of_events_that_ends_early_is_taken_up_again_without_haste(monkeypatch):
    monkeypatch.setattr("storycore.remote.door._LOOK_SECONDS", 0.25)
    some, last = b"id: 1\nevent: accepted\ndata: {}\n\n", b"event: end\ndata: {}\n\n"
    with answering(some, b"", b"", last, kind="text/event-stream") as (url, calls), StoryCore(server=url) as core:
        begun = time.monotonic()
        events = [event.event for event in core.events(TaskEventsRequest(task_id="task_1"))]
        assert (events, [call[-1] for call in calls]) == (["accepted"], ["0", "1", "1", "1"])
        assert time.monotonic() - begun >= 3 * 0.25


def test_what_is_no_stream_of_events_is_told(monkeypatch):
    monkeypatch.setattr("storycore.remote.door._LOOK_SECONDS", 0.01)
    with answering(b"{}") as (url, _), StoryCore(server=url) as core, pytest.raises(StoryCoreError) as fault:
        list(core.events(TaskEventsRequest(task_id="task_1")))
    assert fault.value.reason == "server_unreachable"


def test_who_waits_for_a_server_that_is_away_can_stop_waiting(film, monkeypatch):
    monkeypatch.setattr("storycore.remote.connection._PAUSE_SECONDS", 0.01)
    told = {"task_id": "task_1", "kind": "x", "status": "running", "priority": "NORMAL", "progress": 0.5, "step": "x",
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "attempt": 1,
            "started_at": None, "finished_at": None}  # fmt: skip
    answer = json.dumps({"status": "pending", "data": told}).encode()
    with contextlib.ExitStack() as stack:
        url, calls = stack.enter_context(answering(answer))

        def lose_the_server(_report):
            if len(calls) > 1 and not stopping.ident:
                stack.close()
                stopping.start()

        progress = Progress(lose_the_server)
        stopping = threading.Timer(0.5, progress.cancel)  # from when it is away
        with StoryCore(server=url) as core, pytest.raises(StoryCoreError) as fault:
            core.run(PackageRequest(project_path=str(film)), progress=progress)
    assert (fault.value.reason, "storycore task cancel task_1" in fault.value.remediation) == ("cancelled", True)


def test_a_server_does_its_own_work_whatever_is_set_around_it(films, film, monkeypatch):
    monkeypatch.setenv("STORYCORE_SERVER", "http://127.0.0.1:1")
    with serving(films) as url, StoryCore(Settings.read(server=url)) as core:
        assert core.run(InspectRequest(project_path=str(film))).project_name == "Little film"


def test_clips_of_a_timeline_come_along_into_the_folder_that_it_links(there, film, tmp_path):
    wanted = {"project_path": str(film), "conversion_options": {"width": 64, "height": 36, "fps": 12}}
    out = tmp_path / "edit"
    made = there.run(FormatRequest(target_format=["edl", "otio"], output_path=str(out), **wanted))
    links = re.findall(r"^\* SOURCE FILE: (.*)$", (out / "Little film.edl").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(links) == 3
    assert sorted(made.beside) == sorted(str(out / link) for link in links)
    assert all((out / link).is_file() for link in links)
    one = there.run(FormatRequest(target_format="edl", output_path=str(tmp_path / "one/mine.edl"), **wanted))
    assert sorted(Path(path).parent.name for path in one.beside) == ["media"] * 3
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["media", "mine.edl"]
    assert refused(there, FormatRequest(target_format="xml", output_path=str(out), **wanted)) == "output_exists"
