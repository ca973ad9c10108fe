"""Renders that die: what was finished is found again, and nothing half-made is left."""

import contextlib
import os
import signal
import subprocess
import sys
import threading

import imageio_ffmpeg
import psutil
import pytest

from fixtures.disks import small_disk
from fixtures.films import cached_segments, deliver, make_film, see
from storycore import FormatRequest, StoryCore
from storycore.errors import DependencyFailed, Reason, Unavailable
from storycore.observe.progress import Progress

PROGRAM = """
import sys
from storycore import FormatRequest, StoryCore
with StoryCore() as sc:
    sc.run(FormatRequest(project_path=sys.argv[1], target_format="mp4", output_path=sys.argv[2],
                         conversion_options={"width": 640, "height": 360, "audio_codec": "none"}))
"""
SHOTS = [{"colour": (n * 8, 90, 20), "camera": "pan", "duration": 2} for n in range(24)]


@pytest.fixture(autouse=True)
def _several_paint(monkeypatch):
    monkeypatch.setenv("STORYCORE_RENDER_WORKERS", "2")


def wait_for(condition, seconds=60):
    ended = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return True
        ended.wait(0.02)
    return False


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_a_killed_render_goes_on_where_it_was(tmp_path):
    folder = make_film(tmp_path / "film", *SHOTS)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, folder, tmp_path / "out"], start_new_session=True)
    assert wait_for(lambda: len(cached_segments()) >= 5)
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert wait_for(lambda: not any(one.is_running() and one.status() != "zombie" for one in family), 10)
    kept = cached_segments()
    assert 5 <= len(kept) < 24
    assert not list((tmp_path / "out").glob("*.mp4"))
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".part"]
    with StoryCore() as sc:
        sc.run(FormatRequest(project_path=str(folder), target_format="json", output_path=str(tmp_path / "other")))
    assert not (tmp_path / "out").exists(), "whatever comes next removes what was left"
    path, _ = deliver(folder, "mp4", tmp_path / "again", width=640, height=360, effort="normal")
    assert kept.items() <= cached_segments().items(), "what was finished was used again"
    assert len(cached_segments()) == 24
    assert len(see(path, pictures=False).times) == 24 * 48


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_a_painter_that_is_killed_is_an_error_and_leaves_nothing(tmp_path):
    folder = make_film(tmp_path / "film", *SHOTS)
    progress = Progress(interval_seconds=0)
    killed = []
    others = set(psutil.Process().children(recursive=True))  # servers and browsers of other tests

    def kill_a_child(report):
        if report.step == "rendering" and report.done > 10:  # again and again: one may just have done its work
            with contextlib.suppress(psutil.NoSuchProcess):
                encoders = [one for one in psutil.Process().children(recursive=True) if "ffmpeg" in one.name()]
                killed.extend(encoders[:1])
                for one in encoders[:1]:
                    one.kill()

    progress.listen(kill_a_child)
    with pytest.raises(DependencyFailed) as fault:
        deliver(folder, "mp4", tmp_path / "out", progress=progress, width=640, height=360)
    assert killed
    assert fault.value.reason is Reason.ENCODER_FAILED
    assert not (tmp_path / "out").exists()
    left = set(psutil.Process().children(recursive=True)) - others
    assert not [one for one in left if one.status() != "zombie"]


@pytest.mark.skipif(os.name == "nt", reason="no such signals there")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_decoder_that_is_killed_is_an_error_and_its_clip_is_whole_the_next_time(tmp_path, how):
    clip = tmp_path / "clip.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=960x540:r=24:d=10"]
    subprocess.run([*command, "-c:v", "libx264", "-preset", "ultrafast", str(clip)], check=True, timeout=120)
    folder = make_film(tmp_path / "film", {"clip": clip.read_bytes(), "duration": 10})
    progress = Progress(interval_seconds=0)
    killed = []

    def kill_the_decoder(report):
        if report.step == "rendering" and report.done > 10 and not killed:
            for one in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if {"-format_whitelist", "rawvideo"} <= set(one.cmdline()):
                        one.send_signal(how)
                        killed.append(one)

    progress.listen(kill_the_decoder)
    with pytest.raises(DependencyFailed) as fault:
        deliver(folder, "mp4", tmp_path / "out", progress=progress, width=960, height=540)
    assert killed
    assert fault.value.reason is Reason.ENCODER_FAILED
    assert cached_segments() == {}
    path, made = deliver(folder, "mp4", tmp_path / "again", width=960, height=540)
    frames = see(path).frames
    assert len(frames) == 240
    assert (frames[-1] != frames[-12]).any()
    assert made.warnings == ()


def test_a_full_disk_is_told_as_such_and_leaves_nothing(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 3}, {"colour": "blue", "duration": 3})
    with small_disk(tmp_path / "disk", size_bytes=150_000) as disk:
        with pytest.raises(Unavailable) as fault:
            deliver(folder, "mov", disk / "out", width=640, height=360)
        assert fault.value.reason is Reason.DISK_FULL
        assert list(disk.iterdir()) == []


def test_a_full_disk_of_the_cache_is_told_as_such(tmp_path, monkeypatch):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 3}, {"colour": "blue", "duration": 3})
    with small_disk(tmp_path / "disk", size_bytes=150_000) as disk:
        monkeypatch.setenv("STORYCORE_CACHE_FOLDER", str(disk / "cache"))
        with pytest.raises(Unavailable) as fault:
            deliver(folder, "mov", tmp_path / "out", width=640, height=360)
        assert fault.value.reason is Reason.DISK_FULL
        assert not (tmp_path / "out").exists()
        assert not list(disk.rglob("*.part"))
