"""What states, figures and instants are called and how they are written on pages; the same words as on the terminal.

Pure.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from storycore.json_text import BadJson, read
from storycore.operations.subject import last
from storycore.units import human_bytes, human_seconds, rough_seconds


class State(NamedTuple):
    """How something stands: a sign and a word, never a colour alone."""

    sign: str
    word: str
    tone: str
    """good, bad, odd, busy or quiet: how it is coloured."""


STATES: Final[Mapping[str, State]] = {
    "pending": State("○", "waiting", "quiet"),
    "running": State("▶", "running", "busy"),
    "completed": State("✓", "completed", "good"),
    "failed": State("✗", "failed", "bad"),
    "cancelled": State("✗", "cancelled", "odd"),
}
"""Of tasks."""

DELIVERIES: Final[Mapping[str, State]] = {
    "pending": State("○", "waiting", "quiet"),
    "leased": State("▶", "under way", "busy"),
    "delivered": State("✓", "delivered", "good"),
    "retry": State("!", "tried again", "odd"),
    "exhausted": State("✗", "given up", "bad"),
    "cancelled": State("✗", "cancelled", "quiet"),
    "blocked": State("✗", "not allowed", "bad"),
}

HOOKS: Final[Mapping[str, State]] = {
    "active": State("✓", "active", "good"),
    "failing": State("!", "failing", "odd"),
    "inactive": State("○", "inactive", "quiet"),
    "disabled": State("✗", "disabled", "bad"),
}

SERVERS: Final[Mapping[str, State]] = {
    "up": State("✓", "answers", "good"),
    "down": State("✗", "does not answer", "bad"),
    "draining": State("○", "gets nothing new", "quiet"),
}

KEYS: Final[Mapping[str, State]] = {
    "usable": State("✓", "usable", "good"),
    "expired": State("○", "expired", "quiet"),
    "revoked": State("✗", "revoked", "quiet"),
}

EVENTS: Final[Mapping[str, str]] = {
    "accepted": "accepted", "started": "begun", "progress": "going on", "offered_again": "offered again",
    "completed": "completed", "failed": "failed", "cancelled": "cancelled",
}  # fmt: skip
"""What happens to tasks."""

GLYPHS: Final[Mapping[str, str]] = {
    "cut": "│", "fade": "▼", "dissolve": "╳", "wipe": "▐", "slide": "⇥", "zoom": "◎", "blur": "░",
}  # fmt: skip

SAID: Final[Mapping[str, tuple[str, str]]] = {
    "cancelled": ("good", "The task was told to stop. Nothing of it will be kept."),
    "again": ("good", "The same was asked for again. This is the new task."),
    "submitted": ("good", "Accepted. It goes on when you leave this page."),
    "redelivered": ("good", "It is sent again, with the same id."),
    "changed": ("good", "Changed."),
    "deleted": ("good", "The webhook was ended, and what waited for it."),
    "revoked": ("good", "The key opens nothing any more."),
    "connected": ("good", "The server answers. It is given workflows from now on."),
    "forgotten": ("good", "The server was forgotten."),
    "drained": ("good", "The server ends what it has and gets nothing new."),
    "signed-out": ("good", "You are signed out."),
}
"""What is said at the top of a page after an action."""


_SHOWN: Final[Mapping[str, frozenset[str]]] = {
    "film": frozenset({"video/mp4", "video/webm", "video/quicktime"}),
    "sound": frozenset(
        {"audio/mpeg", "audio/wav", "audio/x-wav", "audio/flac", "audio/mp4", "audio/ogg", "audio/opus"}
    ),
    "picture": frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"}),
    "pdf": frozenset({"application/pdf"}),
}
_KINDS: Final[Mapping[str, str]] = {
    "video": "film", "audio": "sound", "image": "picture", "application/pdf": "document",
    "application/json": "data", "application/yaml": "data", "application/vnd.opentimelineio+json": "edit",
    "application/vnd.opentimelineio.bundle+zip": "edit", "application/c2pa": "credentials",
    "application/x-subrip": "captions", "text/vtt": "captions",
    "text/html": "web page", "text/csv": "table", "text/plain": "text",
}  # fmt: skip
_DOING: Final[Mapping[str, str]] = {
    "export package": "Packing the project", "export format": "Export", "export deliver": "Delivery",
    "export metadata": "Describing the project", "export verify": "Verification",
    "comfyui workflow": "ComfyUI workflow",
    "comfyui generate video": "Clip of a shot", "comfyui batch": "ComfyUI, shot by shot",
}  # fmt: skip
_EDITS: Final = (".edl", ".fcpxml", ".xml")  # an edit to hand over; XML that describes a film is called metadata.xml
_PACKED: Final[Mapping[str, str]] = {".stems.zip": "stems", ".frames.zip": "frames", ".hls.zip": "stream"}
_NAMES: Final[Mapping[str, str]] = {
    "fps": "Frames a second", "dpi": "Dots an inch", "bitrate": "Bit rate", "video_bitrate": "Bit rate of the picture",
    "frame_steps": "Distances between frames", "edit_lists": "Edit lists in the file",
    "faststart": "Plays while it loads", "alt_text": "Described in words", "color_space": "Colour space",
}  # fmt: skip
_HEARD: Final = ("integrated_loudness", "true_peak")
_SIZE: Final = re.compile(r"^(\d+)x(\d+)$")
_RATE: Final = re.compile(r"^(\d+)kbps$")
_SUBSET: Final = re.compile(r"[A-Z]{6}\+")
_ABOUT: Final = ("subject", "pipeline", "project_path")


def shows(media_type: str) -> str:
    """How a file is shown: film, sound, picture, pdf, or "" if it isn't."""
    return next((name for name, types in _SHOWN.items() if media_type in types), "")


