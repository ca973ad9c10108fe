import os
import time

import pytest

from storycore.rendering.cache import SegmentCache

KEY, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture
def cache(tmp_path):
    return SegmentCache(tmp_path / "cache", 1000)


def keep(cache, key, size=100):
    part = cache.new(key)
    part.write_bytes(bytes(size))
    cache.keep(key, part)


def test_what_was_kept_can_be_taken(cache, tmp_path):
    assert not cache.take(KEY, tmp_path / "mine")
    keep(cache, KEY)
    assert cache.take(KEY, tmp_path / "mine")
    assert (tmp_path / "mine").read_bytes() == bytes(100)


def test_tidying_takes_nothing_away_from_who_uses_it(cache, tmp_path):
    keep(cache, KEY, size=2000)
    cache.take(KEY, tmp_path / "mine")
    cache.tidy()
    assert (tmp_path / "mine").stat().st_size == 2000
    assert not cache.take(KEY, tmp_path / "again")


def test_the_least_recently_used_go_first(cache, tmp_path):
    keep(cache, KEY, size=600)
    keep(cache, OTHER, size=600)
    os.utime(cache._path(OTHER), (1, 1))
    cache.take(KEY, tmp_path / "used")
    cache.tidy()
    assert cache.take(KEY, tmp_path / "a")
    assert not cache.take(OTHER, tmp_path / "b")


def test_what_a_killed_process_left_is_removed_when_it_is_old(cache, tmp_path):
    part = cache.new(KEY)
    part.write_bytes(b"half")
    young = cache.new(KEY)
    young.write_bytes(b"half")
    with cache.workplace() as folder:
        kept = folder
        (folder / "x").write_bytes(b"x")
        old = time.time() - 100_000
        os.utime(part, (old, old))
        cache.tidy()
        assert folder.is_dir()
    assert not kept.exists()
    assert (part.exists(), young.exists()) == (False, True)


def test_notes_are_remembered(cache):
    assert cache.unusable(KEY) is None
    cache.remember_unusable(KEY, "broken")
    assert cache.unusable(KEY) == "broken"
    cache.note(OTHER, [1])
    assert cache.noted(OTHER) == [1]
