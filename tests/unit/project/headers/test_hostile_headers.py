"""Header readers and hostile bytes: facts, None or a HeaderFault, and never more than a bounded read."""

import io
import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.media_files import extensible_wav_bytes, film_bytes, rf64_bytes, stills, wav_bytes
from storycore.project.headers import HeaderFault, MediaFacts, facts_of, read_facts
from storycore.project.headers.window import MAX_BYTES

MADE = {
    **stills(),
    "sound.wav": wav_bytes(seconds=0.01),
    "sound.rf64": rf64_bytes(samples=100),
    "six.wav": extensible_wav_bytes(samples=100),
    "film.mp4": film_bytes("mp4", video="mpeg4", audio="aac", frames=2),
    "film.mov": film_bytes("mov", video="mjpeg", audio="pcm_s16le", frames=1, pixels="yuvj420p"),
    "film.mkv": film_bytes("matroska", video="ffv1", audio="flac", frames=1),
    "film.webm": film_bytes("webm", video="libvpx", audio="libopus", frames=2),
    "film.avi": film_bytes("avi", video="mpeg4", audio="libmp3lame", frames=2),
    "sound.mp3": film_bytes("mp3", audio="libmp3lame", frames=4),
    "sound.ogg": film_bytes("ogg", audio="libopus", frames=4),
    "sound.flac": film_bytes("flac", audio="flac", frames=4),
    "sound.aiff": film_bytes("aiff", audio="pcm_s16be", frames=1),
    "sound.aac": film_bytes("adts", audio="aac", frames=4),
    "picture.exr": film_bytes("image2pipe", video="exr", frames=1, pixels="gbrpf32le", size=(8, 8)),
}
STARTS = [data[:16] for data in MADE.values()]


class Counting(io.BytesIO):
    """A file that counts what is read of it."""

    amount = 0

    def read(self, size=-1):
        data = super().read(size)
        self.amount += len(data)
        return data


def probe(data: bytes) -> MediaFacts | HeaderFault | None:
    file = Counting(data)
    try:
        return facts_of(file)
    except HeaderFault as fault:
        return fault
    finally:
        assert file.amount <= MAX_BYTES


@pytest.mark.parametrize("name", MADE)
def test_a_file_cut_at_any_length_never_breaks_a_reader(name):
    data = MADE[name]
    step = max(1, len(data) // 2000)
    for length in [*range(min(len(data), 1500)), *range(1500, len(data), step)]:
        probe(data[:length])


@pytest.mark.parametrize("name", MADE)
def test_flipped_bytes_never_break_a_reader(name):
    chance = random.Random(name)
    data = MADE[name]
    near = min(len(data), 2048)
    for _ in range(400):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(near if chance.random() < 0.8 else len(data))] = chance.choice(
                (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
            )
        probe(bytes(broken))


@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_bytes_behind_any_magic_number_never_break_a_reader(start, rest):
    probe(start + rest)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_under_the_name_of_a_picture_does_not_block(tmp_path: Path):
    os.mkfifo(tmp_path / "panel.png")
    with pytest.raises(OSError, match="not a regular file"):
        read_facts(tmp_path / "panel.png")


def test_a_folder_under_the_name_of_a_picture_is_refused(tmp_path: Path):
    (tmp_path / "panel.png").mkdir()
    with pytest.raises(OSError, match=r"regular file|denied|directory"):
        read_facts(tmp_path / "panel.png")