def kind_of(media_type: str, name: str = "") -> str:
    """What a file is, in a word; its media type where there is none.

    Args:
        media_type: of the file.
        name: of the file; says what is packed in a ZIP, which not always is a project, and what a text is for.
    """
    if media_type == "application/zip":
        return next((word for suffix, word in _PACKED.items() if name.lower().endswith(suffix)), "package")
    if name.lower().endswith(_EDITS) and media_type in ("application/xml", "text/plain"):
        return "data" if name.lower().endswith("metadata.xml") else "edit"
    return _KINDS.get(media_type) or _KINDS.get(media_type.split("/", maxsplit=1)[0], media_type)


def has_picture(media_type: str) -> bool:
    """Whether a file can be shown as a small picture: a film, a picture of pixels or a PDF, whatever browsers play."""
    return media_type.startswith(("video/", "image/", "application/pdf")) and "svg" not in media_type


def stands_alone(media_type: str) -> bool:
    """Whether a file is something for itself; credentials are written beside another."""
    return media_type != "application/c2pa"


def about(data: Mapping[str, Any]) -> str:
    """What an event is about, in a line: the film or the file, what came of it, and what went wrong."""
    named = next((str(data[name]) for name in _ABOUT if data.get(name)), "")
    outputs = data.get("outputs") or [data.get("output")]
    files = [last(str(one["path"])) for one in outputs if isinstance(one, Mapping) and one.get("path")]
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    error = data.get("error")
    wrong = str(error.get("message", "")) if isinstance(error, Mapping) else ""
    return " · ".join(filter(None, (last(named), ", ".join(files[:3]) + more, wrong)))[:300]


def what(kind: str) -> str:
    """An operation in few words: `export package`."""
    return kind.removeprefix("storycore.").removeprefix("integration.").replace(".", " ").replace("_", " ")


def doing(kind: str) -> str:
    """A task in a film maker's words: `Delivery`; the operation's own where there are none."""
    return _DOING.get(what(kind)) or what(kind).capitalize()


def exact_time(text: str) -> str:
    """An instant to the second: `2026-11-26 05:32:12 UTC`."""
    return f"{text[:10]} {text[11:19]} UTC"


def ago(text: str, instant: datetime) -> str:
    """An instant as seen from another: `3 min ago`, `in 20 s`."""
    seconds = (instant - datetime.fromisoformat(text)).total_seconds()
    span = _span(abs(seconds))
    if abs(seconds) < 1:
        return "now"
    return f"{span} ago" if seconds > 0 else f"in {span}"


def next_try(text: str, instant: datetime) -> str:
    """When something is tried next: `in 20 s`, or `in its turn` once that is past.

    Then others are before it, or who is to get it is left alone for a while.
    """
    return ago(text, instant) if datetime.fromisoformat(text) > instant else "in its turn"


def _span(seconds: float) -> str:
    for size, word in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {word}"
    return f"{int(seconds)} s"


