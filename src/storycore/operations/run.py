"""Find the function of a request and call it."""

import contextlib
from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO, TypeVar, cast

from storycore.app import App
from storycore.loading import load
from storycore.observe.progress import Progress
from storycore.operations.catalog import OPERATIONS, Operation
from storycore.operations.request import Request, Result
from storycore.storage.local import from_system

R = TypeVar("R", bound=Result)


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

    Raises:
        StoryCoreError: whatever the operation refuses or meets.
    """
    operation = operation_of(type(request))
    function: Any = load(operation.function)
    with _system_errors():
        result = function(app, request, progress) if operation.long else function(app, request)
    return cast("R", result)


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
    with _system_errors():
        return cast("R", function(app, request, sink, progress))


@contextlib.contextmanager
def _system_errors() -> Iterator[None]:
    """What the operating system refuses, in our words, wherever in an operation it was met."""
    try:
        yield
    except OSError as fault:
        raise (from_system(fault) or fault) from fault
