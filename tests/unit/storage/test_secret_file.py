import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from storycore.storage.secret_file import make_once, others_may_read


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no modes")
def test_only_its_owner_can_read_it_and_its_folder(tmp_path):
    file = tmp_path / "keys" / "one.key"
    make_once(file, lambda: b"secret")
    assert file.read_bytes() == b"secret"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not others_may_read(file)
    file.chmod(0o640)
    assert others_may_read(file)


def test_of_many_that_make_it_at_once_all_find_the_same(tmp_path):
    file = tmp_path / "one.key"

    def make(number: int) -> bytes:
        make_once(file, lambda: b"%d" % number)
        return file.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(make, range(64)))
    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["one.key"]


def test_what_can_not_be_made_leaves_nothing(tmp_path):
    def fail() -> bytes:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - the one raised here
        make_once(tmp_path / "one.key", fail)
    assert list(tmp_path.iterdir()) == []
