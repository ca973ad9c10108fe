"""storycore.project.pick: choose which take of a shot counts."""

from typing import Annotated, Any

from pydantic import Field

from storycore.app import App
from storycore.operations.generation import target
from storycore.operations.request import ProjectPath, Request, Result, Spelling


class TakeEntry(Result):
    """One take of a shot."""

    take_id: str
    path: str = Field(description="Relative to the project.")
    kind: str = Field(description="image or video; empty if it does not say.")
    status: str = Field(description="`completed` when its file is whole.")
    created_at: str | None
    picked: bool


class PickResult(Result):
    """The takes of a shot, and which one counts."""

    shot_id: str
    picked: str | None = Field(description="The chosen take; null if the newest counts.")
    takes: list[TakeEntry] = Field(description="In the order in which they came.")


class PickRequest(Request[PickResult]):
    """Choose which take of a shot counts."""

    project_path: ProjectPath = Field(description="Folder of the project.")
    shot_id: Annotated[str, Field(min_length=1, max_length=255), Spelling()] = Field(description="Which shot.")
    take_id: Annotated[str, Field(min_length=1, max_length=600), Spelling()] | None = Field(
        default=None, description="Which take; the newest counts again if left out."
    )


def pick(app: App, request: PickRequest) -> PickResult:
    """Chooses a take, or none, so that the newest counts again; only `assets/generated/index.json` is changed.

    Raises:
        NotFound: project_not_found, shot_not_found, take_not_found.
        InvalidInput: project_invalid: the index is broken.
        AccessDenied, Unavailable: it can't be written.
    """
    from storycore.comfyui.takes import pick as choose

    project = target(app, request.project_path, request.shot_id)
    assert project is not None  # noqa: S101 - a path was given
    takes = choose(project, request.shot_id, request.take_id)
    return PickResult(shot_id=request.shot_id, picked=request.take_id, takes=[_entry(take) for take in takes])


def _entry(take: dict[str, Any]) -> TakeEntry:
    made = take.get("created_at")
    return TakeEntry(
        take_id=str(take.get("id", "")), path=str(take.get("path", "")), kind=str(take.get("kind", "")),
        status=str(take.get("status", "")), created_at=None if made is None else str(made),
        picked=take.get("picked") is True,
    )  # fmt: skip
