"""storycore.integration.comfyui.workflow: run a workflow on a ComfyUI server, and bring home what it makes."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from typing_extensions import override

from storycore.app import App
from storycore.observe.progress import Progress
from storycore.operations.generation import PRIORITIES, OutputEntry, Wish, entry_of, generate, require_server, target
from storycore.operations.request import Facts, Flag, Made, PathText, Request, Result, Seconds, Spelling

if TYPE_CHECKING:
    from storycore.comfyui.run_order import Finished

Priority = Literal["low", "normal", "high"]
ShotId = Annotated[str, Field(min_length=1, max_length=255)]
Definition = Annotated[
    Facts,
    Field(min_length=1, json_schema_extra={"minProperties": 1}),
    Spelling(reader="storycore.operations.workflow:read_definition"),
]
Parameters = Annotated[Facts, Spelling(("-p",))]
TargetProject = Annotated[PathText, Spelling(("--project",))]
TargetShot = Annotated[ShotId, Spelling(("--shot",))]


class WorkflowResult(Result):
    """What came of a workflow."""

    workflow_id: str = Field(description="Good for `task status` too.")
    status: Literal["pending", "running", "completed", "failed"]
    output_paths: list[str] = Field(description="Where its files are, absolute.")
    execution_time_ms: float = Field(description="From its acceptance by a server to its end at home.")
    error_message: str | None
    progress: float = Field(ge=0, le=1)
    metadata: dict[str, Any] = Field(description="As sent.")
    outcome: str | None = Field(description="completed, or completed_with_blocked.")
    outputs: list[OutputEntry] = Field(description="Its files, measured.")
    blocked_nodes: list[str] = Field(description="Output nodes that put nothing out.")
    shot_id: str | None = Field(description="The shot that they are takes of.")
    backend: str | None = Field(description="The server that ran it.")
    warnings: list[str] = Field(description="What is odd, for people.")

    @override
    def artifacts(self) -> list[Made]:
        return [Made(it.path, it.size_bytes, it.checksum, it.media_type) for it in self.outputs]


class WorkflowRequest(Request[WorkflowResult]):
    """Run a workflow on a ComfyUI server."""

    workflow_definition: Definition = Field(description="The graph, in API format or as ComfyUI itself saves it.")
    workflow_name: str | None = Field(default=None, max_length=255, description="For people.")
    input_parameters: Parameters = Field(
        default={}, description="What is filled in, by `node.input`, by title, or for a placeholder."
    )
    priority: Priority = Field(default="normal", description="Which goes first.")
    timeout_seconds: Seconds = Field(default=300, description="From its acceptance by a server to its end.")
    metadata: Facts = Field(default={}, description="Facts of your own; they come back in the result.")
    project_path: TargetProject | None = Field(default=None, description="Folder of the project its files go to.")
    shot_id: TargetShot | None = Field(default=None, description="Shot of the project that its pictures are takes of.")
    resubmit: Flag = Field(default=True, description="Try once more if the server dies over it.")


def check_workflow(app: App, request: WorkflowRequest) -> None:
    """Refuses a workflow that no server could be given.

    Raises:
        DependencyFailed: comfyui_not_connected.
        StoryCoreError: the project or the shot is not there.
    """
    target(app, request.project_path, request.shot_id)
    require_server(app)


def order(request: Any) -> dict[str, Any]:
    """How such work is queued: under a name that says what it is, by its priority."""
    return {"id": f"workflow_{secrets.token_hex(6)}", "priority": PRIORITIES.index(request.priority)}


def accepted(request: WorkflowRequest, task_id: str) -> WorkflowResult:
    """The answer for a workflow that was accepted and has not begun."""
    return WorkflowResult(
        workflow_id=task_id, status="pending", output_paths=[], execution_time_ms=0.0, error_message=None,
        progress=0.0, metadata=request.metadata, outcome=None, outputs=[], blocked_nodes=[], shot_id=request.shot_id,
        backend=None, warnings=[],
    )  # fmt: skip


def workflow(app: App, request: WorkflowRequest, progress: Progress) -> WorkflowResult:
    """Runs a workflow and brings home what it makes.

    Guarantee: may begin anew after a crash of this process; it then goes on with what the server has, and posts
    nothing twice.

    Raises:
        InvalidInput: workflow_invalid: with everything that is wrong.
        DependencyFailed: comfyui_not_connected, comfyui_rejected, comfyui_failed, comfyui_lost, comfyui_stopped.
        TimedOut: timed_out; the server was told to stop.
        Cancelled: it was asked to stop; the server was told so too.
        StoryCoreError: the project is not there; no room on the disk.
    """
    wish = Wish(
        run_id=progress.task_id, task_id=progress.task_id, definition=request.workflow_definition,
        parameters=request.input_parameters, project=target(app, request.project_path, request.shot_id),
        shot_id=request.shot_id, name=request.workflow_name, metadata=request.metadata, priority=request.priority,
        timeout_seconds=request.timeout_seconds, resubmit=request.resubmit,
    )  # fmt: skip
    result = WorkflowResult(**told(generate(app, wish, progress), wish))
    progress.finish()
    return result


def told(finished: "Finished", wish: Wish) -> dict[str, Any]:
    """The fields of a result for a run that ended well."""
    record = finished.record
    begun, ended = record.submitted_at or record.created_at, finished.home_at
    return {
        "workflow_id": record.id, "status": "completed", "output_paths": [str(it.path) for it in finished.files],
        "execution_time_ms": (ended - begun).total_seconds() * 1000, "error_message": None, "progress": 1.0,
        "metadata": dict(wish.metadata), "outcome": finished.judgement.verdict.value,
        "outputs": [entry_of(it) for it in finished.files], "blocked_nodes": list(finished.judgement.blocked),
        "shot_id": wish.shot_id, "backend": finished.backend.address.name if finished.backend else None,
        "warnings": list(finished.warnings),
    }  # fmt: skip


def read_definition(path: str) -> dict[str, Any]:
    """The workflow in a file of this machine: JSON, or a picture or film that ComfyUI made.

    Raises:
        StoryCoreError: see `comfyui.graph.graph_file.read_graph`.
    """
    from storycore.comfyui.graph.graph_file import read_graph

    document = read_graph(Path(path).absolute())
    if document.api is None:
        return dict(document.ui or {})
    return {"prompt": document.api, **({"workflow": dict(document.ui)} if document.ui else {})}
