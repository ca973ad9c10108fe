"""The manifest for programs: every payload file with size, checksum, media type and role."""

from collections.abc import Iterable
from json.encoder import encode_basestring

from storycore.exports.packing.bag import Packed
from storycore.exports.packing.lines import listed

FORMAT = "storycore.manifest/1"
"""Name and version of the form."""


def manifest(files: Iterable[Packed]) -> bytes:
    """manifest.json, one file a line, in the order of the package."""
    lines = (
        f'{{"path": {encode_basestring(path)}, "size_bytes": {size_bytes}, "sha256": "{sha256}", '
        f'"media_type": "{media_type}", "role": "{role}"}}'  # these need no quoting
        for path, size_bytes, sha256, media_type, role in files
    )
    return listed(f'{{"format": "{FORMAT}", "algorithm": "sha256", "files": [\n', lines, "\n]}\n")
