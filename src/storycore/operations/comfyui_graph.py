"""storycore.integration.comfyui.convert and .check: workflows looked at without running them."""

import hashlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field
from typing_extensions import override

from storycore.app import App
from storycore.errors import Conflict, InvalidInput, NotFound, Reason, StoryCoreError
from storycore.operations.comfyui_servers import ask_nodes
from storycore.operations.request import Facts, Made, OutputPath, PathText, Request, Result, Spelling
from storycore.storage.local import new_file

if TYPE_CHECKING:
    from storycore.comfyui.graph.api_graph import ApiGraph, ObjectInfo
    from storycore.comfyui.graph.check import Finding
    from storycore.comfyui.graph.document import GraphDocument
    from storycore.comfyui.graph.oddities import GraphWarning

_READ: Final = frozenset({".json", ".png", ".webp", ".mp4", ".mov"})
_MOST_FILES: Final = 10_000

WorkflowPath = Annotated[PathText, Spelling()]
Definition = Annotated[Facts, Field(min_length=1, json_schema_extra={"minProperties": 1})]
ObjectInfoPath = Annotated[PathText, Spelling(("--object-info",))]


class GraphWarningEntry(Result):
    """Something odd about a workflow that did not stop it."""

    node: str = Field(description="Id of the node in the graph.")
    input: str = Field(description="Its input, or empty.")
    reason: str = Field(
        description="Stable word: value_not_listed, values_shifted, missing_class, random_text, date_in_name, "
        "drawn_in_browser."
    )
    message: str = Field(description="For people.")


class ConvertedFile(Result):
    """One workflow of several."""

    path: str = Field(description="Absolute path of the workflow.")
    output_path: str = Field(description="Absolute path of the graph; empty if none was written.")
    output_size_bytes: int = Field(description="Size of the written file.")
    checksum: str = Field(description="sha256: and 64 hex digits of the written file.")
    source_format: Literal["ui", "api", "none"] = Field(description="What was read: ui, api, or none.")
    nodes: int = Field(description="How many nodes the graph has.")
    warnings: list[GraphWarningEntry] = Field(description="What is odd about it.")
    error: str | None = Field(description="Why it was not converted, if so.")


class ConvertResult(Result):
    """Graphs in API format, ready for ComfyUI to run."""

    graph: dict[str, Any] | None = Field(description="The graph, where one workflow was given and no output_path.")
    converted: int = Field(description="How many workflows were converted, or were in API format already.")
    skipped: int = Field(description="How many files of the folder hold no workflow.")
    failed: int = Field(description="How many workflows could not be converted.")
    files: list[ConvertedFile] = Field(description="One entry for each, by name.")
    conversion_time_ms: float = Field(description="How long it took.")

    @override
    def artifacts(self) -> list[Made]:
        written = [file for file in self.files if file.output_path]
        return [Made(it.output_path, it.output_size_bytes, it.checksum, "application/json") for it in written]

    @property
    @override
    def verdict(self) -> bool:
        """Whether nothing failed."""
        return self.failed == 0


class ConvertRequest(Request[ConvertResult]):
    """Make workflows as ComfyUI's page saves them (UI format) into graphs that ComfyUI runs (API format)."""

    workflow_path: WorkflowPath | None = Field(
        default=None, description="A workflow, a picture or film that ComfyUI made, or a folder of these."
    )
    workflow_definition: Definition | None = Field(default=None, description="The workflow itself, instead of a path.")
    object_info_path: ObjectInfoPath | None = Field(
        default=None,
        description="What a server tells of its node classes: the answer of GET /object_info, plain or gzip; a "
        "connected server is asked if left out.",
    )
    output_path: OutputPath | None = Field(
        default=None, description="Folder for the graphs, or the name of one ending in .json; needed for a folder."
    )
    values: Literal["page", "names"] = Field(
        default="page",
        description="page: values stand where ComfyUI's page puts them, by their order; names: where their names say, "
        "if these were saved, which is what a run does.",
    )


