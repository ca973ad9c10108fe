"""Checks a package: is the ZIP or the folder a whole and valid bag, and if not, exactly why.

Everything is read once, in the order in which it stands, within bounds of memory and of unpacked size. Nothing is
written and nothing is downloaded. The words for what can be wrong are `storycore.exports.checking.verdict.Finding`.
"""

import contextlib
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from storycore.errors import AccessDenied, NotFound, Reason
from storycore.exports.checking import scan as scans
from storycore.exports.checking.archive import Archive
from storycore.exports.checking.archive_index import Entry
from storycore.exports.checking.bag_rules import BagRules
from storycore.exports.checking.folder import Folder, FolderFile
from storycore.exports.checking.record import check_record
from storycore.exports.checking.scan import Scan
from storycore.exports.checking.verdict import Defect, Finding, Findings, Verdict
from storycore.observe.progress import Progress
from storycore.project.content import open_regular
from storycore.settings import Settings
from storycore.storage.objects import Bucket
from storycore.storage.place import StorePlace
from storycore.storage.stored_file import BLOCK_BYTES, StoredFile, open_stored

_STEP = "checking"


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of a bag inside an archive.

    Attributes:
        path: name inside the bag.
        entry: where it stands.
        archive: that holds it.
    """

    path: str
    entry: Entry
    archive: Archive

    @property
    def size_bytes(self) -> int:
        """As declared; reading gives no more."""
        return self.entry.size_bytes

    def chunks(self) -> Iterator[bytes]:
        """Its content.

        Raises:
            Defect: it can't be read as declared.
        """
        return self.archive.chunks(self.entry)


@dataclass(frozen=True, slots=True)
class CheckedArchive:
    """An archive that was checked and is still open.

    Attributes:
        verdict: what was found.
        files: of the bag, in the order of their data; names inside the bag.
        folders: of the bag, that have an entry of their own.
        scan: what was read.
    """

    verdict: Verdict
    files: tuple[ArchiveFile, ...]
    folders: tuple[str, ...]
    scan: Scan


def verify_package(path: Path | StorePlace, *, settings: Settings, progress: Progress, until: float = 0.99) -> Verdict:
    """Whether a ZIP, or the folder that one was unpacked to, is a whole and valid package.

    Whatever is wrong with it is in the verdict; it is never an exception.

    Args:
        path: the ZIP or folder; a ZIP in a store is read in ranges, and nothing of it is stored here.
        settings: `max_project_files` bounds how much is listed.
        progress: is told of bytes, and can cancel.
        until: share of the whole work that is done afterwards.

    Raises:
        NotFound: file_not_found: it is not there (any more).
        AccessDenied: permission_denied: it can't be opened.
        DependencyFailed: store_unavailable.
        Conflict: source_changed: the object in the store was replaced meanwhile.
        Cancelled: the work was asked to stop.
    """
    if isinstance(path, Path) and path.is_dir():
        return _verify_folder(path, settings, progress, until)
    try:
        with open_package(path, check=progress.check) as file:
            return check_archive(file, settings=settings, progress=progress, until=until).verdict
    except Defect as defect:
        findings = Findings()
        findings.fault("", defect.reason, defect.message)
        return _verdict("zip", "", findings, scans.begin((), has_payload_folder=False))


@contextlib.contextmanager
def open_package(
    path: Path | StorePlace, *, check: Callable[[], None], block_bytes: int = BLOCK_BYTES
) -> Iterator[BinaryIO]:
    """A package file or object open for reading; a pipe does not block. The name may be a link.

    Args:
        path: of the file or object.
        check: called while a store is silent; what it raises ends the waiting.
        block_bytes: least bytes that are asked of a store at a time.

    Raises:
        Defect: not_a_package: it is not a regular file.
        NotFound: file_not_found.
        AccessDenied: permission_denied.
        DependencyFailed: store_unavailable.
    """
    if isinstance(path, StorePlace):
        with _open_object(path, check, block_bytes) as stored:
            yield cast("BinaryIO", stored)
        return
    try:
        real = Path(os.path.realpath(path, strict=True))  # pathlib's resolve tells of endless links in another way
        if not real.is_file():
            raise Defect(Finding.NOT_A_PACKAGE, "It is neither a regular file nor a folder.")
        file = open_regular(real)
    except FileNotFoundError:
        raise NotFound(f"File not found: {path.name}", reason=Reason.FILE_NOT_FOUND) from None
    except OSError as fault:
        raise AccessDenied(f"{path.name} can't be opened.", reason=Reason.PERMISSION_DENIED) from fault
    with file:
        yield file


def _open_object(place: StorePlace, check: Callable[[], None], block_bytes: int) -> BufferedReader:
    bucket = Bucket(place, check=check)
    try:
        return open_stored(bucket, place.key, place.name, block_bytes=block_bytes)
    except NotFound:
        bucket.require()  # asked about an object, a store does not tell whether its bucket is missing
        raise


def max_entries(settings: Settings) -> int:
    """How many entries a package may have: folders and the files that packing adds count too."""
    return 2 * settings.max_project_files + 1000


def check_archive(file: BinaryIO, *, settings: Settings, progress: Progress, until: float) -> CheckedArchive:
    """Checks an open ZIP; what it read can be read again from the same file.

    Raises:
        Cancelled: the work was asked to stop.
    """
    findings = Findings()
    before = _state(file)
    archive = Archive(file, findings, max_entries=max_entries(settings))
    progress.begin(_STEP, total=sum(entry.size_bytes for entry in archive.entries), unit="bytes", until=until)
    top = top_folder(archive.entries, findings) if archive.entries else ""
    inside = [(entry.name.removeprefix(top), entry) for entry in archive.entries if entry.name.startswith(top)]
    folders = tuple(name.removesuffix("/") for name, entry in inside if entry.is_folder and name)
    files = tuple(ArchiveFile(name, entry, archive) for name, entry in inside if not entry.is_folder)
    scan = scans.begin(
        (file.path for file in files),
        has_payload_folder="data" in folders or any(file.path.startswith(scans.PAYLOAD) for file in files),
    )
    scan.files.update((file.path, None) for file in files if not file.entry.is_sound)
    sound = tuple(file for file in files if file.entry.is_sound)
    scans.read_all(scan, sound, findings, progress)
    if archive.entries:
        _judge(scan, findings)
    for _ in archive.checksum():
        progress.check()
    if before != _state(file):
        findings.fault("", Finding.UNREADABLE, "It was changed while it was checked.")
    return CheckedArchive(_verdict("zip", f"sha256:{archive.hexdigest}", findings, scan), sound, folders, scan)


def _state(file: BinaryIO) -> object:
    """What changes when somebody writes to the file. Of an object each part that is read is known to be of the same."""
    if isinstance(getattr(file, "raw", None), StoredFile):
        return None
    facts = os.fstat(file.fileno())
    return facts.st_size, facts.st_mtime_ns


def _verify_folder(root: Path, settings: Settings, progress: Progress, until: float) -> Verdict:
    findings = Findings()
    folder = Folder(root, findings, max_files=max_entries(settings))
    progress.begin(_STEP, total=sum(file.size_bytes for file in folder.files), unit="bytes", until=until)
    scan = scans.begin((file.name for file in folder.files), has_payload_folder="data" in folder.folders)
    scans.read_all(scan, (_InFolder(file.name, file, folder) for file in folder.files), findings, progress)
    _judge(scan, findings)
    return _verdict("folder", "", findings, scan)


@dataclass(frozen=True, slots=True)
class _InFolder:
    path: str
    file: FolderFile
    folder: Folder

    @property
    def size_bytes(self) -> int:
        return self.file.size_bytes

    def chunks(self) -> Iterator[bytes]:
        return self.folder.chunks(self.file)


def top_folder(entries: Collection[Entry], findings: Findings) -> str:
    """The one folder that holds everything, with a slash; "" if the bag stands at the top."""
    tops = {entry.name.partition("/")[0] for entry in entries if entry.is_sound}
    loose = sorted(entry.name for entry in entries if "/" not in entry.name and entry.is_sound)
    if "bagit.txt" in loose:
        findings.fault("bagit.txt", Finding.NO_TOP_FOLDER, "The bag stands at the top of the ZIP, not in one folder.")
        return ""
    bags = sorted(entry.name.removesuffix("bagit.txt") for entry in entries if _is_declaration(entry.name))
    if len(tops) == 1 and not loose:
        return f"{tops.pop()}/"
    for other in sorted(tops - {bags[0].removesuffix("/")} if bags else tops):
        findings.fault(other, Finding.SEVERAL_TOP_FOLDERS, "It stands beside the one folder that a package has.")
    return bags[0] if bags else ""


def _is_declaration(name: str) -> bool:
    top, slash, rest = name.partition("/")
    return bool(top and slash) and rest == "bagit.txt"


def _judge(scan: Scan, findings: Findings) -> None:
    BagRules(scan, findings).check()
    check_record(scan, findings)


def _verdict(kind: str, checksum: str, findings: Findings, scan: Scan) -> Verdict:
    named = {manifest.algorithm for manifest in scan.manifests if not manifest.of_tags and manifest.algorithm}
    return Verdict(
        kind="zip" if kind == "zip" else "folder",
        checksum=checksum,
        algorithms=tuple(sorted(named)),
        files_checked=scan.read,
        bytes_checked=scan.read_bytes,
        faults=findings.faults,
        warnings=findings.warnings,
    )
