"""Which names of files in a package are safe to unpack anywhere, and which of them collide."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from storycore.exports.checking.verdict import Finding
from storycore.project.paths import MAX_NAME_BYTES, RESERVED, fold, is_portable

_DRIVE = re.compile(r"[A-Za-z]:")
_PLAIN = re.compile(r"[0-9A-Za-z_-](?:[0-9A-Za-z_. -]{0,200}[0-9A-Za-z_-])?")
"""Names of files that need no closer look, but for names of devices."""
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MAX_DEPTH = 200


def unsafe(name: str) -> str | None:
    r"""Why a name must not be unpacked on some system, or None.

    Judged by the rules of POSIX and Windows alike: absolute, `..`, `.` or empty parts, `\`, drive letters, control
    and text direction characters, Windows device names, trailing dots and spaces, parts over 255 bytes.
    """
    parts = name.removesuffix("/").split("/")
    if len(parts) > _MAX_DEPTH:
        return f"it is more than {_MAX_DEPTH} folders deep"
    if name.startswith("/"):
        return "it is absolute"
    return next(filter(None, map(_fault, parts)), None)


def is_storable(name: str) -> bool:
    """Whether every system, Windows too, can store a safe name as it is."""
    return all(map(_is_storable, name.removesuffix("/").split("/")))


@lru_cache(maxsize=4096)  # folders stand before each of their files
def _fault(part: str) -> str | None:
    """Why one part of a name is not safe."""
    if _PLAIN.fullmatch(part) and not _is_device(part):
        return None
    faults = (
        ("\\" in part, "it holds a backslash, which Windows takes for a folder"),
        (part in ("", ".", ".."), "it holds an empty part, . or .."),
        (_DRIVE.match(part), "it holds a drive letter"),
        (_is_device(part), "Windows takes it for a device"),
        (part[-1:] in (".", " "), "a part of it ends with a dot or a space"),
        (len(part.encode(errors="replace")) > MAX_NAME_BYTES, f"a part of it exceeds {MAX_NAME_BYTES} bytes"),
    )
    return next((fault for found, fault in faults if found), None) or _character_fault(part)


@lru_cache(maxsize=4096)
def _is_storable(part: str) -> bool:
    return bool(_PLAIN.fullmatch(part)) or is_portable(part)


def _is_device(part: str) -> bool:
    return part.partition(".")[0].rstrip().upper() in RESERVED


def _character_fault(part: str) -> str | None:
    for character in part:
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            return f"it holds the control character U+{ord(character):04X}"
        if character in _BIDI:
            return f"it holds the text direction character U+{ord(character):04X}"
    return None


def _key(path: str) -> str:
    """A path as a file system that ignores case and composition compares it."""
    return path.lower() if path.isascii() else fold((path,))[0]


class Twins:
    """Finds names that can't stand beside each other: the same, the same but for case, or a file that is a folder."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._entered: set[str] = set()
        self._known: set[str] = set()

    def add(self, name: str) -> Iterator[tuple[Finding, str]]:
        """What is wrong between `name` and those added before; folders end with `/`."""
        path = name.removesuffix("/")
        if name.endswith("/"):
            if path in self._entered:
                yield Finding.DUPLICATE_NAME, "The name stands twice."
            self._entered.add(path)
            yield from self._add_folder(path)
        else:
            yield from self._add_file(path)
            path = path.rpartition("/")[0]
        while path and path not in self._known:
            yield from self._add_folder(path)
            path = path.rpartition("/")[0]

    def _add_file(self, path: str) -> Iterator[tuple[Finding, str]]:
        key = _key(path)
        if key in self._folders:
            yield Finding.COLLIDING_NAME, "A folder has the same name."
        if key in self._files:
            yield _same(self._files[key], path)
        self._files.setdefault(key, path)

    def _add_folder(self, path: str) -> Iterator[tuple[Finding, str]]:
        key = _key(path)
        self._known.add(path)
        if key in self._files:
            yield Finding.COLLIDING_NAME, "A file has the same name as a folder."
        if self._folders.setdefault(key, path) != path:
            yield _same(self._folders[key], path)


def _same(other: str, path: str) -> tuple[Finding, str]:
    if other == path:
        return Finding.DUPLICATE_NAME, "The name stands twice."
    return Finding.COLLIDING_NAME, "Another name differs only in case or in how accents are written."
