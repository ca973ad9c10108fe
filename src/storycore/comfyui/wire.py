"""What a ComfyUI server sends, read tolerantly: any of it may be missing, foreign or odd.

Source: the routes and socket of ComfyUI 0.33, as recorded; the server itself writes bare NaN into its JSON.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

_PREVIEW, _PREVIEW_WITH_FACTS = 1, 4
_IMAGE_TYPES: Final = {1: "image/jpeg", 2: "image/png"}
_OUT_OF_MEMORY: Final = ("OutOfMemoryError", "OOMException")
_MOST_TEXT: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One message of the socket.

    Attributes:
        type: as the server names it.
        prompt_id: which run it is about; "" if it does not say.
        data: the rest.
    """

    type: str
    prompt_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ends(self) -> bool:
        """Whether the run it is about has nothing more to tell: the node that is executed is none."""
        return self.type == "executing" and self.data.get("node") is None

    @property
    def blocks(self) -> bool:
        """Whether a node was kept from running by one before it; the run goes on all the same."""
        return self.type == "execution_error" and self.data.get("exception_type") == "ExecutionBlocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A picture of work in progress; of some nodes, see `api_graph.speaking_nodes`, it is what they put out.

    Attributes:
        prompt_id: which run it is of; "" if the frame does not say.
        node: which node it is of, in the graph that was submitted; "" if the frame does not say.
        media_type: IANA.
        data: the encoded picture.
    """

    prompt_id: str
    node: str = ""
    media_type: str
    data: bytes


class End(StrEnum):
    """How a run ended, by the server's own history."""

    SUCCESS = "success"
    ERROR = "error"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFault:
    """What went wrong in a node.

    Attributes:
        node_id: in the graph that was submitted.
        node_type: its class.
        exception: class of what it raised.
        message: for people.
    """

    node_id: str
    node_type: str
    exception: str
    message: str

    @property
    def is_out_of_memory(self) -> bool:
        """Whether the machine had too little memory for it."""
        return self.exception.endswith(_OUT_OF_MEMORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run in the server's history.

    Attributes:
        end: how it ended.
        outputs: node id → what it put out; kept of the nodes before a failure too.
        fault: of the node that failed.
    """

    end: End
    outputs: Mapping[str, Any]
    fault: NodeFault | None = None


def read_json(data: bytes | str) -> Any:
    """JSON as servers write it; NaN and infinity are None.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return _DECODER.decode(data if isinstance(data, str) else data.decode(json.detect_encoding(data)))
    except RecursionError as fault:
        raise ValueError("nested too deep") from fault


def read_event(text: str) -> Event | None:
    """A message, or None if it is none."""
    try:
        value = read_json(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return None
    data = value.get("data")
    data = data if isinstance(data, dict) else {}
    prompt_id = data.get("prompt_id")
    return Event(type=value["type"], prompt_id=prompt_id if isinstance(prompt_id, str) else "", data=data)


def read_preview(frame: bytes) -> Preview | None:
    """The picture in a binary frame, or None if it holds none (texts, kinds to come, broken ones)."""
    kind, second = _number(frame, 0), _number(frame, 4)
    if kind == _PREVIEW and second in _IMAGE_TYPES:
        return Preview(prompt_id="", media_type=_IMAGE_TYPES[second], data=frame[8:])
    if kind != _PREVIEW_WITH_FACTS or second is None:
        return None
    try:
        facts = read_json(frame[8 : 8 + second].decode())
    except ValueError:
        return None
    media_type = facts.get("image_type") if isinstance(facts, dict) else None
    if media_type not in _IMAGE_TYPES.values():
        return None
    return Preview(
        prompt_id=str(facts.get("prompt_id") or ""), media_type=str(media_type), data=frame[8 + second :],
        node=str(facts.get("display_node_id") or facts.get("node_id") or ""),
    )  # fmt: skip


def read_history(body: Any, prompt_id: str) -> Ended | None:
    """What the history says of a run; None if it is not there, so not finished or not known."""
    entry = body.get(prompt_id) if isinstance(body, dict) else None
    status = entry.get("status") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(status, dict):
        return None
    outputs = entry.get("outputs")
    outputs = outputs if isinstance(outputs, dict) else {}
    if status.get("status_str") == "success":
        return Ended(end=End.SUCCESS, outputs=outputs)
    told = dict(_messages(status))
    if "execution_interrupted" in told:
        return Ended(end=End.INTERRUPTED, outputs=outputs)
    return Ended(end=End.ERROR, outputs=outputs, fault=read_fault(told.get("execution_error", {})))


def read_fault(data: Mapping[str, Any]) -> NodeFault:
    """What an `execution_error` tells."""
    return NodeFault(
        node_id=_text(data, "node_id"),
        node_type=_text(data, "node_type"),
        exception=_text(data, "exception_type"),
        message=_text(data, "exception_message").strip() or "The server gave no reason.",
    )


def number(value: Any) -> float | None:
    """A finite number that a server sent, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def listed(value: Any) -> list[Any]:
    """A list that a server sent; empty if it is none."""
    return value if isinstance(value, list) else []


def _messages(status: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    pairs = [item for item in listed(status.get("messages")) if isinstance(item, list) and len(item) == 2]
    return [(name, data if isinstance(data, dict) else {}) for name, data in pairs if isinstance(name, str)]


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return "" if value is None else str(value)[:_MOST_TEXT]


def _number(frame: bytes, at: int) -> int | None:
    return int.from_bytes(frame[at : at + 4], "big") if len(frame) >= at + 4 else None


def _finite(token: str) -> float | None:
    value = float(token)
    return value if math.isfinite(value) else None


_DECODER: Final = json.JSONDecoder(parse_constant=lambda _name: None, parse_float=_finite)
"""Made once: making one takes longer than reading a message."""
