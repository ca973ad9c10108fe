"""How a run counts, and whether it is worth another try. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from storycore.comfyui.follow import Fate, Way
from storycore.comfyui.look import Where
from storycore.comfyui.wire import End, Ended, NodeFault


class Verdict(StrEnum):
    """How a run counts."""

    COMPLETED = "completed"
    COMPLETED_WITH_BLOCKED = "completed_with_blocked"
    """It ended well, but nodes that should put something out were kept from running."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    CANCELLED_EXTERNALLY = "cancelled_externally"
    """Somebody else stopped it at the server."""
    LOST = "lost"
    """The server died, and the run with it."""
    TIMED_OUT = "timed_out"


class Failure(StrEnum):
    """Why a run failed."""

    NODE_ERROR = "node_error"
    OOM = "oom"
    MISSING_NODE = "missing_node"
    MISSING_MODEL = "missing_model"
    BAD_INPUT = "bad_input"
    PARTNER_NODE = "partner_node"


class Retry(StrEnum):
    """What another try is for; each is made once."""

    LOST = "lost"
    OOM = "oom"
    KEPT_FILE_GONE = "kept_file_gone"
    """The server named a file that it had made before, and that is not there any more."""


RETRIES: Final = frozenset({Retry.OOM, Retry.KEPT_FILE_GONE})
"""Tries that are a new prompt to the server; one that was lost is the same prompt again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a run counts.

    Attributes:
        verdict: in a word.
        failure: why it failed, if it did.
        fault: the node that failed, if one did.
        blocked: output nodes that put nothing out, though the run ended well.
        outputs: node id → what it put out; also what was made before a failure.
    """

    verdict: Verdict
    failure: Failure | None = None
    fault: NodeFault | None = None
    blocked: tuple[str, ...] = ()
    outputs: Mapping[str, Any]

    @property
    def is_good(self) -> bool:
        """Whether it completed."""
        return self.verdict in (Verdict.COMPLETED, Verdict.COMPLETED_WITH_BLOCKED)


def judge(fate: Fate, *, outputs: Collection[str], partners: Collection[str]) -> Judgement:
    """How a run counts.

    Args:
        fate: where it led.
        outputs: ids of its output nodes.
        partners: the node classes in it that call paid services.
    """
    if fate.ended is not None:
        return _judge_ended(fate.ended, fate.blocked, outputs, partners)
    verdict = Verdict.LOST
    if fate.way is Way.STOPPED:
        verdict = Verdict.CANCELLED
    elif fate.way is Way.TIMED_OUT and not fate.away:
        verdict = Verdict.TIMED_OUT
    elif fate.way is Way.GONE and not fate.broken and fate.seen is not Where.RUNNING:
        # The server lives on, so it did not forget it: a waiting run is taken out of the queue without a trace.
        verdict = Verdict.CANCELLED_EXTERNALLY
    return Judgement(verdict=verdict, outputs={})


def retry_for(
    judgement: Judgement, *, tried: Collection[str], partners: Collection[str], resubmit: bool
) -> Retry | None:
    """What another try is worth making for; None if none is.

    Args:
        judgement: of the try before.
        tried: what tries were made for already.
        partners: the node classes in it that call paid services; a run with any is never tried again.
        resubmit: whether a run that was lost may be tried again.
    """
    if partners:
        return None
    wanted = None
    if judgement.verdict is Verdict.LOST and resubmit:
        wanted = Retry.LOST
    elif judgement.failure is Failure.OOM:
        wanted = Retry.OOM
    return None if wanted in tried else wanted


def _judge_ended(
    ended: Ended, blocked: tuple[str, ...], outputs: Collection[str], partners: Collection[str]
) -> Judgement:
    if ended.end is End.SUCCESS:
        # By silence, not only by what was heard: the history tells nothing of blocked nodes.
        silent = [node for node in outputs if not ended.outputs.get(node)]
        kept = tuple(dict.fromkeys((*blocked, *silent)))
        verdict = Verdict.COMPLETED_WITH_BLOCKED if kept else Verdict.COMPLETED
        return Judgement(verdict=verdict, blocked=kept, outputs=ended.outputs)
    if ended.end is End.INTERRUPTED:
        return Judgement(verdict=Verdict.CANCELLED_EXTERNALLY, outputs=ended.outputs)
    fault = ended.fault
    failure = Failure.NODE_ERROR
    if fault and fault.is_out_of_memory:
        failure = Failure.OOM
    elif fault and fault.node_type in partners:
        failure = Failure.PARTNER_NODE
    return Judgement(verdict=Verdict.FAILED, failure=failure, fault=fault, outputs=ended.outputs)
