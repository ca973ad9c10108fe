"""Where a workflow says that its models can be fetched: ComfyUI's templates name them on the nodes that load them."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from storycore.comfyui.graph.ui_graph import read_ui_graph

_LONGEST = 2000


class ModelSource(NamedTuple):
    """One model.

    Attributes:
        folder: of ComfyUI's models folder that it belongs into.
        url: where it can be fetched, as the workflow says; nothing was asked there.
    """

    folder: str
    url: str


def model_sources(ui_graph: Mapping[str, Any]) -> dict[str, ModelSource]:
    """The models that a workflow in UI format names with a source, by file name.

    Raises:
        InvalidInput: workflow_invalid: it is no workflow.
    """
    whole = read_ui_graph(ui_graph)
    found: dict[str, ModelSource] = {}
    for canvas in (whole, *whole.definitions.values()):
        for node in canvas.nodes:
            listed = node.properties.get("models")
            for item in listed if isinstance(listed, list) else ():
                if isinstance(item, dict):
                    name, folder, url = (str(item.get(key) or "") for key in ("name", "directory", "url"))
                    if name and _is_web(url):
                        found.setdefault(name, ModelSource(folder, url))
    return found


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and len(url) < _LONGEST
