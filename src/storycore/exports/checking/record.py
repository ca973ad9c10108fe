"""StoryCore's own layer of a package: does it agree with what is there, and are the media what their names say."""

import os
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from storycore.exports.checking.scan import CRATE, PAYLOAD, RECORD, FileFacts, Scan
from storycore.exports.checking.verdict import Finding, Findings
from storycore.json_text import BadJson, read_strict
from storycore.project.files import MEDIA_SUFFIXES, Role, role_of

_OWN: Final = ("data/storycore/", CRATE)
_NETPBM: Final = frozenset({"image/x-portable-anymap"})
_ISO: Final = frozenset({"video/mp4", "video/quicktime", "audio/mp4"})
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    ".png": frozenset({"image/png"}),
    ".jpg": frozenset({"image/jpeg"}),
    ".jpeg": frozenset({"image/jpeg"}),
    ".webp": frozenset({"image/webp"}),
    ".gif": frozenset({"image/gif"}),
    ".bmp": frozenset({"image/bmp"}),
    ".tif": frozenset({"image/tiff"}),
    ".tiff": frozenset({"image/tiff"}),
    ".exr": frozenset({"image/x-exr"}),
    ".ppm": _NETPBM,
    ".pgm": _NETPBM,
    ".pbm": _NETPBM,
    ".pnm": _NETPBM,
    ".avif": frozenset({"image/avif"}),
    ".heic": frozenset({"image/heic"}),
    ".mp4": _ISO,
    ".m4v": _ISO,
    ".mov": _ISO,
    ".m4a": _ISO,
    ".mkv": frozenset({"video/x-matroska", "video/webm"}),
    ".webm": frozenset({"video/webm", "video/x-matroska"}),
    ".avi": frozenset({"video/x-msvideo"}),
    ".ts": frozenset({"video/mp2t"}),
    ".ogv": frozenset({"video/ogg", "audio/ogg"}),
    ".ogg": frozenset({"audio/ogg", "video/ogg"}),
    ".opus": frozenset({"audio/ogg"}),
    ".wav": frozenset({"audio/wav"}),
    ".flac": frozenset({"audio/flac"}),
    ".mp3": frozenset({"audio/mpeg"}),
    ".aac": frozenset({"audio/aac", "audio/mpeg", "audio/mp4"}),
}
"""What a file of a suffix can be. Suffixes of text and of formats without a magic number are not looked at."""


def check_record(scan: Scan, findings: Findings) -> None:
    """Tells where data/storycore/manifest.json and data/ro-crate-metadata.json are wrong, if they are there."""
    if CRATE in scan.texts and not isinstance(_json(scan, CRATE, findings), dict | None):
        findings.fault(CRATE, Finding.RECORD_MALFORMED, "It is not a JSON object.")
    if RECORD not in scan.texts:
        return
    files = _files(_json(scan, RECORD, findings))
    if files is None:
        findings.fault(RECORD, Finding.RECORD_MALFORMED, "It does not list files with path, size_bytes and sha256.")
        return
    for path, item in files.items():
        _compare(path, item, scan, findings)
    for path, _ in scan.payload():
        if path not in files and not path.startswith(_OWN):
            findings.fault(path, Finding.RECORD_MISMATCH, f"{RECORD} does not list it.")


def check_media(scan: Scan, findings: Findings) -> None:
    """Warns of pictures, clips and sound that are empty or not what their names say."""
    for path, facts in scan.payload():
        is_media = os.path.splitext(path)[1].lower() in MEDIA_SUFFIXES  # noqa: PTH122 - a hot path
        if facts is not None and is_media and role_of(path.removeprefix(PAYLOAD)) is Role.MEDIA:
            for reason, message in _media_faults(path, facts):
                findings.warn(path, reason, message)


def _media_faults(path: str, facts: FileFacts) -> Iterator[tuple[Finding, str]]:
    suffix = PurePosixPath(path).suffix.lower()
    expected = _KINDS.get(suffix)
    if facts.size_bytes == 0:
        yield Finding.MEDIA_EMPTY, "It is empty."
    elif expected and facts.media_type is None:
        yield Finding.MEDIA_UNKNOWN, f"Its content is nothing that a {suffix} file can be."
    elif expected and facts.media_type not in expected:
        yield Finding.MEDIA_MISLABELLED, f"Its content is {facts.media_type}, not what {suffix} says."


def _json(scan: Scan, path: str, findings: Findings) -> Any:
    """The document of a file, or None, and told, if it is no JSON."""
    try:
        return read_strict(scan.texts[path])
    except BadJson as fault:
        findings.fault(path, Finding.RECORD_MALFORMED, f"It is not acceptable JSON: {fault}.")
        return None


def _files(document: Any) -> dict[str, dict[str, Any]] | None:
    """The entries of the record by name inside the bag, or None if it is not of the known form."""
    items = document.get("files") if isinstance(document, dict) else None
    if not isinstance(items, list) or not all(_is_entry(item) for item in items):
        return None
    return {PAYLOAD + item["path"]: item for item in items}


def _is_entry(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("path"), str)
        and type(item.get("size_bytes")) is int
        and isinstance(item.get("sha256"), str)
    )


def _compare(path: str, item: dict[str, Any], scan: Scan, findings: Findings) -> None:
    if path not in scan.files:
        findings.fault(path, Finding.RECORD_MISMATCH, f"{RECORD} lists it, but it is not there.")
        return
    facts = scan.files[path]
    if facts is None:
        return
    if facts.size_bytes != item["size_bytes"]:
        findings.fault(
            path, Finding.RECORD_MISMATCH, f"{RECORD} says {item['size_bytes']} bytes; it has {facts.size_bytes}."
        )
    if facts.digests[0].hex() != item["sha256"].lower():
        findings.fault(path, Finding.RECORD_MISMATCH, f"Its SHA-256 is not the one in {RECORD}.")
