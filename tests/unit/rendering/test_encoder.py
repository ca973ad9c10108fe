import os
import threading
import time

import pytest

from storycore.errors import Cancelled, DependencyFailed, InvalidInput, Reason, Unavailable
from storycore.observe.progress import Progress
from storycore.rendering import encoder
from storycore.settings import Settings

GREY = ("-f", "lavfi", "-i", "color=gray:s=32x16:r=8:d=1")


@pytest.fixture(scope="module")
def ffmpeg():
    return encoder.find(Settings.read())


def test_the_ffmpeg_that_came_along_is_found_and_says_its_version(ffmpeg):
    assert ffmpeg.path.is_file()
    assert ffmpeg.version[0] in "n0123456789"


def test_an_ffmpeg_that_the_settings_name_but_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DependencyFailed) as fault:
        encoder.find(Settings.read(ffmpeg=tmp_path / "none"))
    assert fault.value.reason is Reason.ENCODER_MISSING


def test_what_it_writes_to_stdout_can_be_read(ffmpeg):
    with encoder.child(ffmpeg, [*GREY, "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"], reads=True) as running:
        data = running.output.read(32 * 16 * 9)
        running.finish()
    assert running.told["frame"] == "8"
    assert len(data) == 32 * 16 * 8


def test_what_is_written_to_its_stdin_is_encoded(ffmpeg, tmp_path):
    wanted = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "32x16", "-i", "pipe:0", encoder.url(tmp_path / "-x.avi")]
    with encoder.child(ffmpeg, wanted, writes=True) as running:
        for _ in range(5):
            running.input.write(bytes(32 * 16))
        running.finish()
    assert (tmp_path / "-x.avi").stat().st_size > 1000


def test_a_failure_tells_what_it_said(ffmpeg, tmp_path):
    with pytest.raises(DependencyFailed) as fault:
        encoder.run(ffmpeg, ["-i", encoder.url(tmp_path / "nothing.mp4"), "-f", "null", "-"])
    assert fault.value.reason is Reason.ENCODER_FAILED
    assert any("No such file" in line for line in fault.value.details["encoder_log"])


@pytest.mark.parametrize("content", [b"", b"just text", b"\0\0\0\x18ftypmp42", b"#EXTM3U\nhttp://127.0.0.1:9/x.ts\n",
                                     b"ffconcat version 1.0\nfile '/etc/passwd'\n"])  # fmt: skip
def test_media_of_strangers_that_is_none_is_refused_by_name(ffmpeg, tmp_path, content):
    (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"^clip\.mp4 can't be read") as fault:
        encoder.run(
            ffmpeg,
            [*encoder.source(tmp_path / "clip.mp4"), "-f", "null", "-"],
            foreign="clip.mp4",
            limits=encoder.DECODING,
        )
    assert fault.value.reason is Reason.MEDIA_INVALID


def test_a_cancelled_child_is_killed_whatever_the_caller_waits_for(ffmpeg):
    progress = Progress()
    endless = ["-re", "-f", "lavfi", "-i", "color=gray:s=32x16:r=8", "-f", "null", "-"]
    threading.Timer(0.3, progress.cancel).start()
    started = time.monotonic()
    with pytest.raises(Cancelled), encoder.child(ffmpeg, endless, progress=progress) as running:
        running.finish()
    assert running.ended
    assert time.monotonic() - started < 30


@pytest.mark.skipif(os.name == "nt", reason="processes are not held to limits there")
def test_a_child_that_wants_too_much_memory_fails_alone(ffmpeg):
    limits = encoder.Limits(memory_bytes=300 * 1024 * 1024)
    big = ["-f", "lavfi", "-i", "color=gray:s=8192x8192:r=8:d=1", "-c:v", "libx264", "-f", "null", "-"]
    with pytest.raises(DependencyFailed):
        encoder.run(ffmpeg, big, limits=limits)


def test_a_full_disk_is_told_as_such():
    fault = encoder.fault_of(["av_interleaved_write_frame(): No space left on device", "Conversion failed!"], 228)
    assert (type(fault), fault.reason) == (Unavailable, Reason.DISK_FULL)


def test_a_decoder_that_somebody_killed_says_nothing_about_the_media():
    fault = encoder.fault_of([], -9, foreign="a.mp4")
    assert (type(fault), fault.reason) == (DependencyFailed, Reason.ENCODER_FAILED)
    assert encoder.fault_of([], -11, foreign="a.mp4").reason is Reason.MEDIA_INVALID


def test_a_fault_says_what_was_wrong_and_not_who_gave_up_after_it():
    lines = [
        "[mov,mp4 @ 0x55f182625540] moov atom not found",
        "[vf#0:0 @ 0x5621ca904d80] Task finished with error code: -22 (Invalid argument)",
        "[out#0/rawvideo @ 0x55f182] Nothing was written into output file, because at least one of its streams ...",
        "Error opening input files: Invalid data found when processing input",
        "Conversion failed!",
    ]
    fault = encoder.fault_of(lines, 1, foreign="a.mp4")
    assert fault.message == "a.mp4 can't be read as picture or sound: moov atom not found"
    lines = [
        "Stream map '' matches no streams.",
        "To ignore this, add a trailing '?' to the map.",
        "Failed to set value '0:v:0' for option 'map': Invalid argument",
        "Error parsing options for output file -.",
        "Error opening output files: Invalid argument",
    ]
    fault = encoder.fault_of(lines, 234, foreign="a.mp4")
    assert fault.message == "a.mp4 can't be read as picture or sound: Stream map '' matches no streams."
