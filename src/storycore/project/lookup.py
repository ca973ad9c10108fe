"""The media of a film: which file is shown or heard, and whether it is there.

A shot shows the first of these that stands there:

1. its take in `assets/generated/index.json`: the picked one, else the newest completed one. The file is one object,
   shot id → list of takes, each `{"id", "path", "status", "created_at", "picked"}`: `path` relative to the project,
   `status` "completed" when the file is whole, `created_at` an instant, `picked` true for the chosen one;
2. the clip that it names;
3. the picture that it names, `promoted_panel_path` first;
4. its panel: refined, promoted, as generated, as a cell of the grid. The panel is the one that
   `asset_manifest.panel_to_shot_map` gives it, else the one of its number (`panel_NN*`).

Everything is confined to the project, and a file is what its first bytes say: a text named `.png` is missing.
"""

import base64
import binascii
import os
import re
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from storycore.project.content import HEAD_BYTES, media_type
from storycore.project.draft import Notes
from storycore.project.fields import Found, read_instant
from storycore.project.folder import ProjectFolder
from storycore.project.model import Media, MediaKind
from storycore.project.paths import relative_inside

_DATA = re.compile(r"data:([\w.+-]{1,60}/[\w.+-]{1,60})?((?:;[\w.+-]+=[^;,]*)*)(;base64)?,", re.IGNORECASE)
_SUFFIXES = {
    MediaKind.IMAGE: "png jpg jpeg webp gif bmp tif tiff exr ppm pgm pbm pnm avif heic dpx hdr tga svg",
    MediaKind.VIDEO: "mp4 mov m4v mkv webm avi mxf ts mpg mpeg ogv",
    MediaKind.AUDIO: "wav mp3 flac m4a aac ogg opus aif aiff wma",
}
_KIND_OF_SUFFIX = {f".{suffix}": kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_NO_MAGIC = frozenset({".dpx", ".hdr", ".tga", ".mxf", ".mpg", ".mpeg", ".aif", ".aiff", ".wma", ".ts"})
_PLACES = {"refined": "refined", "promoted": "promoted", "panels": "panel", "grids": "grid"}


class Seen(NamedTuple):
    """A file that was looked at.

    Attributes:
        path: POSIX path relative to the project.
        kind: by its content; None if that does not fit its name, is no medium, or can't be read.
        readable: whether its first bytes could be read.
    """

    path: str
    kind: MediaKind | None
    readable: bool = True


class MediaLookup:
    """Looks for media in one project folder; each file is looked at once.

    Attributes:
        missing: paths that are named but can't be used, in the order met.
    """

    def __init__(self, folder: ProjectFolder, notes: Notes) -> None:
        self.folder = folder
        self.notes = notes
        self.missing: dict[str, None] = {}
        self._seen: dict[str, Seen | None] = {}
        self._taken: dict[str, Media | None] = {}

    def named(self, found: Found, kind: MediaKind, source: str = "") -> Media | None:
        """The medium that a value names: `found` false if it is not there, None if the value can't name one.

        Args:
            found: a text, a path, a `data:` URI.
            kind: what is expected; a picture where a clip is expected (and the other way round) is taken as it is.
            source: where it was found; by the file's folder if empty.
        """
        text = found.value.strip() if isinstance(found.value, str) else ""
        if not text:
            return None
        if is_data(text):
            return self._data(text, kind, found)
        seen = self._look(text)
        if seen is None:
            return self._absent(text, kind, source, found)
        return self._judged(seen, kind, source, found.piece.file, found.pointer)

    def at(self, path: str, kind: MediaKind, source: str, file: str, pointer: str) -> Media | None:
        """The medium at `path`, or None; told as missing if it is not there."""
        seen = self._look(path)
        if seen is None:
            self._tell_missing(path, file, pointer)
            return None
        media = self._judged(seen, kind, source, file, pointer)
        return media if media.found else None

    def take(self, shot_id: str) -> Media | None:
        """The picked or newest completed take of a shot, if its file is there."""
        if shot_id not in self._taken:
            self._taken[shot_id] = self._take(shot_id)
        return self._taken[shot_id]

    def _take(self, shot_id: str) -> Media | None:
        takes = _takes(self.folder.load(INDEX), shot_id)
        for place, entry in takes:
            path = entry.get("path")
            if not isinstance(path, str) or not path:
                continue
            kind = _KIND_OF_SUFFIX.get(PurePosixPath(path).suffix.lower(), MediaKind.VIDEO)
            pointer = f"/{shot_id.replace('~', '~0').replace('/', '~1')}/{place}/path"
            if media := self.at(path, kind, "take", INDEX, pointer):
                return media
        return None

    def _look(self, text: str) -> Seen | None:
        if text not in self._seen:
            path = self.folder.find(text)
            self._seen[text] = self._open(path) if path else None
        return self._seen[text]

    def _open(self, path: str) -> Seen:
        try:
            head = self.folder.head(path, HEAD_BYTES)
        except OSError:
            return Seen(path, None, readable=False)
        return Seen(path, _kind_of(head, PurePosixPath(path).suffix.lower()))

    def _judged(self, seen: Seen, kind: MediaKind, source: str, file: str, pointer: str) -> Media:
        if seen.kind is None or (kind is MediaKind.AUDIO and seen.kind is MediaKind.IMAGE):
            self.missing[seen.path] = None
            fault = "is not what its name says" if seen.readable else "can't be read"
            reason = "media_mislabelled" if seen.readable else "media_unreadable"
            self.notes.warn(file, pointer, reason, f"{seen.path} {fault}; it counts as missing.")
            wanted = _wanted(seen.path, kind)
            return Media(path=seen.path, kind=wanted, source=source or _source(seen.path, wanted), found=False)
        real = kind if kind is MediaKind.AUDIO else seen.kind
        return Media(path=seen.path, kind=real, source=source or _source(seen.path, real), found=True)

    def _absent(self, text: str, kind: MediaKind, source: str, found: Found) -> Media | None:
        relative = relative_inside(text) or self._below(text)
        if relative is None or os.path.lexists(self.folder.path / relative):
            shown = text if len(text) < 80 else text[:79] + "…"
            message = f"{shown} does not lead to a file of this project; it was left out."
            self.notes.warn(found.piece.file, found.pointer, "path_refused", message)
            return None
        self._tell_missing(relative.as_posix(), found.piece.file, found.pointer)
        path = relative.as_posix()
        wanted = _wanted(path, kind)
        return Media(path=path, kind=wanted, source=source or _source(path, wanted), found=False)

    def _below(self, text: str) -> PurePosixPath | None:
        """An absolute path that leads into the project, made relative."""
        if "\0" in text or not Path(text).is_relative_to(self.folder.path):
            return None
        return relative_inside(Path(text).relative_to(self.folder.path).as_posix())

    def _tell_missing(self, path: str, file: str, pointer: str) -> None:
        self.missing[path] = None
        self.notes.warn(file, pointer, "media_missing", f"{path} is not there.")

    def _data(self, text: str, kind: MediaKind, found: Found) -> Media:
        match = _DATA.match(text)
        written = (match[1] or "" if match else "").lower()
        real = _kind_of(data_bytes(text, most=HEAD_BYTES), "")
        fits = real is not None and (real is kind or kind is not MediaKind.AUDIO)
        if not fits:
            self.notes.warn(
                found.piece.file, found.pointer, "media_mislabelled", "The data: URI does not hold what is expected."
            )
        path = f"data:{written or 'application/octet-stream'}"
        return Media(path=path, kind=real if real and fits else kind, source="data", found=fits)


INDEX = "assets/generated/index.json"
"""Where the takes of a project are listed."""

SIDECAR = ".storycore.json"
"""What follows the name of a generated file in that of the note beside it, which says how it came to be."""


def is_data(value: Any) -> bool:
    """Whether a value is a `data:` URI."""
    return isinstance(value, str) and value.lstrip()[:5].lower() == "data:"


def data_bytes(uri: str, *, most: int | None = None) -> bytes:
    """What a `data:` URI holds, or its first bytes; b"" if it is malformed.

    Source: RFC 2397.
    """
    match = _DATA.match(uri)
    if match is None:
        return b""
    body = uri[match.end() :] if most is None else uri[match.end() : match.end() + 4 * most]
    if not match[3]:
        return unquote_to_bytes(body)[:most]
    clean = re.sub(r"[^A-Za-z0-9+/]", "", unquote_to_bytes(body).decode("ascii", "replace"))
    try:
        return base64.b64decode(clean[: len(clean) // 4 * 4] if most else clean + "=" * (-len(clean) % 4))[:most]
    except binascii.Error:
        return b""


def _kind_of(head: bytes, suffix: str) -> MediaKind | None:
    """What a file is by its first bytes; None if that contradicts its suffix or is no medium."""
    named = _KIND_OF_SUFFIX.get(suffix)
    found = media_type(head)
    if found is None:
        binary = named is not None and suffix in _NO_MAGIC and not _is_text(head)
        vector = suffix in (".svg", "") and b"<svg" in head
        return named if binary else MediaKind.IMAGE if vector else None
    word = found.split("/", maxsplit=1)[0]
    real = next((kind for kind in MediaKind if kind == word), None)
    if named is None or real is None:
        return real
    # Sound and moving pictures share their containers, so only a picture can't be one of the others.
    return None if (named is MediaKind.IMAGE) != (real is MediaKind.IMAGE) else real


def _is_text(head: bytes) -> bool:
    return not head or (b"\0" not in head and all(byte in b"\t\n\r" or byte >= 32 for byte in head))


def _wanted(path: str, kind: MediaKind) -> MediaKind:
    """What a file that can't be used should be: a picture or a clip by its suffix, else what its field holds."""
    named = _KIND_OF_SUFFIX.get(PurePosixPath(path).suffix.lower(), kind)
    return kind if MediaKind.AUDIO in (kind, named) else named


def _source(path: str, kind: MediaKind) -> str:
    """By its folder, where a picture comes from."""
    if kind is MediaKind.VIDEO:
        return "clip"
    folders = [part.lower() for part in PurePosixPath(path).parts[:-1]]
    return next((_PLACES[part] for part in reversed(folders) if part in _PLACES), "image")


def _takes(index: Any, shot_id: str) -> list[tuple[int, dict[str, Any]]]:
    """Takes of a shot, best first: picked ones, then completed ones from new to old."""
    listed = index.get(shot_id) if isinstance(index, dict) else None
    entries = [(place, take) for place, take in enumerate(listed if isinstance(listed, list) else ())]
    takes = [(place, take) for place, take in entries if isinstance(take, dict)]
    picked = [(place, take) for place, take in takes if take.get("picked") is True]
    done = [
        (place, take) for place, take in takes if take.get("picked") is not True and take.get("status") == "completed"
    ]
    done.sort(key=lambda entry: (_made(entry[1]), entry[0]), reverse=True)
    return [*picked, *done]


def _made(take: dict[str, Any]) -> float:
    instant = read_instant(take.get("created_at"))
    return instant.timestamp() if instant else float("-inf")
