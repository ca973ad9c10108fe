"""Reads what vouches for a finished file: the content credentials in it, or beside it."""

import functools
from dataclasses import dataclass
from pathlib import Path

from storycore.errors import AccessDenied, NotFound, Reason
from storycore.metadata import credentials, signing_key
from storycore.metadata.statement import Statement, understand
from storycore.observe.progress import Progress
from storycore.project.content import HEAD_BYTES, media_type, open_regular
from storycore.project.files import MEDIA_SUFFIXES
from storycore.settings import Settings

_MOST_BYTES = 64 * 1024 * 1024
_KINDS = ("image/", "audio/", "video/", "application/pdf")
_ANY = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What was found.

    Attributes:
        media_type: of the file, by its first bytes.
        size_bytes: of the file.
        place: embedded or sidecar, "" if there are no credentials.
        beside: the file that holds them, if they stand beside it.
        statement: what they say; None if there are none, or none that can be read.
        unreadable: why they can't be read, "" if they can.
        is_self_made: whether it is signed with the certificate that this installation made for itself.
    """

    media_type: str
    size_bytes: int
    place: str
    beside: Path | None
    statement: Statement | None
    unreadable: str
    is_self_made: bool = False


def can_vouch(path: Path) -> bool:
    """Whether credentials are looked for: in pictures, sounds, films and PDFs, and wherever some stand beside.

    What only its name calls a film, because it is empty or its beginning is broken, is one of them: its user asks
    for it as a film.
    """
    return path.is_file() and (_beside(path) is not None or _kind(path).startswith(_KINDS) or _is_named_so(path))


def is_package(path: Path) -> bool:
    """Whether a file is a ZIP that is checked as a package, whatever stands beside it."""
    return not path.is_file() or (_kind(path) == "application/zip" and not _is_made_of_parts(path))


def is_called_package(path: Path) -> bool:
    """Whether the name of a file says that it is a package, whatever its bytes are by now."""
    return path.name.lower().endswith(".zip") and not _is_made_of_parts(path)


def vouch(path: Path, settings: Settings, progress: Progress, *, until: float = 0.99) -> Vouched:
    """What vouches for a file. Nothing is written, and nobody is asked.

    Args:
        path: absolute.
        settings: name who is trusted.
        progress: told how far it is; can cancel.
        until: share of the whole work that is done then.

    Raises:
        NotFound: file_not_found.
        AccessDenied: permission_denied: it can't be opened.
        DependencyFailed: library_missing.
        InvalidInput, Unavailable: the certificates that are trusted can't be read.
    """
    kind, beside = _kind(path), _beside(path)
    progress.begin("reading credentials", until=until)
    found = functools.partial(
        Vouched,
        media_type=kind,
        size_bytes=path.stat().st_size,
        place="embedded" if beside is None else "sidecar",
        beside=beside,
    )
    try:
        manifest = None if beside is None else _read(beside)
        with open_regular(path) as file:
            told = credentials.read(kind, file, signing_key.anchors(settings), manifest=manifest)
    except FileNotFoundError:
        raise NotFound(f"File not found: {path.name}", reason=Reason.FILE_NOT_FOUND) from None
    except OSError as fault:
        raise AccessDenied(f"{path.name} can't be opened.", reason=Reason.PERMISSION_DENIED) from fault
    except credentials.Unreadable as fault:
        return found(statement=None, unreadable=str(fault)[:300] or "they can't be read")
    if told is None:
        return found(place="", statement=None, unreadable="")
    said = understand(told, signing_key.serials(settings))
    return found(statement=said, unreadable="", is_self_made=said.serial in signing_key.self_made(settings))


def _kind(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return media_type(file.read(HEAD_BYTES)) or _ANY
    except OSError:
        return _ANY


def _is_named_so(path: Path) -> bool:
    return path.suffix.lower() in MEDIA_SUFFIXES | {".pdf"}


def _is_made_of_parts(path: Path) -> bool:
    """Whether it is one of our ZIPs that are no packages: frames, stems, a stream."""
    return path.name.lower().endswith((".frames.zip", ".stems.zip", ".hls.zip"))


def _beside(path: Path) -> Path | None:
    """Credentials beside a file: of its whole name as we write them, or of its name without the suffix."""
    for name in (path.name + credentials.SUFFIX, path.stem + credentials.SUFFIX):
        found = path.with_name(name)
        if found != path and found.is_file() and not found.is_symlink():
            return found
    return None


def _read(beside: Path) -> bytes:
    with open_regular(beside) as file:
        return file.read(_MOST_BYTES)
