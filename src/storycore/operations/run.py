"""Find the function of a request and call it: here and now, or as a task."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from storycore.app import App
from storycore.errors import Unavailable
from storycore.loading import load
from storycore.observe import tracing
from storycore.observe.progress import Progress
from storycore.operations.catalog import OPERATIONS, Operation
from storycore.operations.request import Request, Result
from storycore.operations.subject import subject_of, subject_of_files
from storycore.storage.local import from_system

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storycore.tasks.task import Outcome, Task
    from storycore.tasks.worker import Work

R = TypeVar("R", bound=Result)
_CREDENTIALS = "application/c2pa"  # they stand beside the file that they are of


@cache
def operation_of(request_type: type[Request[Any]]) -> Operation:
    """The catalogue entry of a request type.

    Raises:
        TypeError: no operation takes this type.
    """
    target = f"{request_type.__module__}:{request_type.__name__}"
    for operation in OPERATIONS:
        if operation.request == target:
            return operation
    raise TypeError(f"no operation takes a {request_type.__name__}")


def run(app: App, request: Request[R], progress: Progress) -> R:
    """The result of a request; `progress` is told of long work and can stop it.

    Long work is kept in the records as a task that this thread does, unless there are no records.

    Raises:
        StoryCoreError: whatever the operation refuses or meets.
    """
    operation = operation_of(type(request))
    if not operation.long or not app.keeps_records:
        return call(app, request, progress)
    from storycore.tasks.task import Order

    check(app, request)
    known = _from_anywhere(app, request)  # it is shown, linked and asked for again wherever the dashboard runs
    request = known if operation.resumes else request
    fields = known.model_dump(mode="json")
    facts = {**task_facts(request), **subject_of(fields, app.places.base), "traceparent": tracing.traceparent()}
    order = Order(kind=operation.name, request=fields, **facts)
    result = app.tasks.run_here(order, partial(call, app, request), outcome, progress, resumes=operation.resumes)
    _tidy(app)
    return result


def _from_anywhere(app: App, request: Request[R]) -> Request[R]:
    """The same request with absolute paths: whoever takes it up may stand in another folder."""
    paths = {
        name: _absolute(app.places.base, value)
        for name in type(request).model_fields
        if name.endswith("_path") and isinstance(value := getattr(request, name), str) and value and "://" not in value
    }
    return request.model_copy(update=paths)


def _absolute(base: Path | None, text: str) -> str:
    try:
        return str(Path((base or Path()) / text).absolute())
    except OSError:  # the current folder is gone: the operation says so, with what to do
        return text


def _tidy(app: App) -> None:
    """Who never runs a server would never forget anything; a look costs next to nothing."""
    from storycore.operations.upkeep import expire

    with contextlib.suppress(Unavailable):
        expire(app, most=1000)


def call(app: App, request: Request[R], progress: Progress) -> R:
    """The result of a request, with no record of it.

    Raises:
        StoryCoreError: whatever the operation refuses or meets.
    """
    operation = operation_of(type(request))
    function: Any = load(operation.function)
    with system_errors():
        result = function(app, request, progress) if operation.long else function(app, request)
    return cast("R", result)


def check(app: App, request: Request[Any]) -> None:
    """Refuses what can be refused before long work is accepted.

    Raises:
        StoryCoreError: what the operation would refuse.
    """
    operation = operation_of(type(request))
    if operation.check:
        with system_errors():
            load(operation.check)(app, request)


def submit(
    app: App,
    request: Request[Any],
    *,
    also: "Callable[[Connection, Task], None] | None" = None,
    stay: bool = False,
    **facts: Any,
) -> "Task":
    """Long work as a task that was checked and accepted: it is on the disk, and will be done whatever dies.

    Args:
        app: with an engine.
        request: of an operation that is long.
        also: writes more in the transaction that accepts it.
        stay: the caller waits for its end anyway, see `TaskQueue.submit`.
        facts: further fields of the `Order`: priority, caller, request_id, ….

    Raises:
        TypeError: the operation is not long.
        StoryCoreError: what the operation refuses beforehand; the database does not answer.
    """
    from storycore.tasks.task import Order

    operation = operation_of(type(request))
    if not operation.long:
        raise TypeError(f"{operation.name} is no task")
    check(app, request)
    fields = request.model_dump(mode="json")
    known = {**task_facts(request), **subject_of(fields, app.places.base), "traceparent": tracing.traceparent()}
    order = Order(kind=operation.name, request=fields, **{**known, **facts})
    return app.tasks.submit(order, also=also, stay=stay)


def task_facts(request: Request[Any]) -> dict[str, Any]:
    """What the operation of a request says of how its tasks are queued: further fields of the `Order`."""
    from storycore.tasks.task import Priority

    operation = operation_of(type(request))
    facts: dict[str, Any] = load(operation.order)(request) if operation.order else {}
    return {**facts, "priority": Priority(facts["priority"])} if "priority" in facts else facts


def kinds(app: App) -> "Mapping[str, Work]":
    """What a worker does for each kind of task."""
    return {operation.name: partial(_work, app, operation) for operation in OPERATIONS if operation.long}


def _work(app: App, operation: Operation, request: Mapping[str, Any], progress: Progress) -> "Outcome":
    request_type: type[Request[Any]] = load(operation.request)
    return outcome(call(app, request_type(**request), progress))


def outcome(result: Result) -> "Outcome":
    """A result as it is kept."""
    from storycore.tasks.task import Artifact, Outcome

    artifacts = [
        Artifact(
            path=made.path,
            name=PurePath(made.path).name,
            size_bytes=made.size_bytes,
            sha256=made.checksum.removeprefix("sha256:"),
            media_type=made.media_type,
        )
        for made in result.artifacts()
    ]
    fields = result.model_dump(mode="json")
    made = [it.path for it in artifacts if it.media_type != _CREDENTIALS]
    folder = fields.get("delivery_path")
    if isinstance(folder, str) and folder:  # it is more to the point than the many files in it
        made = [folder]
    return Outcome(result=fields, artifacts=artifacts, subject=subject_of_files(made))


def stream(app: App, request: Request[R], sink: BinaryIO, progress: Progress) -> R:
    """The result of a request whose product is written to `sink`, which need not seek, instead of to a file.

    Raises:
        TypeError: the operation has no product to stream.
        StoryCoreError: whatever the operation refuses or meets; `sink` may have received a part.
    """
    operation = operation_of(type(request))
    if not operation.stream:
        raise TypeError(f"{operation.name} has nothing to stream")
    function: Any = load(operation.stream)
    with system_errors():
        return cast("R", function(app, request, sink, progress))


@contextlib.contextmanager
def system_errors() -> Iterator[None]:
    """What the operating system refuses, in our words, wherever in an operation it was met."""
    try:
        yield
    except OSError as fault:
        raise (from_system(fault) or fault) from fault
