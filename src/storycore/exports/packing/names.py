"""Names that every system can unpack: the ones that are not portable get others, always the same ones.

Source: RFC 8493, 2.1.3 and 6.1.2 (what manifests and file systems get wrong); Microsoft, "Naming Files, Paths, and
Namespaces"; Unicode TR 15 for twins that differ only in their composition.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from itertools import count

from storycore.errors import InvalidInput, Reason
from storycore.project.paths import MAX_NAME_BYTES, RESERVED, fold, is_portable

_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, text direction and other invisible, line ends
_FORBIDDEN = frozenset('<>:"|?*\\/%')
_JOINERS = "\u200c\u200d"  # invisible, but part of the spelling in Persian and in emoji
_CLIMBING = frozenset({"", ".", ".."})
_PLAIN = re.compile(
    r"(?!(?:con|prn|aux|nul|com\d|lpt\d) *(?:\.|$))[0-9A-Za-z_. -]{0,200}[0-9A-Za-z_-]", re.ASCII | re.IGNORECASE
)
_MAX_DEPTH = 198  # with the folder of the package and that of its payload 200, as deep as checkers go, ours too
_MAX_EXTENSION = 16
_MAX_TITLE_BYTES = 120  # leaves room for suffixes and temporary names


def portable(paths: Iterable[str], *, reserved: Collection[str] = ()) -> Mapping[str, str]:
    """The new paths of those that are not portable, or are twins on systems that ignore case or composition.

    Of two twins the one that sorts first keeps its name; folders that are twins are kept apart too. The answer
    depends on the set of paths only. No two paths end up the same, and what comes out is portable and stays as it
    is when it goes in again.

    Args:
        paths: POSIX paths relative to the project.
        reserved: names at the top that are taken already.

    Raises:
        InvalidInput: path_invalid: a path is absolute, has an empty name, `.` or `..` in it, or is more than 198
            names deep.
    """
    wanted = tuple(paths)
    folders = _folders(wanted)
    renamed: dict[str, str] = {}
    for folder in sorted(folders, key=lambda folder: (folder.count("/"), folder)):
        names, taken = folders[folder], reserved if not folder else ()
        if folder in renamed or not _are_fine(names, taken):
            new_folder = renamed.get(folder, folder)
            for name, new in _apart(names, taken).items():
                renamed[_joined(folder, name)] = _joined(new_folder, new)
    return {path: renamed[path] for path in wanted if renamed.get(path, path) != path}


def title_name(title: str) -> str:
    """A file name made of a project's name, that every surface accepts as part of a path."""
    short = title.strip().encode(errors="replace")[:_MAX_TITLE_BYTES].decode(errors="ignore")
    name = short.translate({ord("$"): "_", ord("~"): "_"}).strip(". \t\r\n")
    return _shortened(_clean(name or "project"))


def is_clean(name: str) -> bool:
    """Whether one name needs no other: portable, and safe in manifests and on terminals."""
    return _PLAIN.fullmatch(name) is not None or (is_portable(name) and _clean(name) == name)


def _folders(paths: Iterable[str]) -> dict[str, set[str]]:
    """Each folder with the names in it."""
    found: dict[str, set[str]] = {}
    for path in paths:
        folder, slash, name = path.rpartition("/")
        if name in _CLIMBING or (slash and not folder):
            raise _climbs(path)
        if folder not in found and folder.count("/") + 2 > _MAX_DEPTH:
            raise _too_deep(path)
        while folder not in found:
            found[folder] = {name}
            if not folder:
                break
            folder, slash, name = folder.rpartition("/")
            if name in _CLIMBING or (slash and not folder):
                raise _climbs(path)
        else:
            found[folder].add(name)
    return found


def _climbs(path: str) -> InvalidInput:
    return InvalidInput(f"{path!r} is not a path inside a project.", reason=Reason.PATH_INVALID, details={"path": path})


def _too_deep(path: str) -> InvalidInput:
    start = "/".join(path.split("/", 4)[:4])
    return InvalidInput(
        f"A file in {start} lies too deep to be unpacked everywhere: its path has more than {_MAX_DEPTH} names.",
        reason=Reason.PATH_INVALID,
        remediation="Move it up, or out of the project.",
        details={"path": path},
    )


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _are_fine(names: set[str], reserved: Collection[str]) -> bool:
    """Whether it is plain at a glance that no name in a folder needs another, as in most folders."""
    return (
        all(map(_PLAIN.fullmatch, names))
        and len({name.lower() for name in names}) == len(names)
        and not any(name.lower() in reserved for name in (names if reserved else ()))
    )


def _apart(names: Iterable[str], reserved: Collection[str]) -> dict[str, str]:
    """New names for the names in one folder, no two of them twins; clean names have the first choice."""
    taken = {_key(name) for name in reserved}
    dirty = {name for name in names if not is_clean(name)}
    result: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (name in dirty, name)):
        clean = _shortened(_clean(name)) if name in dirty else name
        new, numbers = clean, count(2)
        while (key := _key(new)) in taken:
            new = _shortened(clean, f"_{next(numbers)}")
        taken.add(key)
        result[name] = new
    return result


def _key(name: str) -> str:
    return name.lower() if name.isascii() else fold((name,))[0]


def _clean(name: str) -> str:
    """The name with `_` in place of what is not portable; it may be longer than a name can be."""
    clean = _solid("".join("_" if _is_forbidden(character) else character for character in name))
    return f"_{clean}" if clean.partition(".")[0].rstrip().upper() in RESERVED else clean


def _is_forbidden(character: str) -> bool:
    return character in _FORBIDDEN or (unicodedata.category(character) in _CATEGORIES and character not in _JOINERS)


def _solid(name: str) -> str:
    """The name with `_` in place of dots and blanks at its end, which systems and manifests lose."""
    end = len(name)
    while end and (name[end - 1] == "." or name[end - 1].isspace()):
        end -= 1
    return name[:end] + "_" * (len(name) - end)


def _shortened(name: str, suffix: str = "") -> str:
    """The name with a suffix before its extension, cut so that it stays within `MAX_NAME_BYTES`."""
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _MAX_EXTENSION:
        stem, dot, extension = name, "", ""
    room = MAX_NAME_BYTES - len(f"{suffix}{dot}{extension}".encode())
    return _solid(stem.encode()[:room].decode(errors="ignore") + suffix + dot + extension)
