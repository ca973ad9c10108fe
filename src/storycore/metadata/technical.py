"""Section `technical`: what was measured, and with which software."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeAlias

import storycore
from storycore.metadata.measure import Depth, MeasuredFile, Measurement
from storycore.project.headers import MediaFacts
from storycore.project.model import MediaKind, Project
from storycore.units import round_half_up, timecode

Section: TypeAlias = dict[str, object]


def technical_section(project: Project, measurement: Measurement) -> Section:
    """Files by role and format, what media measure, the film's frame, and the software that says so."""
    section: Section = {
        "schema_version": project.schema_version,
        "project_shape": project.shape.value,
        "software": {"name": "StoryCore", "version": storycore.__version__},
        "film": film_facts(project),
        "measure": measurement.depth.value,
        "files": _files(measurement.files),
        "inventory": [_entry(entry) for entry in measurement.files],
    }
    if measurement.depth is not Depth.NONE:
        section |= {"formats": _formats(measurement.files), "media": _media(measurement.files)}
    return section


def film_facts(project: Project) -> Section:
    """The film as the project sets it up: frame, rate and length."""
    frames = round_half_up(project.duration * project.frame_rate)
    return {
        "width": project.width,
        "height": project.height,
        "aspect_ratio": str(Fraction(project.width, project.height)).replace("/", ":") if project.height else "",
        "frame_rate": str(project.frame_rate),
        "duration_seconds": float(project.duration),
        "duration_frames": frames,
        "duration_timecode": timecode(project.duration, project.frame_rate),
        "shots": len(project.shots),
    }


def media_facts(facts: MediaFacts) -> Section:
    """What one medium's headers say, without what they leave open."""
    values: Section = {
        "kind": facts.kind.value,
        "width": facts.width,
        "height": facts.height,
        "orientation": facts.orientation if facts.orientation != 1 else None,
        "bit_depth": facts.bit_depth,
        "color": facts.color,
        "duration_seconds": None if facts.duration is None else float(facts.duration),
        "duration_estimated": True if facts.estimated else None,
        "frame_rate": None if facts.frame_rate is None else str(facts.frame_rate),
        "video_codec": facts.video_codec,
        "audio_codec": facts.audio_codec,
        "channels": facts.channels,
        "sample_rate_hz": facts.sample_rate_hz,
    }
    return {name: value for name, value in values.items() if value is not None}


def _entry(entry: MeasuredFile) -> Section:
    found: Section = {"path": entry.file.path, "role": entry.file.role.value, "size_bytes": entry.file.size_bytes}
    if entry.media_type:
        found["media_type"] = entry.media_type
    if entry.facts is not None:
        found |= media_facts(entry.facts)
    if entry.measured.fault:
        found["header_fault"] = entry.measured.fault
    if entry.measured.sha256:
        found["sha256"] = entry.measured.sha256
    return found


def _files(files: Iterable[MeasuredFile]) -> Section:
    listed = list(files)
    return {**_tally(listed), "by_role": _grouped(listed, lambda entry: entry.file.role.value)}


def _formats(files: Iterable[MeasuredFile]) -> Section:
    return _grouped(files, lambda entry: entry.media_type or "unknown")


def _grouped(files: Iterable[MeasuredFile], name: Callable[[MeasuredFile], str]) -> Section:
    groups: dict[str, list[MeasuredFile]] = {}
    for entry in files:
        groups.setdefault(name(entry), []).append(entry)
    return {key: _tally(entries) for key, entries in groups.items()}


def _tally(entries: list[MeasuredFile]) -> Section:
    return {"count": len(entries), "size_bytes": sum(entry.file.size_bytes for entry in entries)}


def _media(files: Iterable[MeasuredFile]) -> Section:
    """Counts, resolutions, codecs and total length for each kind of media."""
    found: Section = {}
    for kind in MediaKind:
        facts = [entry.facts for entry in files if entry.facts is not None and entry.facts.kind is kind]
        if facts:
            found[kind.value] = _kind(facts)
    return found


def _kind(facts: list[MediaFacts]) -> Section:
    sizes = sorted({(one.width, one.height) for one in facts if one.width and one.height})
    codecs = sorted({codec for one in facts for codec in (one.video_codec, one.audio_codec) if codec})
    rates = sorted({one.frame_rate for one in facts if one.frame_rate})
    durations = [one.duration for one in facts if one.duration is not None]
    values: Section = {
        "count": len(facts),
        "resolutions": [f"{width}x{height}" for width, height in sizes],
        "codecs": codecs,
        "frame_rates": [str(rate) for rate in rates],
        "sample_rates_hz": sorted({one.sample_rate_hz for one in facts if one.sample_rate_hz}),
        "duration_seconds": float(sum(durations, Fraction(0))) if durations else None,
    }
    return {name: value for name, value in values.items() if value not in (None, [])}
