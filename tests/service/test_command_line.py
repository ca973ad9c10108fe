"""The command line, run as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fixtures.media_files import sparse
from fixtures.programs import storycore
from fixtures.projects import make_project, snapshot


def answer(run):
    return json.loads(run.stdout)


def test_help_lists_what_there_is(tmp_path):
    run = storycore("--help", cwd=tmp_path)
    assert run.returncode == 0
    assert [word for word in ("export", "project", "serve", "demo", "Exit codes") if word not in run.stdout] == []


@pytest.mark.parametrize("words", [("export", "package"), ("project", "inspect"), ("serve",), ("demo",)])
def test_help_of_a_command_shows_examples_first(words, tmp_path):
    run = storycore(*words, "-h", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.index("Examples:") < run.stdout.index("Options:")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("exprot",), "Did you mean 'export'"),
        (("export", "pakage"), "Did you mean 'package'"),
        (("export", "package", "film", "-o"), "See `storycore export package --help`"),
        (("serve", "--port"), "See `storycore serve --help`"),
        (("export", "package", "x", "--include-sorce"), "--include-source"),
        (("export", "package"), "PROJECT"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(words, hint, tmp_path):
    run = storycore(*words, cwd=tmp_path)
    assert (run.returncode, run.stdout, hint in run.stderr) == (2, "", True)


def test_a_project_is_shown_as_a_card(film):
    run = storycore("project", "inspect", film.name, cwd=film.parent)
    assert run.returncode == 0
    assert [text for text in ("Little film", "Shot 1", "Shot 3", "00:00:06:00") if text not in run.stdout] == []
    assert max(map(len, run.stdout.splitlines())) <= 80


def test_a_package_is_made_and_told(film, tmp_path):
    before = snapshot(film)
    run = storycore("export", "package", str(film), "-o", "out", "--json", cwd=tmp_path)
    data = answer(run)["data"]
    assert (run.returncode, data["export_path"]) == (0, str(tmp_path / "out/Little film.zip"))
    assert zipfile.ZipFile(data["export_path"]).testzip() is None
    assert snapshot(film) == before


def test_a_dry_run_writes_nothing_and_lists_what_a_package_holds(film):
    planned = answer(storycore("export", "package", "little", "--dry-run", "--json", cwd=film.parent))["data"]
    assert not (film / "exports").exists()
    packed = answer(storycore("export", "package", "little", "--json", cwd=film.parent))["data"]
    assert {entry["path"] for entry in planned["files"]} <= set(packed["manifest"])


def test_a_package_streams_to_the_standard_output(film, tmp_path):
    command = [sys.executable, "-m", "storycore", "export", "package", str(film), "-o", "-"]
    run = subprocess.run(command, capture_output=True, timeout=60)
    (tmp_path / "film.zip").write_bytes(run.stdout)
    assert run.returncode == 0
    assert zipfile.ZipFile(tmp_path / "film.zip").testzip() is None
    assert storycore("export", "verify", str(tmp_path / "film.zip"), cwd=tmp_path).returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such way to start a program")
def test_a_package_is_not_written_to_a_closed_standard_output(film):
    program = [sys.executable, "-m", "storycore", "export", "package", "little", "-o", "-"]
    run = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *program], cwd=film.parent, check=False, capture_output=True, text=True
    )
    assert (run.returncode, run.stderr.splitlines()[0]) == (2, "✗ The standard output is closed.")


def test_plugins_of_others_see_no_request(film, tmp_path):
    about = tmp_path / "listener-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: listener\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[pydantic]\nlistener = listener:heard\n")
    (tmp_path / "listener.py").write_text(f"open({str(tmp_path / 'loaded')!r}, 'w').close()\nheard = None\n")
    run = storycore("project", "inspect", str(film), cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (run.returncode, (tmp_path / "loaded").exists()) == (0, False)


def test_one_flipped_byte_is_found(film, tmp_path):
    packed = answer(
        storycore("export", "package", str(film), "-o", "film.zip", "--json", "--compression-level", "0", cwd=tmp_path)
    )
    path = tmp_path / "film.zip"
    data = bytearray(path.read_bytes())
    data[data.index(b"# Little film") if b"# Little film" in data else data.index(b"IDAT") + 6] ^= 1
    path.write_bytes(data)
    run = storycore("export", "verify", str(path), "--json", cwd=tmp_path)
    assert packed["status"] == "success"
    assert (run.returncode, answer(run)["data"]["valid"]) == (1, False)


def test_metadata_is_data_on_the_standard_output(film):
    run = storycore("export", "metadata", "little", "--metadata-format", "json", cwd=film.parent)
    assert (run.returncode, json.loads(run.stdout)["project_name"]) == (0, "Little film")


def test_several_formats_go_into_one_folder(film, tmp_path):
    run = storycore("export", "format", str(film), "--to", "zip,json", "-o", "out", "--json", cwd=tmp_path)
    names = sorted(Path(entry["output_path"]).name for entry in answer(run)["data"]["outputs"])
    assert (run.returncode, names) == (0, ["Little film.json", "Little film.zip"])


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("export", "package", "missing"), 3, "project_not_found"),
        (("export", "package", "little", "--compression-level", "15"), 2, "out_of_range"),
        (("export", "package", "little", "--compression-level", "six"), 2, "wrong_type"),
        (("export", "package", "little", "--level", "15", "--dry-run"), 2, "out_of_range"),
        (("export", "package", "little", "--metadata", "{"), 2, "malformed_json"),
        (("export", "package", "little", "--metadata", '{"a": NaN}'), 2, "malformed_json"),
        (("export", "package", "little", "--metadata", '{"a": 1, "a": 2}'), 2, "duplicate_key"),
        (("export", "package", "little", "--metadata", "a=1", "--metadata", "a=2"), 2, "duplicate_key"),
        (("export", "package"), 2, "missing_field"),
        (("export", "format", "little"), 2, "missing_field"),
        (("export", "package", "little", "-o", "little/assets"), 2, "path_invalid"),
        (("export", "package", "little", "-o", "taken.zip"), 5, "output_exists"),
        (("export", "package", "~/x"), 2, "path_invalid"),
        (("export", "package", "$HOME"), 2, "path_invalid"),
        (("export", "package", "http://x/y"), 2, "path_invalid"),
        (("export", "format", "little", "--to", "xyz"), 2, "unsupported_format"),
        (("export", "metadata", "little", "--metadata-format", "toml"), 2, "unknown_value"),
        (("export", "verify", "missing.zip"), 3, "file_not_found"),
        (("project", "inspect", "little", "--nope"), 2, "unknown_field"),
        (("project", "inspect", "broken"), 2, "project_invalid"),
    ],
)
def test_a_refusal_says_why_and_leaves_nothing(words, code, why, film):
    place = film.parent
    (place / "taken.zip").write_bytes(b"mine")
    (place / "broken").mkdir()
    (place / "broken/project.json").write_text('{"name": "x"', encoding="utf-8")
    before = snapshot(place)
    run = storycore(*words, "--json", cwd=place)
    assert (run.returncode, answer(run)["error"]["details"]["reason"]) == (code, why)
    assert snapshot(place) == before
    assert "Traceback" not in run.stderr


def test_words_of_an_error_say_what_to_do(film):
    run = storycore("export", "package", "missing", cwd=film.parent)
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr.splitlines() == [
        "✗ Project not found: missing",
        "  Check the path, or see which projects there are with `storycore project list`.",
    ]


def test_what_a_project_says_cannot_steer_the_terminal(films):
    make_project(films / "evil", name="\x1b]0;owned\x07[bold red]Film[/] \u202egnp")
    run = storycore("project", "inspect", "evil", cwd=films)
    assert run.returncode == 0
    assert [mark for mark in ("\x1b", "\x07", "\u202e") if mark in run.stdout] == []
    assert "[bold red]" in run.stdout


HASTY = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may have them ignore it
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from storycore.__main__ import main
sys.argv[1:] = WORDS
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a process by itself")
@pytest.mark.parametrize(
    "module", ["click", "storycore.cli.command_line", "storycore.cli.care", "pydantic", "sqlalchemy"]
)
def test_ctrl_c_before_a_command_has_begun_ends_it_quietly(tmp_path, module):
    """Pressed while that module is loaded."""
    run = _hasty(module, "doctor", cwd=tmp_path)
    assert (run.returncode, run.stdout, "Traceback" in run.stderr) == (130, "", False)


def _hasty(module, *words, cwd):
    program = HASTY.replace("MODULE", repr(module)).replace("WORDS", repr(list(words)))
    return subprocess.run([sys.executable, "-c", program], cwd=cwd, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a process by itself")
def test_ctrl_c_when_the_package_stands_already_tells_that_it_stands(film, tmp_path):
    run = _hasty("storycore.cli.show_export", "export", "package", str(film), "-o", "out", cwd=tmp_path)
    assert (run.returncode, "Packed" in run.stdout, "Stopped" in run.stderr) == (0, True, False)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Little film.zip"]


LATE = """
import atexit, os, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
def interrupt(after=lambda: None):
    after()
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(0.2)
if MOMENT == "threads":
    threading.Thread(target=interrupt, args=(threading.main_thread().join,)).start()
