"""storycore.integration.comfyui.workflow: run a workflow on a ComfyUI server, and bring home what it makes."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from typing_extensions import override

from storycore.app import App
from storycore.errors import (
    AccessDenied,
    Cancelled,
    DependencyFailed,
    InvalidInput,
    NotFound,
    Reason,
    StoryCoreError,
    TimedOut,
)
from storycore.observe.progress import Progress
from storycore.operations.request import Facts, Flag, Made, PathText, Request, Result, Seconds
from storycore.units import iso

if TYPE_CHECKING:
    from storycore.comfyui.fetch import Fetched
    from storycore.comfyui.run import Finished, RunOrder
    from storycore.comfyui.wire import Preview

PRIORITIES = ("low", "normal", "high")
_SAY_SECONDS = 0.1
_PREVIEW_SECONDS = 0.5
_GENERATED = Path("assets/generated")

Priority = Literal["low", "normal", "high"]
ShotId = Annotated[str, Field(min_length=1, max_length=255)]


class OutputEntry(Result):
    """A file that a workflow made, measured at home."""

    path: str = Field(description="Absolute.")
    kind: str = Field(description="image, video, audio, model, text or file; by its content.")
    media_type: str = Field(description="IANA, by its content.")
    size_bytes: int
    checksum: str = Field(description="sha256: and 64 hex digits.")
    node: str = Field(description="Which node put it out.")


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

    workflow_definition: Facts = Field(
        min_length=1, description="The graph, in API format or as ComfyUI itself saves it."
    )
    workflow_name: str | None = Field(default=None, max_length=255, description="For people.")
    input_parameters: Facts = Field(default={}, description="What is filled in, by `node.input`, title or placeholder.")
    priority: Priority = Field(default="normal", description="Which goes first.")
    timeout_seconds: Seconds = Field(default=300, description="From its acceptance by a server to its end.")
    metadata: Facts = Field(default={}, description="Facts of your own; they come back in the result.")
    project_path: PathText | None = Field(default=None, description="Folder of the project that its files go to.")
    shot_id: ShotId | None = Field(default=None, description="Shot of the project that its pictures are takes of.")
    resubmit: Flag = Field(default=True, description="Try once more if the server dies over it.")


def check_workflow(app: App, request: WorkflowRequest) -> None:
    """Refuses a workflow that no server could be given.

    Raises:
        DependencyFailed: comfyui_not_connected.
        StoryCoreError: the project or the shot is not there.
    """
    _target(app, request.project_path, request.shot_id)
    require_server(app)


def require_server(app: App) -> None:
    """Refuses work while no server is known, or none answers.

    Raises:
        DependencyFailed: comfyui_not_connected.
    """
    known = app.comfyui.records.backends()
    if not known:
        raise DependencyFailed("No ComfyUI server is connected.", reason=Reason.COMFYUI_NOT_CONNECTED)
    if any(backend.status.value == "up" for backend in known):
        return
    if "up" not in asyncio.run(app.comfyui.look_at_all()):
        names = ", ".join(backend.address.name for backend in known)
        raise DependencyFailed(f"No ComfyUI server answers: {names}.", reason=Reason.COMFYUI_NOT_CONNECTED)


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
    from storycore.comfyui.prepare import Workflow
    from storycore.comfyui.run import RunOrder

    project = _target(app, request.project_path, request.shot_id)
    run_id = progress.task_id
    told = RunOrder(
        workflow=Workflow(
            id=run_id, definition=request.workflow_definition, parameters=request.input_parameters,
            find_file=_finder(app, project, request.input_parameters),
            has_partner_key=bool(app.settings.comfyui_api_key.get_secret_value()),
        ),
        task_id=run_id, folder=_folder(app, project) / run_id, priority=PRIORITIES.index(request.priority),
        timeout_seconds=request.timeout_seconds, resubmit=request.resubmit,
        facts={"workflow_name": request.workflow_name, "shot_id": request.shot_id, "metadata": request.metadata},
        extra_data=_extra_data(app, request, run_id),
    )  # fmt: skip
    finished = run_order(app, told, progress)
    result = settle(finished, request, project)
    progress.finish()
    return result


def run_order(app: App, told: "RunOrder", progress: Progress) -> "Finished":
    """Runs one order to its end.

    Raises:
        StoryCoreError: see `comfyui.run.Run.run`.
    """
    from storycore.comfyui.run import Run

    with contextlib.closing(_Voice(progress, app.settings.cache_folder / "previews" / told.workflow.id)) as voice:
        return asyncio.run(Run(app.comfyui, told, voice).run())


def settle(finished: "Finished", request: Any, project: Path | None) -> WorkflowResult:
    """The result of a run that ended well; its pictures are takes of the shot from now on.

    Raises:
        StoryCoreError: it did not end well.
    """
    files = finished.files
    if not finished.judgement.is_good:
        raise _fault(finished)
    if project is not None and request.shot_id is not None:
        _index(project, request.shot_id, finished)
    record = finished.record
    begun, ended = record.submitted_at or record.created_at, record.finished_at or record.created_at
    return WorkflowResult(
        workflow_id=record.id, status="completed", output_paths=[str(it.path) for it in files],
        execution_time_ms=(ended - begun).total_seconds() * 1000, error_message=None, progress=1.0,
        metadata=request.metadata, outcome=finished.judgement.verdict.value, outputs=[_entry(it) for it in files],
        blocked_nodes=list(finished.judgement.blocked), shot_id=request.shot_id,
        backend=finished.backend.address.name if finished.backend else None, warnings=list(finished.warnings),
    )  # fmt: skip


class _Voice:
    """Tells of a run through `Progress`, and keeps its latest picture.

    Args:
        progress: of the task.
        preview: path of the picture, without its suffix.
    """

    def __init__(self, progress: Progress, preview: Path) -> None:
        self._progress, self._preview = progress, preview
        self._said, self._said_at = "", float("-inf")
        self._shown_at, self._kept = float("-inf"), dict[Path, None]()

    def say(self, step: str, fraction: float) -> None:
        instant = time.monotonic()
        if step == self._said and instant - self._said_at < _SAY_SECONDS:
            return
        self._said, self._said_at = step, instant
        with contextlib.suppress(Cancelled):  # the run asks by itself, at places where it can stop
            self._progress.reach(step[:64], fraction)

    def show(self, preview: "Preview") -> None:
        instant = time.monotonic()
        if instant - self._shown_at < _PREVIEW_SECONDS:
            return
        self._shown_at = instant
        path = self._preview.with_suffix(".png" if preview.media_type == "image/png" else ".jpg")
        with contextlib.suppress(OSError):  # a picture less is no reason to fail
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{secrets.token_hex(4)}.part")
            part.write_bytes(preview.data)
            part.replace(path)
            self._kept[path] = None

    def stops(self) -> bool:
        return self._progress.is_cancelled

    def leaves(self) -> bool:
        return self._progress.goes_on_elsewhere

    def close(self) -> None:
        for path in self._kept:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _fault(finished: "Finished") -> StoryCoreError:
    """The error for a run that did not end well."""
    from storycore.comfyui.verdict import Failure, Verdict

    judgement = finished.judgement
    details: dict[str, Any] = {
        "verdict": judgement.verdict.value, "output_paths": [str(it.path) for it in finished.files],
    }  # fmt: skip
    if judgement.verdict is Verdict.TIMED_OUT:
        return TimedOut("It took longer than allowed; the ComfyUI server was told to stop.", details=details)
    if judgement.verdict is Verdict.LOST:
        return DependencyFailed("The ComfyUI server died over it.", reason=Reason.COMFYUI_LOST, details=details)
    if judgement.verdict is Verdict.CANCELLED_EXTERNALLY:
        return DependencyFailed(
            "Somebody stopped it at the ComfyUI server.", reason=Reason.COMFYUI_STOPPED, details=details
        )
    fault = judgement.fault
    details |= {"class": (judgement.failure or Failure.NODE_ERROR).value}
    if fault:
        details |= {"node": fault.node_id, "node_type": fault.node_type, "exception": fault.exception}
    where = f"Node {fault.node_id} ({fault.node_type}) failed" if fault else "It failed"
    message = fault.message.splitlines()[0] if fault else "the server gave no reason"
    return DependencyFailed(f"{where}: {message}", reason=Reason.COMFYUI_FAILED, details=details)


def _target(app: App, project_path: str | None, shot_id: str | None) -> Path | None:
    """The project, which must have the shot.

    Raises:
        StoryCoreError: see `Places.project`; shot_not_found.
    """
    if project_path is None:
        if shot_id is not None:
            raise InvalidInput("A shot is of a project: project_path is needed.", reason=Reason.MISSING_FIELD,
                               details={"missing_fields": ["project_path"]})  # fmt: skip
        return None
    project = app.places.project(project_path)
    generated = project / _GENERATED
    if generated.resolve() != generated:
        raise AccessDenied(f"The project's {_GENERATED.as_posix()}/ is a link.", reason=Reason.PATH_OUTSIDE_ROOT)
    if shot_id is not None:
        from storycore.project.reader import read_project

        if shot_id not in {shot.id for shot in read_project(project, app.settings).shots}:
            raise NotFound(f"The project has no shot {shot_id}.", reason=Reason.SHOT_NOT_FOUND)
    return project


def _folder(app: App, project: Path | None) -> Path:
    if project is not None:
        return project / _GENERATED
    roots = app.settings.output_roots
    return roots[0] if roots else app.settings.generated_folder


def _finder(app: App, project: Path | None, parameters: Mapping[str, Any]) -> Any:
    """Finds the local files that parameters name; what only the workflow names is nobody's wish to send."""
    from storycore.project.paths import inside

    named = {value for value in parameters.values() if isinstance(value, str)}

    def find(text: str) -> Path | None:
        if text not in named:
            return None
        found = inside(project, text) if project else None
        if found is None:
            try:
                found = app.places.file(text)
            except StoryCoreError:
                return None
        return found if found.is_file() else None

    return find


