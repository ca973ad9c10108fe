"""What was measured in the picture of a finished film, in the words of `quality_metrics`."""

from collections.abc import Mapping
from typing import Any

from storycore.exports.formats.sound_metrics import metric
from storycore.project.model import ProjectWarning
from storycore.rendering.film import Picture
from storycore.rendering.likeness import METHODS, PSNR, SSIM, VMAF, Likeness
from storycore.rendering.measure import FilmFacts, Stretches

_UNITS = {SSIM: "", PSNR: "dB", VMAF: ""}
_NEAR_RATE = 0.15  # of the bound; rates of short films swing
_PLACES = {SSIM: 5, PSNR: 2, VMAF: 2}


def film_figures(facts: FilmFacts, wanted: Picture, size_bytes: int) -> dict[str, Any]:
    """What packets and boxes of a finished film say, under the names that callers know.

    Args:
        facts: read back from the file.
        wanted: what it was to show.
        size_bytes: of the file.
    """
    fps = facts.fps
    rate: int | float = int(fps) if fps.denominator == 1 else round(float(fps), 3)
    packets, boxes = "packets, ffmpeg framecrc", "boxes of the file"
    line, bound = wanted.line, wanted.quality.bitrate_bps
    told = {
        "resolution": f"{facts.width}x{facts.height}",
        "fps": rate,
        "bitrate": f"{round(size_bytes * 8 / facts.duration / 1000) if facts.duration else 0}kbps",
        "codec": facts.codec,
        "width": metric(facts.width, "px", "stream header", target=wanted.canvas.width,
                        verdict=same(facts.width, wanted.canvas.width)),
        "height": metric(facts.height, "px", "stream header", target=wanted.canvas.height,
                         verdict=same(facts.height, wanted.canvas.height)),
        "frames": metric(facts.frames, "frames", packets, target=line.frames,
                         verdict=same(facts.frames, line.frames)),
        "duration": metric(round(float(facts.duration), 6), "s", packets, target=round(float(line.duration), 6),
                           verdict=_duration_verdict(facts, wanted)),
        "frame_steps": metric(len(facts.steps), "different", packets),
        "video_bitrate": metric(facts.bitrate_bps, "bps", packets, target=bound,
                                verdict="" if bound is None else _rate_verdict(facts.bitrate_bps, bound)),
        "keyframe_interval": metric(facts.longest_group, "frames", packets),
        "pixel_format": metric(facts.pixel_format, "", "stream header", target=wanted.canvas.pixel_format,
                               verdict=same(facts.pixel_format, wanted.canvas.pixel_format)),
        "colour": metric(facts.colour, "", "stream header"),
    }  # fmt: skip
    if facts.profile:
        told["profile"] = metric(facts.profile, "", "stream header")
    if facts.faststart is not None:
        told["faststart"] = metric(facts.faststart, "", boxes)
        told["edit_lists"] = metric(facts.edits, "entries", boxes)
    return told


def timecode_figures(facts: FilmFacts, asked: str) -> dict[str, Any]:
    """The timecode of the first frame, where there is one or should be.

    Args:
        facts: read back from the file.
        asked: "" for none.
    """
    if not (asked or facts.timecode):
        return {}
    told = metric(facts.timecode, "", "timecode track", target=asked, verdict=same(facts.timecode, asked))
    return {"start_timecode": told}


def _duration_verdict(facts: FilmFacts, wanted: Picture) -> str:
    off = facts.duration - wanted.line.duration
    return (
        "within target" if abs(off) <= facts.tick else f"{abs(float(off)):.3f} s too {'long' if off > 0 else 'short'}"
    )


def _rate_verdict(rate_bps: int, bound_bps: int) -> str:
    over = rate_bps / bound_bps - 1
    return "within target" if over <= _NEAR_RATE else f"{over:.0%} above"


def rate_warnings(figures: Mapping[str, Any]) -> tuple[ProjectWarning, ...]:
    """That the picture has far more bits than were asked for, if it has.

    Args:
        figures: as `film_figures` gives them; none where nothing was measured.
    """
    told = figures.get("video_bitrate", {})
    if told.get("verdict", "within target") == "within target":
        return ()
    message = (
        f"The picture has {told['value']:,} bits per second, {told['verdict']} bitrate_bps ({told['target']:,}): "
        "the encoder could not make it smaller. A larger crf, fewer pixels or another video_codec would."
    )
    return (ProjectWarning(file="project.json", pointer="", reason="bitrate_missed", message=message),)


def likeness_figures(found: Likeness) -> dict[str, Any]:
    """How like the frames that were drawn the picture is."""
    told = {}
    for name, value in found.figures.items():
        verdict = "identical" if value is None else ""
        shown = None if value is None else round(value, _PLACES[name])
        told[name] = metric(shown, _UNITS[name], METHODS[name], verdict=verdict)
    if found.lowest_ssim is not None:
        told["ssim_lowest"] = metric(round(found.lowest_ssim, _PLACES[SSIM]), "", "the segment that is least like it")
    return told


def stretch_figures(found: Stretches) -> dict[str, Any]:
    """Where the picture shows little, as from and to."""
    return {
        "black_stretches": metric([list(one) for one in found.black], "s", "ffmpeg blackdetect, 0.5 s or more"),
        "frozen_stretches": metric([list(one) for one in found.frozen], "s", "ffmpeg freezedetect, 2 s or more"),
    }


def same(value: Any, target: Any) -> str:
    """The verdict on a figure that is to be exactly what was asked for."""
    return "within target" if value == target else "off target"