else:
    atexit.register(interrupt)
from storycore.__main__ import main
sys.argv[1:] = ["--version"]
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a process by itself")
@pytest.mark.parametrize("moment", ["threads", "the end"])
def test_ctrl_c_after_a_command_has_ended_changes_nothing(tmp_path, moment):
    """Pressed while the interpreter waits for threads, or while it tidies up."""
    program = LATE.replace("MOMENT", repr(moment))
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout.split()[0], run.stderr) == (0, "storycore", "")


ENDING = """
import atexit, sys, threading
import storycore.__main__ as it
class Kept:
    def __del__(self):
        print("taken apart")
kept, real = Kept(), it.main
def main():
    if BREAKS:
        raise RuntimeError("broken")
    atexit.register(print, "at exit")
    threading.Thread(target=lambda: (threading.main_thread().join(), print("thread"))).start()
    real()
it.main = main
sys.argv[1:] = WORDS
it.program()
"""


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["nonsense"], 2)])
def test_a_process_ends_when_all_is_done_and_told_and_is_not_taken_apart(words, code):
    program = ENDING.replace("BREAKS", "False").replace("WORDS", repr(words))
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout.split("\n")[-3:]) == (code, ["thread", "at exit", ""])


def test_a_process_that_breaks_says_how():
    program = ENDING.replace("BREAKS", "True").replace("WORDS", "[]")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (run.returncode, "RuntimeError: broken" in run.stderr) == (1, True)


