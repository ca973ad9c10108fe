"""The overview: what runs, what waits, what needs a hand."""

from storycore.dashboard.page import Answer, Page
from storycore.dashboard.visit import Visit
from storycore.dashboard.words import stands_alone
from storycore.operations.artifact import ArtifactListRequest
from storycore.operations.comfyui_servers import BackendsRequest
from storycore.operations.project import ListEntry, ListRequest
from storycore.operations.task import TaskListRequest
from storycore.operations.webhook import WebhookListRequest

_MOST = 5


def overview(visit: Visit) -> Answer:
    """How everything stands, as far as the visitor may know."""
    data: dict[str, object] = dict.fromkeys(("standing", "running", "failed", "artifacts", "backends", "webhooks"))
    if visit.may("task.list"):
        data["standing"] = visit.core.standing()
        data["running"] = visit.run(TaskListRequest(status="running", limit=20)).items
        data["failed"] = visit.run(TaskListRequest(status="failed", limit=_MOST)).items
    if visit.may("artifact.list"):
        found = visit.run(ArtifactListRequest(limit=4 * _MOST)).items
        data["artifacts"] = [it for it in found if stands_alone(it.media_type)][:_MOST]
    if visit.may("integration.comfyui.backends"):
        data["backends"] = visit.run(BackendsRequest(look=False)).items
    if visit.may("integration.webhook.list"):
        data["webhooks"] = visit.run(WebhookListRequest(limit=200)).items
    data["projects"] = None if visit.asked("live") else _projects(visit)
    return Page(template="overview.html", title="Overview", data=data, live=True)


def _projects(visit: Visit) -> list[ListEntry] | None:
    """A few projects; they are read, so not again each second."""
    return visit.run(ListRequest(limit=_MOST)).items if visit.may("project.list") else None