def _extra_data(app: App, request: WorkflowRequest, run_id: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"storycore": {"workflow_id": run_id, "shot_id": request.shot_id}}
    if "nodes" in request.workflow_definition:  # as ComfyUI saves it: its pictures then open in it as they were made
        facts["workflow"] = request.workflow_definition
    key = app.settings.comfyui_api_key.get_secret_value()
    return {"extra_pnginfo": facts, **({"api_key_comfy_org": key} if key else {})}


def _index(project: Path, shot_id: str, finished: "Finished") -> None:
    from storycore.comfyui.takes import add

    record = finished.record
    ended = record.finished_at or record.created_at
    pictures = sorted((it for it in finished.files if it.kind in ("image", "video")), key=lambda it: it.kind)
    add(
        project,
        shot_id,
        [
            {
                "id": f"{record.id}/{it.path.name}", "path": it.path.relative_to(project).as_posix(),
                "status": "completed", "created_at": iso(ended), "workflow_id": record.id, "kind": it.kind,
                "media_type": it.media_type, "size_bytes": it.size_bytes, "sha256": it.sha256,
            }
            for it in pictures
        ],
    )  # fmt: skip


def _entry(item: "Fetched") -> OutputEntry:
    return OutputEntry(
        path=str(item.path), kind=item.kind, media_type=item.media_type, size_bytes=item.size_bytes,
        checksum=f"sha256:{item.sha256}", node=item.node,
    )  # fmt: skip
