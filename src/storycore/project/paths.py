"""Which paths are acceptable, and where they may lead.

Three questions, in this order: is the text of a path harmless on every system (`check_text`), does it lead into a
folder that the caller may use (`Places`), and, for names inside a project, does it stay inside (`inside`). Text is
judged by the rules of POSIX and Windows alike, whatever we run on.
"""

import os
import re
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from storycore.errors import AccessDenied, InvalidInput, NotFound, Reason
from storycore.storage.place import BadPlace, StorePlace, names_store, read_place

MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://|^(?:data|file|mailto|javascript):", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:")
RESERVED = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{device}{digit}" for device in ("COM", "LPT") for digit in "123456789¹²³"}
)
"""Names that Windows gives to devices, with any suffix. Source: Microsoft, "Naming Files, Paths, and Namespaces"."""

EXPORTS = "exports"
"""The folder of a project that results go to."""


def check_text(path: str, *, pointer: str = "") -> str:
    r"""The path as it was given, if its text is harmless on every system.

    Raises:
        InvalidInput: path_invalid: empty, NUL, control or bidi characters, a drive letter (on Windows a whole
            `C:\\…` is fine), UNC or device prefix, `~`, `$`, `%`, a URL, a place in an object store,
            or longer than 1,024 bytes or 255 bytes a name. The message says which.
    """
    fault = _text_fault(path)
    if fault:
        raise InvalidInput(
            f"The path is not acceptable: {fault}.", reason=Reason.PATH_INVALID, details={"pointer": pointer}
        )
    return path


def check_url(url: str, *, pointer: str = "") -> StorePlace:
    """The place in an object store that a URL names, if its text is harmless.

    Raises:
        InvalidInput: path_invalid; the message says why.
    """
    try:
        return read_place(url)
    except BadPlace as fault:
        raise InvalidInput(
            f"The path is not acceptable: it {fault}.", reason=Reason.PATH_INVALID, details={"pointer": pointer}
        ) from None


def _text_fault(path: str) -> str | None:
    names = re.split(r"[\\/]", path)
    drive = _DRIVE.match(path)
    whole_drive = os.name == "nt" and path[2:3] in ("\\", "/")
    faults = (
        (not path or path.isspace(), "it is empty"),
        (
            names_store(path),
            "it is in an object store, and only export package, format, verify and metadata know those",
        ),
        (_URL.match(path), "it is a URL"),
        (path.startswith(("\\\\", "//")), "it starts like a network or device path"),
        (drive and not whole_drive, "it starts with a drive letter"),
        (any(name.startswith("~") for name in names), "it holds ~, which is not expanded here"),
        (any(_bytes(name) > MAX_NAME_BYTES for name in names), f"a name in it is longer than {MAX_NAME_BYTES} bytes"),
        (_bytes(path) > MAX_PATH_BYTES, f"it is longer than {MAX_PATH_BYTES} bytes"),
    )
    return next((fault for found, fault in faults if found), None) or _character_fault(path)


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))


def _character_fault(path: str) -> str | None:
    for character in path:
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            return f"it holds the control character U+{ord(character):04X}"
        if character in _BIDI:
            return f"it holds the text direction character U+{ord(character):04X}"
        if character in "$%":
            return f"it holds {character}, which is not expanded here"
    return None


