"""storycore.integration.comfyui.batch: one workflow for many rows, or for the shots of a project."""

import asyncio
import csv
import hashlib
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from typing_extensions import override

from storycore.app import App
from storycore.errors import Cancelled, Conflict, InvalidInput, NotFound, Reason, StoryCoreError
from storycore.observe.progress import Progress
from storycore.operations.generation import (
    PRIORITIES,
    OutputEntry,
    Voice,
    Wish,
    entry_of,
    find_shot,
    order_of,
    place_of,
    require_server,
    settle,
    speaking,
    target,
)
from storycore.operations.request import (
    Facts,
    Flag,
    Made,
    PathText,
    Request,
    Result,
    Seconds,
    Spelling,
    not_bool_or_text,
)
from storycore.operations.shot_parameters import declared, of_shot
from storycore.operations.task import TaskName
from storycore.operations.workflow import Definition, Parameters, Priority, TargetProject
from storycore.storage.staging import Staging

if TYPE_CHECKING:
    from pathlib import Path

    from storycore.comfyui.backends import Backends
    from storycore.comfyui.run_order import Finished, RunOrder

_MOST_ROWS = 10_000
_MOST_CSV_BYTES = 16 * 1024 * 1024
_MOST_AT_ONCE = 16
_SAY_SECONDS = 0.1
_SHOT = "shot_id"


class BatchItem(Result):
    """One row of a batch."""

    row: int = Field(description="From 1.")
    shot_id: str | None
    workflow_id: str
    status: Literal["completed", "failed"]
    outcome: str | None = Field(description="completed, or completed_with_blocked.")
    seed: int | None = Field(description="The seed that it was given, if the batch gave one.")
    parameters: dict[str, Any] = Field(description="What was filled in for it.")
    output_paths: list[str] = Field(description="Where its files are, absolute.")
    outputs: list[OutputEntry] = Field(description="Its files, measured.")
    error: dict[str, Any] | None = Field(description="Of a failed one.")


class BatchResult(Result):
    """What came of a batch."""

    items: list[BatchItem]
    completed: int
    failed: int
    task_id: str = Field(description="Give it back as `again` to run the failed ones alone.")

    @property
    @override
    def verdict(self) -> bool:
        return self.failed == 0

    @override
    def artifacts(self) -> list[Made]:
        files = [file for item in self.items for file in item.outputs]
        return [Made(it.path, it.size_bytes, it.checksum, it.media_type) for it in files]


