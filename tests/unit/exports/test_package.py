"""Packages, judged by programs that are not ours."""

import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from itertools import pairwise
from pathlib import Path

import bagit
import pytest
from PIL import Image
from rocrate.rocrate import ROCrate

from fixtures.disks import small_disk
from fixtures.packages import contents_of, noise, pack, streamed_entries
from fixtures.projects import make_project, snapshot
from storycore.errors import Cancelled, Conflict, Reason, StoryCoreError, Unavailable
from storycore.exports.package import stream_package, write_package
from storycore.exports.packing.contents import Contents
from storycore.exports.packing.selection import Selection
from storycore.observe.progress import Progress


@pytest.fixture
def folder(tmp_path):
    """A film with odd names, media of each kind, and something large."""
    place = make_project(tmp_path / "film")
    (place / "audio/é 日本").mkdir(parents=True)
    (place / "audio/é 日本/note ñ.txt").write_text("ok", encoding="utf-8")
    (place / "Audio").mkdir()
    (place / "Audio/50%.txt").write_text("half")
    (place / "audio/silence.wav").write_bytes(b"RIFF\0\0\0\0WAVE" + bytes(9_000_000))
    (place / "take.mp4").write_bytes(b"\0\0\0\x18ftypisom" + noise(9_000_000))
    (place / "empty.txt").touch()
    for age, path in enumerate(sorted(path for path in place.rglob("*") if path.is_file())):
        os.utime(path, (1_700_000_000 + age, 1_700_000_000 + age))
    return place


def run(*words, cwd=None):
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120)


def unpacked(path, to):
    with zipfile.ZipFile(path) as file:
        file.extractall(to)
    return to / "Film"


@pytest.mark.parametrize("level", [0, 1, 3, 6, 9])
def test_unzip_and_7zip_find_nothing_wrong(folder, tmp_path, level):
    path = pack(folder, tmp_path / "film.zip", level=level).path
    assert run("unzip", "-tqq", str(path)).returncode == 0
    assert "Everything is Ok" in run("7zz", "t", str(path)).stdout


@pytest.mark.parametrize("streams", [False, True])
def test_bagit_and_sha256sum_find_nothing_wrong(folder, tmp_path, streams):
    path = tmp_path / "film.zip"
    if streams:
        with path.open("wb") as sink:
            stream_package(contents_of(folder), sink, level=3, progress=Progress())
    else:
        pack(folder, path)
    bag = unpacked(path, tmp_path / "out")
    assert bagit.Bag(str(bag)).validate(completeness_only=False)
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        assert run("sha256sum", "-c", "--quiet", "--strict", manifest, cwd=bag).returncode == 0


def test_one_flipped_byte_is_found_by_bagit(folder, tmp_path):
    bag = unpacked(pack(folder, tmp_path / "film.zip").path, tmp_path / "out")
    path = bag / "data/take.mp4"
    content = bytearray(path.read_bytes())
    content[5_000_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(bag)).validate()


def test_the_crate_is_loaded_by_rocrate(folder, tmp_path):
    bag = unpacked(pack(folder, tmp_path / "film.zip", logline="A film.").path, tmp_path / "out")
    crate = ROCrate(str(bag / "data"))
    files = {entity.id: entity for entity in crate.get_by_type("File")}
    assert (crate.name, crate.description) == ("Film", "A film.")
    assert crate.metadata["conformsTo"] == "https://w3id.org/ro/crate/1.2"
    assert files["take.mp4"]["encodingFormat"] == "video/mp4"
    assert (files["project.json"]["additionalType"], files["take.mp4"]["contentSize"]) == ("project", "9000012")


def test_every_payload_file_and_folder_stands_in_the_crate_once(folder, tmp_path):
    with zipfile.ZipFile(pack(folder, tmp_path / "film.zip").path) as file:
        names = {name.removeprefix("Film/data/") for name in file.namelist() if name.startswith("Film/data/")}
        graph = json.loads(file.read("Film/data/ro-crate-metadata.json"))["@graph"]
    parts = [part["@id"] for entity in graph for part in entity.get("hasPart", ())]
    assert len(parts) == len(set(parts)) == len(graph) - 2
    assert len([entity for entity in graph if entity["@type"] == "File"]) == len(names) - 1


