"""A production report as the data that its template reads: the film, its quality checks, what was delivered. Pure."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storycore.exports.documents.letters import Letters
from storycore.metadata.disclosure import disclose
from storycore.project.model import Project, QAReport
from storycore.units import human_bytes

_MOST = 500
_LONGEST = 28
"""Letters of one word in the narrowest column of words."""
_LONGEST_VALUE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverable:
    """A file that was made of the film.

    Attributes:
        name: of the file, or its path in exports/.
        format: its name, or media type.
        size_bytes: all of it.
        sha256: 64 hex digits, "" if it was not read whole.
        metrics: what was measured in it, as results tell it.
        gates: what was asked of it, in words, and whether it holds.
    """

    name: str
    format: str
    size_bytes: int
    sha256: str
    metrics: Mapping[str, Any]
    gates: Sequence[tuple[str, bool]] = ()


def report(project: Project, deliverables: Sequence[Deliverable], letters: Letters) -> dict[str, Any]:
    """What is in the report.

    Args:
        project: as read.
        deliverables: in the order in which they are told.
        letters: that can be printed.
    """

    def words(text: str) -> str:
        return letters.printable(text[:2000], longest_word=_LONGEST)

    newest = project.qa_reports[0] if project.qa_reports else None
    return {
        "about": [[name, words(value)] for name, value in _about(project) if value],
        "missing": [words(path) for path in project.missing[:_MOST]],
        "more_missing": max(0, len(project.missing) - _MOST),
        "remarks": [[words(message), count] for message, count in _remarks(project)],
        "quality": None if newest is None else _quality(newest, words),
        "earlier": [[words(it.id), _verdict(it)] for it in project.qa_reports[1:21]],
        "deliverables": [
            {
                "name": words(it.name),
                "format": words(it.format),
                "size": human_bytes(it.size_bytes),
                "exact": f"{it.size_bytes:,} bytes",
                "sha256": it.sha256,
                "results": [[words(cell) for cell in row] for row in (*_results(it.metrics), *_asked(it.gates))],
            }
            for it in deliverables
        ],
    }


def _about(project: Project) -> Iterator[tuple[str, str]]:
    found = disclose(project)
    yield "Project", project.name
    yield "Id", project.id
    yield "Created", _when(project.created)
    yield "Changed", _when(project.updated)
    yield "Scenes", ", ".join(scene.title for scene in project.scenes[:50])
    yield "Characters", ", ".join(character.name for character in project.characters[:50])
    yield "AI-generated", f"{len(found.generated)} of {len(project.shots)} shots, as recorded" if project.shots else ""
    yield "Models", ", ".join(found.models)


def _when(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _remarks(project: Project) -> list[tuple[str, int]]:
    """What is odd about the project; what it says of many places is told once, with their count."""
    return Counter(f"{it.file}: {it.message}" if it.file else it.message for it in project.warnings).most_common(_MOST)


def _quality(it: QAReport, words: Any) -> dict[str, Any]:
    return {
        "id": words(it.id),
        "file": words(it.file),
        "made": _when(it.instant),
        "verdict": _verdict(it),
        "categories": [[words(name.replace("_", " ").capitalize()), _share(score)] for name, score in
                       list(it.categories.items())[:_MOST]],
        "issues": [
            [words(name.replace("_", " ")) for name in (issue.severity, issue.category)]
            + [words(_joined(issue.title, issue.description))]
            for issue in it.issues[:_MOST]
        ],
        "more_issues": max(0, len(it.issues) - _MOST),
    }  # fmt: skip


def _joined(title: str, description: str) -> str:
    return f"{title}. {description}" if title and description else title or description


def _verdict(it: QAReport) -> str:
    told = {True: "passed", False: "not passed", None: "no verdict"}[it.passed]
    if it.score is None:
        return told
    return f"{told}, {_share(it.score)} ({it.original_score:g} of {it.scale:g})"


def _share(score: float) -> str:
    return f"{score:.0%}"


def _results(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Figure, value with unit and target, verdict; lists of many values are left to the result itself."""
    for name, told in metrics.items():
        value, unit, target, verdict = told, "", None, ""
        if isinstance(told, Mapping):
            value, unit = told.get("value"), str(told.get("unit", ""))
            target, verdict = told.get("target"), str(told.get("verdict", ""))
        text = _value(value)
        if not text:
            continue
        wanted = f" (target {_value(target)})" if target is not None and _value(target) else ""
        yield name.replace("_", " ").capitalize(), f"{text} {unit}".rstrip() + wanted, verdict


def _asked(gates: Sequence[tuple[str, bool]]) -> Iterator[tuple[str, str, str]]:
    for message, passed in gates:
        yield "Asked of it", message[:1].upper() + message[1:], "passed" if passed else "not passed"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        plain = all(isinstance(item, (str, int, float)) for item in value)
        return ", ".join(map(_value, value)) if value and plain and len(value) <= 12 else ""
    if isinstance(value, Mapping):
        return json.dumps(dict(value), ensure_ascii=False)[:_LONGEST_VALUE]
    return f"{value:g}" if isinstance(value, float) else str(value if value is not None else "")[:_LONGEST_VALUE]
