"""Which files a project folder holds, and what each is for. Nothing is opened."""

import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from storycore.errors import AccessDenied, InvalidInput, Reason
from storycore.project.model import ProjectWarning
from storycore.project.paths import EXPORTS, is_text


class Role(StrEnum):
    """What a file is for."""

    PROJECT = "project"
    """project.json itself."""
    STORYBOARD = "storyboard"
    """Data of the film beside project.json: storyboard.json, video_plan.json, sequences, scenes, characters, …."""
    MEDIA = "media"
    """Pictures, clips, sound, captions, fonts."""
    REPORT = "report"
    """QA reports, in all their places."""
    SOURCE = "source"
    """Workflows, scripts, prompts, editor files, and everything that has no other role."""


class SourceFile(NamedTuple):
    """One regular file of a project.

    Attributes:
        path: POSIX path relative to the project.
        role: what it is for.
        size_bytes: as the file system says now.
        modified_ns: modification time, nanoseconds since 1970.
        inode: number of the file on its device; 0 where there is none.
        device: number of the device.
    """

    path: str
    role: Role
    size_bytes: int
    modified_ns: int
    inode: int
    device: int


_made = SourceFile._make  # from a tuple: the quickest of its makers


@dataclass(frozen=True, slots=True)
class Listing:
    """What a project folder holds.

    Attributes:
        files: sorted by path.
        skipped: links, devices, unreadable folders and names that are not text, each with a reason.
    """

    files: tuple[SourceFile, ...]
    skipped: tuple[ProjectWarning, ...]


