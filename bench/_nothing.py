"""An operation that does nothing, so that what is measured is what a task costs by itself."""

from typing import Any

from storycore.operations.request import Request, Result


class NothingResult(Result):
    """Nothing."""


class NothingRequest(Request[NothingResult]):
    """Do nothing."""


def nothing(_app: Any, _request: NothingRequest, _progress: Any) -> NothingResult:
    """Nothing."""
    return NothingResult()
