"""A process that is killed while it packs leaves no file that only looks whole."""

import os
import subprocess
import sys

import pytest

from fixtures.packages import noise
from fixtures.projects import make_project, write_json
from storycore import StoryCore, VerifyRequest

FORKS = """
import os, random, signal, sys, time
from storycore import PackageRequest, StoryCore

film, out, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

def run(number):
    with StoryCore() as sc:
        sc.run(PackageRequest(project_path=film, output_path=f"{out}/{number}.zip", compression_level=1))

run("warm")  # loads everything, so that the forks start at once
begun = time.process_time()
run("whole")
needed = time.process_time() - begun
chance = random.Random(seed)
for number in range(count):
    process = os.fork()
    if process == 0:
        # Counted in the processor's time, so that a busy machine changes nothing. Nothing here handles SIGPROF: the
        # system ends the process on the spot, as by SIGKILL.
        signal.setitimer(signal.ITIMER_PROF, max(1e-4, chance.uniform(0, 2) * needed))
        run(number)
        os._exit(0)
    chance.random()  # the child has drawn from a copy
    os.waitpid(process, 0)
    print(*(name for name in os.listdir(out) if not name.endswith(".zip")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_100_kills_leave_no_package_that_is_not_valid(tmp_path):
    film = make_project(tmp_path / "film")
    (film / "take.mp4").write_bytes(b"\0\0\0\x18ftypisom" + noise(9_000_000))
    for number in range(50):
        write_json(film / f"scenes/{number}.json", {"text": "scene " * 200})
    (tmp_path / "out").mkdir()
    words = [film, tmp_path / "out", 100, 5]
    told = subprocess.run(
        [sys.executable, "-c", FORKS, *map(str, words)], stdout=subprocess.PIPE, check=True, timeout=110
    )
    packages = sorted((tmp_path / "out").glob("*.zip"))
    with StoryCore() as sc:
        verdicts = {path.name: sc.run(VerifyRequest(package_path=str(path))).valid for path in packages}
    assert set(verdicts.values()) == {True}
    parts = set(told.stdout.decode().split())
    assert 5 <= len(packages) <= 97, "some were to end in time, and some not"
    assert len(parts) >= 5, "some were to be killed while they wrote"
    assert {(name[0], name[-5:]) for name in parts} == {(".", ".part")}
    assert sorted((tmp_path / "out").iterdir()) == packages  # the next command has removed what they left