def took(begin: str | None, end: str | None) -> str:
    """How long it took, or "" while that is not known."""
    if not begin or not end:
        return ""
    return human_seconds((datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds())


def left(seconds: float | None) -> str:
    """About how long a running task still takes; "" where nothing can be told."""
    return "" if seconds is None else f"about {rough_seconds(seconds)} left"


def size(value: int | None) -> str:
    """`1.2 GB`; a dash for what is not known."""
    return "–" if value is None else human_bytes(value)


def grouped(value: float) -> str:
    """`1,234,567`."""
    return f"{value:,.0f}"


def length(seconds: float | None) -> str:
    """`42 s`; a dash for what is not known."""
    return "–" if seconds is None else human_seconds(seconds)


def pause(seconds: float) -> str:
    """How long something is left alone: `5 s`, `30 min`, `2 h`, `90 s`."""
    for size, word in ((3600, "h"), (60, "min")):
        if seconds and seconds % size == 0:
            return f"{seconds // size:g} {word}"
    return f"{seconds:g} s"


OWN_CERTIFICATE: Final = "signed with your own certificate, which is on no public list of trust"
_NOT_SENT: Final = frozenset(
    {"dns", "refused", "tls", "timeout_dns", "timeout_connect", "blocked_address", "invalid_url"}
)


def was_sent(code: str) -> bool:
    """Whether a message may have left in an attempt that ended so; without a connection none did."""
    return code not in _NOT_SENT


def set_out(text: str) -> str:
    """JSON with its parts below each other, to be read; a text that is none as it is."""
    try:
        return json.dumps(read(text).value, ensure_ascii=False, indent=2)
    except BadJson:
        return text


def trust(credentials: Mapping[str, Any]) -> State:
    """What the signature of a file is worth to those who get it."""
    if credentials["state"] == "invalid":
        return State("✗", "not as it was signed", "bad")
    if credentials.get("self_made"):
        return State("✓", OWN_CERTIFICATE, "good")
    if credentials.get("signed_here"):
        return State("✓", "unchanged since it was signed here, with your certificate", "good")
    if credentials["state"] == "trusted":
        return State("✓", "unchanged since it was signed by somebody you trust", "good")
    return State("✓", "unchanged since it was signed, by somebody who is not known here", "odd")


def heard(event_types: Sequence[str]) -> str:
    """What a webhook hears: `everything`, or the events by name."""
    return "everything" if "*" in event_types else ", ".join(event_types)


def glyph(transition: str) -> str:
    """The sign of a transition."""
    return GLYPHS.get(transition.split("_", maxsplit=1)[0], "│")


class Row(NamedTuple):
    """One measured figure, in words."""

    name: str
    value: str
    target: str
    verdict: str
    method: str


def figures(metrics: Mapping[str, Any]) -> list[Row]:
    """What was measured in a finished file, a row each: what, how much, what was asked for, and the verdict."""
    return [_row(name, value) for name, value in metrics.items() if value not in (None, "", [], {})]


def _row(name: str, value: Any) -> Row:
    words = _NAMES.get(name) or name.replace("_", " ").capitalize()
    if name == "content_credentials" and isinstance(value, dict):
        return Row(words, _signed(value), "", "", str(value.get("method") or ""))
    if not isinstance(value, dict):
        return Row(words, _plain(value), "", "", "")
    if "value" not in value and value and all(isinstance(one, dict) for one in value.values()):  # parts, each measured
        return Row(words, ", ".join(_part(part, one) for part, one in value.items()), "", "", "")
    if name in _HEARD and value.get("value") is None:
        return Row(words, "silence", "", str(value.get("verdict") or ""), str(value.get("method") or ""))
    unit = str(value.get("unit") or "")
    target = None if _has_facts_of_its_own(value.get("value")) else value.get("target")  # it is of one of the facts
    return Row(
        words,
        _plain(value.get("value"), unit),
        "" if target is None else _plain(target, unit),
        str(value.get("verdict") or ""),
        str(value.get("method") or ""),
    )


def _part(name: str, figures: Mapping[str, Any]) -> str:
    """One of the files in a file, with how loud it is if that was measured."""
    loud = figures.get("integrated_loudness")
    if not isinstance(loud, dict) or loud.get("value") is None:
        return name
    return f"{name} {_plain(loud['value'], str(loud.get('unit') or ''))}"


def _signed(figure: Mapping[str, Any]) -> str:
    """How a file is signed; whether others trust that is never up to the one who signs."""
    if figure.get("self_made"):
        return OWN_CERTIFICATE
    signer = f" by {figure['signer']}" if figure.get("signer") else ""
    return f"signed{signer}; others trust that if they know the certificate"


def _plain(value: Any, unit: str = "") -> str:
    match value:
        case None:
            text = "not known"
        case bool():
            text = "yes" if value else "no"
        case float():
            text = _number(value, f"{value:g}" if math.isfinite(value) else "not a number", unit)
        case int() if unit == "bps":
            text = f"{value / 1000:.0f} kbit/s"
        case int():
            text = _number(value, f"{value:,}", unit)
        case list():
            text = _listed(value, unit) if value else "none"
        case dict():
            text = ", ".join(f"{name.replace('_', ' ')}: {_plain(one)}" for name, one in list(value.items())[:8])
        case _:
            text = _SIZE.sub(r"\1 × \2", _RATE.sub(r"\1 kbit/s", f"{value} {unit}".strip()))
    return text


def _number(value: float, text: str, unit: str) -> str:
    return f"{text.replace('-', '−', 1) if value < 0 else text} {unit}".strip()


def _has_facts_of_its_own(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _listed(value: list[Any], unit: str) -> str:
    if _has_facts_of_its_own(value):  # the page as JSON has them
        return f"{len(value)} {unit}".strip()
    if all(isinstance(one, str) for one in value):  # a font in a PDF that holds some of its letters has a mark before
        value = list(dict.fromkeys(_SUBSET.sub("", one) for one in value))
    between = " × " if unit == "mm" else "–"  # a size, or from when to when
    shown = [
        f"{one[0]:g}{between}{one[1]:g} {unit}".strip()
        if isinstance(one, list) and len(one) == 2 and all(isinstance(it, int | float) for it in one)
        else _plain(one)
        for one in value[:5]
    ]
    return ", ".join(shown) + (f" and {len(value) - 5} more" if len(value) > 5 else "")
