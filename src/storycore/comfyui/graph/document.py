"""What a file, or the body of a call, holds of a graph: which format, and the graph itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storycore.comfyui.graph.api_graph import ApiGraph, is_api_graph
from storycore.comfyui.graph.ui_graph import is_ui_graph
from storycore.errors import InvalidInput, Reason
from storycore.json_text import BadJson, read

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?Infinity|NaN', re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphDocument:
    """A graph as it was found, in one of the two formats or in both.

    Attributes:
        api: in API format, ready for ComfyUI, or None.
        ui: in UI format, as its page saves it, or None.
    """

    api: ApiGraph | None = None
    ui: Mapping[str, Any] | None = None

    @property
    def format(self) -> str:
        """The format that counts: `api` where there is one, since nothing is left to convert; else `ui`."""
        return "ui" if self.api is None else "api"


def graph_document(value: object) -> GraphDocument:
    """The graph in a JSON value: itself in either format, or as `{"prompt": …}` or `{"workflow": …}`.

    Raises:
        InvalidInput: workflow_invalid: there is none.
    """
    if isinstance(value, dict):
        prompt, workflow = value.get("prompt"), value.get("workflow")
        for api, ui in ((value, value), (prompt, workflow)):
            if is_api_graph(api) or is_ui_graph(ui):
                return GraphDocument(api=api if is_api_graph(api) else None, ui=ui if is_ui_graph(ui) else None)
    raise InvalidInput(
        "This is no ComfyUI workflow: neither nodes with a class_type, nor a list of nodes.",
        reason=Reason.WORKFLOW_INVALID,
    )


def graph_text(text: bytes, *, max_depth: int = 64) -> GraphDocument:
    """The graph in a JSON text; NaN and Infinity, which ComfyUI writes now and then, count as null.

    Raises:
        InvalidInput: malformed_json; workflow_invalid: there is none.
    """
    return graph_document(graph_json(text, max_depth=max_depth))


def graph_json(text: bytes, *, max_depth: int = 64) -> Any:
    """A JSON value as ComfyUI writes it: NaN and Infinity count as null.

    Raises:
        InvalidInput: malformed_json.
    """
    try:
        return read(text, max_depth=max_depth).value
    except BadJson as fault:
        if "is not JSON" not in fault.message:
            raise InvalidInput(f"Not acceptable JSON: {fault}", reason=Reason.MALFORMED_JSON) from None
    try:
        return read(_TOKEN.sub(_plain, text.decode("utf-8-sig")), max_depth=max_depth).value
    except BadJson as fault:
        raise InvalidInput(f"Not acceptable JSON: {fault}", reason=Reason.MALFORMED_JSON) from None


def _plain(token: re.Match[str]) -> str:
    return token[0] if token[0].startswith('"') else "null"
