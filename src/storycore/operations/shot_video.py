"""storycore.integration.comfyui.generate_video and .get_status: a shot's clip from its picture."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from storycore.app import App
from storycore.errors import InvalidInput, Reason, StoryCoreError
from storycore.observe.progress import Progress
from storycore.operations.generation import Wish, find_shot, generate, preview_of, require_server, target
from storycore.operations.request import Facts, ProjectPath, Request, Result, Seconds, Spelling
from storycore.operations.shot_parameters import image_parameter, of_shot, reference_of, sent_image
from storycore.operations.task import TaskId
from storycore.operations.workflow import Parameters, Priority, ShotId, WorkflowResult, told
from storycore.units import iso

_STATUSES: dict[str, Any] = {"pending": "processing", "running": "processing"}


class GenerateVideoResult(WorkflowResult):
    """The clip of a shot."""

    task_id: str = Field(description="The same as workflow_id.")
    result_path: str | None = Field(description="The clip, absolute; null before it is there.")


class GenerateVideoRequest(Request[GenerateVideoResult]):
    """Make the clip of a shot from its picture."""

    project_path: ProjectPath = Field(description="Folder of the project.")
    shot_id: Annotated[ShotId, Spelling()] = Field(description="Which shot.")
    workflow_definition: Annotated[
        Facts,
        Field(min_length=1, json_schema_extra={"minProperties": 1}),
        Spelling(("--workflow",), reader="storycore.operations.workflow:read_definition"),
    ] = Field(description="The workflow to use; {{reference_image}} and {{prompt}} in it are filled in.")
    reference_image: str | None = Field(
        default=None,
        max_length=60 * 1024 * 1024,
        description="Picture to begin with: a path, base64 or a data: URI; the shot's own if left out.",
    )
    parameters: Parameters = Field(default={}, description="What else is filled in.")
    priority: Priority = Field(default="normal", description="Which goes first.")
    timeout_seconds: Seconds = Field(default=1800, description="From its acceptance by a server to its end.")
    metadata: Facts = Field(default={}, description="Facts of your own; a `prompt` in them stands for the shot's.")


class GetStatusResult(Result):
    """How far a clip is."""

    task_id: str
    shot_id: str | None
    status: Literal["processing", "completed", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    created_at: str
    result_path: str | None = Field(description="The clip, absolute; null before it is there.")
    preview_path: str | None = Field(description="The latest picture of it while it is made, if there is one.")
    error: dict[str, Any] | None


class GetStatusRequest(Request[GetStatusResult]):
    """Tell how far a clip is."""

    task_id: TaskId


def check_video(app: App, request: GenerateVideoRequest) -> None:
    """Refuses a clip that no server could be asked for.

    Raises:
        StoryCoreError: the project or the shot is not there; comfyui_not_connected.
    """
    target(app, request.project_path, request.shot_id)
    require_server(app)


def accepted_video(request: GenerateVideoRequest, task_id: str) -> GenerateVideoResult:
    """The answer for a clip that was accepted and has not begun."""
    return GenerateVideoResult(
        workflow_id=task_id, status="pending", output_paths=[], execution_time_ms=0.0, error_message=None,
        progress=0.0, metadata=request.metadata, outcome=None, outputs=[], blocked_nodes=[], shot_id=request.shot_id,
        backend=None, warnings=[], task_id=task_id, result_path=None,
    )  # fmt: skip


def generate_video(app: App, request: GenerateVideoRequest, progress: Progress) -> GenerateVideoResult:
    """Makes the clip of a shot from its picture, and makes it a take of the shot.

    Raises:
        InvalidInput: media_invalid: there is no picture to begin with; workflow_invalid.
        StoryCoreError: see `workflow`.
    """
    from storycore.project.reader import read_project

    folder = target(app, request.project_path, request.shot_id)
    assert folder is not None  # noqa: S101 - a path was given
    project = read_project(folder, app.settings)
    shot = find_shot(project, request.shot_id)
    own = of_shot(project, shot, request.workflow_definition)
    prompt = request.metadata.get("prompt")
    if isinstance(prompt, str) and "prompt" in own:
        own["prompt"] = prompt
    with _picture(app, request, folder, reference_of(project, shot)) as picture:
        name = image_parameter(request.workflow_definition)
        wish = Wish(
            run_id=progress.task_id, task_id=progress.task_id, definition=request.workflow_definition,
            parameters={**own, name: str(picture), **request.parameters}, files={str(picture): picture},
            project=folder, shot_id=request.shot_id, metadata=request.metadata, priority=request.priority,
            timeout_seconds=request.timeout_seconds,
        )  # fmt: skip
        fields = told(generate(app, wish, progress), wish)
    result = GenerateVideoResult(**fields, task_id=progress.task_id, result_path=_clip(fields["outputs"]))
    progress.finish()
    return result


def get_status(app: App, request: GetStatusRequest) -> GetStatusResult:
    """How far a clip, or any other workflow, is.

    Raises:
        NotFound: task_not_found.
    """
    task = app.tasks.records.find(request.task_id)
    result = task.result or {}
    preview = None if task.status.is_final else preview_of(app, task.id)
    return GetStatusResult(
        task_id=task.id, shot_id=task.request.get("shot_id"),
        status=_STATUSES.get(task.status.value, task.status.value), progress=task.progress,
        created_at=iso(task.created_at), error=task.error, preview_path=str(preview) if preview else None,
        result_path=result.get("result_path") or next(iter(result.get("output_paths", ())), None),
    )  # fmt: skip


@contextlib.contextmanager
def _picture(app: App, request: GenerateVideoRequest, project: Path, own: Path | None) -> Iterator[Path]:
    """The picture to begin with."""
    from storycore.project.paths import inside

    text = request.reference_image
    if text is None:
        if own is None:
            raise InvalidInput(
                f"Shot {request.shot_id} has no picture to begin with.",
                reason=Reason.MEDIA_INVALID,
                remediation="Give reference_image, or generate the shot's picture first.",
            )
        yield own
        return
    found = inside(project, text) if len(text) < 1024 else None
    if found is None and len(text) < 1024:
        with contextlib.suppress(StoryCoreError):
            found = app.places.file(text)
    if found is not None and found.is_file():
        yield found
        return
    with sent_image(app, text) as path:
        yield path


def _clip(outputs: list[Any]) -> str | None:
    """The clip among what was made, or else the first thing."""
    videos = [it.path for it in outputs if it.kind == "video"]
    return next(iter([*videos, *(it.path for it in outputs)]), None)