def _told_while_packing(command, number):
    """The exit code, and what was said, of a command that gets a signal while it packs."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.startswith("packing"):
                break
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM] if os.name != "nt" else [])
def test_ctrl_c_stops_cleanly(number, film, tmp_path):
    with (film / "assets/big.mov").open("wb") as file:
        file.truncate(3 * 2**30)
    before = {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts}
    command = [sys.executable, "-m", "storycore", "export", "package", str(film), "-o", str(tmp_path / "out")]
    code, said = _told_while_packing(command, number)
    assert (code, "Stopping" in said) == (130, True)
    assert {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts} - before == set()


IMPATIENT = """
import os, signal, sys
import storycore.storage.local as local
def tidy(made, really=local.remove_empty):
    os.kill(os.getpid(), signal.SIGINT)
    really(made)
local.remove_empty = tidy
from storycore.__main__ import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_a_second_ctrl_c_while_the_first_tidies_up_leaves_nothing_either(film, tmp_path):
    sparse(film / "assets/big.mov", size_bytes=3 * 2**30)
    command = [sys.executable, "-c", IMPATIENT, "export", "package", str(film), "-o", str(tmp_path / "new/out")]
    code, said = _told_while_packing(command, signal.SIGINT)
    assert (code, "Stopping" in said, "Traceback" in said) == (130, True, False)
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows tells nobody that a terminal was closed")
def test_what_nohup_started_outlives_its_terminal(film, tmp_path):
    sparse(film / "assets/big.mov", size_bytes=2**30)
    command = ["nohup", sys.executable, "-m", "storycore", "export", "package", str(film), "-o", str(tmp_path / "out")]
    code, said = _told_while_packing(command, signal.SIGHUP)
    assert (code, "Stopping" in said) == (0, False)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Little film.zip"]


def test_a_reader_that_goes_away_is_no_fault(film):
    command = f'"{sys.executable}" -m storycore export metadata little | head -c 10 > /dev/null'
    if os.name == "nt":
        pytest.skip("a pipe of the POSIX shell")
    run = subprocess.run(["sh", "-c", command], cwd=film.parent, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in run.stderr


def test_serve_answers_and_stops(film):
    import httpx

    command = [sys.executable, "-m", "storycore", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=film.parent, stderr=subprocess.PIPE, text=True) as process:
        url = next(word for word in process.stderr.readline().split() if word.startswith("http"))
        body = httpx.get(f"{url}/v1/storycore.project.inspect", params={"project_path": "little"}).json()
        process.terminate()
        process.communicate(timeout=30)
    assert (body["status"], body["data"]["project_name"]) == ("success", "Little film")
