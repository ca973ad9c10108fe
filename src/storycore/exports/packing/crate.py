"""The RO-Crate description of a package's payload: what the project is, its folders, and what each file is for.

Checksums stand in the manifests of the bag and nowhere else.

Source: RO-Crate 1.2, "RO-Crate Structure", "Root Data Entity", "Data Entities".
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from storycore.exports.packing.bag import Label, Packed
from storycore.exports.packing.lines import listed

CRATE = "ro-crate-metadata.json"
"""Name of the description inside the payload."""

_PROFILE = "https://w3id.org/ro/crate/1.2"
_ESCAPED = str.maketrans({character: f"%{ord(character):02X}" for character in ' "#%<>?[\\]^`{|}'})
_PLAIN = re.compile(r"[0-9A-Za-z_./-]*")
_quoted = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def crate(label: Label, files: Iterable[Packed]) -> bytes:
    """ro-crate-metadata.json, one entity a line.

    Args:
        label: what the package says about itself.
        files: every payload file but the description itself.
    """
    known = [(file, _id(file.path)) for file in files]
    inside = _contents((file.path, name) for file, name in known)
    entities = chain(_top(label, inside), _folders(inside), (_file(file, name) for file, name in known))
    return listed(f'{{"@context": "{_PROFILE}/context", "@graph": [\n', entities, "\n]}\n")


def _top(label: Label, inside: Mapping[str, list[str]]) -> Iterator[str]:
    yield _quoted({"@id": CRATE, "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": _PROFILE}})
    facts = {
        "@id": "./",
        "@type": "Dataset",
        "name": label.name,
        "description": label.description or label.name,
        "identifier": label.identifier,
        "datePublished": label.instant.isoformat(),
    }
    yield _with_parts(facts, inside.get("", []))


def _folders(inside: Mapping[str, list[str]]) -> Iterator[str]:
    for folder, parts in inside.items():
        if folder:
            facts = {"@id": _iri(folder) + "/", "@type": "Dataset", "name": folder.rpartition("/")[2]}
            yield _with_parts(facts, parts)


def _with_parts(facts: dict[str, str], parts: list[str]) -> str:
    """A folder; its parts are written here and now, since there can be many."""
    references = ", ".join([f'{{"@id": {part}}}' for part in parts])
    return f'{_quoted(facts)[:-1]}, "hasPart": [{references}]}}'


def _file(file: Packed, name: str) -> str:
    _, size, _, media_type, role = file
    return (
        f'{{"@id": {name}, "@type": "File", "contentSize": "{size}", '
        f'"encodingFormat": "{media_type}", "additionalType": "{role}"}}'
    )


def _contents(files: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Each folder with what stands in it, as quoted relative IRIs; the root is `""`.

    Args:
        files: the path of each, and the same as `_id` gives it.
    """
    found: dict[str, list[str]] = {}
    for path, name in files:
        folder, entry = path.rpartition("/")[0], name
        while folder not in found:
            found[folder] = [entry]
            if not folder:
                break
            folder, entry = folder.rpartition("/")[0], _id(folder + "/")
        else:
            found[folder].append(entry)
    return found


def _id(path: str) -> str:
    """A path as a relative IRI, in quotes."""
    return f'"{path}"' if _PLAIN.fullmatch(path) else _quoted(_iri(path))


def _iri(path: str) -> str:
    return path.translate(_ESCAPED)
