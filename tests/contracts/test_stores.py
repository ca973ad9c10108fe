"""What every place for results promises, whether it is a folder or an object store; judged by readers not ours."""

import contextlib
import os
import secrets

import pytest

from fixtures.stores import sha256
from storycore.errors import Conflict, NotFound
from storycore.storage import upload
from storycore.storage.local import new_file
from storycore.storage.objects import Bucket
from storycore.storage.place import read_place
from storycore.storage.stored_file import open_stored

MEDIA = "application/octet-stream"


class Stored:
    """An object store."""

    def __init__(self, server):
        self.server, self.place = server, read_place(server.url)

    def new(self, name, size_bytes=0):
        return upload.new_object(self.place / name, size_bytes=size_bytes, media_type=MEDIA)

    def open(self, name):
        place = self.place / name
        return open_stored(Bucket(place), place.key, place.name)

    def there(self):
        assert self.server.unfinished() == []
        return self.server.objects()

    def put(self, name, data):
        self.server.put(name, data)


class Folder:
    """A folder of this machine."""

    def __init__(self, folder):
        self.folder = folder

    def new(self, name, _size_bytes=0):
        return new_file(self.folder / name)

    def open(self, name):
        try:
            return (self.folder / name).open("rb")
        except FileNotFoundError:
            raise NotFound(name) from None

    def there(self):
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}

    def put(self, name, data):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(data)


@pytest.fixture(params=["folder", "moto", "seaweedfs", "azurite"])
def kept(request, monkeypatch, tmp_path):
    """Each kind of place."""
    if request.param == "folder":
        return Folder(tmp_path / "kept")
    from fixtures.stores import settled

    with settled(monkeypatch, request.getfixturevalue(f"{request.param}_server")) as server:
        return Stored(server)


@pytest.mark.parametrize("size", [0, 5 * 2**20, 13_000_000])
def test_what_was_written_stands_there_whole(kept, size):
    data = os.urandom(size)
    with kept.new("a/film.bin", size) as sink:
        for start in range(0, size, 700_001):
            sink.write(data[start : start + 700_001])
    assert {name: sha256(found) for name, found in kept.there().items()} == {"a/film.bin": sha256(data)}
    with kept.open("a/film.bin") as file:
        assert file.read() == data


@pytest.mark.parametrize("size", [1000, 12_000_000])
def test_nothing_is_seen_before_the_end_and_nothing_is_left_after_an_error(kept, size):
    data = os.urandom(size)
    with pytest.raises(RuntimeError, match=r"^stop$"), kept.new("film.bin", size) as sink:
        sink.write(data)
        with contextlib.suppress(AttributeError):
            assert kept.server.objects() == {}
        raise RuntimeError("stop")
    assert kept.there() == {}


@pytest.mark.parametrize("size", [1000, 12_000_000])
def test_what_stands_there_is_never_replaced(kept, size):
    kept.put("film.bin", b"old")
    with pytest.raises(Conflict) as told, kept.new("film.bin", size) as sink:
        sink.write(os.urandom(size))
    assert told.value.reason == "output_exists"
    assert kept.there() == {"film.bin": b"old"}


@pytest.mark.parametrize("size", [1000, 12_000_000])
def test_what_others_put_there_meanwhile_is_not_replaced(kept, size):
    with pytest.raises(Conflict) as told, kept.new("film.bin", size) as sink:
        sink.write(os.urandom(size))
        kept.put("film.bin", b"theirs")
    assert told.value.reason == "output_exists"
    assert kept.there() == {"film.bin": b"theirs"}


def test_names_of_every_script_come_back_as_they_were(kept):
    names = ["Тест/フィルム 1.bin", "a b/ä'#[1]$&=+,;@!(~).bin"]
    for name in names:
        with kept.new(name) as sink:
            sink.write(name.encode())
    assert kept.there() == {name: name.encode() for name in names}
    for name in names:
        with kept.open(name) as file:
            assert file.read() == name.encode()


def test_any_part_can_be_read_in_any_order(kept):
    data = secrets.token_bytes(9_000_000)
    kept.put("film.bin", data)
    with kept.open("film.bin") as file:
        assert file.seek(0, os.SEEK_END) == len(data)
        assert file.read(1) == b""
        for start in (8_999_990, 17, 4_194_300, 0):
            file.seek(start)
            assert file.read(500_000) == data[start : start + 500_000]


def test_what_is_not_there_is_not_found(kept):
    with pytest.raises(NotFound):
        kept.open("none.bin")


def test_what_changes_while_it_is_read_is_told(store):
    kept = Stored(store)
    kept.put("film.bin", secrets.token_bytes(9_000_000))
    with kept.open("film.bin") as file:
        file.read(10)
        kept.put("film.bin", secrets.token_bytes(9_000_000))
        with pytest.raises(Conflict) as told:
            file.read()
    assert told.value.reason == "source_changed"
