"""A task: one piece of accepted work, from its acceptance to its end."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

MOST_ATTEMPTS = 3
"""How often a task is tried whose processes die."""


class Status(StrEnum):
    """Where a task stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing happens to it any more."""
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


class Priority(IntEnum):
    """Which waiting task comes first; the higher one."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


def new_task_id() -> str:
    """A name that no other task has."""
    return f"task_{secrets.token_hex(6)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Work to be accepted.

    Attributes:
        kind: which work it is; a dotted operation name.
        request: its fields, without secrets.
        id: name of the task.
        priority: among waiting tasks.
        serial_key: tasks of the same key run one at a time; None for no such bond.
        not_before: earliest start; None for at once.
        most_attempts: how often it is tried when its processes die.
        caller: id of the API key that sent it, or "".
        request_id: of the call that sent it.
        traceparent: W3C trace context of that call, or "".
        parent: id of the task that it is a part of; None for one of its own. Parts are not listed.
        project_path: folder of the film that it is for, absolute; None if it is for none.
        subject: what comes out of it, or what it looks at, in a few words; at most 255 characters.
    """

    kind: str
    request: Mapping[str, Any]
    id: str = field(default_factory=new_task_id)
    priority: Priority = Priority.NORMAL
    serial_key: str | None = None
    not_before: datetime | None = None
    most_attempts: int = MOST_ATTEMPTS
    caller: str = ""
    request_id: str = ""
    traceparent: str = ""
    parent: str | None = None
    project_path: str | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it stands in the database.

    Attributes:
        number: order of acceptance.
        status: where it stands.
        progress: 0.0-1.0; never goes down within an attempt; 1.0 only when the result stands.
        step: what is being done, in the film maker's words.
        attempt: which attempt runs or ran last; 0 before the first.
        owner: process that holds the lease, or None.
        beat: grows while the owner lives.
        cancel_requested: whether the running attempt is to stop.
        files: traces of the running attempt on the disk, see `storage.traces`.
        result: of a completed task.
        error: of a failed or cancelled one, as `StoryCoreError.as_dict` gives it.

    For the others see `Order`.
    """

    number: int
    id: str
    kind: str
    request: dict[str, Any]
    priority: Priority
    serial_key: str | None
    status: Status
    progress: float
    step: str
    attempt: int
    most_attempts: int
    owner: str | None
    beat: int
    not_before: datetime | None
    cancel_requested: bool
    files: Sequence[Sequence[str]]
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    caller: str
    request_id: str
    traceparent: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    parent: str | None = None
    project_path: str | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A finished file that a task made.

    Attributes:
        path: absolute.
        name: what a person would call the file.
        size_bytes: measured.
        sha256: measured, 64 hex digits.
        media_type: IANA.
        id: name of the artifact; "" before it is stored.
        task_id: task that made it; "" before it is stored.
        created_at: when it was stored.
        project_path: folder of the film that its task is for; None before it is stored, or if there is none.
    """

    path: str
    name: str
    size_bytes: int
    sha256: str
    media_type: str
    id: str = ""
    task_id: str = ""
    created_at: datetime | None = None
    project_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished attempt has to show.

    Attributes:
        result: what its operation gives.
        artifacts: files that it made.
        subject: what came out, in a few words, instead of what the task was accepted with; "" leaves that.
    """

    result: dict[str, Any]
    artifacts: Sequence[Artifact] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened to a task.

    Attributes:
        id: grows from one to the next.
        task_id: which task.
        event: accepted, started, progress, offered_again, completed, failed, cancelled.
        data: facts about it.
        created_at: when.
    """

    id: int
    task_id: str
    event: str
    data: dict[str, Any]
    created_at: datetime
