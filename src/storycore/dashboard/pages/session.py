"""Signing in with a key, and out."""

import re

from storycore.dashboard.page import Answer, Go, Page
from storycore.dashboard.visit import Visit
from storycore.errors import NotAuthenticated

_INSIDE = re.compile(r"/(?![/\\])[^\\\x00-\x1f\x7f]{0,2000}")


def sign_in(visit: Visit) -> Answer:
    """Where a key is shown."""
    problem = "This key does not open anything any more." if visit.asked("again") else ""
    return _page(_back(visit.query.get("next", "")), problem)


def enter(visit: Visit) -> Answer:
    """Keeps the key in a cookie that no script can read and no other site can send."""
    back, secret = _back(visit.sent("next")), visit.sent("key")
    try:
        visit.core.authenticate(secret)
    except NotAuthenticated:
        return _page(back, "This key does not open anything. Look for typing errors, or make another one.", 401)
    return Go(to=back, cookie=secret)


def sign_out(_visit: Visit) -> Answer:
    """Forgets the key."""
    return Go(to="/sign-in", said="signed-out", cookie="")


def _page(back: str, problem: str, status: int = 200) -> Page:
    return Page(template="sign_in.html", title="Sign in", more={"back": back, "problem": problem}, status=status)


def _back(wanted: str) -> str:
    """A page of ours to go back to."""
    return wanted if _INSIDE.fullmatch(wanted) else "/"
