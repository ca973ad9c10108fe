"""Exports: finished files, how they look and measure, and making new ones."""

from typing import Any

from storycore.dashboard.assets import SLATE
from storycore.dashboard.drawings import no_page, wave
from storycore.dashboard.page import Answer, Go, Handing, Page, Picture
from storycore.dashboard.visit import Visit
from storycore.dashboard.words import figures, has_picture, kind_of, shows
from storycore.errors import InvalidInput, NotFound, Reason, StoryCoreError
from storycore.operations.artifact import (
    ArtifactDownloadRequest,
    ArtifactDownloadResult,
    ArtifactListRequest,
)
from storycore.operations.conversion import FormatRequest
from storycore.operations.film_delivery import DeliverRequest
from storycore.operations.format_fields import format_names
from storycore.operations.package import PackageRequest
from storycore.operations.plan import PlanRequest
from storycore.operations.presets import PresetsRequest, PresetsResult
from storycore.operations.project import ListRequest
from storycore.operations.request import Request
from storycore.operations.task import TaskStatusRequest, TaskStatusResult
from storycore.operations.verification import VerifyRequest

_PDF = "application/pdf"
_SHEETS = 12


def exports(visit: Visit) -> Answer:
    """A page of finished files."""
    found = visit.run(ArtifactListRequest(cursor=visit.asked("cursor")))
    return Page(template="exports.html", title="Exports", data={"artifacts": found}, live=not visit.asked("cursor"))


def export(visit: Visit) -> Answer:
    """One finished file."""
    found = _find(visit)
    task, output = None, None
    if visit.may("task.status"):
        task = visit.run(TaskStatusRequest(task_id=found.task_id))
        output = _output(task, found.path)
    is_there = visit.core.is_there(found.artifact_id)
    shown = shows(found.media_type) if is_there and not found.link else ""  # a page shows nothing of other servers
    return Page(
        template="export.html",
        title=found.name,
        data={"artifact": found, "output": output},
        more={
            "shows": shown,
            "is_there": is_there,
            **(_sheets(visit, found, output or {}) if shown == "pdf" else {}),
            "rows": figures((output or {}).get("quality_metrics") or {}),
            "gates": (output or {}).get("quality_gates") or [],
            "project": _project(visit, found.task_id),
            "is_checked": _is_checked(found, output or {}),
        },
    )


def _is_checked(found: ArtifactDownloadResult, output: dict[str, Any]) -> bool:
    """Whether there is something to verify: a package, or what holds credentials or has some beside."""
    if kind_of(found.media_type, found.name) == "package" or shows(found.media_type) in ("film", "sound", "picture"):
        return True
    return "content_credentials" in (output.get("quality_metrics") or {})


def file(visit: Visit) -> Answer:
    """Its bytes, whole or in part."""
    return Handing(artifact=_find_there(visit))


def waveform(visit: Visit) -> Answer:
    """How a sound looks."""
    found = _find(visit)
    if shows(found.media_type) != "sound":
        raise NotFound("Only sounds have a waveform.", reason=Reason.ARTIFACT_NOT_FOUND)
    levels = visit.core.waveform(found.artifact_id)
    return Picture(content=wave(levels).encode(), media_type="image/svg+xml", seconds=3600 if levels else 60)


def page(visit: Visit) -> Answer:
    """How a page of a PDF looks."""
    found = _find(visit)
    if found.media_type != _PDF:
        raise NotFound("Only PDFs have pages.", reason=Reason.ARTIFACT_NOT_FOUND)
    small = visit.asked("size") == "small"
    drawn = visit.core.page_picture(found.artifact_id, _number(visit, "number"), "small" if small else "large")
    if drawn is None:
        return Picture(content=no_page().encode(), media_type="image/svg+xml", seconds=60)
    return Picture(content=drawn, media_type="image/jpeg", seconds=3600)


def _number(visit: Visit, name: str) -> int:
    told = visit.asked(name) or "1"
    if not (told.isascii() and told.isdigit() and 0 < len(told) < 9 and int(told)):
        raise InvalidInput("There is no such page.", reason=Reason.OUT_OF_RANGE)
    return int(told)


