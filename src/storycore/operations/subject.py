"""What a task is about, in a few words for lists: the film it is for, and what comes out of it or is looked at. Pure.

Names of strangers stay text: what can't be stored or shown is replaced, and long ones are cut.
"""

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, Final

MOST_LETTERS: Final = 200
_UNFIT: Final = frozenset({"Cc", "Cs"})
_CHOICES: Final = ("template", "preset", "workflow_name")


def subject_of(request: Mapping[str, Any], base: Path | None) -> dict[str, Any]:
    """What is known when a task is accepted: `project_path` and `subject` of its `Order`.

    Args:
        request: its fields, as JSON.
        base: folder that relative paths are taken from; None for the current one.

    Returns:
        `project_path`: absolute, or None for work that is for no project. `subject`: a file name where the request
        names one, else formats, a preset, a template, a workflow, a shot; "" where it says nothing of that.
    """
    return {"project_path": _folder(request.get("project_path"), base), "subject": _short(" · ".join(_told(request)))}


def subject_of_files(paths: Sequence[str]) -> str:
    """What came out: the names of finished files; "" if there are none."""
    names = [last(path) for path in paths]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return _short(", ".join(names[:2]), MOST_LETTERS - len(more)) + more


def last(path: str) -> str:
    """The last name of a path or URL, of whatever system."""
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _told(request: Mapping[str, Any]) -> Iterator[str]:
    written = last(_text(request.get("output_path")))
    if PurePath(written).suffix:
        yield written
    else:
        yield from filter(None, map(_text, map(request.get, _CHOICES)))
        yield from filter(None, (_formats(request.get("target_format")),))
    yield from filter(None, (last(_text(request.get(name))) for name in ("package_path", "csv_path")))
    if shot := _text(request.get("shot_id")):
        yield f"shot {shot}"
    for name in ("shots", "rows"):
        if isinstance(listed := request.get(name), list):
            yield f"{len(listed)} {name if len(listed) != 1 else name[:-1]}"


def _formats(wanted: object) -> str:
    listed = wanted if isinstance(wanted, list) else _text(wanted).split(",")
    return ", ".join(filter(None, (_text(one).strip() for one in listed)))


def _folder(path: object, base: Path | None) -> str | None:
    if not isinstance(path, str) or not path:
        return None
    try:
        return _fit(os.path.normpath((base or Path()).absolute() / path))
    except OSError:  # the current folder is gone
        return _fit(path)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _short(text: str, most: int = MOST_LETTERS) -> str:
    text = " ".join(_fit(text[: most * 4]).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _fit(text: str) -> str:
    """Text that every database and page takes: without control characters, and of whole characters."""
    return "".join(" " if it.isspace() else "\ufffd" if unicodedata.category(it) in _UNFIT else it for it in text)
