"""What stands beside a generated file: how it came to be. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from storycore.comfyui.backend import Backend
from storycore.comfyui.fetched import Fetched
from storycore.comfyui.graph.api_graph import inputs_of, seeds_of
from storycore.comfyui.run_order import RunOrder
from storycore.comfyui.run_record import RunRecord
from storycore.units import iso

_MODELS: Final = (".safetensors", ".ckpt", ".pt", ".pth", ".gguf", ".sft", ".onnx")


def describe(
    item: Fetched, order: RunOrder, record: RunRecord, backend: Backend | None, instant: datetime
) -> dict[str, Any]:
    """The sidecar of a file that was brought home at `instant`."""
    graph = record.graph or {}
    return {
        "schema": "storycore.generated/1",
        "workflow_id": record.id, "prompt_id": record.prompt_id, **order.facts,
        "file": {"name": item.path.name, "size_bytes": item.size_bytes, "sha256": item.sha256,
                 "media_type": item.media_type, "kind": item.kind, "node": item.node, "remote": item.remote,
                 "is_kept": item.is_kept},
        "graph": graph, "parameters": dict(order.workflow.parameters), "seeds": seeds_of(graph),
        "models": models_of(graph),
        "backend": None if backend is None else {
            "name": backend.address.name, "version": backend.version, "devices": backend.facts.get("devices", []),
        },
        "submitted_at": iso(record.submitted_at) if record.submitted_at else None, "fetched_at": iso(instant),
    }  # fmt: skip


def models_of(graph: Mapping[str, Any]) -> list[str]:
    """The names of models in a graph, sorted."""
    values = [value for facts in graph.values() for value in inputs_of(facts).values()]
    return sorted({value for value in values if isinstance(value, str) and value.lower().endswith(_MODELS)})
