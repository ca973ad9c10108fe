"""The boxes of MP4 and MOV files, as far as joining and measuring need them.

Source: ISO/IEC 14496-12 §8.5.2 (stsd), §8.7.3 (stsz), §8.6.6 (elst).
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from storycore.project.headers import HeaderFault
from storycore.project.headers.isobmff import Box, boxes
from storycore.project.headers.window import Window

_MOST_ENTRY_BYTES = 1 << 18
_VISUAL_ENTRY = 78
"""Bytes of a visual sample entry before its own boxes."""

_VISUAL = frozenset({b"avc1", b"hvc1", b"hev1", b"vp09", b"av01", b"mp4v", b"apch", b"apcn", b"FFV1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track of a file.

    Attributes:
        kind: "vide", "soun", "text", ….
        config: hash of its codec configuration.
        samples: how many it has: frames of a picture.
        edits: how many edit list entries it has.
    """

    kind: str
    config: str
    samples: int
    edits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """What the boxes of a file say.

    Attributes:
        order: names of the boxes at the top.
        tracks: in the order of the file.
    """

    order: tuple[str, ...]
    tracks: tuple[Track, ...]

    @property
    def faststart(self) -> bool:
        """Whether the index stands before the media, so that playing can begin at once."""
        names = self.order
        return "moov" in names and "mdat" in names and names.index("moov") < names.index("mdat")


def read(path: Path) -> Boxes:
    """What the boxes of a finished file say.

    Raises:
        HeaderFault: it is none, or broken.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        window = Window(file, path.stat().st_size)
        top = list(boxes(window, 0, window.size))
        moov = next((box for box in top if box.name == b"moov"), None)
        if moov is None:
            raise HeaderFault("a film without a moov box")
        tracks = [_track(window, box) for box in boxes(window, moov.at, moov.end) if box.name == b"trak"]
    return Boxes(order=tuple(box.name.decode("latin-1") for box in top), tracks=tuple(tracks))


def _track(window: Window, trak: Box) -> Track:
    table = _find(window, trak, b"mdia", b"minf", b"stbl")
    kind = _find(window, trak, b"mdia", b"hdlr")
    if table is None or kind is None:
        raise HeaderFault("a track without its tables")
    entry, sizes = _find(window, table, b"stsd"), _find(window, table, b"stsz")
    if entry is None or sizes is None or entry.end - entry.at > _MOST_ENTRY_BYTES:
        raise HeaderFault("a track without its tables")
    edits = _find(window, trak, b"edts", b"elst")
    return Track(
        kind=window.at(kind.at + 8, 4).decode("latin-1"),
        config=_config(window, entry),
        samples=struct.unpack(">I", window.at(sizes.at + 8, 4))[0],
        edits=0 if edits is None else struct.unpack(">I", window.at(edits.at + 4, 4))[0],
    )


def _find(window: Window, box: Box | None, *path: bytes) -> Box | None:
    for name in path:
        if box is None:
            return None
        box = next((inner for inner in boxes(window, box.at, box.end) if inner.name == name), None)
    return box


def _config(window: Window, entry: Box) -> str:
    """Hash of the first sample entry, less what tells of rates: those differ between parts of one stream."""
    told = hashlib.sha256()
    for sample in boxes(window, entry.at + 8, entry.end):
        told.update(sample.name + window.at(sample.at + 24, 4))
        for box in boxes(window, sample.at + _VISUAL_ENTRY, sample.end) if sample.name in _VISUAL else ():
            if box.name == b"esds":
                content = window.at(box.at, box.end - box.at)
                told.update(box.name + content[:19] + content[30:])
            elif box.name != b"btrt":
                told.update(box.name + window.at(box.at, box.end - box.at))
        break
    return told.hexdigest()
