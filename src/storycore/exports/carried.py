"""What a package carries about its project, read without its media: a few small files out of two hundred gigabytes.

The list of contents is read, and then the description that was packed and the manifest of the bag that vouches for
it. The archive is judged by the reader that `verify` uses, as far as it is read: what lies between the files that
nobody asks for is not looked at, and their checksums are taken from the manifest, not made anew.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from storycore.errors import InvalidInput, Reason
from storycore.exports.checking.archive import Archive
from storycore.exports.checking.archive_index import Entry
from storycore.exports.checking.bag_text import decode, read_declaration, read_manifest, unescape
from storycore.exports.checking.scan import MAX_TEXT_BYTES, PAYLOAD
from storycore.exports.checking.verdict import Defect, Findings, shown
from storycore.exports.verify import max_entries, open_package, top_folder
from storycore.json_text import BadJson, read_strict
from storycore.observe.progress import Progress
from storycore.settings import Settings
from storycore.storage.place import StorePlace
from storycore.units import MEBIBYTE

_DESCRIPTION: Final = f"{PAYLOAD}storycore/metadata.json"
_RENAMES: Final = f"{PAYLOAD}storycore/renames.json"
_MANIFEST: Final = "manifest-sha256.txt"
_DECLARATION: Final = "bagit.txt"
_MOST_BYTES: Final = {_DECLARATION: 4096, _MANIFEST: MAX_TEXT_BYTES, _DESCRIPTION: MAX_TEXT_BYTES,
                      _RENAMES: MAX_TEXT_BYTES}  # fmt: skip
"""The files that are read, by their name in the bag, and how large each may be."""

_MOST_VALUES: Final = 4_000_000
"""Of a description; those of the most files and shots that there may be come to fewer. A few kilobytes of ZIP unpack to
tens of millions of empty lists, and each takes memory.
"""

_UNPACK: Final = (
    "Unpack it, `storycore export verify --unpack-to` does so for any valid package, and describe the folder data/ in "
    "it."
)
_BLOCK_BYTES: Final = MEBIBYTE // 2
"""Asked of a store at a time: what is read stands together, at the end."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a package says about its project.

    Attributes:
        description: as it was packed; a stranger's JSON object, of whatever form.
        sha256: of the project's files, 64 hex digits by their path in the project, as the manifest of the bag says.
    """

    description: Mapping[str, Any]
    sha256: Mapping[str, str]


def read_carried(path: Path | StorePlace, *, settings: Settings, progress: Progress) -> Carried:
    """What a package says about its project.

    Guarantee: nothing is written. Of a store no more is asked than the list of contents and the files that are named
    above need. The description and the renamed paths are those that the manifest of the bag lists, by their SHA-256.

    Args:
        path: the ZIP, here or in a store.
        settings: `max_project_files` bounds how much is listed.
        progress: told of bytes; can cancel.

    Raises:
        InvalidInput: package_invalid: it is no package, is damaged, or carries no description.
        NotFound, AccessDenied: it is not there, or can't be opened.
        DependencyFailed: store_unavailable.
        Conflict: source_changed: the object in the store was replaced meanwhile.
        Cancelled: on request.
    """
    try:
        with open_package(path, check=progress.check, block_bytes=_BLOCK_BYTES) as file:
            findings = Findings()
            archive = Archive(file, findings, max_entries=max_entries(settings), only=_is_wanted)
            top = top_folder(archive.entries, findings) if archive.entries else ""
            _require_sound(findings)
            wanted = {it.name.removeprefix(top): it for it in archive.entries if _is_wanted(it.name)}
            return _carried(_contents(archive, wanted, progress))
    except Defect as defect:
        raise invalid(defect.message) from None


def invalid(what: str, remediation: str = "") -> InvalidInput:
    """An error that says what is wrong with a package."""
    return InvalidInput(
        f"The package can't be described: {what}", reason=Reason.PACKAGE_INVALID, remediation=remediation or None
    )


def _is_wanted(name: str) -> bool:
    """Whether an entry of the archive is read, whatever the top folder is called."""
    return name.partition("/")[2] in _MOST_BYTES


def _require_sound(findings: Findings) -> None:
    if findings.faults:
        first = findings.faults[0]
        where = f"{shown(first.path, most=100)}: " if first.path else ""
        raise invalid(f"{where}{first.message}")


def _contents(archive: Archive, wanted: Mapping[str, Entry], progress: Progress) -> dict[str, bytes]:
    """The files that are read, by their name in the bag."""
    _require_present(wanted)
    for name, entry in wanted.items():
        if entry.size_bytes > _MOST_BYTES[name]:
            raise invalid(f"{name} is larger than the {_MOST_BYTES[name]} bytes that are read of it.")
    progress.begin("reading", total=sum(it.size_bytes for it in wanted.values()), unit="bytes", until=0.9)
    found: dict[str, bytes] = {}
    for name, entry in wanted.items():
        kept = bytearray()
        try:
            for chunk in archive.chunks(entry):
                kept += chunk
                progress.advance(len(chunk))
        except Defect as defect:
            raise invalid(f"{name}: {defect.message}") from None
        found[name] = bytes(kept)
    return found


def _require_few(description: bytes) -> None:
    if sum(map(description.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise invalid(f"Its description holds more than {_MOST_VALUES} values.", _UNPACK)


def _require_present(names: Collection[str]) -> None:
    if _DESCRIPTION not in names:
        raise invalid("It carries no description of StoryCore.", _UNPACK)
    for name in (_DECLARATION, _MANIFEST):
        if name not in names:
            raise invalid(f"{name} is missing.")


def _carried(files: Mapping[str, bytes]) -> Carried:
    _require_few(files[_DESCRIPTION])
    listed = _manifest(files)
    for name in (_DESCRIPTION, _RENAMES):
        if name in files and listed.get(name) != hashlib.sha256(files[name]).hexdigest():
            raise invalid(f"{name} is not what the manifest of the bag lists.")
    renamed = _object(_RENAMES, files[_RENAMES]) if _RENAMES in files else {}
    original = {name: path for path, name in renamed.items() if isinstance(name, str)}
    inside = ((path.removeprefix(PAYLOAD), digest) for path, digest in listed.items() if path.startswith(PAYLOAD))
    return Carried(
        description=_object(_DESCRIPTION, files[_DESCRIPTION]),
        sha256={original.get(path, path): digest for path, digest in inside},
    )


def _manifest(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 by name inside the bag."""
    findings = Findings()
    declared = read_declaration(files[_DECLARATION], findings)
    text = None if declared is None else decode(_MANIFEST, files[_MANIFEST], declared, findings)
    _require_sound(findings)
    if declared is None or text is None:  # then there was a finding; the types don't know
        raise invalid("Its manifest can't be read.")
    size = hashlib.sha256().digest_size
    lines = read_manifest(_MANIFEST, text, size, declared, findings)
    listed = {unescape(line.path, declared): line.checksum.hex() for line in lines}
    _require_sound(findings)
    return listed


def _object(name: str, data: bytes) -> dict[str, Any]:
    try:
        value = read_strict(data)
    except BadJson as fault:
        raise invalid(f"{name} is not acceptable JSON: {fault}.") from None
    if not isinstance(value, dict):
        raise invalid(f"{name} is not a JSON object.")
    return value