class FindingEntry(Result):
    """One thing that the server would refuse."""

    node: str = Field(description="Id of the node in the graph; empty if it is about the whole.")
    title: str = Field(description="How people call the node.")
    class_type: str = Field(description="Its class.")
    input: str = Field(description="Its input, or empty.")
    reason: str = Field(
        description="Stable word: no_output, missing_class, missing_input, missing_model, missing_file, "
        "value_not_listed, wrong_type, out_of_range, loose_link, wrong_link, circle."
    )
    message: str = Field(description="For people.")
    suggestions: list[str] = Field(description="What might have been meant, the likeliest first.")
    source_url: str = Field(default="", description="Where the workflow says that a missing model can be fetched.")
    source_folder: str = Field(default="", description="Folder of ComfyUI's models that it belongs into.")


class CheckResult(Result):
    """Whether a server could run a workflow, and everything that stands in the way."""

    valid: bool = Field(description="Whether nothing stands in the way.")
    source_format: Literal["ui", "api"] = Field(description="What was read.")
    nodes: int = Field(description="How many nodes the graph has.")
    outputs: list[str] = Field(description="Ids of the nodes whose work is kept.")
    findings: list[FindingEntry] = Field(description="Everything that the server would refuse.")
    missing_nodes: list[str] = Field(description="Node classes that the server lacks.")
    missing_models: list[str] = Field(description="Models that it lacks.")
    missing_files: list[str] = Field(description="Inputs, as node.input, whose picture, film or sound it lacks.")
    warnings: list[GraphWarningEntry] = Field(description="What is odd about it.")

    @property
    @override
    def verdict(self) -> bool:
        """Whether the workflow can run."""
        return self.valid


class CheckRequest(Request[CheckResult]):
    """Check a workflow against what a server has, without sending it."""

    workflow_path: WorkflowPath | None = Field(
        default=None, description="A workflow, or a picture or film that ComfyUI made."
    )
    workflow_definition: Definition | None = Field(
        default=None, description="The workflow itself, in UI or API format, instead of a path."
    )
    object_info_path: ObjectInfoPath | None = Field(
        default=None,
        description="What a server tells of its node classes: the answer of GET /object_info, plain or gzip; a "
        "connected server is asked if left out.",
    )
    input_parameters: Annotated[Facts, Spelling(("-p", "--parameter"))] = Field(
        default={}, description="Values to fill in first: `3.seed`, `Title.input`, or the name of a {{placeholder}}."
    )


def convert(app: App, request: ConvertRequest) -> ConvertResult:
    """Workflows in API format.

    Guarantee: no file is replaced; of a folder, each workflow is written whole or not at all, and one that can't be
    converted does not stop the others.

    Raises:
        InvalidInput: missing_field, malformed_json, workflow_invalid, body_too_large, path_invalid.
        NotFound, AccessDenied: see `Places.file` and `Places.results`.
        Conflict: output_exists: told before anything is written.
    """
    from storycore.comfyui.graph.document import graph_document

    started = time.perf_counter()
    info = _info(app, request)
    source = _source(app, request)
    output = app.places.results(request.output_path) if request.output_path is not None else None
    if source is None:
        document = graph_document(request.workflow_definition)
        targets = [(Path("workflow.json"), document)]
    elif source.is_dir():
        return _convert_folder(source, output, info, request, started)
    else:
        targets = [(source, _read(source))]
    path, document = targets[0]
    graph, warnings = _converted(document, info, by_name=request.values == "names")
    entry = _entry(path if source else None, document, graph, warnings)
    if output is not None:
        entry = _written(entry, graph, _target(path, output))
    return ConvertResult(
        graph=graph if output is None else None,
        converted=1,
        skipped=0,
        failed=0,
        files=[entry],
        conversion_time_ms=(time.perf_counter() - started) * 1000,
    )


