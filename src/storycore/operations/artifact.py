"""storycore.artifact.*: find and fetch the files that tasks made."""

import hashlib
from pathlib import Path
from typing import Annotated, BinaryIO, Final, cast

from pydantic import Field

from storycore.app import App
from storycore.errors import NotFound, Reason
from storycore.observe.progress import Progress
from storycore.operations.request import Request, Result, Spelling, Whole
from storycore.operations.task import Cursor, TaskId, from_cursor, to_cursor
from storycore.storage.local import new_file
from storycore.storage.place import names_store
from storycore.tasks.task import Artifact
from storycore.units import iso

_CHUNK_BYTES: Final = 1024 * 1024

LINK_SECONDS: Final = 15 * 60
"""How long a link to a file in a store can be used."""


class ArtifactEntry(Result):
    """A finished file."""

    artifact_id: str
    task_id: str
    name: str
    path: str = Field(description="Where it was made: an absolute path, or its URL in an object store.")
    size_bytes: int
    checksum: str = Field(description="sha256: and 64 hex digits.")
    media_type: str
    created_at: str
    project_path: str | None = Field(
        default=None, description="Folder of the film that it is of, absolute; null if its task was for none."
    )


class ArtifactDownloadResult(ArtifactEntry):
    """The file, and where it is."""

    link: str = Field(
        default="",
        description="For a file in an object store: a URL by which anybody can fetch it for 15 minutes. Else empty.",
    )


class ArtifactListResult(Result):
    """Files, the newest first."""

    items: list[ArtifactEntry]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class ArtifactListRequest(Request[ArtifactListResult]):
    """List the files that tasks made, the newest first."""

    task_id: Annotated[TaskId, Spelling(("--task-id",))] | None = Field(default=None, description="Only of this task.")
    limit: Whole = Field(default=50, ge=1, le=200, description="Most entries on a page.")
    cursor: Cursor | None = None


class ArtifactDownloadRequest(Request[ArtifactDownloadResult]):
    """Fetch a file that a task made."""

    artifact_id: Annotated[
        str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$", description="Id."), Spelling()
    ]


def list_artifacts(app: App, request: ArtifactListRequest) -> ArtifactListResult:
    """One page of artifacts."""
    found = app.tasks.records.artifacts(
        task_id=request.task_id, before=from_cursor(request.cursor), limit=request.limit + 1
    )
    page = found[: request.limit]
    return ArtifactListResult(
        items=[_entry(artifact) for _, artifact in page],
        next_cursor=to_cursor(page[-1][0]) if len(found) > len(page) else None,
    )


def download(app: App, request: ArtifactDownloadRequest) -> ArtifactDownloadResult:
    """Where the file is; surfaces hand its bytes out from there.

    Raises:
        NotFound: artifact_not_found.
        AccessDenied: path_outside_root: it is in a store that is listed no more.
        DependencyFailed: store_unavailable.
    """
    artifact = app.tasks.records.artifact(request.artifact_id)
    link = ""
    if names_store(artifact.path):
        from storycore.storage.objects import Bucket

        place = app.places.stored(artifact.path, pointer="/artifact_id")
        bucket = Bucket(place)
        facts = bucket.facts(place.key)
        if facts is None or facts.size_bytes != artifact.size_bytes:
            raise _gone()
        link = bucket.link(place.key, LINK_SECONDS)
    return ArtifactDownloadResult(**_entry(artifact).model_dump(), link=link)


def _entry(artifact: Artifact) -> ArtifactEntry:
    return ArtifactEntry(
        artifact_id=artifact.id,
        task_id=artifact.task_id,
        name=artifact.name,
        path=artifact.path,
        size_bytes=artifact.size_bytes,
        checksum=f"sha256:{artifact.sha256}",
        media_type=artifact.media_type,
        created_at="" if artifact.created_at is None else iso(artifact.created_at),
        project_path=artifact.project_path,
    )


def fetch(app: App, artifact_id: str, target: Path, progress: Progress) -> ArtifactDownloadResult:
    """Copies an artifact to a new file, and makes sure that it is the one that was made.

    Guarantee: atomic; a file that stands there already is not replaced.

    Args:
        app: with the database.
        artifact_id: which one.
        target: name for the file, or a folder that it is put in under its own name.
        progress: told how far it is; can cancel.

    Raises:
        NotFound: artifact_not_found: there is none, or its file was moved or changed.
        Conflict: output_exists.
    """
    artifact = app.tasks.records.artifact(artifact_id)
    path = (target / artifact.name if target.is_dir() else target).absolute()
    digest = hashlib.sha256()
    progress.begin("fetching", total=artifact.size_bytes, unit="bytes", until=0.999)
    with _source(app, artifact, progress) as source, new_file(path) as file:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
            progress.advance(len(chunk))
        if digest.hexdigest() != artifact.sha256:
            raise _gone()
    return ArtifactDownloadResult(**_entry(artifact).model_dump()).model_copy(update={"path": str(path)})


def is_there(app: App, artifact_id: str) -> bool:
    """Whether the file still stands where it was made, as large as it was; one in an object store counts as there.

    Raises:
        NotFound: artifact_not_found: there never was one.
    """
    from storycore.operations import likeness

    artifact = app.tasks.records.artifact(artifact_id)
    return names_store(artifact.path) or likeness.is_there(artifact)


def _source(app: App, artifact: Artifact, progress: Progress) -> BinaryIO:
    if names_store(artifact.path):
        from storycore.storage.objects import Bucket
        from storycore.storage.stored_file import open_stored

        place = app.places.stored(artifact.path, pointer="/artifact_id")
        try:
            return cast("BinaryIO", open_stored(Bucket(place, check=progress.check), place.key, place.name))
        except NotFound:
            raise _gone() from None
    try:
        return Path(artifact.path).open("rb")
    except OSError:
        raise _gone() from None


def _gone() -> NotFound:
    return NotFound("The file is not there any more as it was made.", reason=Reason.ARTIFACT_NOT_FOUND)