def test_the_bag_tells_what_it_is(folder, tmp_path):
    with zipfile.ZipFile(pack(folder, tmp_path / "film.zip", logline="One\nline: two").path) as file:
        text = file.read("Film/bag-info.txt").decode()
        payload = [item for item in file.infolist() if item.filename.startswith("Film/data/")]
    oxum = f"{sum(item.file_size for item in payload)}.{len(payload)}"
    assert text == (
        "External-Identifier: film_1\nExternal-Description: One line: two\nBagging-Date: 2023-11-14\n"
        f"Bag-Software-Agent: StoryCore 0.1.0\nPayload-Oxum: {oxum}\n"
    )


def test_sources_come_first_then_what_was_added_then_the_manifests(folder, tmp_path):
    package = pack(folder, tmp_path / "film.zip")
    with zipfile.ZipFile(package.path) as file:
        names = [name.removeprefix("Film/") for name in file.namelist()]
    assert names[-6:] == [
        "data/storycore/manifest.json", "data/ro-crate-metadata.json", "bagit.txt", "bag-info.txt",
        "manifest-sha256.txt", "tagmanifest-sha256.txt",
    ]  # fmt: skip
    assert [f"data/{file.path}" for file in package.files] == names[:-4]


def test_what_is_told_of_the_package_is_what_stands_in_it(folder, tmp_path):
    package = pack(folder, tmp_path / "film.zip")
    listed = run("sha256sum", str(package.path)).stdout.split()[0]
    with zipfile.ZipFile(package.path) as file:
        manifest = json.loads(file.read("Film/data/storycore/manifest.json"))["files"]
    assert (package.sha256, package.size_bytes) == (listed, package.path.stat().st_size)
    assert manifest == [dict(zip(("path", "size_bytes", "sha256", "media_type", "role"), file, strict=True))
                        for file in package.files[:-2]]  # fmt: skip


def test_the_same_project_gives_the_same_bytes_wherever_it_lies(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "elsewhere/deep/down")
    first, second = pack(folder, tmp_path / "a.zip"), pack(copy, tmp_path / "other/b.zip")
    assert first.path.read_bytes() == second.path.read_bytes()