MEDIA_SUFFIXES = frozenset(
    {
        ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".exr", ".ppm", ".pgm", ".pbm", ".pnm",
        ".avif", ".heic", ".dpx", ".hdr", ".tga", ".svg",
        ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mxf", ".ts", ".mpg", ".mpeg", ".ogv",
        ".wav", ".mp3", ".flac", ".m4a", ".aac", ".ogg", ".opus", ".aif", ".aiff", ".wma",
        ".srt", ".vtt", ".ass", ".ssa", ".ttf", ".otf", ".woff", ".woff2", ".cube",
    }
)  # fmt: skip
_REPORT_FOLDERS = (("qa_output",), ("qa_reports",), ("assets", "metadata"))
_DATA_FOLDERS = frozenset(
    {
        "sequences",
        "shots",
        "scenes",
        "characters",
        "worlds",
        "locations",
        "lieux",
        "story",
        "audio_output",
        "components",
        "assets",
    }
)
_DATA_NAMES = (
    "storyboard*.json", "video_plan*.json", "project_assets.json", "scene_breakdown.json", "character*.json",
    "video_timeline_metadata.json", "timeline*.json", "audio_*.json", "puppet_*.json", "world_config.json",
    "story_structure.json", "dialogue_script.json", "sequence_plan.json", "music_description.json", "*scenario*.json",
    "*timeline*.json",
)  # fmt: skip
_SKIP_FOLDERS = frozenset(
    {
        "__pycache__", "node_modules", "cache", "caches", "tmp", "temp", "venv", "site-packages", "__macosx",
        "$recycle.bin", "system volume information", "lost+found",
    }
)  # fmt: skip
_SPARE_ENTRIES = 1_000  # beside the files themselves: folders, and what is left out
_ENVIRONMENT = "pyvenv.cfg"  # marks a Python environment, whatever its folder is called
_SKIP_SUFFIXES = frozenset(
    {".tmp", ".temp", ".part", ".partial", ".crdownload", ".swp", ".swo", ".bak", ".pyc", ".lock"}
)
_SKIP_NAMES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})
_SECRET_SUFFIXES = frozenset({".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".gpg", ".ppk", ".env"})
_SECRET_STARTS = (
    "id_rsa", "id_ed25519", "id_ecdsa", "id_dsa", "service_account", "service-account", "storycore.toml",
    "credentials.", "client_secret", "api_key.", "api_keys.", "api-key.", "api-keys.", "apikey.", "apikeys.",
)  # fmt: skip
_NOTE_SUFFIXES = frozenset(
    {
        "",
        ".json",
        ".txt",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".cfg",
        ".conf",
        ".xml",
        ".properties",
        ".csv",
        ".py",
        ".js",
    }
)
_SECRET_WORDS = re.compile(
    # These say what a file holds wherever they stand in its name …
    r"(?:^|[^a-z])(?:credentials?|passwords?|passwd|(?:api|access|private|secret|signing|encryption)[-_ ]?keys?)"
    r"(?:$|[^a-z])"
    # … these also stand in titles ("secret garden"), so only at its end.
    r"|(?:^|[^a-z])(?:secrets?|tokens?)(?:[-_. ](?:dev|prod|production|test|local|staging|backup|old|copy|\d+))*$"
)


def walk(folder: Path, *, max_files: int) -> Listing:
    """Every regular file of a project, less exports/, caches, temporaries and secrets.

    Links are never followed. Files are sorted by path, so that the same folder gives the same listing everywhere.
    Secrets are told in `skipped`; what nobody would miss is not.

    Raises:
        InvalidInput: project_too_large: more than `max_files` files, as many folders, or twice as many entries of all
            kinds.
        AccessDenied: permission_denied: the folder itself can't be read.
    """
    files: list[SourceFile] = []
    skipped: list[ProjectWarning] = []
    folders = [""]
    room = 2 * max_files + _SPARE_ENTRIES
    for count, prefix in enumerate(_growing(folders)):
        try:
            with os.scandir(os.path.join(folder, prefix)) as entries:  # noqa: PTH118 - a hot path
                found = list(islice(entries, room + 1))
        except OSError as fault:
            if not prefix:
                raise AccessDenied("The project folder can't be read.", reason=Reason.PERMISSION_DENIED) from fault
            skipped.append(_skip(prefix.rstrip("/"), "unreadable", "The folder can't be read."))
            continue
        room -= len(found)
        if room < 0:
            raise _too_large(max_files)
        if not (prefix and any(entry.name == _ENVIRONMENT for entry in found)):
            place = _place(prefix[:-1])
            for entry in found:
                _sort_in(entry, prefix, place, files, folders, skipped)
        if max(len(files), len(skipped), count) > max_files:
            raise _too_large(max_files)
    files.sort(key=itemgetter(0))
    skipped.sort(key=lambda warning: warning.file)
    return Listing(tuple(files), tuple(skipped))


def role_of(path: str) -> Role:
    """What a file is for, by its place and name."""
    folder, _, name = path.rpartition("/")
    lower = name.lower()
    return _role(_place(folder), lower, _suffix(lower))


def is_left_out(path: str) -> bool:
    """Whether a file of that path is never listed: exports, caches, temporaries, hidden files, secrets."""
    folder, _, name = path.rpartition("/")
    folders, lower = folder.split("/"), name.lower()
    if folders[0].lower() == EXPORTS:
        return True
    suffix = _suffix(lower)
    return (
        any(_skips_folder(part) for part in folders)
        or _skips_name(lower, suffix)
        or _is_secret(lower, suffix, _role(_place(folder), lower, suffix))
    )


class _Place(StrEnum):
    """What a folder says about the files in it."""

    TOP = "top"
    REPORTS = "reports"
    DATA = "data"
    OTHER = "other"


_MEDIA, _SOURCE = Role.MEDIA, Role.SOURCE  # by its class, a member takes five times as long to be found
_REPORTS, _OTHER = _Place.REPORTS, _Place.OTHER


@lru_cache(maxsize=1024)
def _place(folder: str) -> _Place:
    if not folder:
        return _Place.TOP
    names = tuple(folder.lower().split("/"))
    if any(names[: len(place)] == place for place in _REPORT_FOLDERS):
        return _Place.REPORTS
    return _Place.DATA if names[0] in _DATA_FOLDERS and "workflows" not in names else _Place.OTHER


def _role(place: _Place, name: str, suffix: str) -> Role:
    if place is _REPORTS or (suffix == ".json" and name.startswith("qa_report")):
        return Role.REPORT
    if suffix in MEDIA_SUFFIXES:
        return _MEDIA
    if suffix != ".json" or place is _OTHER:
        return _SOURCE
    if place is _Place.TOP and name == "project.json":
        return Role.PROJECT
    return Role.STORYBOARD if place is _Place.DATA or _is_data_name(name) else Role.SOURCE


def _is_data_name(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _DATA_NAMES)


def _suffix(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:] if dot > 0 else ""


def _skips_folder(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SKIP_FOLDERS


def _skips_name(name: str, suffix: str) -> bool:
    return name.startswith((".", "~$")) or name.endswith("~") or suffix in _SKIP_SUFFIXES or name in _SKIP_NAMES


def _is_secret(name: str, suffix: str, role: Role) -> bool:
    """Whether a file looks as if it held keys or passwords; titles of pictures and of the story may say so freely."""
    if suffix in _SECRET_SUFFIXES or name.startswith(_SECRET_STARTS):
        return role is not _MEDIA
    if role is not _SOURCE or suffix not in _NOTE_SUFFIXES or not _hints(name):
        return False
    return _SECRET_WORDS.search(name[: len(name) - len(suffix)]) is not None


def _hints(name: str) -> bool:
    """Whether any of the words can be in a name: a quick look, since nearly all names hold none."""
    return "key" in name or "secret" in name or "token" in name or "passw" in name or "credential" in name


def _growing(items: list[str]) -> Iterator[str]:
    """The last item, taken off, until none is left; items may be added meanwhile."""
    while items:
        yield items.pop()


def _sort_in(  # noqa: PLR0913, PLR0917 - one call of the hot loop
    entry: "os.DirEntry[str]",
    prefix: str,
    place: _Place,
    files: list[SourceFile],
    folders: list[str],
    skipped: list[ProjectWarning],
) -> None:
    name = entry.name
    path = prefix + name
    if not is_text(name):
        shown = path.encode(errors="replace").decode()
        skipped.append(_skip(shown, "name_not_text", "The name is not valid Unicode."))
    elif entry.is_symlink():
        skipped.append(_skip(path, "link", "Links are not followed."))
    elif entry.is_dir(follow_symlinks=False):
        if not (_skips_folder(name) or (not prefix and name.lower() == EXPORTS)):
            folders.append(path + "/")
    else:
        lower = name.lower()
        suffix = _suffix(lower)
        if not _skips_name(lower, suffix):
            role = _role(place, lower, suffix)
            if _is_secret(lower, suffix, role):
                skipped.append(_skip(path, "secret", "It looks like a key, a password or a token."))
            else:
                _add_regular(entry, path, role, files, skipped)


def _add_regular(
    entry: "os.DirEntry[str]", path: str, role: Role, files: list[SourceFile], skipped: list[ProjectWarning]
) -> None:
    try:
        facts = entry.stat(follow_symlinks=False)
    except OSError:
        skipped.append(_skip(path, "unreadable", "The file vanished or can't be read."))
        return
    if stat.S_ISREG(facts.st_mode):
        files.append(_made((path, role, facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_dev)))
    else:
        skipped.append(_skip(path, "not_a_file", "It is a pipe, a socket or a device."))


def _too_large(max_files: int) -> InvalidInput:
    return InvalidInput(
        f"The project holds more than {max_files} files.",
        reason=Reason.PROJECT_TOO_LARGE,
        remediation="Move what does not belong to the film out of the folder, or raise max_project_files.",
    )


def _skip(path: str, reason: str, message: str) -> ProjectWarning:
    return ProjectWarning(file=path, pointer="", reason=reason, message=message)
