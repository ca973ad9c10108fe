"""Tasks as callers see them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from storycore.operations.task import told
from storycore.tasks.task import Priority, Status, Task
from storycore.units import now


@pytest.fixture
def running():
    begun = now() - timedelta(seconds=30)
    return Task(
        number=1, id="task_1", kind="storycore.export.format", request={}, priority=Priority.NORMAL, serial_key=None,
        status=Status.RUNNING, progress=0.25, step="rendering", attempt=1, most_attempts=3, owner="me", beat=0,
        not_before=None, cancel_requested=False, files=[], result=None, error=None, caller="", request_id="",
        traceparent="", created_at=begun, updated_at=begun, started_at=begun, finished_at=None,
    )  # fmt: skip


def test_a_running_task_tells_about_how_long_it_still_takes(running):
    assert told(running).seconds_left == pytest.approx(90, rel=0.2)


@pytest.mark.parametrize(
    "facts", [{"progress": 0.01}, {"progress": 1.0}, {"status": Status.COMPLETED}, {"started_at": None}]
)
def test_where_little_is_known_no_time_left_is_told(running, facts):
    assert told(replace(running, **facts)).seconds_left is None
