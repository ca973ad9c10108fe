"""StoryCore's own layer of a package: does it agree with what is there."""

from typing import Any, Final

from storycore.exports.checking.scan import CRATE, PAYLOAD, RECORD, Scan
from storycore.exports.checking.verdict import Finding, Findings
from storycore.json_text import BadJson, read_strict

_OWN: Final = ("data/storycore/", CRATE)


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


def _json(scan: Scan, path: str, findings: Findings) -> Any:
    """The document of a file, or None, and told, if it is no JSON."""
    try:
        return read_strict(scan.take_text(path) or b"")
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
