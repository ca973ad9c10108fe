"""A folder of one's own."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from storycore.errors import InvalidInput
from storycore.storage.local import free_folder


def test_a_taken_name_gets_a_number(tmp_path):
    made = []
    for _ in range(3):
        with free_folder(tmp_path / "exports", "export") as folder:
            made.append(folder.name)
    assert made == ["export", "export_2", "export_3"]


def test_no_two_get_the_same(tmp_path):
    def take(_):
        with free_folder(tmp_path, "export") as folder:
            return folder

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(take, range(40)))) == 40


def test_after_an_error_it_is_gone_and_so_are_its_parents(tmp_path):
    with pytest.raises(RuntimeError), free_folder(tmp_path / "exports", "export"):
        raise RuntimeError
    assert not (tmp_path / "exports").exists()


def test_after_an_error_what_was_put_there_stays(tmp_path):
    with pytest.raises(RuntimeError), free_folder(tmp_path / "exports", "export") as folder:
        (folder / "mine").touch()
        raise RuntimeError
    assert (folder / "mine").exists()


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "exports").touch()
    with pytest.raises(InvalidInput), free_folder(tmp_path / "exports", "export"):
        pass
