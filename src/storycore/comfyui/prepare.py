"""A workflow made ready for one server: in API format, filled in, checked against what the server has."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from storycore.comfyui.client import Client, Refused
from storycore.comfyui.graph.api_graph import ApiGraph, ObjectInfo, classes, inputs_of, output_nodes, seeds_of
from storycore.comfyui.graph.check import Fault, Finding, check
from storycore.comfyui.graph.convert import convert
from storycore.comfyui.graph.document import graph_document
from storycore.comfyui.graph.file_names import date_file_names
from storycore.comfyui.graph.node_class import NodeClasses, field_named
from storycore.comfyui.graph.parameters import fill
from storycore.comfyui.graph.values import takes_file
from storycore.errors import DependencyFailed, InvalidInput, Reason
from storycore.project.content import open_regular

_FOLDER: Final = "storycore"
_CLASSES: Final = {Fault.MISSING_CLASS: "missing_node", Fault.MISSING_MODEL: "missing_model"}
_CHUNK_BYTES: Final = 1024 * 1024
_MOST_NAME_BYTES: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """What is to be run, before a server is chosen.

    Attributes:
        id: name of the run; what it saves goes into a folder of that name.
        definition: the graph, in API or UI format.
        parameters: what is filled in.
        find_file: the local file that a value names, or None.
        has_partner_key: whether paid services can be called.
        seed: for every seed that stands in the graph as a number and that no parameter names; None to leave them.
    """

    id: str
    definition: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    find_file: Callable[[str], Path | None] = lambda _text: None
    has_partner_key: bool = False
    seed: int | None = None


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
    """The node classes that a workflow uses, in either format; may name some that no server has.

    Raises:
        InvalidInput: workflow_invalid: it is no graph.
    """
    document = graph_document(definition)
    if document.api is not None:
        return classes(document.api)
    ui = document.ui or {}
    extra, definitions = ui.get("extra"), ui.get("definitions")
    groups = extra.get("groupNodes") if isinstance(extra, Mapping) else None
    subgraphs = definitions.get("subgraphs") if isinstance(definitions, Mapping) else None
    canvases = [ui, *(groups.values() if isinstance(groups, Mapping) else ()), *_listed(subgraphs)]
    nodes = [node for canvas in canvases if isinstance(canvas, Mapping) for node in _listed(canvas.get("nodes"))]
    return sorted({str(node["type"]) for node in nodes if isinstance(node, Mapping) and node.get("type")})


def prepare(workflow: Workflow, object_info: ObjectInfo) -> Prepared:
    """The workflow as a server runs it whose classes `object_info` tells of.

    Raises:
        InvalidInput: workflow_invalid, with everything that is wrong in `details.findings`; what `fill` finds wrong
            with a parameter.
    """
    document, warnings = graph_document(workflow.definition), []
    if document.api is None:
        conversion = convert(document.ui or {}, object_info)
        document = replace(document, api=conversion.graph)
        odd = [it for it in conversion.warnings if it.reason != "date_in_name"]  # that is written below
        warnings = [f"node {it.node}: {it.message}" if it.node else it.message for it in odd]
    seeded = _with_seed(document.api or {}, workflow.seed)
    filled = fill(seeded, workflow.parameters, object_info)
    graph = date_file_names(filled, object_info, datetime.now().astimezone())
    uploads = _uploads(graph, object_info, workflow.find_file)
    _refuse(check(_with_names(graph, dict.fromkeys(uploads, f"{_FOLDER}/file")), object_info))
    partners = sorted({kind for kind in classes(graph) if _facts(object_info, kind).get("api_node") is True})
    if partners and not workflow.has_partner_key:
        raise InvalidInput(
            f"{', '.join(partners)} calls a paid service, and there is no key for it.",
            reason=Reason.WORKFLOW_INVALID,
            remediation="Set STORYCORE_COMFYUI_API_KEY to the key of a Comfy account.",
            details={"class": "partner_node"},
        )
    outputs = output_nodes(graph, object_info)
    _own_folder(graph, outputs, workflow.id)
    return Prepared(graph=graph, outputs=outputs, partners=partners, uploads=uploads, warnings=tuple(warnings))


async def send_files(client: Client, prepared: Prepared) -> ApiGraph:
    """The graph in which local files are named as the server knows them, now that it has them.

    Their names there are made of their content, so that two files never meet under one name.

    Raises:
        Unreachable, AccessDenied: see `Client.call`.
        InvalidInput: body_too_large: the server takes no file of that size.
        DependencyFailed: comfyui_rejected.
    """
    sent: dict[Path, str] = {}
    for path in prepared.uploads.values():
        if path not in sent:
            sent[path] = await _send(client, path)
    return _with_names(prepared.graph, {place: sent[path] for place, path in prepared.uploads.items()})


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


def _refuse(findings: Sequence[Finding]) -> None:
    if not findings:
        return
    reasons = [finding.reason for finding in findings]
    kind = next((_CLASSES[reason] for reason in _CLASSES if reason in reasons), "bad_input")
    more = f" ({len(findings) - 1} more in details.findings)" if len(findings) > 1 else ""
    raise InvalidInput(
        f"{findings[0].message}{more}",
        reason=Reason.WORKFLOW_INVALID,
        details={"class": kind, "findings": [asdict(finding) for finding in findings]},
    )


def _with_names(graph: ApiGraph, names: Mapping[tuple[str, str], Any]) -> ApiGraph:
    """A copy of a graph in which some inputs hold other values."""
    found = {node: {**facts, "inputs": dict(inputs_of(facts))} for node, facts in graph.items()}
    for (node, name), value in names.items():
        found[node]["inputs"][name] = value
    return found


def _with_seed(graph: ApiGraph, seed: int | None) -> ApiGraph:
    """A graph with another seed; by its API format, since only there have the values of a page their names."""
    if seed is None:
        return graph
    places = (place.rpartition(".") for place in seeds_of(graph))
    return _with_names(graph, {(node, name): seed for node, _, name in places})


def _own_folder(graph: ApiGraph, outputs: list[str], run_id: str) -> None:
    """Lets each output be saved in a folder of this run, so that no other run's file is taken for it."""
    for name in outputs:
        inputs = inputs_of(graph[name])
        prefix = inputs.get("filename_prefix")
        if isinstance(prefix, str):
            parts = [_plain(part) for part in prefix.replace("\\", "/").split("/") if part not in ("", ".", "..")]
            graph[name] = {
                **graph[name],
                "inputs": {**inputs, "filename_prefix": "/".join([_FOLDER, run_id, *(parts or ["output"])])},
            }


def _plain(part: str) -> str:
    """Part of a file name without line ends, over which the server breaks, and short enough for any disk."""
    return "".join(it if it.isprintable() else " " for it in part).encode()[:_MOST_NAME_BYTES].decode("utf-8", "ignore")


def _uploads(
    graph: ApiGraph, object_info: ObjectInfo, find_file: Callable[[str], Path | None]
) -> dict[tuple[str, str], Path]:
    known, found = NodeClasses(object_info), {}
    for node, facts in graph.items():
        node_class, inputs = known.find(str(facts.get("class_type"))), inputs_of(facts)
        for name, value in inputs.items() if node_class is not None else ():
            field = field_named(node_class.fields, name, inputs) if node_class is not None else None
            path = find_file(value) if isinstance(value, str) and field is not None and takes_file(field) else None
            if path is not None:
                found[node, name] = path
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _facts(object_info: ObjectInfo, class_type: str) -> Mapping[str, Any]:
    found = object_info.get(class_type)
    return found if isinstance(found, Mapping) else {}