def test_the_same_bytes_come_out_while_other_threads_pack(folder, tmp_path):
    threads = [threading.Thread(target=pack, args=(folder, tmp_path / f"{number}.zip")) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({path.read_bytes() for path in tmp_path.glob("*.zip")}) == 1
    assert len(list(tmp_path.glob("*.zip"))) == 4


def test_a_stream_holds_the_same_files_in_the_same_bytes_each_time(folder, tmp_path):
    first, second = io.BytesIO(), io.BytesIO()
    told = stream_package(contents_of(folder), first, level=6, progress=Progress())
    stream_package(contents_of(folder), second, level=6, progress=Progress())
    with zipfile.ZipFile(pack(folder, tmp_path / "film.zip").path) as file:
        expected = {name: file.read(name) for name in file.namelist()}
    assert first.getvalue() == second.getvalue()
    first.seek(0)
    assert dict(streamed_entries(first)) == expected
    assert told.size_bytes == len(first.getvalue())


def test_a_sink_that_takes_little_at_a_time_gets_all(folder):
    class Slow(io.RawIOBase):
        taken = b""

        def writable(self):
            return True

        def write(self, data):
            part = bytes(data[:100_000])
            self.taken += part
            return len(part)

    slow, whole = Slow(), io.BytesIO()
    stream_package(contents_of(folder), slow, level=1, progress=Progress())
    stream_package(contents_of(folder), whole, level=1, progress=Progress())
    assert slow.taken == whole.getvalue()


def test_source_date_epoch_sets_and_limits_all_dates(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    with zipfile.ZipFile(pack(folder, tmp_path / "film.zip").path) as file:
        assert {item.date_time for item in file.infolist()} == {(2020, 9, 13, 12, 26, 40)}
        assert b"Bagging-Date: 2020-09-13" in file.read("Film/bag-info.txt")


def test_nothing_inside_knows_where_the_project_lay(folder, tmp_path):
    with zipfile.ZipFile(pack(folder, tmp_path / "film.zip").path) as file:
        assert [name for name in file.namelist() if str(tmp_path).encode() in file.read(name)] == []


def test_names_that_are_not_portable_are_changed_and_told(folder, tmp_path):
    contents = contents_of(folder)
    package = write_package(contents, tmp_path / "film.zip", level=1, progress=Progress())
    assert contents.renamed["Audio/50%.txt"] == "Audio/50_.txt"
    assert {path for path in contents.renamed if path.startswith("audio/")} == {
        "audio/silence.wav",
        "audio/é 日本/note ñ.txt",
    }
    assert {file.path for file in package.files} >= set(contents.renamed.values())


def test_project_json_is_packed_byte_for_byte(folder, tmp_path):
    (folder / "project.json").write_bytes(b'\xef\xbb\xbf{"name":\r\n "odd"}')
    with zipfile.ZipFile(pack(folder, tmp_path / "film.zip").path) as file:
        assert file.read("Film/data/project.json") == b'\xef\xbb\xbf{"name":\r\n "odd"}'


def test_media_are_stored_and_the_rest_is_deflated(folder, tmp_path):
    with zipfile.ZipFile(pack(folder, tmp_path / "film.zip").path) as file:
        kinds = {Path(item.filename).name: item.compress_type for item in file.infolist()}
    assert (kinds["take.mp4"], kinds["panel_01_promoted.png"], kinds["silence.wav"]) == (0, 0, 8)


def test_a_name_that_lies_changes_nothing(tmp_path):
    (tmp_path / "film").mkdir()
    (tmp_path / "film/text.png").write_text("words " * 1000)
    Image.new("RGB", (640, 360)).save(tmp_path / "film/picture.txt", "PNG")
    package = pack(tmp_path / "film", tmp_path / "film.zip")
    with zipfile.ZipFile(package.path) as file:
        kinds = {Path(item.filename).name: item.compress_type for item in file.infolist()}
    assert (kinds["text.png"], kinds["picture.txt"]) == (8, 0)
    assert {file.path: file.media_type for file in package.files[:2]} == {
        "picture.txt": "image/png",
        "text.png": "text/plain",
    }


def test_level_0_stores_everything(folder, tmp_path):
    with zipfile.ZipFile(pack(folder, tmp_path / "film.zip", level=0).path) as file:
        assert {item.compress_type for item in file.infolist()} == {0}


def test_higher_levels_are_smaller(folder, tmp_path):
    sizes = [pack(folder, tmp_path / f"{level}.zip", level=level).size_bytes for level in (0, 3, 6)]
    assert sizes == sorted(sizes, reverse=True)


def test_links_pipes_and_devices_are_left_out_and_told_without_blocking(folder, tmp_path):
    (folder / "link.png").symlink_to("/etc/passwd")
    (folder / "away").symlink_to("/")
    os.mkfifo(folder / "pipe.wav")
    if os.geteuid() == 0:
        os.mknod(folder / "device.wav", 0o20666, os.makedev(1, 5))
    contents = contents_of(folder)
    told = {(odd.file, odd.reason) for odd in contents.skipped}
    packed = {file.path for file in write_package(contents, tmp_path / "f.zip", level=1, progress=Progress()).files}
    assert told >= {("link.png", "link"), ("away", "link"), ("pipe.wav", "not_a_file")}
    assert packed.isdisjoint({"link.png", "pipe.wav", "device.wav"})


class Disturbed(Progress):
    """Does something to the project as soon as so many bytes are packed."""

    def __init__(self, after, action):
        super().__init__(self.look, interval_seconds=0)
        self.after, self.action = after, action

    def look(self, report):
        if self.action and report.step == "packing" and report.done >= self.after:
            action, self.action = self.action, None
            action(self)


def grow(path):
    with path.open("ab") as file:
        file.write(b"more")


CHANGES = {
    "grows": lambda folder: lambda _: grow(folder / "take.mp4"),
    "shrinks": lambda folder: lambda _: os.truncate(folder / "take.mp4", 2**20),
    "vanishes": lambda folder: lambda _: (folder / "take.mp4").unlink(),
    "is replaced": lambda folder: lambda _: (folder / "take.mp4").write_bytes(b"new"),
    "is touched": lambda folder: lambda _: os.utime(folder / "take.mp4"),
}


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("change", "moment"),
    [
        # A file that is open stays whole when its name goes, so that need not be noticed.
        (change, moment)
        for change in CHANGES
        for moment in ("before", "while")
        if (change, moment) != ("vanishes", "while")
    ],
)
def test_a_source_that_changes_is_noticed_and_nothing_is_left(folder, tmp_path, change, moment, streams):
    contents, target = contents_of(folder), tmp_path / "out/film.zip"
    before = next(index for index, file in enumerate(contents.files) if file.path == "take.mp4")
    size = sum(file.size_bytes for file in contents.files[:before])
    progress = Disturbed(1 if moment == "before" else size + 2**20, CHANGES[change](folder))
    with pytest.raises(Conflict) as fault:
        if streams:
            stream_package(contents, io.BytesIO(), level=3, progress=progress)
        else:
            write_package(contents, target, level=3, progress=progress)
    assert (fault.value.reason, fault.value.details) == (Reason.SOURCE_CHANGED, {"path": "take.mp4"})
    assert not target.parent.exists()


@pytest.mark.parametrize("after", [0, 1, 5_000_000, 17_000_000])
def test_a_cancelled_package_leaves_nothing(folder, tmp_path, after):
    before = snapshot(folder)
    with pytest.raises(Cancelled):
        write_package(
            contents_of(folder), tmp_path / "out/film.zip", level=6, progress=Disturbed(after, Progress.cancel)
        )
    assert not (tmp_path / "out").exists()
    assert snapshot(folder) == before


def test_a_package_can_be_cancelled_while_it_is_checked(folder, tmp_path):
    progress = Progress(lambda report: report.step == "checking" and progress.cancel(), interval_seconds=0)
    with pytest.raises(Cancelled):
        pack(folder, tmp_path / "out/film.zip", progress=progress)
    assert not (tmp_path / "out").exists()


def test_progress_only_goes_up_and_counts_bytes(folder, tmp_path):
    reports = []
    pack(folder, tmp_path / "film.zip", progress=Progress(reports.append, interval_seconds=0))
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    assert {report.step for report in reports} == {"packing", "checking"}
    assert max(second.done - first.done for first, second in pairwise(reports)) <= 8 * 2**20


def test_a_package_is_never_written_over_another_file(folder, tmp_path):
    (tmp_path / "film.zip").write_text("mine")
    with pytest.raises(Conflict) as fault:
        pack(folder, tmp_path / "film.zip")
    assert (fault.value.reason, (tmp_path / "film.zip").read_text()) == (Reason.OUTPUT_EXISTS, "mine")


def test_the_project_is_not_changed(folder, tmp_path):
    before = snapshot(folder)
    pack(folder, tmp_path / "film.zip")
    assert snapshot(folder) == before


def test_an_empty_project_is_a_valid_bag(tmp_path):
    (tmp_path / "film").mkdir()
    bag = unpacked(pack(tmp_path / "film", tmp_path / "film.zip").path, tmp_path / "out")
    assert bagit.Bag(str(bag)).validate()


def test_what_can_not_fit_is_refused_at_once(folder, tmp_path):
    with (folder / "huge.mp4").open("wb") as file:
        file.truncate(2**43)
    with pytest.raises(Unavailable) as fault:
        pack(folder, tmp_path / "film.zip")
    assert fault.value.reason is Reason.DISK_FULL


@pytest.mark.parametrize("place", ["/proc/film.zip", "/sys/film.zip", "/proc/new/film.zip"])
def test_a_place_that_can_not_be_written_is_told(folder, place):
    if not Path(place).parents[-2].is_dir():
        pytest.skip(f"there is no {place} here")
    with pytest.raises(StoryCoreError) as fault:
        write_package(contents_of(folder, selection=Selection(assets=False)), Path(place), level=0, progress=Progress())
    assert fault.value.reason in (Reason.PERMISSION_DENIED, Reason.PATH_INVALID)


CHILD = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from fixtures.packages import contents_of
from storycore.errors import StoryCoreError
from storycore.exports.package import write_package
from storycore.observe.progress import Progress
"""


def child(code, *words):
    tests = str(Path(__file__).parents[2])
    return subprocess.run([sys.executable, "-c", CHILD + code, tests, *map(str, words)], capture_output=True, text=True,
                          timeout=120)  # fmt: skip


LIMITED = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, 5_000_000))
try:
    write_package(contents_of(Path(sys.argv[2])), Path(sys.argv[3]), level=1, progress=Progress())
except StoryCoreError as fault:
    print(fault.reason.value)
"""


def test_a_full_disk_is_told_and_leaves_nothing(folder, tmp_path):
    answer = child(LIMITED, folder, tmp_path / "out/film.zip")
    assert (answer.stdout.strip(), (tmp_path / "out").exists()) == ("disk_full", False)


def test_a_file_system_that_is_full_is_told_and_leaves_nothing(folder, tmp_path):
    (folder / "take.mp4").rename(folder / "take.raw")  # so that the room needed is not known beforehand
    with small_disk(tmp_path / "small", size_bytes=8 * 2**20) as place:
        with pytest.raises(Unavailable):
            pack(folder, place / "film.zip", level=3)
        assert list(place.iterdir()) == []


PEAK = """
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
contents = contents_of(Path(sys.argv[2]))
import isal.isal_zlib, zlib_ng.zlib_ng, hashlib
idle = peak()
write_package(contents, Path(sys.argv[3]), level=int(sys.argv[4]), progress=Progress())
print(peak() - idle)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell the peak of memory")
@pytest.mark.parametrize("level", [0, 3, 9])
def test_memory_stays_within_64_mebibytes(tmp_path, level):
    (tmp_path / "film").mkdir()
    for number in range(3):
        (tmp_path / f"film/small_{number}.raw").write_bytes(noise(2**22) * 2)
    with (tmp_path / "film/large.raw").open("wb") as file:
        file.write(noise(2**22))
        file.truncate(80 * 2**20)
    answer = child(PEAK, tmp_path / "film", tmp_path / "film.zip", level)
    assert 0 <= float(answer.stdout) <= 64, answer.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell the peak of memory")
def test_a_file_beyond_4_gib_needs_zip64_and_no_more_memory(tmp_path):
    (tmp_path / "film").mkdir()
    with (tmp_path / "film/large.raw").open("wb") as file:
        file.truncate(2**32 + 5)
    (tmp_path / "film/small.txt").write_text("after")
    answer = child(PEAK, tmp_path / "film", tmp_path / "film.zip", 1)
    with zipfile.ZipFile(tmp_path / "film.zip") as file:
        sizes = {Path(item.filename).name: (item.file_size, item.extract_version) for item in file.infolist()}
    assert 0 <= float(answer.stdout) <= 64, answer.stderr
    assert (sizes["large.raw"], sizes["small.txt"]) == ((2**32 + 5, 45), (5, 20))
    assert run("unzip", "-tqq", str(tmp_path / "film.zip"), "*small.txt", "*manifest*").returncode == 0


def test_contents_are_settled_before_anything_is_written(folder):
    contents = contents_of(folder, name="A film: 100 %")
    assert isinstance(contents, Contents)
    assert (contents.name, contents.size_bytes) == ("A film_ 100 _", sum(file.size_bytes for file in contents.files))