def _sheets(visit: Visit, found: ArtifactDownloadResult, output: dict[str, Any]) -> dict[str, Any]:
    """How many pages a PDF has, the one that is shown large, and those beside it."""
    measured = output.get("quality_metrics") or {}
    count = int(measured.get("pages") or 0) or visit.core.page_count(found.artifact_id)
    at = min(_number(visit, "page"), count) if count else 0
    first = max(1, min(at - _SHEETS // 2, count - _SHEETS + 1))
    sizes = (measured.get("page_size") or {}).get("value") or []
    return {
        "count": count,
        "at": at,
        "sheets": range(first, min(first + _SHEETS, count + 1)),
        "sheet_size": [round(10 * side) for side in sizes[0]] if len(sizes) == 1 else [],  # else a page may jump
    }


def thumbnail(visit: Visit) -> Answer:
    """A small picture of a film, a picture or a PDF's first page; a slate where there can be none."""
    found = _find(visit)
    if not has_picture(found.media_type):
        raise NotFound("Only films, pictures and PDFs are shown small.", reason=Reason.ARTIFACT_NOT_FOUND)
    is_pdf = found.media_type == _PDF
    picture = (
        visit.core.page_picture(found.artifact_id, 1, "small") if is_pdf else visit.core.thumbnail(found.artifact_id)
    )
    if picture is None:
        return Picture(content=SLATE.read_bytes(), media_type="image/svg+xml", seconds=60)
    return Picture(content=picture, media_type="image/jpeg", seconds=86_400)  # it is of bytes that don't change


def pages(visit: Visit) -> Answer:
    """A PDF, shown by the browser."""
    found = _find_there(visit)
    if found.media_type != _PDF:
        raise NotFound("Only PDFs are shown so.", reason=Reason.ARTIFACT_NOT_FOUND)
    return Handing(artifact=found, inline=True)


def verify(visit: Visit) -> Answer:
    """Checks a package down to the last byte, or what vouches for a film, a sound, a picture; as a task."""
    made = visit.submit(VerifyRequest(package_path=_find(visit).path))
    return Go(to=f"/tasks/{made.task_id}", said="submitted")


def new(visit: Visit) -> Answer:
    """A new export: what it would make, before it is made."""
    values = {name: visit.query.get(name, "") for name in ("project", "what")}
    plan, problem = None, None
    if values["project"] and values["what"]:
        try:
            plan = visit.run(PlanRequest(**_wish(values)))
        except StoryCoreError as fault:
            problem = fault.as_dict()
    listed = visit.run(ListRequest(limit=200)).items if visit.may("project.list") else []
    return Page(
        template="new_export.html",
        title="New export",
        data={"plan": plan, "problem": problem},
        more={
            "projects": [it for it in listed if it.error is None],
            "known": _known(visit, values["project"]),
            "formats": format_names(),
            **values,
        },
    )


def make(visit: Visit) -> Answer:
    """Makes an export, as a task."""
    values = {name: visit.sent(name) for name in ("project", "what")}
    wish = _wish(values)
    request: type[Request[Any]] = PackageRequest
    if "template" in wish:
        request = DeliverRequest
    elif len(wish) > 1:
        request = FormatRequest
    made = visit.submit(request(**wish))
    return Go(to=f"/tasks/{made.task_id}", said="submitted")


def _wish(values: dict[str, str]) -> dict[str, Any]:
    """A request from what was chosen: `package`, `preset:`, `format:` or `template:` and its name."""
    kind, _, name = values["what"].partition(":")
    wish: dict[str, Any] = {"project_path": values["project"]}
    if kind in ("preset", "template"):
        wish[kind] = name
    elif kind == "format":
        wish["target_format"] = name
    return wish


def _known(visit: Visit, project: str) -> PresetsResult:
    """The presets and templates there are."""
    if not visit.may("export.presets"):
        return PresetsResult(items=[])
    try:
        return visit.run(PresetsRequest(project_path=project or None))
    except StoryCoreError:  # of a project that can't be read; ours are there all the same
        return visit.run(PresetsRequest())


def _find(visit: Visit) -> ArtifactDownloadResult:
    return visit.run(ArtifactDownloadRequest(artifact_id=visit.names["artifact_id"]))


def _find_there(visit: Visit) -> ArtifactDownloadResult:
    """One whose file is there: to people it is said on a page if it is not."""
    found = _find(visit)
    if not visit.core.is_there(found.artifact_id):
        raise NotFound("The file is not there any more as it was made.", reason=Reason.ARTIFACT_NOT_FOUND)
    return found


def _output(task: TaskStatusResult, path: str) -> dict[str, Any] | None:
    """What the task tells of this file."""
    result = task.result or {}
    found = next((one for one in result.get("outputs") or () if one.get("output_path") == path), None)
    if found is None and result.get("export_path") == path:
        return {name: value for name, value in result.items() if name not in ("files", "manifest")}
    return found


def _project(visit: Visit, task_id: str) -> str:
    if not visit.may("task.status"):
        return ""
    return str(visit.core.asked(task_id).request.get("project_path") or "")
