import threading

import pytest

from storycore.errors import InvalidInput
from storycore.rendering.cache import SegmentCache
from storycore.rendering.depot import FolderDepot, depot_of, name_of, segment_cache, shared_by
from storycore.settings import Settings

KEY = "ab" * 32


def machine(tmp_path, name):
    return segment_cache(Settings(cache_folder=tmp_path / name, segment_store=str(tmp_path / "shared")))


def keep(cache, key=KEY, data=b"segment"):
    part = cache.new(key)
    part.write_bytes(data)
    cache.keep(key, part)


def test_what_one_machine_keeps_another_takes_and_keeps_too(tmp_path):
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    assert not other.take(KEY, tmp_path / "early")
    keep(one)
    assert other.take(KEY, tmp_path / "mine")
    assert (tmp_path / "mine").read_bytes() == b"segment"
    assert other.held(KEY) == 7
    assert not list(tmp_path.rglob("*.part"))


def test_a_broken_segment_is_forgotten_everywhere(tmp_path):
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    keep(one)
    one.forget(KEY)
    assert not other.take(KEY, tmp_path / "mine")


def test_a_store_that_fails_is_left_alone_and_the_work_goes_on(tmp_path):
    (tmp_path / "shared").write_bytes(b"a file where the folder should be")
    cache = machine(tmp_path, "one")
    assert not cache.is_cut_off
    keep(cache)
    assert cache.is_cut_off
    assert cache.take(KEY, tmp_path / "mine")
    assert not cache.take("cd" * 32, tmp_path / "other")


def test_a_folder_has_one_name_under_every_path_and_for_all_who_ask_at_once(tmp_path):
    folder, found = tmp_path / "shared", []
    threads = [threading.Thread(target=lambda: found.append(name_of(folder))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    (tmp_path / "link").symlink_to(folder)
    assert {*found, FolderDepot(tmp_path / "link", 1).name} == {name_of(folder)}
    assert name_of(tmp_path / "another") != name_of(folder)


def test_without_a_store_the_cache_folder_is_what_is_shared(tmp_path):
    one, other = (Settings(cache_folder=tmp_path / name) for name in ("one", "other"))
    assert shared_by(one) == shared_by(one) != shared_by(other)
    assert isinstance(segment_cache(one), SegmentCache)
    assert depot_of(one) is None


@pytest.mark.parametrize("text", ["segments", "ftp://films/segments", "s3://UPPER/x", "s3://films/../x"])
def test_what_is_no_place_is_refused_by_its_setting(text):
    with pytest.raises(InvalidInput, match="segment_store"):
        depot_of(Settings(segment_store=text))
