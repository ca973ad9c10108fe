"""Events: what happened, as others are told of it."""

import re

from storycore.dashboard.page import Answer, Page
from storycore.dashboard.visit import Visit
from storycore.errors import InvalidInput, Reason
from storycore.events import TYPES
from storycore.operations.catalog import find

_CURSOR = re.compile(r"c[0-9]{1,18}")


def events(visit: Visit) -> Answer:
    """A page of events, the newest first."""
    operation = find("storycore.event.list")
    assert operation is not None  # noqa: S101 - it is of the catalogue
    visit.require(operation.scope)
    chosen, cursor = visit.asked("type"), visit.asked("cursor")
    groups = sorted({f"{kind.split('.')[0]}.*" for kind in TYPES if not kind.endswith((".generated", ".rendered"))})
    if chosen and chosen not in (*TYPES, *groups):
        raise InvalidInput(f"There is no event {chosen}.", reason=Reason.UNKNOWN_VALUE)
    if cursor and not _CURSOR.fullmatch(cursor):
        raise InvalidInput("This page of the list is none.", reason=Reason.OUT_OF_RANGE)
    return Page(
        template="events.html",
        title="Events",
        data={"events": visit.core.newest_events(types=[chosen] if chosen else None, cursor=cursor)},
        more={"kinds": tuple(TYPES), "groups": groups},
        live=cursor is None,
    )
