"""Section `qa_reports`: what quality checks said, on one scale."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storycore import json_text
from storycore.metadata.creative import present
from storycore.metadata.technical import Section
from storycore.project.content import open_regular
from storycore.project.model import Project, QAReport
from storycore.project.paths import inside
from storycore.settings import Settings
from storycore.units import iso

_MOST_FIXES = 1000


def quality_section(project: Project, settings: Settings) -> Section:
    """The newest report's verdict on top, then every report; scores are 0.0-1.0 with the original beside them.

    `autofix_applied` counts the automatic corrections that the newest report calls successful; one that it marks as
    a mock was never made and does not count.
    """
    reports = [_report(project.folder, report, settings) for report in project.qa_reports]
    newest = project.qa_reports[0] if project.qa_reports else None
    return {
        "overall_quality": newest.score if newest else None,
        "passed": newest.passed if newest else None,
        "issues_found": len(newest.issues) if newest else 0,
        "autofix_applied": reports[0]["autofix_applied"] if reports else 0,
        "reports": reports,
    }


def _report(folder: Path, report: QAReport, settings: Settings) -> Section:
    fixes = _fixes(folder, report, settings)
    return {
        "id": report.id,
        "file": report.file,
        **present({"made_at": report.instant and iso(report.instant)}),
        "score": report.score,
        "original_score": report.original_score,
        "original_scale": report.scale,
        "passed": report.passed,
        "categories": dict(report.categories),
        "issues": [
            present(
                {
                    "id": issue.id,
                    "severity": issue.severity,
                    "category": issue.category,
                    "title": issue.title,
                    "description": issue.description,
                }
            )
            for issue in report.issues
        ],
        "autofix_applied": sum(fix.get("success") is True and "simulated" not in fix for fix in fixes),
        **present({"autofix": fixes}),
    }


def _fixes(folder: Path, report: QAReport, settings: Settings) -> list[Section]:
    """The automatic corrections that a report of the second shape lists; the project's model does not hold them."""
    path = inside(folder, report.file)
    if path is None:
        return []
    try:
        with open_regular(path) as file:
            data = file.read(settings.max_project_json_bytes + 1)
        if len(data) > settings.max_project_json_bytes:
            return []
        value = json_text.read(data, max_depth=settings.max_json_depth).value
    except (OSError, json_text.BadJson):
        return []
    listed = value.get("autofix_results") if isinstance(value, Mapping) else None
    entries = listed[:_MOST_FIXES] if isinstance(listed, list) else []
    return [_fix(entry) for entry in entries if isinstance(entry, Mapping)]


def _fix(entry: Mapping[str, Any]) -> Section:
    details, facts = entry.get("details"), entry.get("metadata")
    return present(
        {
            "issue_id": entry.get("issue_id") if isinstance(entry.get("issue_id"), str) else "",
            "action": _word(entry.get("action")),
            "success": entry["success"] if isinstance(entry.get("success"), bool) else None,
            "simulated": True if isinstance(facts, Mapping) and facts.get("mock_mode") is True else None,
            "details": details if isinstance(details, str) else "",
        }
    )


def _word(value: Any) -> str:
    """An enumeration's value as it was serialised, `AutofixAction.ADJUST_PARAMETERS`, in lower case and alone."""
    return value.rsplit(".", maxsplit=1)[-1].lower() if isinstance(value, str) else ""
