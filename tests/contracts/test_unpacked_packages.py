"""Unpacking makes exactly what was checked, in a new folder, or nothing at all."""

import stat
import struct
import zipfile
from pathlib import Path

import pytest

from fixtures.archives import FOLDER, Part, archive, bag, in_folder, names, parts_of, write, zipped
from storycore.errors import Cancelled, Conflict, InvalidInput, NotFound, Reason
from storycore.exports.unpack import unpack
from storycore.observe.progress import Progress, Report
from storycore.settings import Settings

FILES = bag({"a.txt": b"hello", "deep/er/b.txt": b"x" * 300_000})


def unpacked(path: Path, target: Path, progress: Progress | None = None) -> bool:
    return unpack(path, target, settings=Settings(), progress=progress or Progress()).valid


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_target_becomes_the_bag(tmp_path: Path) -> None:
    assert unpacked(write(tmp_path / "film.zip", zipped(FILES)), tmp_path / "new" / "copy")
    assert tree(tmp_path / "new" / "copy") == FILES
    assert names(tmp_path / "new") == ["copy"]


def test_modes_are_plain_whatever_the_package_says(tmp_path: Path) -> None:
    parts = parts_of(FILES, external=0o107777 << 16)
    folder = Part(name=b"film/data/empty/", external=0o047777 << 16)
    assert unpacked(write(tmp_path / "film.zip", archive([*parts, folder])), tmp_path / "copy")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    assert modes == {0o644}
    assert {stat.S_IMODE((tmp_path / "copy" / it).stat().st_mode) for it in (".", "data", "data/empty")} == {0o755}


def test_times_are_kept(tmp_path: Path) -> None:
    times = struct.pack("<2HBl", 0x5455, 5, 1, 1_234_567_890)
    assert unpacked(write(tmp_path / "utc.zip", archive(parts_of(FILES, extra=times))), tmp_path / "utc")
    assert (tmp_path / "utc" / "data" / "a.txt").stat().st_mtime == 1_234_567_890
    assert unpacked(write(tmp_path / "local.zip", zipped(FILES)), tmp_path / "local")
    with zipfile.ZipFile(tmp_path / "local.zip") as opened:
        import time

        instant = time.mktime((*opened.getinfo("film/data/a.txt").date_time, 0, 0, -1))
    assert (tmp_path / "local" / "data" / "a.txt").stat().st_mtime == instant


def test_times_are_told_alike_beside_the_data_and_in_the_list(tmp_path: Path) -> None:
    first, second = (struct.pack("<2HBl", 0x5455, 5, 1, 1_234_567_890 + more) for more in (0, 1))
    wider = struct.pack("<2HB2l", 0x5455, 9, 3, 1_234_567_890, 5)  # with the time of the last reading, as Info-ZIP
    for name, own, accepted in (("same", first, True), ("wider", wider, True), ("other", second, False)):
        made = write(tmp_path / f"{name}.zip", archive(parts_of(FILES, extra=first, local_extra=own)))
        assert unpacked(made, tmp_path / name) == accepted
    assert (tmp_path / "same" / "data" / "a.txt").stat().st_mtime == 1_234_567_890


def test_a_time_that_is_none_is_no_fault(tmp_path: Path) -> None:
    never = {"time": 0, "date": 0}
    assert unpacked(write(tmp_path / "f.zip", archive(parts_of(FILES, local=never, central=never))), tmp_path / "copy")


@pytest.mark.parametrize("kind", ["folder", "full folder", "file", "link", "dead link"])
def test_what_stands_at_the_target_is_never_touched(kind: str, tmp_path: Path) -> None:
    path, target = write(tmp_path / "film.zip", zipped(FILES)), tmp_path / "target"
    if kind in ("folder", "full folder"):
        target.mkdir()
    if kind == "full folder":
        write(target / "x", b"x")
    if kind == "file":
        write(target, b"x")
    if kind in ("link", "dead link"):
        target.symlink_to(tmp_path if kind == "link" else tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Conflict) as caught:
        unpacked(path, target)
    assert (caught.value.reason, sorted(tmp_path.rglob("*"))) == (Reason.OUTPUT_EXISTS, before)


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "film.zip", zipped(FILES))
    steps: list[str] = []

    def stop(report: Report) -> None:
        steps.append(report.step)
        if report.step == "unpacking" and report.done > 100_000:
            progress.cancel()

    progress = Progress(stop, interval_seconds=0)
    with pytest.raises(Cancelled):
        unpacked(path, tmp_path / "new" / "copy", progress)
    assert (names(tmp_path), steps[-1]) == (["film.zip"], "unpacking")


@pytest.mark.parametrize("moment", ["content", "rename"])
def test_a_package_that_changes_after_the_check_is_caught(moment: str, tmp_path: Path) -> None:
    """Written over, it is noticed; put in its place, it does not matter: the file that was checked stays open."""
    whole = zipped(FILES, method=zipfile.ZIP_STORED)
    path = write(tmp_path / "film.zip", whole)

    def swap(report: Report) -> None:
        if report.step == "unpacking" and report.done == 0:
            other = whole.replace(b"hello", b"HELLO")
            if moment == "content":
                write(path, other)
            else:
                write(tmp_path / "other.zip", other).rename(path)

    if moment == "content":
        with pytest.raises(Conflict) as caught:
            unpacked(path, tmp_path / "copy", Progress(swap))
        assert (caught.value.reason, names(tmp_path)) == (Reason.SOURCE_CHANGED, ["film.zip"])
    else:
        assert unpacked(path, tmp_path / "copy", Progress(swap))
        assert tree(tmp_path / "copy") == FILES


def test_a_folder_is_not_unpacked(tmp_path: Path) -> None:
    folder = in_folder(FILES, tmp_path / "film")
    with pytest.raises(InvalidInput):
        unpacked(folder, tmp_path / "copy")
    assert names(tmp_path) == ["film"]


def test_a_package_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        unpacked(tmp_path / "film.zip", tmp_path / "copy")


def test_progress_counts_bytes_and_never_goes_down(tmp_path: Path) -> None:
    told: list[Report] = []
    path = write(tmp_path / "film.zip", zipped(FILES))
    assert unpacked(path, tmp_path / "copy", Progress(told.append, interval_seconds=0))
    total = sum(map(len, FILES.values()))
    assert {(it.step, it.total, it.unit) for it in told} == {
        ("checking", total, "bytes"),
        ("unpacking", total, "bytes"),
    }
    assert [it.fraction for it in told] == sorted(it.fraction for it in told)


def test_empty_folders_are_kept(tmp_path: Path) -> None:
    parts = [Part(name=b"film/data/empty/inner/", external=FOLDER), *parts_of(FILES)]
    assert unpacked(write(tmp_path / "film.zip", archive(parts)), tmp_path / "copy")
    assert (tmp_path / "copy" / "data" / "empty" / "inner").is_dir()