@dataclass(frozen=True, slots=True)
class Places:
    """The folders that a caller may read from and write to.

    Attributes:
        roots: folders that projects may be in; None means any path that the user names.
        output_roots: folders, beside each project's exports/, that results may go to.
        base: the folder that relative paths are taken from; None means the current one.
        stores: places in object stores that may be read from and written to, for every caller alike.
    """

    roots: tuple[Path, ...] | None
    output_roots: tuple[Path, ...] = ()
    base: Path | None = None
    stores: tuple[StorePlace, ...] = ()

    def project(self, path: str) -> Path:
        """Absolute, resolved folder of a project.

        With roots, a path outside is refused whether or not it exists.

        Raises:
            InvalidInput: path_invalid.
            AccessDenied: path_outside_root.
            NotFound: project_not_found: there is no such folder.
            AccessDenied: permission_denied: it can't be looked at.
        """
        check_text(path, pointer="/project_path")
        folder = self._resolve(path, _resolved(self.roots))
        facts = _facts(folder)
        if facts is None or not stat.S_ISDIR(facts.st_mode):
            hint = ". That is a file; name its folder." if facts else ""
            raise NotFound(f"Project not found: {path}{hint}", reason=Reason.PROJECT_NOT_FOUND)
        return folder

    def file(self, path: str) -> Path:
        """Absolute, resolved path of a file or folder to read, inside the roots or the output roots.

        Raises:
            InvalidInput: path_invalid.
            AccessDenied: path_outside_root.
            NotFound: file_not_found: nothing stands there.
        """
        check_text(path)
        found = self._resolve(path, self._readable())
        if _facts(found) is None:
            raise NotFound(f"File not found: {path}", reason=Reason.FILE_NOT_FOUND)
        return found

    def output(self, path: str, project: Path) -> Path:
        """Absolute path for a result of `project`; nothing is made or checked for existence yet.

        Inside the project only its exports/ is allowed. Elsewhere, with roots, only the output roots.

        Raises:
            InvalidInput: path_invalid: the text, or a place among the project's own files.
            AccessDenied: path_outside_root.
        """
        check_text(path, pointer="/output_path")
        exports = project / EXPORTS  # not resolved: if it is a link, what it leads to is not the project's
        target = self._resolve(path, None)
        if target.is_relative_to(project) and not target.is_relative_to(exports):
            raise InvalidInput(
                "Results are not written among the project's own files.",
                reason=Reason.PATH_INVALID,
                remediation=f"Write to the project's {EXPORTS}/ folder, or to a folder outside the project.",
            )
        allowed = (*(_resolved(self.output_roots) or ()), exports)
        if self.roots is not None and not any(target.is_relative_to(folder) for folder in allowed):
            raise AccessDenied(
                f"Results go only into the project's {EXPORTS}/ folder or an output root.",
                reason=Reason.PATH_OUTSIDE_ROOT,
                remediation=f"Leave output_path out, name a folder inside the project's {EXPORTS}/, or add a folder to "
                "STORYCORE_OUTPUT_ROOTS.",
            )
        return target

    def stored(self, url: str, *, pointer: str) -> StorePlace:
        """A place in an object store, inside one that is listed; nothing is asked of the store.

        Raises:
            InvalidInput: path_invalid.
            AccessDenied: path_outside_root.
        """
        place = check_url(url, pointer=pointer)
        if not any(listed.holds(place) for listed in self.stores):
            raise AccessDenied(
                "That place in an object store is not among those that may be used.",
                reason=Reason.PATH_OUTSIDE_ROOT,
                remediation=f"Add {place.kind}://{place.bucket} or a folder in it to STORYCORE_STORES.",
            )
        return place

    def new_folder(self, path: str) -> Path:
        """Absolute path for a folder that is to be made; nothing is made or checked for existence yet.

        With roots, only inside an output root, or inside an exports/ folder of a root.

        Raises:
            InvalidInput: path_invalid.
            AccessDenied: path_outside_root.
        """
        check_text(path, pointer="/unpack_to")
        target = self._resolve(path, self._readable())
        if self.roots is not None and not self._takes_results(target):
            raise AccessDenied(
                "New folders are made only inside an exports/ folder or an output root.",
                reason=Reason.PATH_OUTSIDE_ROOT,
                remediation=f"Name a folder inside an {EXPORTS}/ folder, or add a folder to STORYCORE_OUTPUT_ROOTS.",
            )
        return target

    def results(self, path: str) -> Path:
        """Absolute path for results that belong to no project: a folder, or a file; nothing is made yet.

        With roots, only inside an output root, or inside an exports/ folder of a root.

        Raises:
            InvalidInput: path_invalid.
            AccessDenied: path_outside_root.
        """
        check_text(path, pointer="/output_path")
        target = self._resolve(path, self._readable())
        if self.roots is not None and not self._takes_results(target / "result"):
            raise AccessDenied(
                "Results are written only inside an exports/ folder or an output root.",
                reason=Reason.PATH_OUTSIDE_ROOT,
                remediation=f"Name a place inside an {EXPORTS}/ folder, or add a folder to STORYCORE_OUTPUT_ROOTS.",
            )
        return target

    def _readable(self) -> tuple[Path, ...] | None:
        return None if self.roots is None else _resolved((*self.roots, *self.output_roots))

    def _takes_results(self, target: Path) -> bool:
        """Whether results may go to `target`, which is resolved."""
        if any(root.resolve() in target.parents for root in self.output_roots):
            return True
        roots = [root.resolve() for root in self.roots or () if target.is_relative_to(root.resolve())]
        return any(EXPORTS in target.relative_to(root).parts[:-1] for root in roots)

    def _resolve(self, path: str, allowed: tuple[Path, ...] | None) -> Path:
        wanted = Path(path) if self.base is None else self.base / path
        try:
            found = wanted.resolve()
        except (OSError, RuntimeError):
            found = _unresolved(wanted)
        if allowed is not None and not any(found.is_relative_to(folder) for folder in allowed):
            raise AccessDenied("The path leads outside the allowed folders.", reason=Reason.PATH_OUTSIDE_ROOT)
        return found


