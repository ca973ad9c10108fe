"""The manifest for programs: every payload file with size, checksum, media type and role."""

import json
from collections.abc import Iterable

from storycore.exports.packing.bag import Packed

FORMAT = "storycore.manifest/1"
"""Name and version of the form."""

_quoted = json.JSONEncoder(ensure_ascii=False).encode  # the rest of a line needs no quoting, and there are many


def manifest(files: Iterable[Packed]) -> bytes:
    """manifest.json, one file a line, in the order of the package."""
    lines = ",\n".join(
        f'{{"path": {_quoted(file.path)}, "size_bytes": {file.size_bytes}, "sha256": "{file.sha256}", '
        f'"media_type": "{file.media_type}", "role": "{file.role}"}}'
        for file in files
    )
    return f'{{"format": "{FORMAT}", "algorithm": "sha256", "files": [\n{lines}\n]}}\n'.encode()
