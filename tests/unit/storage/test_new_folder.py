"""A new folder appears whole or not at all."""

import stat
from pathlib import Path

import pytest

from fixtures.archives import names
from storycore.errors import Conflict, InvalidInput, Reason
from storycore.storage.local import new_folder


def test_a_folder_appears_when_the_block_ends_well(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with new_folder(target) as folder:
        (folder / "x").write_text("x")
        assert not target.exists()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert ((target / "x").read_text(), names(tmp_path / "a")) == ("x", ["b"])
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


def fill_and_fail(folder: Path) -> None:
    (folder / "deep" / "er").mkdir(parents=True)
    raise KeyError


def test_after_an_error_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(KeyError), new_folder(tmp_path / "a" / "b") as folder:
        fill_and_fail(folder)
    assert names(tmp_path) == []


def test_what_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(Conflict) as caught, new_folder(tmp_path / "a"):
        (tmp_path / "a").mkdir()
    assert (caught.value.reason, names(tmp_path), names(tmp_path / "a")) == (Reason.OUTPUT_EXISTS, ["a"], [])


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInput) as caught, new_folder(tmp_path / "file" / "a"):
        pass
    assert caught.value.reason is Reason.PATH_INVALID
