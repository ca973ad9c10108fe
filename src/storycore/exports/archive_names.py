"""Which names of files in a package are safe to unpack anywhere, and which of them collide."""

import re
import unicodedata
from collections.abc import Iterator

from storycore.exports.verdict import Finding
from storycore.project.paths import MAX_NAME_BYTES, RESERVED, fold, is_portable

_DRIVE = re.compile(r"^[A-Za-z]:")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MAX_DEPTH = 200


def unsafe(name: str) -> str | None:
    r"""Why a name must not be unpacked on some system, or None.

    Judged by the rules of POSIX and Windows alike: absolute, `..`, `.` or empty parts, `\`, drive letters, control
    and text direction characters, Windows device names, trailing dots and spaces, parts over 255 bytes.
    """
    parts = name.removesuffix("/").split("/")
    faults = (
        (name.startswith("/"), "it is absolute"),
        ("\\" in name, "it holds a backslash, which Windows takes for a folder"),
        (any(part in ("", ".", "..") for part in parts), "it holds an empty part, . or .."),
        (any(_DRIVE.match(part) for part in parts), "it holds a drive letter"),
        (any(_is_device(part) for part in parts), "Windows takes it for a device"),
        (any(part[-1:] in (".", " ") for part in parts), "a part of it ends with a dot or a space"),
        (
            any(len(part.encode(errors="replace")) > MAX_NAME_BYTES for part in parts),
            f"a part of it exceeds {MAX_NAME_BYTES} bytes",
        ),
        (len(parts) > _MAX_DEPTH, f"it is more than {_MAX_DEPTH} folders deep"),
    )
    return next((fault for found, fault in faults if found), None) or _character_fault(name)


def is_storable(name: str) -> bool:
    """Whether every system, Windows too, can store a safe name as it is."""
    return all(is_portable(part) for part in name.removesuffix("/").split("/"))


def _is_device(part: str) -> bool:
    return part.split(".", maxsplit=1)[0].rstrip().upper() in RESERVED


def _character_fault(name: str) -> str | None:
    for character in name:
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            return f"it holds the control character U+{ord(character):04X}"
        if character in _BIDI:
            return f"it holds the text direction character U+{ord(character):04X}"
    return None


class Twins:
    """Finds names that can't stand beside each other: the same, the same but for case, or a file that is a folder."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._entered: set[str] = set()

    def add(self, name: str) -> Iterator[tuple[Finding, str]]:
        """What is wrong between `name` and those added before; folders end with `/`."""
        path = name.removesuffix("/")
        (key,) = fold((path,))
        if name.endswith("/"):
            if path in self._entered:
                yield Finding.DUPLICATE_NAME, "The name stands twice."
            self._entered.add(path)
            yield from self._add_folder(path, key)
        else:
            yield from self._add_file(path, key)
        for place, character in enumerate(path):
            if character == "/":
                parent = path[:place]
                yield from self._add_folder(parent, fold((parent,))[0])

    def _add_file(self, path: str, key: str) -> Iterator[tuple[Finding, str]]:
        if key in self._folders:
            yield Finding.COLLIDING_NAME, "A folder has the same name."
        if key in self._files:
            yield _same(self._files[key], path)
        self._files.setdefault(key, path)

    def _add_folder(self, path: str, key: str) -> Iterator[tuple[Finding, str]]:
        if key in self._files:
            yield Finding.COLLIDING_NAME, "A file has the same name as a folder."
        if self._folders.setdefault(key, path) != path:
            yield _same(self._folders[key], path)


def _same(other: str, path: str) -> tuple[Finding, str]:
    if other == path:
        return Finding.DUPLICATE_NAME, "The name stands twice."
    return Finding.COLLIDING_NAME, "Another name differs only in case or in how accents are written."
