"""The quick start of the README, followed to the letter from a clone to a delivered film."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

import storycore.demo.film as demo
from fixtures.programs import address

ROOT = Path(__file__).parents[2]
RUN_ELSEWHERE = {"python3 run.py demo", "python3 run.py test"}
"""The two commands that are run as they stand wherever the project is checked; a small film stands in for the first."""


def quick_start() -> list[str]:
    """Its commands in order, without what is said about them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## Quick start")[1].split("\n## ")[0]
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL)).splitlines()
    return [command for line in lines if (command := line.partition("  #")[0].strip())]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the `.venv` and the small film that the first command leaves."""
    shots = tuple({**shot, "seconds": 0.5, "transition": {"type": "cut"}} for shot in demo.SHOTS)
    for name, value in {"WIDTH": 160, "HEIGHT": 90, "SHOTS": shots}.items():
        monkeypatch.setattr(demo, name, value)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "demo-film/film").mkdir(parents=True)
    demo.make_film(tmp_path / "demo-film/film")
    return tmp_path


@pytest.mark.skipif(os.name == "nt" or not shutil.which("bash"), reason="the README's commands are typed into bash")
@pytest.mark.skipif(not shutil.which("ffprobe"), reason="films are read by ffprobe, which is not installed")
def test_who_follows_the_readme_gets_a_delivered_film_and_sees_it(clone):
    commands = quick_start()
    assert len(commands) == 6
    assert set(commands) >= RUN_ELSEWHERE
    *typed, last = [command for command in commands if command not in RUN_ELSEWHERE]
    told = bash("\n".join(["set -e", *typed]), clone)
    assert "not as" not in told
    place = clone / "demo-film/festival"
    film = probed(place / "Screener/The Lamp on the Hill_screener.mp4")
    assert {stream["codec_name"] for stream in film["streams"]} >= {"h264", "aac"}
    assert float(film["format"]["duration"]) == pytest.approx(3, abs=0.1)
    with zipfile.ZipFile(place / "Package/The Lamp on the Hill.zip") as package:
        assert package.testzip() is None
    assert "FAILED" not in bash("cd demo-film/festival && sha256sum -c checksums-sha256.txt", clone)
    served(last, typed[0], clone)


def bash(script: str, place: Path) -> str:
    run = subprocess.run(["bash", "-c", script], cwd=place, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def probed(path: Path) -> dict:
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


def served(command: str, activate: str, place: Path) -> None:
    """The last command shows the film and what was delivered of it, until Ctrl-C."""
    environment = {**os.environ, "STORYCORE_PORT": "0"}  # the usual one may be taken
    script = f"{activate}\nexec {command}"
    with subprocess.Popen(["bash", "-c", script], cwd=place, env=environment, stderr=subprocess.PIPE, text=True) as it:
        try:
            url = address(it.stderr.readline())
            names = {
                one["name"] for one in httpx.get(f"{url}/exports?format=json", timeout=60).json()["artifacts"]["items"]
            }
            assert {"The Lamp on the Hill_master.mov", "The Lamp on the Hill.zip"} <= names
            assert "The Lamp on the Hill" in httpx.get(f"{url}/projects", timeout=60).text
            it.send_signal(signal.SIGINT)
            assert it.wait(30) == 130
        finally:
            it.kill()