def _unresolved(path: Path) -> Path:
    """A path with a loop of links in it; only that of a current folder that is gone can't be told at all."""
    try:
        return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() is what failed
    except OSError:
        raise NotFound("The current folder is gone.", remediation="Go to another folder.") from None


def _resolved(folders: tuple[Path, ...] | None) -> tuple[Path, ...] | None:
    return None if folders is None else tuple(folder.resolve() for folder in folders)


def _facts(path: Path) -> os.stat_result | None:
    """What stands at a path, or None if nothing does."""
    try:
        return path.stat()
    except PermissionError:
        raise AccessDenied("Not allowed to look there.", reason=Reason.PERMISSION_DENIED) from None
    except OSError:
        return None


def relative_inside(text: str) -> PurePosixPath | None:
    """A path named inside a project, made relative and POSIX, or None if it can't lead to a file of the project.

    Backslashes are taken as separators. URLs, `data:` URIs, absolute paths, drive letters and paths that climb out
    with `..` give None; use `inside` to learn whether a file really stands there.
    """
    if _URL.match(text) or _character_fault(text.replace("$", "").replace("%", "")) or not text.strip():
        return None
    path = text.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path):
        return None
    names: list[str] = []
    for name in path.split("/"):
        if name == "..":
            if not names:
                return None
            names.pop()
        elif name not in ("", "."):
            names.append(name)
    return PurePosixPath(*names) if names else None


def inside(folder: Path, text: str) -> Path | None:
    """The regular file that `text` names inside `folder`, links resolved, or None.

    An absolute path is accepted if it leads into the folder. A link that leads out, a FIFO, a device or a missing
    file gives None; nothing is opened, so nothing can block.
    """
    relative = relative_inside(text)
    if relative is None:
        if not Path(text).is_absolute() or "\0" in text:
            return None
        wanted = Path(text)
    else:
        wanted = folder / relative
    try:
        found = wanted.resolve(strict=True)
        regular = stat.S_ISREG(found.stat().st_mode)
    except (OSError, RuntimeError, ValueError):
        return None
    return found if regular and found.is_relative_to(folder.resolve()) else None


def is_text(name: str) -> bool:
    """Whether the name of a file is valid Unicode: names that are not come with lone surrogates in them."""
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)


def is_portable(name: str) -> bool:
    r"""Whether one name (no separators) can be a file name on every common system.

    Not: control characters, `<>:"|?*\\`, a trailing dot or space, a Windows device name, more than 255 bytes.
    """
    return not (
        name in ("", ".", "..")
        or any(ord(character) < 32 or ord(character) == 127 or character in '<>:"|?*\\/' for character in name)
        or name[-1] in ". "
        or name.split(".", maxsplit=1)[0].rstrip().upper() in RESERVED
        or _bytes(name) > MAX_NAME_BYTES
    )


def fold(names: Iterable[str]) -> tuple[str, ...]:
    """Names as a file system that ignores case and normalises Unicode compares them."""
    return tuple(unicodedata.normalize("NFC", name).casefold() for name in names)
