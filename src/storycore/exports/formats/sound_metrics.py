"""What was measured in a finished sound, in the words of `quality_metrics`."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from storycore.project.model import ProjectWarning
from storycore.rendering import loudness
from storycore.rendering.master import Goal
from storycore.rendering.measure_sound import SILENT_DBFS, SILENT_SECONDS, SoundFacts

_DECODED = "decoded (ffmpeg), counted"
_TOLERANCE_LU = 0.3
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


def sound_metrics(facts: SoundFacts, goal: Goal, duration: Fraction) -> dict[str, Any]:
    """The keys that callers know, then each further figure as `{value, unit, method, target?, verdict?}`.

    Args:
        facts: read back from the file.
        goal: what it was to have.
        duration: of the film, in seconds.
    """
    headers = facts.headers
    return {
        "sample_rate": f"{headers.sample_rate_hz or facts.rate_hz}Hz",
        "bit_depth": headers.bit_depth,
        "channels": _LAYOUTS.get(facts.channels, str(facts.channels)),
        "codec": headers.audio_codec,
        **measured_sound(facts, goal, duration),
    }


def measured_sound(facts: SoundFacts, goal: Goal, duration: Fraction) -> dict[str, Any]:
    """The figures alone, as above; for the sound of a film too."""
    loud = facts.loudness
    return {
        "audio_duration": metric(
            round(float(facts.duration), 6), "s", _DECODED, target=round(float(duration), 6),
            verdict=_length_verdict(facts, duration),
        ),
        "integrated_loudness": metric(
            loud.integrated_lufs, "LUFS", loudness.METHOD, target=goal.loudness_lufs,
            verdict=_loudness_verdict(loud.integrated_lufs, goal.loudness_lufs),
        ),
        "loudness_range": metric(loud.range_lu, "LU", loudness.METHOD),
        "true_peak": metric(
            loud.true_peak_dbtp, "dBTP", loudness.METHOD, target=goal.ceiling_dbtp,
            verdict=_peak_verdict(loud.true_peak_dbtp, goal.ceiling_dbtp),
        ),
        "clipping": metric(
            facts.clipped, "places", "three samples or more in a row at full scale", target=0,
            verdict="none" if not facts.clipped else f"clipped at {facts.clipped} places",
        ),
        "silent_stretches": metric(
            [[float(begin), float(end)] for begin, end in facts.silences], "s",
            f"peaks below {SILENT_DBFS:g} dBFS for {SILENT_SECONDS} s or more",
        ),
    }  # fmt: skip


def loudness_warnings(figures: Mapping[str, Any]) -> tuple[ProjectWarning, ...]:
    """That the sound is not as loud as was asked for, if it is not; a silent one is told of by itself.

    Args:
        figures: as `measured_sound` gives them; none where there is no sound.
    """
    told = figures.get("integrated_loudness", {})
    if told.get("value") is None or told.get("verdict", "within target") == "within target":
        return ()
    message = f"The sound has {told['value']:g} LUFS, {told['verdict']} for loudness_lufs ({told['target']:g})."
    if told["value"] < told["target"]:
        message += (
            " Its peaks stand in the way: more gain would flatten them. A lower loudness_lufs, or dynamic, helps."
        )
    return (ProjectWarning(file="project.json", pointer="", reason="loudness_missed", message=message),)


def metric(value: Any, unit: str, method: str, *, target: Any = None, verdict: str = "") -> Mapping[str, Any]:
    """One figure; target and verdict only where there are any."""
    found: dict[str, Any] = {"value": value, "unit": unit, "method": method}
    if target is not None:
        found["target"] = target
    if verdict:
        found["verdict"] = verdict
    return found


def _length_verdict(facts: SoundFacts, duration: Fraction) -> str:
    off = facts.duration - duration
    if abs(off) * facts.rate_hz <= 1:
        return "within target"
    return f"{abs(float(off)) * 1000:.1f} ms too {'long' if off > 0 else 'short'}"


def _loudness_verdict(value: float | None, target: float | None) -> str:
    if target is None:
        return ""
    if value is None:
        return "silent"
    off = round(value - target, 2)
    return "within target" if abs(off) <= _TOLERANCE_LU else f"{abs(off):.1f} LU too {'loud' if off > 0 else 'quiet'}"


def _peak_verdict(value: float | None, target: float) -> str:
    if value is None or value <= target:
        return "within target"
    return f"{value - target:.1f} dB too high"
