"""Figures: what was done lately, as far as the database knows."""

from storycore.dashboard.page import Answer, Page
from storycore.dashboard.visit import Visit

SPANS = {"1": "hour", "24": "24 hours", "168": "7 days"}


def figures(visit: Visit) -> Answer:
    """What was done in a time."""
    visit.require("metrics:read")
    hours = visit.query.get("hours", "24")
    hours = hours if hours in SPANS else "24"
    return Page(
        template="figures.html",
        title="Metrics",
        data={"history": visit.core.history(int(hours))},
        more={"spans": SPANS, "hours": hours},
    )
