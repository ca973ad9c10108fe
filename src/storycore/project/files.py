"""Which files a project folder holds, and what each is for. Nothing is opened."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from storycore.errors import AccessDenied, InvalidInput, Reason
from storycore.project.model import ProjectWarning
from storycore.project.paths import EXPORTS


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


@dataclass(frozen=True, slots=True)
class SourceFile:
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
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".exr",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".avif",
        ".heic",
        ".dpx",
        ".hdr",
        ".tga",
        ".svg",
        ".mp4",
        ".mov",
        ".m4v",
        ".mkv",
        ".webm",
        ".avi",
        ".mxf",
        ".ts",
        ".mpg",
        ".mpeg",
        ".ogv",
        ".wav",
        ".mp3",
        ".flac",
        ".m4a",
        ".aac",
        ".ogg",
        ".opus",
        ".aif",
        ".aiff",
        ".wma",
        ".srt",
        ".vtt",
        ".ass",
        ".ssa",
        ".ttf",
        ".otf",
        ".woff",
        ".woff2",
        ".cube",
    ]
)
_REPORT_FOLDERS = (("qa_output",), ("qa_reports",), ("assets", "metadata"))
_DATA_FOLDERS = frozenset(
    {
        "sequences",
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
    {"__pycache__", "node_modules", "cache", "caches", ".cache", "tmp", "temp", "venv", "env", "site-packages"}
)
_SKIP_NAMES = (
    "*.tmp", "*.temp", "*.part", "*.partial", "*.crdownload", "*.swp", "*.swo", "*.bak", "*.pyc", "*~", "~$*",
    "thumbs.db", "desktop.ini", "*.lock",
)  # fmt: skip
_SECRET_NAMES = (
    ".*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "*.gpg", "id_rsa*", "id_ed25519*", "id_ecdsa*",
    "*secret*", "*credential*", "*password*", "*token*.json", "*token*.txt", "*api_key*", "*apikey*", "*.env",
    "storycore.toml", "service_account*.json",
)  # fmt: skip


def walk(folder: Path, *, max_files: int) -> Listing:
    """Every regular file of a project, less exports/, caches, temporaries and secrets.

    Links are never followed. Files are sorted by path, so that the same folder gives the same listing everywhere.

    Raises:
        InvalidInput: project_too_large: more than `max_files`.
        AccessDenied: permission_denied: the folder itself can't be read.
    """
    files: list[SourceFile] = []
    skipped: list[ProjectWarning] = []
    for found in _scan(folder, "", skipped):
        if isinstance(found, OSError):
            raise AccessDenied("The project folder can't be read.", reason=Reason.PERMISSION_DENIED) from found
        files.append(found)
        if len(files) > max_files:
            raise InvalidInput(
                f"The project holds more than {max_files} files.",
                reason=Reason.PROJECT_TOO_LARGE,
                remediation="Move what does not belong to the film out of the folder, or raise max_project_files.",
            )
    files.sort(key=lambda file: file.path)
    return Listing(tuple(files), tuple(skipped))


def role_of(path: str) -> Role:
    """What a file is for, by its place and name."""
    pure = PurePosixPath(path)
    folders, name = tuple(part.lower() for part in pure.parts[:-1]), pure.name.lower()
    if not folders and name == "project.json":
        return Role.PROJECT
    if fnmatchcase(name, "qa_report*.json") or any(folders[: len(place)] == place for place in _REPORT_FOLDERS):
        return Role.REPORT
    if pure.suffix.lower() in MEDIA_SUFFIXES:
        return Role.MEDIA
    if name.endswith(".json") and (
        (not folders and any(fnmatchcase(name, pattern) for pattern in _DATA_NAMES))
        or (folders and folders[0] in _DATA_FOLDERS and "workflows" not in folders)
    ):
        return Role.STORYBOARD
    return Role.SOURCE


def is_left_out(path: str) -> bool:
    """Whether a file of that path is never listed: exports, caches, temporaries, hidden files, secrets."""
    pure = PurePosixPath(path)
    folders = [part.lower() for part in pure.parts[:-1]]
    if folders and folders[0] == EXPORTS:
        return True
    return any(_skips_folder(part) for part in folders) or _skips_name(pure.name)


def _skips_folder(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SKIP_FOLDERS


def _skips_name(name: str) -> bool:
    lower = name.lower()
    media = os.path.splitext(lower)[1] in MEDIA_SUFFIXES  # noqa: PTH122 - a hot path
    patterns = _SKIP_NAMES if media and not lower.startswith(".") else (*_SKIP_NAMES, *_SECRET_NAMES)
    return any(fnmatchcase(lower, pattern) for pattern in patterns)


def _scan(folder: Path, prefix: str, skipped: list[ProjectWarning]) -> Iterator[SourceFile | OSError]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as fault:
        if not prefix:
            yield fault
        else:
            skipped.append(_skip(prefix.rstrip("/"), "unreadable", "The folder can't be read."))
        return
    for entry in found:
        path = prefix + entry.name
        if not _is_text(entry.name):
            shown = path.encode(errors="replace").decode()
            skipped.append(_skip(shown, "name_not_text", "The name is not valid Unicode."))
        elif entry.is_symlink():
            skipped.append(_skip(path, "link", "Links are not followed."))
        elif entry.is_dir(follow_symlinks=False):
            if not (_skips_folder(entry.name) or (not prefix and entry.name.lower() == EXPORTS)):
                yield from _scan(Path(entry.path), path + "/", skipped)
        elif not _skips_name(entry.name):
            yield from _regular(entry, path, skipped)


def _regular(entry: "os.DirEntry[str]", path: str, skipped: list[ProjectWarning]) -> Iterator[SourceFile]:
    try:
        facts = entry.stat(follow_symlinks=False)
    except OSError:
        skipped.append(_skip(path, "unreadable", "The file vanished or can't be read."))
        return
    if not stat.S_ISREG(facts.st_mode):
        skipped.append(_skip(path, "not_a_file", "It is a pipe, a socket or a device."))
        return
    yield SourceFile(path, role_of(path), facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_dev)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _skip(path: str, reason: str, message: str) -> ProjectWarning:
    return ProjectWarning(file=path, pointer="", reason=reason, message=message)
