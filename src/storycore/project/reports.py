"""QA reports of a project: two shapes, four places, three scales; one form."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from storycore.project.draft import MOST_ITEMS, Notes
from storycore.project.fields import read_instant, read_number
from storycore.project.folder import ProjectFolder
from storycore.project.model import QAIssue, QAReport

_PLACES = (("", "qa_report*.json"), ("qa_output", "*.json"), ("qa_reports", "*.json"), ("assets/metadata", "*.json"))
_MOST_FILES = 1_000
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


def read_reports(folder: ProjectFolder, notes: Notes) -> tuple[QAReport, ...]:
    """The QA reports in the project's folder, qa_output/, qa_reports/ and assets/metadata/, newest first."""
    reports = []
    for path in _paths(folder):
        value = folder.load(path)
        if isinstance(value, dict) and _is_report(value, path):
            reports.append(read_report(value, path, notes))
    return in_order(reports)


def in_order(reports: list[QAReport]) -> tuple[QAReport, ...]:
    """Newest first, those without a date at the end."""
    by_name = sorted(reports, key=lambda report: (report.file, report.id))
    return tuple(sorted(by_name, key=lambda report: report.instant or _EARLIEST, reverse=True))


def _is_report(value: Mapping[str, Any], path: str) -> bool:
    """Whether a JSON object is a QA report and not one of the extracts that stand beside it."""
    named = any(isinstance(value.get(name), str) for name in ("qa_report_id", "report_id", "reportId"))
    scored = any(name in value for name in ("overall_score", "overallScore", "overall_quality"))
    return scored and (named or fnmatchcase(path.rsplit("/", maxsplit=1)[-1].lower(), "qa_report*.json"))


def read_report(value: Mapping[str, Any], file: str, notes: Notes) -> QAReport:
    """A report in one form: scores 0.0-1.0, words in lower case without the name of their enumeration."""
    name, scale = _scale(value)
    original = read_number(value.get(name))
    return QAReport(
        id=_text(value, "qa_report_id", "report_id", "reportId") or file,
        file=file,
        instant=read_instant(
            next((value[key] for key in ("timestamp", "created_at", "createdAt") if key in value), None)
        ),
        score=_share(original, scale, file, f"/{name}", notes),
        original_score=None if original is None else float(original),
        scale=float(scale),
        passed=value["passed"] if isinstance(value.get("passed"), bool) else None,
        categories=_categories(value, scale, file, notes),
        issues=tuple(_issues(value)),
    )


def _paths(folder: ProjectFolder) -> Iterator[str]:
    for place, pattern in _PLACES:
        names = (name for name in folder.names(place) if fnmatchcase(name.lower(), pattern))
        for name in islice(names, _MOST_FILES):
            yield f"{place}/{name}" if place else name


def _scale(value: Mapping[str, Any]) -> tuple[str, int]:
    """Name of the score and the highest one: 5 in both shapes of files, 100 in the interface, 1 in the API."""
    if "overall_score" in value:
        return "overall_score", 5
    if "overallScore" in value:
        return "overallScore", 100
    return "overall_quality", 1


def _share(score: Any, scale: Any, file: str, pointer: str, notes: Notes) -> float | None:
    if score is None:
        return None
    share = score / scale
    if not 0 <= share <= 1:
        notes.warn(file, pointer, "out_of_range", f"A score of {float(score):g} does not fit the scale 0-{scale}.")
        return None
    return float(round(share, 12))


def _categories(value: Mapping[str, Any], scale: int, file: str, notes: Notes) -> dict[str, float]:
    found = {}
    for key in ("category_metrics", "categories"):
        metrics = value.get(key)
        for name, metric in islice(metrics.items(), MOST_ITEMS) if isinstance(metrics, Mapping) else ():
            facts = metric if isinstance(metric, Mapping) else {"score": metric}
            most = read_number(facts.get("max_score"))
            share = _share(
                read_number(facts.get("score")), most if most and most > 0 else scale, file, f"/{key}", notes
            )
            if share is not None:
                found[str(name)] = share
    return found


def _issues(value: Mapping[str, Any]) -> Iterator[QAIssue]:
    issues = value.get("issues")
    for place, issue in enumerate(islice(issues, MOST_ITEMS) if isinstance(issues, list) else (), start=1):
        facts = issue if isinstance(issue, Mapping) else {"title": issue if isinstance(issue, str) else ""}
        yield QAIssue(
            id=_text(facts, "issue_id", "id") or f"issue_{place}",
            severity=_word(_text(facts, "severity", "level")),
            category=_word(_text(facts, "category", "type")),
            title=_text(facts, "title", "message", "issue"),
            description=_text(facts, "description", "details", "suggested_fix"),
        )


def _text(value: Mapping[str, Any], *names: str) -> str:
    return next((value[name].strip() for name in names if isinstance(value.get(name), str) and value[name].strip()), "")


def _word(text: str) -> str:
    return text.rsplit(".", maxsplit=1)[-1].lower()
