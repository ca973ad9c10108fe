"""Small pictures of shots: made once, by painters, anew when something in them changes."""

import os
from io import BytesIO

import pytest
from PIL import Image

from storycore import Settings, StoryCore
from storycore.errors import NotFound
from storycore.operations.shot_picture import MOST_KEPT


def kept(cache):
    return sorted(path.name for path in (cache / "shot-pictures").iterdir())


def test_pictures_are_made_once_and_anew_when_one_changes(film, tmp_path):
    cache = tmp_path / "cache"
    with StoryCore(Settings.read(cache_folder=cache)) as core:
        first = core.shot_picture(str(film), 1)
        assert Image.open(BytesIO(first)).size == (320, 180)
        before = kept(cache)
        assert core.shot_picture(str(film), 1) == first
        assert kept(cache) == before
        Image.new("RGB", (64, 36), (250, 250, 0)).save(film / "assets/images/promoted/panel_01_promoted.png")
        assert core.shot_picture(str(film), 1) != first
        assert len(kept(cache)) == 2


def test_a_shot_that_is_not_there_is_not_found(film, tmp_path):
    with StoryCore(Settings.read(cache_folder=tmp_path / "cache")) as core, pytest.raises(NotFound):
        core.shot_picture(str(film), 9)


@pytest.mark.skipif(os.name == "nt", reason="the broken program is a shell script")
def test_pictures_that_cant_be_made_are_left_out_and_not_tried_for_each_shot(film, tmp_path):
    program = tmp_path / "ffmpeg"
    program.write_text('#!/bin/sh\necho x >> "$0.calls"\nexit 1\n')
    program.chmod(0o755)
    with StoryCore(Settings.read(cache_folder=tmp_path / "cache", ffmpeg=program)) as core:
        assert core.shot_picture(str(film), 1) is None
        tries = (tmp_path / "ffmpeg.calls").stat().st_size if (tmp_path / "ffmpeg.calls").exists() else 0
        assert core.shot_picture(str(film), 2) is None
        assert ((tmp_path / "ffmpeg.calls").stat().st_size if tries else 0) == tries
    assert kept(tmp_path / "cache") == []


def test_what_was_made_longest_ago_is_forgotten(film, tmp_path):
    folder = tmp_path / "cache/shot-pictures"
    for number in range(MOST_KEPT + 5):
        (folder / f"old{number}").mkdir(parents=True)
        os.utime(folder / f"old{number}", (number, number))
    with StoryCore(Settings.read(cache_folder=tmp_path / "cache")) as core:
        assert core.shot_picture(str(film), 1)
    assert len(kept(tmp_path / "cache")) == MOST_KEPT
    assert not (folder / "old0").exists()
