"""A workflow made ready for one server: in API format, filled in, checked against what the server has."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from storycore.comfyui.client import Client, Refused
from storycore.comfyui.graph.api_graph import ApiGraph, ObjectInfo, classes, inputs_of, is_api_graph, output_nodes
from storycore.errors import DependencyFailed, InvalidInput, Reason
from storycore.project.content import open_regular

_UPLOADS: Final = ("image_upload", "video_upload", "audio_upload", "file_upload")
_FOLDER: Final = "storycore"
_CHUNK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """What is to be run, before a server is chosen.

    Attributes:
        id: name of the run; what it saves goes into a folder of that name.
        definition: the graph, in API or UI format.
        parameters: what is filled in.
        find_file: the local file that a value names, or None.
        has_partner_key: whether paid services can be called.
    """

    id: str
    definition: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    find_file: Callable[[str], Path | None] = lambda _text: None
    has_partner_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A workflow that fits a server.

    Attributes:
        graph: in API format, filled in.
        outputs: ids of its output nodes.
        partners: the classes in it that call paid services.
        uploads: `(node, input)` → local file whose bytes the server needs.
        warnings: what is odd, for people.
    """

    graph: ApiGraph
    outputs: list[str]
    partners: list[str]
    uploads: Mapping[tuple[str, str], Path]
    warnings: tuple[str, ...] = ()


def wanted_classes(definition: Mapping[str, Any]) -> list[str]:
    """The node classes that a workflow uses, in either format."""
    return classes(dict(definition)) if is_api_graph(definition) else []


def prepare(workflow: Workflow, object_info: ObjectInfo) -> Prepared:
    """The workflow as a server runs it whose classes `object_info` tells of.

    Raises:
        InvalidInput: workflow_invalid: with everything that is wrong.
    """
    if not is_api_graph(workflow.definition):
        raise InvalidInput("The workflow is no graph.", reason=Reason.WORKFLOW_INVALID)
    graph: ApiGraph = {name: dict(node) for name, node in workflow.definition.items()}
    _refuse_missing(graph, object_info)
    partners = sorted({kind for kind in classes(graph) if _facts(object_info, kind).get("api_node") is True})
    if partners and not workflow.has_partner_key:
        raise InvalidInput(
            f"{', '.join(partners)} calls a paid service, and there is no key for it.",
            reason=Reason.WORKFLOW_INVALID,
            remediation="Set STORYCORE_COMFYUI_API_KEY to the key of a Comfy account.",
        )
    outputs = output_nodes(graph, object_info)
    if not outputs:
        raise InvalidInput("The workflow puts nothing out.", reason=Reason.WORKFLOW_INVALID)
    _own_folder(graph, outputs, workflow.id)
    return Prepared(
        graph=graph, outputs=outputs, partners=partners, uploads=_uploads(graph, object_info, workflow.find_file)
    )


async def send_files(client: Client, prepared: Prepared) -> ApiGraph:
    """The graph in which local files are named as the server knows them, now that it has them.

    Their names there are made of their content, so that two files never meet under one name.

    Raises:
        Unreachable, AccessDenied: see `Client.call`.
        InvalidInput: body_too_large: the server takes no file of that size.
        DependencyFailed: comfyui_rejected.
    """
    graph = {name: {**node, "inputs": dict(inputs_of(node))} for name, node in prepared.graph.items()}
    sent: dict[Path, str] = {}
    for (node, name), path in prepared.uploads.items():
        if path not in sent:
            sent[path] = await _send(client, path)
        graph[node]["inputs"][name] = sent[path]
    return graph


async def _send(client: Client, path: Path) -> str:
    with open_regular(path) as file:
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
        file.seek(0)
        name = f"{digest.hexdigest()[:32]}{PurePosixPath(path.name).suffix.lower()[:12]}"
        try:
            return await client.upload(file, name, subfolder=_FOLDER)
        except Refused as fault:
            if fault.status == 413:
                most = (await client.features()).get("max_upload_size")
                limit = f" than {most:,} bytes" if isinstance(most, int) else ""
                raise InvalidInput(
                    f"{path.name} is larger{limit}, which the ComfyUI server does not take.",
                    reason=Reason.BODY_TOO_LARGE,
                    remediation="Use a smaller file, or start ComfyUI with a larger --max-upload-size.",
                ) from None
            raise DependencyFailed(
                f"The ComfyUI server does not take {path.name}: HTTP {fault.status}.", reason=Reason.COMFYUI_REJECTED
            ) from None


def _refuse_missing(graph: ApiGraph, object_info: ObjectInfo) -> None:
    missing = [kind for kind in classes(graph) if kind not in object_info]
    if missing:
        raise InvalidInput(
            f"The ComfyUI server lacks the nodes {', '.join(missing)}.",
            reason=Reason.WORKFLOW_INVALID,
            details={"class": "missing_node", "missing_nodes": missing},
        )


def _own_folder(graph: ApiGraph, outputs: list[str], run_id: str) -> None:
    """Lets each output be saved in a folder of this run, so that no other run's file is taken for it."""
    for name in outputs:
        inputs = inputs_of(graph[name])
        prefix = inputs.get("filename_prefix")
        if isinstance(prefix, str):
            parts = [part for part in prefix.replace("\\", "/").split("/") if part not in ("", ".", "..")]
            graph[name] = {
                **graph[name],
                "inputs": {**inputs, "filename_prefix": "/".join([_FOLDER, run_id, *(parts or ["output"])])},
            }


def _uploads(
    graph: ApiGraph, object_info: ObjectInfo, find_file: Callable[[str], Path | None]
) -> dict[tuple[str, str], Path]:
    found = {}
    for node, facts in graph.items():
        for name, value in inputs_of(facts).items():
            if isinstance(value, str) and value and _takes_upload(_facts(object_info, str(facts["class_type"])), name):
                path = find_file(value)
                if path is not None:
                    found[node, name] = path
    return found


def _takes_upload(facts: Mapping[str, Any], name: str) -> bool:
    inputs = facts.get("input")
    for part in inputs.values() if isinstance(inputs, dict) else ():
        spec = part.get(name) if isinstance(part, dict) else None
        options = spec[1] if isinstance(spec, list) and len(spec) > 1 and isinstance(spec[1], dict) else {}
        if any(options.get(word) for word in _UPLOADS):
            return True
    return False


def _facts(object_info: ObjectInfo, class_type: str) -> Mapping[str, Any]:
    found = object_info.get(class_type)
    return found if isinstance(found, Mapping) else {}
