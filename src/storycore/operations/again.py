"""What a task was asked for: to show it, and to ask for the same again."""

from typing import Any

from pydantic import Field

from storycore.app import App
from storycore.operations.request import Result


class Asked(Result):
    """What a task was asked for."""

    task_id: str
    kind: str = Field(description="Dotted name of the operation.")
    request: dict[str, Any] = Field(description="Its fields, as they were accepted.")
    caller: str = Field(description="Id of the key that asked, or empty.")
    request_id: str = Field(description="Of the call that asked, or empty.")


def asked(app: App, task_id: str) -> Asked:
    """What a task was asked for.

    Raises:
        NotFound: task_not_found.
    """
    task = app.tasks.records.find(task_id)
    return Asked(task_id=task.id, kind=task.kind, request=task.request, caller=task.caller, request_id=task.request_id)
