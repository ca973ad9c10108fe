"""A file that was brought home, measured as it stands there."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storycore.project.content import HEAD_BYTES, open_regular
from storycore.project.media_types import kind_of, measured

_CHUNK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that was brought home; measured.

    Attributes:
        path: absolute.
        node: which node put it out.
        kind: image, video, audio, model, text or file; by its content.
        media_type: IANA, by its content.
        size_bytes: of the finished file.
        sha256: of the finished file, 64 hex digits.
        remote: what the server calls it; "" for what came with the answer, or over the socket.
        is_kept: whether the server keeps it; what it shows on the way is temporary.
    """

    path: Path
    node: str
    kind: str
    media_type: str
    size_bytes: int
    sha256: str
    remote: str
    is_kept: bool = True


def measure(path: Path, later: Path, node: str, remote: str, *, is_kept: bool = True) -> Fetched:
    """A finished file, read anew at `path`; it will be called `later`."""
    digest, size = hashlib.sha256(), 0
    with open_regular(path) as file:
        head = file.read(HEAD_BYTES)
        chunk = head
        while chunk:
            digest.update(chunk)
            size += len(chunk)
            chunk = file.read(_CHUNK_BYTES)
    media_type = measured(path.name, head, kind_of(head))
    return Fetched(
        path=later, node=node, kind=_kind(media_type, path, head), media_type=media_type, size_bytes=size,
        sha256=digest.hexdigest(), remote=remote, is_kept=is_kept,
    )  # fmt: skip


def _kind(media_type: str, path: Path, head: bytes) -> str:
    word = media_type.split("/", maxsplit=1)[0]
    if head[:4] == b"glTF" or path.suffix.lower() in (".glb", ".gltf", ".obj", ".fbx", ".stl", ".ply", ".usdz"):
        return "model"
    return word if word in ("image", "video", "audio", "text") else "file"
