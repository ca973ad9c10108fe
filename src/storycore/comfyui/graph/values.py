"""Whether a value can stand in an input, by what the server declares of it."""

import difflib
import math
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from storycore.comfyui.graph.node_class import Field

_MODELS = (
    ".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".pth", ".bin", ".gguf", ".onnx", ".pkl", ".engine",
)  # fmt: skip
_UPLOADS = ("image_upload", "animated_image_upload", "video_upload", "audio_upload", "file_upload")


class ValueFault(NamedTuple):
    """Why a value can't stand there.

    Attributes:
        reason: missing_model, missing_file, value_not_listed, wrong_type, out_of_range.
        message: goes on from the name of the node.
        suggestions: what might have been meant.
    """

    reason: str
    message: str
    suggestions: tuple[str, ...] = ()


def takes_file(field: Field) -> bool:
    """Whether a value names a file that was uploaded to the server."""
    return any(field.facts.get(key) for key in _UPLOADS)


def fault_of(field: Field, value: Any, *, near: bool = True) -> ValueFault | None:
    """What the server would refuse about a value, or None if it takes it; `near` asks for suggestions."""
    plain = value["__value__"] if isinstance(value, dict) and "__value__" in value else value
    if field.choices is not None:
        return _choice(field, plain, near=near)
    if field.control in ("INT", "FLOAT") or field.kind in ("INT", "FLOAT"):
        return _number(field, plain)
    return None


def _choice(field: Field, value: Any, *, near: bool) -> ValueFault | None:
    choices = field.choices or ()
    if value in choices or field.facts.get("remote") is not None:
        return None
    if isinstance(value, list) and all(one in choices for one in value):  # several may be chosen
        return None
    text = value if isinstance(value, str) else repr(value)
    alike = _near(text, [one for one in choices if isinstance(one, str)]) if near else ()
    if takes_file(field):
        placed = any(mark in text for mark in ("/", "\\", " ["))  # in a folder that the server does not list
        return None if placed else ValueFault("missing_file", f"needs the file {text!r} at {field.name}", alike)
    if text.lower().endswith(_MODELS):
        return ValueFault("missing_model", f"needs the model {text!r} at {field.name}", alike)
    if not choices:
        return None  # the list is made by somebody else, and not known here
    offered = ", ".join(map(str, choices[:8])) + (", …" if len(choices) > 8 else "")
    return ValueFault("value_not_listed", f"does not take {text!r} at {field.name}; it takes {offered}", alike)


def _number(field: Field, value: Any) -> ValueFault | None:
    kind = "whole number" if "INT" in (field.kind, field.control) else "number"
    number = _as_number(value)
    if number is None:
        return ValueFault("wrong_type", f"takes a {kind} at {field.name}, not {value!r}")
    for bound, beyond, word in (("min", float.__lt__, "at least"), ("max", float.__gt__, "at most")):
        limit = field.facts.get(bound)
        if isinstance(limit, (int, float)) and beyond(float(number), float(limit)):
            return ValueFault("out_of_range", f"takes {word} {limit} at {field.name}, not {value!r}")
    return None


def _as_number(value: Any) -> float | None:
    """A number as the server would read it; texts are read too."""
    if not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _near(text: str, choices: list[str]) -> tuple[str, ...]:
    """What is called the same in another folder first, then what is spelled alike; endings of files don't count."""
    wanted = _stem(text)
    stems = {one: _stem(one) for one in choices}
    same = [one for one, stem in stems.items() if stem == wanted]
    alike = difflib.get_close_matches(wanted, list(dict.fromkeys(stems.values())), n=3, cutoff=0.6)
    return tuple(dict.fromkeys([*same, *(one for near in alike for one in choices if stems[one] == near)]))[:3]


def _stem(text: str) -> str:
    """The name of a file in lower case, without its folders and its ending; other texts as they are, in lower case."""
    path = PurePosixPath(text.replace("\\", "/").lower())
    return path.stem if 2 <= len(path.suffix) <= 12 else path.name
