"""What the operations that generate share: where results go, how a run is told of, and what is made of its end."""

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

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
from storycore.operations.request import Result
from storycore.units import iso

if TYPE_CHECKING:
    from storycore.comfyui.fetched import Fetched
    from storycore.comfyui.run_order import Finished, RunOrder
    from storycore.comfyui.wire import Preview
    from storycore.project.model import Project
    from storycore.storage.staging import Staging

PRIORITIES = ("low", "normal", "high")
_SAY_SECONDS = 0.1
_PREVIEW_SECONDS = 0.5
_GENERATED = Path("assets/generated")


class OutputEntry(Result):
    """A file that a workflow made, measured at home."""

    path: str = Field(description="Absolute.")
    kind: str = Field(description="image, video, audio, model, text or file; by its content.")
    media_type: str = Field(description="IANA, by its content.")
    size_bytes: int
    checksum: str = Field(description="sha256: and 64 hex digits.")
    node: str = Field(description="Which node put it out.")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One thing to be generated.

    Attributes:
        run_id: name of the run.
        task_id: task that it is part of.
        definition: the workflow, in either format.
        parameters: what is filled in.
        files: local files that parameters name, beside those that they name by path.
        project: that its files go to; None for none.
        shot_id: that its pictures are takes of; None for none.
        name: for people; may be None.
        metadata: the caller's own facts.
        priority: low, normal or high.
        timeout_seconds: from its acceptance by a server to its end.
        resubmit: whether it is tried once more if the server dies over it.
        seed: for every seed of the workflow that no parameter names; None to leave them.
    """

    run_id: str
    task_id: str
    definition: Mapping[str, Any]
    parameters: Mapping[str, Any]
    files: Mapping[str, Path] = field(default_factory=dict)
    project: Path | None = None
    shot_id: str | None = None
    name: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    priority: str = "normal"
    timeout_seconds: float = 300
    resubmit: bool = True
    seed: int | None = None


def require_server(app: App) -> None:
    """Refuses work while no server is known, or none answers.

    Raises:
        DependencyFailed: comfyui_not_connected.
    """
    known = app.comfyui.records.known()
    if not known:
        raise DependencyFailed("No ComfyUI server is connected.", reason=Reason.COMFYUI_NOT_CONNECTED)
    if any(backend.status.value == "up" for backend in known):
        return
    if "up" not in app.comfyui.do(app.comfyui.look_at_all()):
        names = ", ".join(backend.address.name for backend in known)
        raise DependencyFailed(f"No ComfyUI server answers: {names}.", reason=Reason.COMFYUI_NOT_CONNECTED)


def target(app: App, project_path: str | None, shot_id: str | None) -> Path | None:
    """The project that results go to, which must have the shot; None for none.

    Raises:
        StoryCoreError: see `Places.project`; shot_not_found; missing_field: a shot of no project.
    """
    if project_path is None:
        if shot_id is not None:
            raise InvalidInput(
                "A shot is of a project: project_path is needed.",
                reason=Reason.MISSING_FIELD,
                details={"missing_fields": ["project_path"]},
            )
        return None
    project = app.places.project(project_path)
    generated = project / _GENERATED
    if generated.resolve() != generated:
        raise AccessDenied(f"The project's {_GENERATED.as_posix()}/ is a link.", reason=Reason.PATH_OUTSIDE_ROOT)
    if shot_id is not None:
        from storycore.project.reader import read_project

        find_shot(read_project(project, app.settings), shot_id)
    return project


def find_shot(project: "Project", shot_id: str) -> Any:
    """A shot of a project.

    Raises:
        NotFound: shot_not_found.
    """
    for shot in project.shots:
        if shot.id == shot_id:
            return shot
    raise NotFound(f"The project has no shot {shot_id}.", reason=Reason.SHOT_NOT_FOUND)


def order_of(app: App, wish: Wish, *, is_new: bool = False, staging: "Staging | None" = None) -> "RunOrder":
    """A wish as a run takes it.

    Args:
        app: knows the settings.
        wish: what is to be generated.
        is_new: whether nobody can have begun it before.
        staging: of `place_of` it; None for one of its own.
    """
    from storycore.comfyui.prepare import Workflow
    from storycore.comfyui.run_order import RunOrder

    folder = place_of(app, wish.project)
    key = app.settings.comfyui_api_key.get_secret_value()
    return RunOrder(
        workflow=Workflow(
            id=wish.run_id, definition=wish.definition, parameters=wish.parameters, find_file=_finder(app, wish),
            has_partner_key=bool(key), seed=wish.seed,
        ),
        task_id=wish.task_id, folder=folder / wish.run_id, priority=PRIORITIES.index(wish.priority),
        timeout_seconds=wish.timeout_seconds, resubmit=wish.resubmit,
        facts={"workflow_name": wish.name, "shot_id": wish.shot_id, "metadata": dict(wish.metadata)},
        most_bytes=app.settings.max_generated_bytes, min_free_bytes=app.settings.min_free_bytes,
        extra_data={"extra_pnginfo": _embedded(wish), **({"api_key_comfy_org": key} if key else {})},
        is_new=is_new, staging=staging,
    )  # fmt: skip


def place_of(app: App, project: Path | None) -> Path:
    """The folder that what is generated goes to, each run in a folder of its own."""
    roots = app.settings.output_roots
    return project / _GENERATED if project else roots[0] if roots else app.settings.generated_folder


def generate(app: App, wish: Wish, progress: Progress) -> "Finished":
    """Runs one wish to its good end; its pictures are takes of the shot from then on.

    Raises:
        StoryCoreError: see `comfyui.run.Run.run`; comfyui_failed, comfyui_lost, comfyui_stopped, timed_out.
    """
    from storycore.comfyui.run import Run

    with speaking(app, wish.run_id, progress) as voice:
        order = order_of(app, wish, is_new=not progress.begins_anew)
        finished = app.comfyui.do(Run(app.comfyui, order, voice).run())
    settle(wish, finished)
    return finished


def settle(wish: Wish, finished: "Finished") -> None:
    """Makes the pictures of a run takes of its shot.

    Raises:
        StoryCoreError: it did not end well.
    """
    if not finished.judgement.is_good:
        raise fault_of(finished)
    if wish.project is not None and wish.shot_id is not None:
        _index(wish.project, wish.shot_id, finished)


@contextlib.contextmanager
def speaking(app: App, run_id: str, progress: Progress) -> Iterator["Voice"]:
    """Tells of a run through `progress` while the block runs."""
    with contextlib.closing(Voice(progress, app.settings.cache_folder / "previews" / run_id)) as voice:
        yield voice


def preview_of(app: App, run_id: str) -> Path | None:
    """The latest picture of a run that goes on, or None."""
    folder = app.settings.cache_folder / "previews"
    return next((it for suffix in (".png", ".jpg") if (it := folder / f"{run_id}{suffix}").is_file()), None)


def entry_of(item: "Fetched") -> OutputEntry:
    """A file as results tell of it."""
    return OutputEntry(
        path=str(item.path), kind=item.kind, media_type=item.media_type, size_bytes=item.size_bytes,
        checksum=f"sha256:{item.sha256}", node=item.node,
    )  # fmt: skip


def fault_of(finished: "Finished") -> StoryCoreError:
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


class Voice:
    """Tells of a run through `Progress`, and keeps its latest picture.

    Args:
        progress: of the task.
        preview: path of the picture, without its suffix.
    """

    def __init__(self, progress: Progress, preview: Path) -> None:
        self._progress, self._preview = progress, preview
        self._said, self._said_at = "", float("-inf")
        self._shown_at, self._kept = float("-inf"), dict[Path, None]()

    def say(self, step: str, fraction: float, detail: str = "") -> None:
        """Tells a step; the same one again at most ten times a second, whatever its detail."""
        instant = time.monotonic()
        if step == self._said and instant - self._said_at < _SAY_SECONDS:
            return
        self._said, self._said_at = step, instant
        with contextlib.suppress(Cancelled):  # the run asks by itself, at places where it can stop
            self._progress.reach(step[:64], fraction, detail[:64])

    def show(self, preview: "Preview") -> None:
        """Keeps a picture in place of the one before, at most two a second."""
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
        """Whether the work was asked to stop."""
        return self._progress.is_cancelled

    def leaves(self) -> bool:
        """Whether another process goes on with it."""
        return self._progress.goes_on_elsewhere

    def close(self) -> None:
        """Forgets its picture."""
        for path in self._kept:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _finder(app: App, wish: Wish) -> Any:
    """Finds the local files that parameters name; what only the workflow names is nobody's wish to send."""
    from storycore.project.paths import inside

    named = set(_texts(wish.parameters))

    def find(text: str) -> Path | None:
        if text in wish.files:
            return wish.files[text]
        if text not in named:
            return None
        found = inside(wish.project, text) if wish.project else None
        if found is None:
            try:
                found = app.places.file(text)
            except StoryCoreError:
                return None
        return found if found.is_file() else None

    return find


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)


def _embedded(wish: Wish) -> dict[str, Any]:
    """What the server puts into the pictures that it saves; with the workflow they open in it as they were made."""
    from storycore.comfyui.graph.document import graph_document

    ui = graph_document(wish.definition).ui
    facts = {"storycore": {"workflow_id": wish.run_id, "shot_id": wish.shot_id}}
    return {**facts, **({"workflow": ui} if ui is not None else {})}


def _index(project: Path, shot_id: str, finished: "Finished") -> None:
    from storycore.comfyui.takes import add

    record = finished.record
    shown = [it for it in finished.files if it.kind in ("image", "video")]
    kept = [it for it in shown if it.is_kept] or shown  # what a node only showed on the way is no take
    pictures = sorted(kept, key=lambda it: it.kind)
    add(
        project,
        shot_id,
        [
            {
                "id": f"{record.id}/{it.path.name}", "path": it.path.relative_to(project).as_posix(),
                "status": "completed", "created_at": iso(finished.home_at), "workflow_id": record.id, "kind": it.kind,
                "media_type": it.media_type, "size_bytes": it.size_bytes, "sha256": it.sha256,
            }
            for it in pictures
        ],
    )  # fmt: skip
