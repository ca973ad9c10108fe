"""Small pictures of finished files: in their shape and colours, and never at the price of the server."""

import io
import os
import subprocess

import numpy as np
import pytest
from PIL import Image

from storycore import Settings
from storycore.errors import DependencyFailed, InvalidInput
from storycore.observe.progress import Progress
from storycore.rendering import thumbnail as module
from storycore.rendering.encoder import Ffmpeg, find
from storycore.rendering.thumbnail import thumbnail


@pytest.fixture(scope="module")
def ffmpeg():
    return find(Settings.read())


@pytest.fixture(scope="module")
def film(ffmpeg, tmp_path_factory):
    """Six seconds: two of black, then the colour of a lamp."""
    path = tmp_path_factory.mktemp("thumbnails") / "-film.mp4"
    black, lamp = (f"color=c={colour}:s=640x272:r=12:d={length}" for colour, length in (("black", 2), ("0xF2A93B", 4)))
    subprocess.run(
        [ffmpeg.path, "-v", "error", "-f", "lavfi", "-i", black, "-f", "lavfi", "-i", lamp, "-filter_complex",
         "[0][1]concat,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-colorspace", "bt709", "-g", "12",
         f"file:{path}"],
        check=True,
    )  # fmt: skip
    return path


def opened(content):
    return Image.open(io.BytesIO(content)).convert("RGB")


def test_a_film_is_seen_a_third_in_as_small_as_a_list_needs_and_in_its_own_colours(film, ffmpeg):
    content = thumbnail(ffmpeg, film, film.name, Progress())
    picture = opened(content)
    assert picture.size == (320, 136)
    assert np.abs(np.asarray(picture).astype(int).mean(axis=(0, 1)) - (0xF2, 0xA9, 0x3B)).max() < 8
    assert len(content) < 20_000


@pytest.mark.parametrize(("size", "shown"), [((60, 40), (60, 40)), ((100, 2000), (8, 180)), ((4000, 20), (320, 2))])
def test_a_picture_keeps_its_shape_and_is_never_enlarged(tmp_path, ffmpeg, size, shown):
    Image.new("RGB", size, (10, 200, 30)).save(tmp_path / "a.png")
    assert opened(thumbnail(ffmpeg, tmp_path / "a.png", "a.png", Progress())).size == shown


@pytest.mark.parametrize(
    "content", [b"", b"not a film", b"#EXTM3U\n#EXTINF:1,\nother.mp4\n", b"ffconcat version 1.0\nfile other.mp4\n"],
    ids=["empty", "text", "playlist", "list"],
)  # fmt: skip
def test_what_is_no_picture_or_leads_to_other_files_is_refused(tmp_path, film, ffmpeg, content):
    (tmp_path / "other.mp4").write_bytes(film.read_bytes())
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(InvalidInput):
        thumbnail(ffmpeg, tmp_path / "a.mp4", "a.mp4", Progress())


@pytest.mark.skipif(os.name == "nt", reason="the slow program is a shell script")
def test_what_takes_too_long_is_given_up(tmp_path, film, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr(module, "MOST_SECONDS", 0.1)
    with pytest.raises(DependencyFailed):
        thumbnail(Ffmpeg(path=program, version="x", mark="x"), film, film.name, Progress())
