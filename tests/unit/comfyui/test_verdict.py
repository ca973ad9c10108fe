"""How runs count, and which are worth another try."""

import pytest

from storycore.comfyui.follow import Fate, Way
from storycore.comfyui.look import Where
from storycore.comfyui.verdict import Failure, Retry, Verdict, judge, retry_for
from storycore.comfyui.wire import End, Ended, NodeFault

OUTPUTS = ["3"]


def ended(end, *, outputs=None, exception="", node_type="KSampler"):
    fault = NodeFault(node_id="2", node_type=node_type, exception=exception, message="m") if exception else None
    return Fate(way=Way.ENDED, ended=Ended(end=end, outputs=outputs or {}, fault=fault))


@pytest.mark.parametrize(
    ("fate", "verdict"),
    [
        (ended(End.SUCCESS, outputs={"3": {"images": [{}]}}), Verdict.COMPLETED),
        (ended(End.SUCCESS), Verdict.COMPLETED_WITH_BLOCKED),
        (ended(End.ERROR, exception="ValueError"), Verdict.FAILED),
        (ended(End.INTERRUPTED), Verdict.CANCELLED_EXTERNALLY),
        (Fate(way=Way.STOPPED), Verdict.CANCELLED),
        (Fate(way=Way.TIMED_OUT), Verdict.TIMED_OUT),
        (Fate(way=Way.TIMED_OUT, away=True), Verdict.LOST),
        (Fate(way=Way.AWAY), Verdict.LOST),
        (Fate(way=Way.GONE, seen=Where.RUNNING), Verdict.LOST),
        (Fate(way=Way.GONE, seen=Where.QUEUED, broken=True), Verdict.LOST),
        (Fate(way=Way.GONE, seen=Where.QUEUED), Verdict.CANCELLED_EXTERNALLY),
    ],
)
def test_every_way_to_the_end_has_its_verdict(fate, verdict):
    assert judge(fate, outputs=OUTPUTS, partners=()).verdict is verdict


@pytest.mark.parametrize(
    ("exception", "node_type", "failure"),
    [
        ("torch.OutOfMemoryError", "KSampler", Failure.OOM),
        ("ValueError", "KSampler", Failure.NODE_ERROR),
        ("LocalNetworkError", "PaidNode", Failure.PARTNER_NODE),
    ],
)
def test_failures_have_classes(exception, node_type, failure):
    fate = ended(End.ERROR, exception=exception, node_type=node_type)
    assert judge(fate, outputs=OUTPUTS, partners=["PaidNode"]).failure is failure


LOST = judge(Fate(way=Way.AWAY), outputs=(), partners=())
OOM = judge(ended(End.ERROR, exception="torch.OutOfMemoryError"), outputs=(), partners=())
BROKEN = judge(ended(End.ERROR, exception="ValueError"), outputs=(), partners=())


@pytest.mark.parametrize(
    ("judgement", "facts", "retry"),
    [
        (LOST, {}, Retry.LOST),
        (LOST, {"resubmit": False}, None),
        (LOST, {"tried": ["lost"]}, None),
        (OOM, {}, Retry.OOM),
        (OOM, {"tried": ["oom"]}, None),
        (OOM, {"tried": ["lost"]}, Retry.OOM),
        (BROKEN, {}, None),
        (LOST, {"partners": ["PaidNode"]}, None),
        (OOM, {"partners": ["PaidNode"]}, None),
    ],
)
def test_another_try_is_made_once_and_never_where_it_costs_money(judgement, facts, retry):
    assert retry_for(judgement, **{"tried": (), "partners": (), "resubmit": True, **facts}) is retry
