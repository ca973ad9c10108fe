"""How much may come home: counted, and compared with the disk."""

import pytest

from storycore.comfyui import room
from storycore.comfyui.client import Unreachable
from storycore.comfyui.room import Flow, Room
from storycore.errors import DependencyFailed, Unavailable


def test_as_much_may_come_as_was_allowed_and_no_byte_more(tmp_path):
    home = Room(tmp_path / "not/yet", most_bytes=10, min_free_bytes=0)
    home.take(10)
    with pytest.raises(DependencyFailed):
        home.take(1)


def test_what_came_in_vain_is_taken_back(tmp_path):
    home = Room(tmp_path, most_bytes=10, min_free_bytes=0)
    for size in (10, -10, 10):
        home.take(size)
    assert home.taken_bytes == 10


def test_the_disk_keeps_what_must_stay_free(tmp_path):
    with pytest.raises(Unavailable):
        Room(tmp_path, most_bytes=10, min_free_bytes=2**62).take(1)


def test_a_body_that_drips_for_minutes_is_given_up(monkeypatch):
    clock = iter([0.0, 299.0, 301.0])
    monkeypatch.setattr(room.time, "monotonic", lambda: next(clock))
    flow = Flow()
    flow.count(1)
    with pytest.raises(Unreachable):
        flow.count(1)
