"""Deliveries that die: nothing of them is seen, and what was rendered is found again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.deliveries import part, write_template
from fixtures.films import cached_segments, make_film
from storycore import DeliverRequest, StoryCore

PROGRAM = """
import sys, threading
from storycore import DeliverRequest, StoryCore
def listen(report):
    if report.step.startswith("Board"):
        print("board", flush=True)
        threading.Event().wait(60)
with StoryCore() as sc:
    sc.run(DeliverRequest(project_path=sys.argv[1], template="mine"), progress=listen)
"""
TEMPLATE = part("film", "mp4", folder='"Film"', options='{ width = 160, height = 90, effort = "fast" }') + part(
    "board", "html"
)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_a_killed_delivery_shows_nothing_and_goes_on_where_it_was(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 0.5}, {"colour": "blue", "duration": 0.5})
    write_template(folder, TEMPLATE)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, folder], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout.readline() == "board\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    kept = cached_segments()
    assert kept
    assert not [path for path in (folder / "exports").iterdir() if not path.name.startswith(".")], "nothing is seen"
    with StoryCore() as sc:
        made = sc.run(DeliverRequest(project_path=str(folder), template="mine"))
    assert [path.name for path in (folder / "exports").iterdir()] == [Path(made.delivery_path).name]
    assert kept.items() <= cached_segments().items(), "what was rendered was used again"
    assert {it.path for it in made.files} == {"Film/Small.mp4", "Small.html", "checksums-sha256.txt"}
