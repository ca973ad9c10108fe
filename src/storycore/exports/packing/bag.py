"""The tag files that make a package a BagIt bag.

Source: RFC 8493, sections 2.1.1 (bagit.txt), 2.1.3 (manifests), 2.2.1 (tag manifests), 2.2.2 (bag-info.txt).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import storycore

PAYLOAD = "data"
"""The folder of the payload."""

_DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_MAX_VALUE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a package says about itself.

    Attributes:
        name: of the project; also makes the name of the top folder.
        identifier: of the project.
        description: one sentence, may be empty.
        modified_ns: newest moment inside, nanoseconds since 1970.
    """

    name: str
    identifier: str
    description: str
    modified_ns: int

    @property
    def instant(self) -> datetime:
        """The newest moment inside, whole seconds."""
        return datetime.fromtimestamp(self.modified_ns // 1_000_000_000, UTC)


class Packed(NamedTuple):
    """One payload file as it was packed.

    Attributes:
        path: name inside data/.
        size_bytes: of the content.
        sha256: of the content, 64 hex digits.
        media_type: IANA media type.
        role: project, storyboard, media, report, source, generated.
    """

    path: str
    size_bytes: int
    sha256: str
    media_type: str
    role: str


def tag_files(label: Label, payload: Iterable[Packed]) -> Mapping[str, bytes]:
    """Every tag file with its content, in the order in which they are written."""
    lines, size, files = [], 0, 0
    for path, size_bytes, sha256, *_ in payload:
        lines.append(f"{sha256}  {PAYLOAD}/{path}\n")
        size += size_bytes
        files += 1
    tags = {
        "bagit.txt": _DECLARATION.encode(),
        "bag-info.txt": _info(label, size, files).encode(),
        "manifest-sha256.txt": "".join(lines).encode(),
    }
    sums = (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in tags.items())
    return {**tags, "tagmanifest-sha256.txt": "".join(sums).encode()}


def _info(label: Label, size: int, files: int) -> str:
    facts = {
        "External-Identifier": label.identifier,
        "External-Description": label.description or label.name,
        "Bagging-Date": label.instant.date().isoformat(),
        "Bag-Software-Agent": f"StoryCore {storycore.__version__}",
        "Payload-Oxum": f"{size}.{files}",
    }
    return "".join(f"{name}: {_one_line(value)}\n" for name, value in facts.items())


def _one_line(value: str) -> str:
    """A value that no reader can take for another line."""
    words = "".join(character if character.isprintable() else " " for character in value).split()
    return " ".join(words)[:_MAX_VALUE].rstrip()