def check(app: App, request: CheckRequest) -> CheckResult:
    """Everything that a server with these node classes would refuse about a workflow.

    Raises:
        InvalidInput: missing_field, malformed_json, workflow_invalid, body_too_large; parameters that don't fit.
        NotFound, AccessDenied: see `Places.file`.
        DependencyFailed: comfyui_not_connected.
    """
    from storycore.comfyui.graph.api_graph import output_nodes
    from storycore.comfyui.graph.check import check as find
    from storycore.comfyui.graph.document import graph_document
    from storycore.comfyui.graph.parameters import fill

    source = _source(app, request)
    document = graph_document(request.workflow_definition) if source is None else _read(source)
    info = _info(app, request, document)
    graph, warnings = _converted(document, info, by_name=True)
    if request.input_parameters:
        graph = fill(graph, request.input_parameters, info)
    findings = _with_sources(find(graph, info), graph, document)
    return CheckResult(
        valid=not findings,
        source_format=_format(document),
        nodes=len(graph),
        outputs=output_nodes(graph, info),
        findings=findings,
        missing_nodes=sorted({it.class_type for it in findings if it.reason == "missing_class"}),
        missing_models=sorted({_value(graph, it) for it in findings if it.reason == "missing_model"}),
        missing_files=[f"{it.node}.{it.input}" for it in findings if it.reason == "missing_file"],
        warnings=_warnings(warnings),
    )


def _info(app: App, request: ConvertRequest | CheckRequest, document: "GraphDocument | None" = None) -> "ObjectInfo":
    """What a server has: by a file, or by the word of a connected one, asked for the classes of `document` alone."""
    from storycore.comfyui.graph.graph_file import read_object_info

    if request.object_info_path is not None:
        return read_object_info(app.places.file(request.object_info_path))
    from storycore.comfyui.prepare import wanted_classes

    return ask_nodes(app, None if document is None else wanted_classes(document.api or document.ui or {}))


def _source(app: App, request: ConvertRequest | CheckRequest) -> Path | None:
    """The path of the workflow, or None if the workflow itself was given."""
    path, definition = request.workflow_path, request.workflow_definition
    if path is None and definition is None:
        raise InvalidInput(
            "A workflow is needed: workflow_path or workflow_definition.",
            reason=Reason.MISSING_FIELD,
            details={"missing_fields": ["workflow_path"]},
            remediation="Name a workflow file.",
        )
    if path is not None and definition is not None:
        raise InvalidInput(
            "There are two workflows: workflow_path and workflow_definition.",
            reason=Reason.UNKNOWN_VALUE,
            remediation="Give one of them.",
        )
    return app.places.file(path) if path is not None else None


def _read(path: Path) -> "GraphDocument":
    from storycore.comfyui.graph.graph_file import read_graph

    return read_graph(path)


def _converted(
    document: "GraphDocument", info: "ObjectInfo", *, by_name: bool
) -> tuple["ApiGraph", "Iterable[GraphWarning]"]:
    """The graph in API format; one that is in that format already goes through unchanged."""
    from storycore.comfyui.graph.convert import convert as to_api

    if document.api is not None:
        return document.api, ()
    conversion = to_api(document.ui or {}, info, by_name=by_name)
    return conversion.graph, conversion.warnings


def _convert_folder(
    folder: Path, output: Path | None, info: "ObjectInfo", request: ConvertRequest, started: float
) -> ConvertResult:
    if output is None:
        raise InvalidInput(
            "Many workflows need a folder to go to.",
            reason=Reason.MISSING_FIELD,
            details={"missing_fields": ["output_path"]},
            remediation="Name a folder with -o.",
        )
    paths = list(_workflows(folder))
    taken = [target.name for path in paths if (target := _target(path, output, many=True)).exists()]
    if taken:
        raise Conflict(f"There is already a file: {taken[0]}", reason=Reason.OUTPUT_EXISTS)
    files = [_convert_one(path, output, info, by_name=request.values == "names") for path in paths]
    return ConvertResult(
        graph=None,
        converted=sum(file.error is None for file in files),
        skipped=sum(file.error is not None and file.source_format == "none" for file in files),
        failed=sum(file.error is not None and file.source_format != "none" for file in files),
        files=files,
        conversion_time_ms=(time.perf_counter() - started) * 1000,
    )


