"""Packs a project into one ZIP that is a BagIt bag with an RO-Crate inside.

The bytes depend on the names, contents and times of the files, on the level and on the versions of the libraries,
and on nothing else.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from storycore.errors import Unexpected
from storycore.exports.packing.bag import PAYLOAD, Packed, tag_files
from storycore.exports.packing.compression import is_compressed
from storycore.exports.packing.contents import GENERATED, Contents
from storycore.exports.packing.crate import CRATE, crate
from storycore.exports.packing.manifest import manifest
from storycore.exports.packing.readback import Finished, read_back
from storycore.exports.packing.sources import SourceFolder
from storycore.exports.packing.zip_writer import SMALL_BYTES, SeekableSink, Sink, ZipWriter
from storycore.observe.progress import Progress
from storycore.project.media_types import kind_of, measured
from storycore.storage.local import new_file, require_room
from storycore.storage.place import StorePlace

_MANIFEST = f"{GENERATED}/manifest.json"
_LISTS = frozenset({_MANIFEST, CRATE})
_GENERATED_ROLE = "generated"
_STORED_SUFFIXES = (".mp4", ".mov", ".webm", ".mkv", ".png", ".jpg", ".jpeg", ".webp", ".mp3", ".m4a", ".flac")


class StreamSink(Sink, Protocol):
    """Where a package goes that is streamed."""

    def flush(self) -> None:
        """Lets go of what was held back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package that was written.

    Attributes:
        path: absolute path of the ZIP, or its place in a store; None if it was streamed.
        size_bytes: of the ZIP.
        sha256: of the ZIP, 64 hex digits.
        files: payload files, in the order in which they stand in it.
    """

    path: Path | StorePlace | None
    size_bytes: int
    sha256: str
    files: tuple[Packed, ...]


def write_package(contents: Contents, target: Path, *, level: int, progress: Progress) -> Package:
    """Writes a package to a new file.

    Guarantee: atomic; a file that stands there already is not replaced; after an error or a cancellation nothing is
    left. Size, checksum and names in the answer are read back from the finished file.

    Args:
        contents: what goes in.
        target: absolute path of the ZIP; missing folders are made.
        level: 0-9, see `compression`.
        progress: advanced in bytes; can cancel.

    Raises:
        Conflict: output_exists; source_changed: the project changed meanwhile.
        Unavailable: disk_full.
        AccessDenied: permission_denied, for the target or a source.
        InvalidInput: path_invalid: a part of the target path is a file.
        Cancelled: on request.
    """
    require_room(target.parent, _stored_bytes(contents, level), "The package")
    with new_file(target) as file:
        progress.begin("packing", total=contents.size_bytes, unit="bytes", until=0.85)
        files = _pack(contents, file, level=level, patch=file, progress=progress)
        file.flush()
        progress.begin("checking", total=file.tell(), unit="bytes", until=0.99)
        finished = read_back(file, progress)
        _compare(contents, files, finished)
    return Package(path=target, size_bytes=finished.size_bytes, sha256=finished.sha256, files=files)


def send_package(contents: Contents, target: StorePlace, *, level: int, progress: Progress) -> Package:
    """Writes a package to a new object in a store, as it is made; nothing of it is stored here.

    Guarantee: see `storage.upload.new_object`. The bytes are those of a streamed package. The checksum in the answer
    is that of the bytes that were sent, and the store holds just those.

    Raises:
        Conflict: output_exists; source_changed: the project changed meanwhile.
        DependencyFailed: store_unavailable.
        Cancelled: on request.
    """
    from storycore.storage.upload import new_object  # most packages go to a disk

    with new_object(
        target, size_bytes=contents.size_bytes, media_type="application/zip", check=progress.check
    ) as upload:
        package = stream_package(contents, upload, level=level, progress=progress)
    return replace(package, path=target)


def stream_package(contents: Contents, sink: StreamSink, *, level: int, progress: Progress) -> Package:
    """Writes a package to a sink that need not seek, as it is made.

    The ZIP holds the same files as a written one, in other bytes; the same bytes each time.

    Raises:
        Conflict: source_changed. What the sink has received then, and after any error, is no valid package.
        Cancelled: on request.
        OSError: whatever the sink raises.
    """
    progress.begin("packing", total=contents.size_bytes, unit="bytes", until=0.99)
    counted = _CountedSink(sink)
    # A sink that seeks is treated like any other: a pipe and a redirected file receive the same bytes.
    files = _pack(contents, counted, level=level, patch=None, progress=progress)
    sink.flush()
    return Package(path=None, size_bytes=counted.size_bytes, sha256=counted.digest.hexdigest(), files=files)


def _pack(
    contents: Contents, sink: Sink, *, level: int, patch: SeekableSink | None, progress: Progress
) -> tuple[Packed, ...]:
    writer = ZipWriter(sink, level=level, patch=patch, progress=progress)
    top, moment_ns = contents.name, contents.label.modified_ns
    renamed, latest_ns, made = contents.renamed, contents.latest_ns, Packed._make
    files: list[Packed] = []
    with SourceFolder(contents.folder) as sources:
        for file, data in sources.read_ahead(contents.files, most_bytes=SMALL_BYTES):
            listed, role, _, modified_ns, _, _ = file
            path = renamed.get(listed, listed)
            name = f"{top}/{PAYLOAD}/{path}"
            modified_ns = min(modified_ns, latest_ns)
            if data is not None:
                head, kind = data, kind_of(data)
                size, sha256 = writer.add(name, data, modified_ns, compressed=is_compressed(kind, head))
            else:
                with sources.open(file) as source:
                    head = source.head()
                    kind = kind_of(head)
                    size, sha256 = writer.add_large(name, source, modified_ns, compressed=is_compressed(kind, head))
            files.append(made((path, size, sha256, measured(path, head, kind), str(role))))
    for path, data in _generated(contents, files):
        add = writer.add_list if path in _LISTS else writer.add
        size, sha256 = add(f"{top}/{PAYLOAD}/{path}", data, moment_ns)
        files.append(Packed(path, size, sha256, measured(path, data, kind_of(data)), _GENERATED_ROLE))
    for name, data in tag_files(contents.label, files).items():
        writer.add_list(f"{top}/{name}", data, moment_ns)
    writer.close()
    return tuple(files)


def _generated(contents: Contents, files: list[Packed]) -> Iterator[tuple[str, bytes]]:
    """What StoryCore adds; each one may tell of those before it, since `files` grows meanwhile."""
    for name, data in contents.documents.items():
        yield f"{GENERATED}/{name}", data
    yield _MANIFEST, manifest(files)
    yield CRATE, crate(contents.label, files)


def _compare(contents: Contents, files: tuple[Packed, ...], finished: Finished) -> None:
    """Makes sure that what was written is what is there."""
    top = f"{contents.name}/{PAYLOAD}/"
    found = finished.entries
    same = all(found.get(top + path) == size_bytes for path, size_bytes, *_ in files)
    if not same or sum(name.startswith(top) for name in found) != len(files):
        raise Unexpected("The finished package does not hold what was written to it.")


def _stored_bytes(contents: Contents, level: int) -> int:
    """What at least will be written: media that is compressed already, or all at level 0."""
    return sum(file.size_bytes for file in contents.files if level == 0 or file.path.lower().endswith(_STORED_SUFFIXES))


class _CountedSink:
    """Takes all that is written, counts it, and knows its SHA-256."""

    def __init__(self, sink: StreamSink) -> None:
        self._sink = sink
        self.digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes | memoryview, /) -> int:
        self.digest.update(data)
        self.size_bytes += len(data)
        left = memoryview(data)
        while left:  # an unbuffered sink may take less than it is given
            left = left[self._sink.write(left) :]
        return len(data)
