"""Projects: those in the folders that may be read, and each with its storyboard and its timeline."""

from storycore.dashboard.assets import SLATE
from storycore.dashboard.drawings import lanes, timeline
from storycore.dashboard.page import Answer, Page, Picture
from storycore.dashboard.visit import Visit
from storycore.dashboard.words import stands_alone
from storycore.errors import InvalidInput, Reason
from storycore.operations.artifact import ArtifactEntry, ArtifactListRequest
from storycore.operations.project import InspectRequest, InspectResult, ListRequest

_MOST_FILES = 12


def projects(visit: Visit) -> Answer:
    """A page of projects."""
    found = visit.run(ListRequest(folder=visit.asked("folder"), cursor=visit.asked("cursor")))
    return Page(
        template="projects.html",
        title="Projects",
        data={"projects": found},
        more={"roots": [str(root) for root in visit.core.roots]},
    )


def project(visit: Visit) -> Answer:
    """One project."""
    found = visit.run(InspectRequest(project_path=_path(visit)))
    return Page(
        template="project.html",
        title=found.title,
        data={"project": found, "exports": _exports(visit, found)},
        more={"blocks": timeline(found.shots), "lanes": lanes(found.sounds, found.duration_seconds)},
    )


def shot_picture(visit: Visit) -> Answer:
    """The small picture of a shot."""
    visit.require("projects:read")
    number = visit.query.get("number", "")
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        raise InvalidInput("Which shot is not told.", reason=Reason.OUT_OF_RANGE)
    found = visit.core.shot_picture(_path(visit), int(number))
    if found is None:
        return Picture(content=SLATE.read_bytes(), media_type="image/svg+xml", seconds=60)
    return Picture(content=found, media_type="image/jpeg", seconds=60)


def _path(visit: Visit) -> str:
    return visit.query.get("path", "")


def _exports(visit: Visit, project: InspectResult) -> list[ArtifactEntry]:
    """The newest files that were made of it, wherever they stand, of the newest of all."""
    if not visit.may("artifact.list"):
        return []
    newest = visit.run(ArtifactListRequest(limit=200)).items
    of_it = [one for one in newest if _same(one.project_path or "", project.project_path)]
    return [one for one in of_it if stands_alone(one.media_type)][:_MOST_FILES]


def _same(path: str, other: str) -> bool:
    return path.rstrip("/\\") == other.rstrip("/\\")
