"""The RO-Crate description of a package's payload: what the project is, its folders, and what each file is for.

Checksums stand in the manifests of the bag and nowhere else.

Source: RO-Crate 1.2, "RO-Crate Structure", "Root Data Entity", "Data Entities".
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from storycore.exports.packing.bag import Label, Packed

CRATE = "ro-crate-metadata.json"
"""Name of the description inside the payload."""

_PROFILE = "https://w3id.org/ro/crate/1.2"
_ESCAPED = str.maketrans({character: f"%{ord(character):02X}" for character in ' "#%<>?[\\]^`{|}'})
_PLAIN = re.compile(r"[0-9A-Za-z_./-]*")
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def crate(label: Label, files: Iterable[Packed]) -> bytes:
    """ro-crate-metadata.json, one entity a line.

    Args:
        label: what the package says about itself.
        files: every payload file but the description itself.
    """
    known = tuple(files)
    entities = ",\n".join((*map(_encode, _folders(label, known)), *map(_file, known)))
    return f'{{"@context": "{_PROFILE}/context", "@graph": [\n{entities}\n]}}\n'.encode()


def _folders(label: Label, files: tuple[Packed, ...]) -> Iterator[dict[str, Any]]:
    inside = _contents(file.path for file in files)
    yield {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _PROFILE},
    }
    yield {
        "@id": "./",
        "@type": "Dataset",
        "name": label.name,
        "description": label.description or label.name,
        "identifier": label.identifier,
        "datePublished": label.instant.isoformat(),
        "hasPart": inside.pop("", []),
    }
    for folder, parts in inside.items():
        yield {"@id": _id(folder) + "/", "@type": "Dataset", "name": folder.rpartition("/")[2], "hasPart": parts}


def _file(file: Packed) -> str:
    return (
        f'{{"@id": {_encode(_id(file.path))}, "@type": "File", "contentSize": "{file.size_bytes}", '
        f'"encodingFormat": "{file.media_type}", "additionalType": "{file.role}"}}'
    )


def _contents(paths: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Each folder with references to what stands in it; the root is `""`."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    known: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        found[folder].append({"@id": _id(path)})
        while folder and folder not in known:
            known.add(folder)
            above = folder.rpartition("/")[0]
            found[above].append({"@id": _id(folder) + "/"})
            folder = above
    return found


def _id(path: str) -> str:
    """A path as a relative IRI."""
    return path if _PLAIN.fullmatch(path) else path.translate(_ESCAPED)
