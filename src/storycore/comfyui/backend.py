"""A ComfyUI server that is known, as it stood when it was last looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from storycore.comfyui.address import Address

MOST_IN_FLIGHT: Final = 2
"""Prompts that one server is given at a time: the second hides the gap after the first, more would only take the
order out of our hands."""


class Status(StrEnum):
    """Whether a server takes work."""

    UP = "up"
    DOWN = "down"
    DRAINING = "draining"
    """It is given nothing new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One server.

    Attributes:
        id: name of it here.
        address: where it is.
        status: when it was last looked at.
        facts: version, devices and what else it told of itself.
        latency_ms: of the last look; None before the first.
        queue_remaining: prompts that waited or ran there; None before the first look.
        error: why it is down; "" if it is not.
        crashes: how often it died under a run since one ended well.
        quarantined_until: it is given nothing before then; None for no such bond.
        checked_at: when it was last looked at.
        in_flight: prompts of ours that it has.
    """

    id: str
    address: Address
    status: Status
    facts: Mapping[str, Any] = field(default_factory=dict)
    latency_ms: float | None = None
    queue_remaining: int | None = None
    error: str = ""
    crashes: int = 0
    quarantined_until: datetime | None = None
    checked_at: datetime | None = None
    in_flight: int = 0

    @property
    def version(self) -> str:
        """Of ComfyUI; "" if it does not tell."""
        return str(self.facts.get("version") or "")

    @property
    def vram_total_bytes(self) -> int:
        """Memory of its largest device; 0 if it does not tell."""
        return int(self.facts.get("vram_total_bytes") or 0)

    def takes_work(self, instant: datetime) -> bool:
        """Whether it is to be given anything now."""
        return self.status is Status.UP and (self.quarantined_until is None or self.quarantined_until <= instant)


def preferred(backends: list[Backend]) -> list[Backend]:
    """Backends in the order in which they are to be tried: the least busy first, then the quickest to answer."""
    return sorted(backends, key=lambda it: (it.in_flight, it.queue_remaining or 0, it.latency_ms or 0.0, it.id))
