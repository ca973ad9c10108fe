"""The ZIP writer, read by readers that are not ours."""

import hashlib
import io
import struct
import zipfile
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.packages import noise, streamed_entries
from storycore.errors import Cancelled
from storycore.exports.packing import zip_writer
from storycore.exports.packing.readback import read_back
from storycore.exports.packing.zip_records import Entry, end_records, local_header
from storycore.exports.packing.zip_writer import ZipWriter
from storycore.observe.progress import Progress

NOW = 1_700_000_000_000_000_000
MEBIBYTE = 2**20


@dataclass
class Memory:
    """Large content that is in memory."""

    data: bytes
    promise: bytes | None = None

    @property
    def size_bytes(self):
        return len(self.data)

    def sample(self):
        return self.promise or self.data[:MEBIBYTE]

    def parts(self):
        for start in range(0, len(self.data), MEBIBYTE):
            yield memoryview(self.data)[start : start + MEBIBYTE]


def written(add, *, level=6, streams=False):
    sink = io.BytesIO()
    writer = ZipWriter(sink, level=level, patch=None if streams else sink, progress=Progress())
    add(writer)
    writer.close()
    return sink.getvalue()


def entries(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return {item.filename: item for item in file.infolist()}


@given(st.dictionaries(st.text(min_size=1, max_size=20).filter(lambda name: "\0" not in name and name.isprintable()),
                       st.binary(max_size=2000), max_size=6), st.integers(0, 9), st.booleans())  # fmt: skip
def test_whatever_is_added_is_read_back(files, level, streams):
    data = written(
        lambda zip_: [zip_.add(name, body, NOW) for name, body in files.items()], level=level, streams=streams
    )
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert {name: file.read(name) for name in file.namelist()} == files
    assert dict(streamed_entries(io.BytesIO(data))) == files


def test_sizes_and_checksums_come_out_of_the_same_pass():
    answers = []
    written(lambda zip_: answers.append(zip_.add("a", b"film", NOW)))
    assert answers == [(4, hashlib.sha256(b"film").hexdigest())]


def test_nothing_in_an_entry_tells_of_the_machine():
    item = entries(written(lambda zip_: zip_.add("é.txt", b"x" * 99, NOW)))["é.txt"]
    facts = (item.date_time, item.external_attr >> 16, item.create_system, item.extra, item.flag_bits, item.comment)
    assert facts == ((2023, 11, 14, 22, 13, 20), 0o100644, 3, b"", 0x800, b"")


@pytest.mark.parametrize(
    ("instant", "read"),
    [
        (0, (1980, 1, 1, 0, 0, 0)),
        (-(10**18), (1980, 1, 1, 0, 0, 0)),
        (315_532_799, (1980, 1, 1, 0, 0, 0)),
        (951_827_697, (2000, 2, 29, 12, 34, 56)),
        (4_354_819_199, (2107, 12, 31, 23, 59, 58)),
        (9_000_000_000, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_times_are_utc_even_and_within_what_a_zip_can_say(instant, read):
    data = written(lambda zip_: zip_.add("a", b"", instant * 10**9 + 999))
    assert entries(data)["a"].date_time == read


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("level", [0, 3, 6])
@pytest.mark.parametrize("body", [b"shot " * 2_000_000, noise(9_000_000)], ids=["text", "noise"])
def test_large_contents_are_read_back_front_to_back_and_by_directory(body, level, streams):
    data = written(lambda zip_: zip_.add_large("a", Memory(body), NOW), level=level, streams=streams)
    assert dict(streamed_entries(io.BytesIO(data))) == {"a": body}
    item = entries(data)["a"]
    deflated = (level > 0 and body[:4] == b"shot") or streams
    assert (item.compress_type, item.flag_bits & 8) == (8 if deflated else 0, 8 if streams else 0)


def test_a_stream_wraps_what_does_not_shrink_at_the_cost_of_a_ten_thousandth():
    body = noise(10_000_000)
    data = written(lambda zip_: zip_.add_large("a", Memory(body), NOW), streams=True)
    assert len(body) < len(data) < len(body) * 1.0002


@pytest.mark.parametrize("level", [1, 6, 9])
def test_what_deflate_does_not_shrink_is_stored(level):
    data = written(lambda zip_: [zip_.add("a", noise(5000), NOW), zip_.add("b", b"", NOW)], level=level)
    assert [item.compress_type for item in entries(data).values()] == [0, 0]


def test_a_large_content_that_only_seemed_to_shrink_is_stored_after_all():
    body = noise(9_000_000)
    deceiving = Memory(body, promise=bytes(MEBIBYTE))
    data = written(lambda zip_: [zip_.add_large("a", deceiving, NOW), zip_.add("b", b"after", NOW)], level=1)
    assert data == written(lambda zip_: [zip_.add_large("a", Memory(body), NOW), zip_.add("b", b"after", NOW)], level=1)
    assert entries(data)["a"].compress_type == 0


def test_known_compressed_contents_are_not_tried():
    data = written(lambda zip_: [zip_.add("a", bytes(5000), NOW, compressed=True),
                                 zip_.add_large("b", Memory(bytes(9_000_000)), NOW, compressed=True)])  # fmt: skip
    assert [item.compress_type for item in entries(data).values()] == [0, 0]


def test_more_than_65535_entries_need_the_zip64_end_and_no_more():
    data = written(lambda zip_: [zip_.add(f"{number}", b"", NOW) for number in range(65_536)], level=0)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert len(file.namelist()) == 65_536
    assert len(read_back(io.BytesIO(data), Progress()).entries) == 65_536
    assert (data.count(b"PK\6\6"), data.count(b"PK\6\7"), data[-22:-18]) == (1, 1, b"PK\5\6")


def test_65534_entries_need_no_zip64():
    assert b"PK\6\6" not in end_records(count=65_534, directory_size=1, directory_offset=0xFFFF_FFFE)


def test_zip64_is_decided_by_the_size_alone():
    small, large = (Entry(b"a", 0, 0, 0, 0, size, 0, zip64=size >= 0xFFFF_FFFF) for size in (0xFFFF_FFFE, 0xFFFF_FFFF))
    assert (len(local_header(small)), len(local_header(large))) == (31, 51)
    assert struct.unpack_from("<H", local_header(large), 4) == (45,)


def test_a_stream_that_may_pass_4_gib_has_wide_descriptors():
    class Growing(Memory):
        size_bytes = 0xD000_0000  # deflate could make more than 4 GiB of it

    data = written(
        lambda zip_: [zip_.add_large("a", Growing(noise(10**6)), NOW), zip_.add("b", b"x", NOW)], streams=True
    )
    assert {name: len(content) for name, content in streamed_entries(io.BytesIO(data))} == {"a": 10**6, "b": 1}
    assert data[:6] == b"PK\3\4\x2d\0"


def test_large_contents_can_be_cancelled_every_mebibyte():
    progress = Progress()

    class Endless(Memory):
        def parts(self):
            for number, part in enumerate(super().parts()):
                if number == 3:
                    progress.cancel()
                assert number < 4
                yield part

    writer = ZipWriter(io.BytesIO(), level=0, patch=None, progress=progress)
    with pytest.raises(Cancelled):
        writer.add_large("a", Endless(bytes(9_000_000)), NOW)


def test_many_small_entries_are_written_in_few_calls():
    class Counted(io.BytesIO):
        calls = 0

        def write(self, data):
            self.calls += 1
            return super().write(data)

    sink = Counted()
    writer = ZipWriter(sink, level=0, patch=sink, progress=Progress())
    for number in range(5000):
        writer.add(f"{number}", b"x" * 500, NOW)
    writer.close()
    assert sink.calls <= 5
    assert zip_writer.SMALL_BYTES == 8 * MEBIBYTE


@pytest.mark.parametrize("level", [1, 6])
def test_what_comes_after_the_first_256_mib_never_looks_like_a_bomb(level):
    black = bytes(8 * MEBIBYTE)
    packed = written(lambda writer: [writer.add(f"{number:02d}.raw", black, NOW) for number in range(34)], level=level)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        shrunk = [item.file_size / item.compress_size for item in archive.infolist()]
        assert archive.read("33.raw") == black
    assert min(shrunk[:32]) > 200
    assert max(shrunk[32:]) < 150
