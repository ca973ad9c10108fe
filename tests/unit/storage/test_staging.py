from concurrent.futures import ThreadPoolExecutor

import pytest

from storycore.errors import Cancelled, Conflict
from storycore.storage import traces
from storycore.storage.staging import Staging


def listed(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_folder_appears_whole_and_the_hidden_one_goes(tmp_path):
    parent = tmp_path / "generated"
    staging = Staging(parent)
    for name in ("a", "b"):
        with staging.new_folder(name) as folder:
            (folder / "picture.png").write_bytes(b"p")
            assert not (parent / name).exists()
    assert len(listed(parent)) == 3
    staging.close()
    assert (listed(parent), listed(parent / "a")) == (["a", "b"], ["picture.png"])


def test_nothing_is_left_of_what_fails_nor_of_folders_made_for_nothing(tmp_path):
    staging = Staging(tmp_path / "deep" / "generated")
    with pytest.raises(RuntimeError), staging.new_folder("a") as folder:
        (folder / "half").write_bytes(b"h")
        raise RuntimeError
    staging.close()
    assert listed(tmp_path) == []


def test_what_stands_there_is_never_touched(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "own").write_bytes(b"own")
    staging = Staging(tmp_path)
    with pytest.raises(Conflict, match="already something"), staging.new_folder("a"):
        pass
    staging.close()
    assert listed(tmp_path / "a") == ["own"]


def test_one_note_covers_all_of_it_and_takes_back_only_what_was_not_finished(tmp_path):
    noted = []
    with traces.tracing("task_1.1", lambda *trace: noted.append(trace)):
        staging = Staging(tmp_path)
        with staging.new_folder("a") as folder:
            (folder / "whole").write_bytes(b"w")
        unfinished = staging.new_folder("b")
        (unfinished.__enter__() / "half").write_bytes(b"h")
    assert [kind for kind, _, _ in noted] == [traces.PART]
    traces.take_back(noted)  # as who takes over after a crash does
    assert (listed(tmp_path), listed(tmp_path / "a")) == (["a"], ["whole"])


def test_who_comes_too_late_leaves_nothing(tmp_path):
    staging = Staging(tmp_path)
    staging.close()
    with pytest.raises(Cancelled), staging.new_folder("a"):
        pass
    assert listed(tmp_path) == []


def test_many_threads_share_one(tmp_path):
    staging = Staging(tmp_path / "generated")

    def make(number):
        with staging.new_folder(str(number)) as folder:
            (folder / "it").write_text(str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(40)))
    staging.close()
    assert sorted(listed(tmp_path / "generated"), key=int) == [str(number) for number in range(40)]