class BatchRequest(Request[BatchResult]):
    """Run one workflow for many rows, or for the shots of a project."""

    workflow_definition: Definition = Field(description="The workflow; its placeholders are filled in for each row.")
    project_path: TargetProject | None = Field(
        default=None, description="Project whose shots are the rows, and that the files go to."
    )
    csv_path: Annotated[PathText, Spelling(("--csv",))] | None = Field(
        default=None, description="Table with a row for each run; its columns are parameters, and shot_id."
    )
    rows: list[Facts] | None = Field(
        default=None, max_length=_MOST_ROWS, description="The rows themselves, instead of a table."
    )
    shots: list[str] | None = Field(default=None, max_length=_MOST_ROWS, description="Only these shots.")
    missing: Flag = Field(default=False, description="Only shots that have no take yet.")
    again: TaskName | None = Field(default=None, description="An earlier batch: only what failed in it is run.")
    parameters: Parameters = Field(default={}, description="What is filled in for every row that says nothing else.")
    seed: Annotated[int, Field(ge=0, le=2**48), BeforeValidator(not_bool_or_text)] | None = Field(
        default=None, description="Seed of the first row; each one after it has the next."
    )
    priority: Priority = Field(default="normal", description="Which goes first.")
    timeout_seconds: Seconds = Field(default=1800, description="For each: from its acceptance by a server to its end.")
    metadata: Facts = Field(default={}, description="Facts of your own; they stand beside each file.")


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One row, ready to be run."""

    number: int
    wish: Wish
    seed: int | None


class _Tally:
    """How far all rows are together; they live in one thread.

    Args:
        rows: how many there are.
        voice: hears of it, at most ten times a second, and of each row that has ended.
    """

    def __init__(self, rows: int, voice: Voice) -> None:
        self._voice = voice
        self._rows, self._ended = rows, 0
        self._reached = 0.0
        self._said_at = float("-inf")

    def further(self, number: int, by: float, detail: str) -> None:
        """A row is further by this part of itself."""
        self._reached += by
        instant = time.monotonic()
        if instant - self._said_at >= _SAY_SECONDS:
            self._said_at = instant
            self._voice.say(f"row {number}", self._reached / self._rows, detail)

    def end(self, number: int, *, left: float, failed: bool) -> None:
        """A row has ended, of which this part was left."""
        self._ended, self._reached = self._ended + 1, self._reached + left
        word = "failed" if failed else "done"
        self._voice.say(f"row {number} {word}, {self._ended} of {self._rows}", self._reached / self._rows)


def order(request: BatchRequest) -> dict[str, Any]:
    """How it is queued."""
    return {"priority": PRIORITIES.index(request.priority)}


def check_batch(app: App, request: BatchRequest) -> None:
    """Refuses a batch that could not begin.

    Raises:
        StoryCoreError: there are no rows, or not one kind of them; a file, the project or a shot is not there;
            comfyui_not_connected.
    """
    _rows(app, request, "check")
    require_server(app)


def batch(app: App, request: BatchRequest, progress: Progress) -> BatchResult:
    """Runs every row, as many at a time as the servers take; one that fails does not stop the others.

    Guarantee: may begin anew after a crash; what the servers have is not posted again.

    Raises:
        StoryCoreError: see `check_batch`.
        Cancelled: it was asked to stop; the servers were told so too.
    """
    rows = _rows(app, request, progress.task_id)
    wanted = _failed_before(app, request.again) if request.again else None
    chosen = [row for row in rows if wanted is None or row.number in wanted]
    if not chosen:
        raise Conflict(
            "Nothing is left to run.",
            reason=Reason.NOTHING_TO_EXPORT,
            remediation="Leave out `again` to run all of it.",
        )
    items = app.comfyui.do(_run_all(app, chosen, progress, place_of(app, chosen[0].wish.project)))
    progress.finish()
    return BatchResult(
        items=items, completed=sum(item.status == "completed" for item in items),
        failed=sum(item.status == "failed" for item in items), task_id=progress.task_id,
    )  # fmt: skip


async def _run_all(app: App, rows: Sequence[_Row], progress: Progress, folder: "Path") -> list[BatchItem]:
    gate = asyncio.Semaphore(_MOST_AT_ONCE)
    staging, servers = Staging(folder), app.comfyui

    async def one(row: _Row, tally: _Tally) -> BatchItem:
        async with gate:
            order = order_of(app, row.wish, is_new=not progress.begins_anew, staging=staging)
            with speaking(app, row.wish.run_id, progress) as voice:
                return await _run_one(servers, order, row, _Share(voice, row.number, tally))

    with speaking(app, progress.task_id, progress) as whole:
        tally = _Tally(len(rows), whole)
        try:  # each stops by itself
            ended = await asyncio.gather(*(one(row, tally) for row in rows), return_exceptions=True)
        finally:
            await asyncio.to_thread(staging.close)
    for item in ended:
        if isinstance(item, BaseException):
            raise item
    return [item for item in ended if isinstance(item, BatchItem)]


async def _run_one(servers: "Backends", order: "RunOrder", row: _Row, share: "_Share") -> BatchItem:
    from storycore.comfyui.run import Run

    error: dict[str, Any] | None = None
    finished: Finished | None = None
    try:
        finished = await Run(servers, order, share).run()
        if row.wish.shot_id is None:
            settle(row.wish, finished)
        else:  # it writes to the project
            await asyncio.to_thread(settle, row.wish, finished)
    except Cancelled:
        raise
    except StoryCoreError as fault:
        error = fault.as_dict()
    share.end(failed=error is not None)
    files = finished.files if finished and error is None else []
    return BatchItem(
        row=row.number, shot_id=row.wish.shot_id, workflow_id=row.wish.run_id,
        status="completed" if error is None else "failed",
        outcome=finished.judgement.verdict.value if finished and error is None else None, seed=row.seed,
        parameters=dict(row.wish.parameters), output_paths=[str(it.path) for it in files],
        outputs=[entry_of(it) for it in files], error=error,
    )  # fmt: skip


class _Share:
    """The voice of one row: what it says counts as its share of the whole."""

    def __init__(self, voice: Voice, number: int, tally: _Tally) -> None:
        self._number, self._tally, self._fraction = number, tally, 0.0
        self.show, self.stops, self.leaves = voice.show, voice.stops, voice.leaves

    def say(self, step: str, fraction: float) -> None:
        """What is done, and how much of this row is."""
        by, self._fraction = max(0.0, fraction - self._fraction), max(fraction, self._fraction)
        self._tally.further(self._number, by, step)

    def end(self, *, failed: bool) -> None:
        """It has ended."""
        self._tally.end(self._number, left=1.0 - self._fraction, failed=failed)


def _rows(app: App, request: BatchRequest, task_id: str) -> list[_Row]:
    folder = target(app, request.project_path, None)
    given = [name for name in ("csv_path", "rows") if getattr(request, name) is not None]
    if len(given) == 2 or (not given and folder is None):
        raise InvalidInput(
            "A batch needs rows: of a project, of a table, or its own; one kind of them.",
            reason=Reason.MISSING_FIELD,
            details={"missing_fields": ["project_path"]},
        )
    tables = request.rows if request.rows is not None else _from_csv(app, request.csv_path) if given else None
    if (
        folder is None
        and _SHOT not in declared(request.workflow_definition)
        and any(_SHOT in it for it in tables or ())
    ):
        raise InvalidInput(
            "The rows name shots, and no project that has them.",
            reason=Reason.MISSING_FIELD,
            remediation=f"Name the project, or leave the column {_SHOT} out.",
            details={"missing_fields": ["project_path"]},
        )
    rows = _of_project(app, request, folder, tables)
    if not rows:
        raise NotFound(
            f"There are no rows to run{': every shot has a take' if request.missing else ''}.",
            reason=Reason.NOTHING_TO_EXPORT,
            remediation="Choose other shots, or give rows of your own.",
        )
    return [_row(request, folder, task_id, number, facts) for number, facts in enumerate(rows, 1)]


def _row(request: BatchRequest, folder: "Path | None", task_id: str, number: int, facts: Mapping[str, Any]) -> _Row:
    own = dict(facts)
    shot_id = own.get(_SHOT) if folder is not None else None
    if shot_id is not None and _SHOT not in declared(request.workflow_definition):
        del own[_SHOT]  # it says which shot, and is asked for by nobody
    seed = None if request.seed is None else request.seed + number - 1
    seeds = {"seed": seed} if seed is not None and "seed" in declared(request.workflow_definition) else {}
    # A row that was changed before the batch goes on after a crash is another run.
    digest = hashlib.sha256(f"{task_id}/{number}/{json.dumps(own, sort_keys=True)}".encode()).hexdigest()
    wish = Wish(
        run_id=f"workflow_{digest[:12]}", task_id=task_id, definition=request.workflow_definition,
        parameters={**request.parameters, **seeds, **own}, project=folder,
        shot_id=None if shot_id is None else str(shot_id), metadata=request.metadata, priority=request.priority,
        timeout_seconds=request.timeout_seconds, seed=seed,
    )  # fmt: skip
    return _Row(number=number, wish=wish, seed=seed)


def _of_project(
    app: App, request: BatchRequest, folder: "Path | None", tables: Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """Rows with what the shots that they name know; without rows, one for each shot."""
    if folder is None:
        return [dict(row) for row in tables or ()]
    from storycore.project.reader import read_project

    project = read_project(folder, app.settings)
    wanted = tables if tables is not None else [{_SHOT: shot.id} for shot in project.shots]
    rows = []
    for row in wanted:
        shot_id = row.get(_SHOT)
        if shot_id is None:
            rows.append(dict(row))
            continue
        shot = find_shot(project, str(shot_id))
        media = shot.clip or shot.image
        taken = media is not None and media.found and media.source == "take"
        if (request.shots is None or shot.id in request.shots) and not (request.missing and taken):
            rows.append({**of_shot(project, shot, request.workflow_definition), **row})
    return rows


def _from_csv(app: App, path: str | None) -> list[dict[str, Any]]:
    """The rows of a table; empty cells are left out. What a cell is, is said by the input that it goes to."""
    from storycore.comfyui.graph.parameters import Cell

    file = app.places.file(path or "")
    if not file.is_file() or file.stat().st_size > _MOST_CSV_BYTES:
        raise InvalidInput(f"{file.name} is no table that can be read.", reason=Reason.PATH_INVALID)
    try:
        text = file.read_text(encoding="utf-8-sig")
        between = next((mark for mark in ",;\t" if mark in text.partition("\n")[0]), ",")
        table = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=between, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise InvalidInput(
            f"{file.name} can't be read as a table: {fault}",
            reason=Reason.PATH_INVALID,
            remediation="Save it as CSV in UTF-8, and see that every quotation mark is closed.",
        ) from None
    if len(table) > _MOST_ROWS:
        raise InvalidInput(f"{file.name} has more than {_MOST_ROWS} rows.", reason=Reason.OUT_OF_RANGE)
    return [{name: Cell(text) for name, text in row.items() if name and text} for row in table]


def _failed_before(app: App, task_id: str) -> set[int]:
    """The rows of an earlier batch that did not complete."""
    task = app.tasks.records.find(task_id)
    items = (task.result or {}).get("items")
    if not isinstance(items, list):
        raise NotFound("That is no batch that has ended.", reason=Reason.TASK_NOT_FOUND)
    return {item["row"] for item in items if item["status"] == "failed"}