def _workflows(folder: Path) -> Iterator[Path]:
    """The files of a folder that may hold workflows, by name; hidden ones and links are left out."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _READ and path.name[0] != ".")
    files = [path for path in found if path.is_file() and not path.is_symlink()]
    if not files:
        raise NotFound("The folder holds no workflows.", reason=Reason.FILE_NOT_FOUND)
    if len(files) > _MOST_FILES:
        raise InvalidInput(f"The folder holds more than {_MOST_FILES} files.", reason=Reason.OUT_OF_RANGE)
    yield from files


def _convert_one(path: Path, output: Path, info: "ObjectInfo", *, by_name: bool) -> ConvertedFile:
    document: GraphDocument | None = None
    try:
        document = _read(path)
        graph, warnings = _converted(document, info, by_name=by_name)
        return _written(_entry(path, document, graph, warnings), graph, _target(path, output, many=True))
    except (InvalidInput, NotFound) as fault:
        return _failed(path, document, fault)


def _failed(path: Path, document: "GraphDocument | None", fault: StoryCoreError) -> ConvertedFile:
    return ConvertedFile(
        path=str(path),
        output_path="",
        output_size_bytes=0,
        checksum="",
        source_format=_format(document) if document is not None else "none",
        nodes=0,
        warnings=[],
        error=fault.message,
    )


def _entry(
    path: Path | None, document: "GraphDocument", graph: "ApiGraph", warnings: "Iterable[GraphWarning]"
) -> ConvertedFile:
    return ConvertedFile(
        path=str(path or ""),
        output_path="",
        output_size_bytes=0,
        checksum="",
        source_format=_format(document),
        nodes=len(graph),
        warnings=_warnings(warnings),
        error=None,
    )


def _format(document: "GraphDocument") -> Literal["ui", "api"]:
    return "ui" if document.api is None else "api"


def _warnings(warnings: "Iterable[GraphWarning]") -> list[GraphWarningEntry]:
    return [GraphWarningEntry(node=it.node, input=it.input, reason=it.reason, message=it.message) for it in warnings]


def _target(path: Path, output: Path, *, many: bool = False) -> Path:
    """The file that a graph goes to: `output` itself if that is a name ending in .json, else one in that folder."""
    if not many and output.suffix.lower() == ".json" and not output.is_dir():
        return output
    return output / (path.name if path.suffix.lower() == ".json" else f"{path.name}.json")


def _written(entry: ConvertedFile, graph: "ApiGraph", target: Path) -> ConvertedFile:
    from storycore.json_text import write

    with new_file(target) as file:
        file.write(write(graph).encode())
    content = target.read_bytes()
    made = {
        "output_path": str(target),
        "output_size_bytes": len(content),
        "checksum": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }
    return entry.model_copy(update=made)


def _with_sources(findings: "Iterable[Finding]", graph: "ApiGraph", document: "GraphDocument") -> list[FindingEntry]:
    """Findings as results tell them, with what the workflow says about where its models are."""
    from storycore.comfyui.graph.model_sources import model_sources

    sources = model_sources(document.ui) if document.ui is not None else {}
    entries = []
    for it in findings:
        entry = FindingEntry(
            node=it.node,
            title=it.title,
            class_type=it.class_type,
            input=it.input,
            reason=it.reason.value,
            message=it.message,
            suggestions=list(it.suggestions),
        )
        name = _value(graph, entry).replace("\\", "/").rpartition("/")[2] if it.reason == "missing_model" else ""
        source = sources.get(name)
        known = {"source_url": source.url, "source_folder": source.folder} if source is not None else {}
        entries.append(entry.model_copy(update=known))
    return entries


def _value(graph: "ApiGraph", finding: FindingEntry) -> str:
    return str(graph[finding.node]["inputs"].get(finding.input, ""))
