"""What is handed to an editing program: which clips with which handles, where they are cut, and how frames count."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field

from storycore.errors import InvalidInput, Reason
from storycore.exports.formats import filming
from storycore.exports.formats.format import Film
from storycore.exports.formats.options import PictureOptions, Switch, Timecode, VoiceOptions, Whole
from storycore.exports.interchange import cutting
from storycore.exports.interchange.counting import Counting, drops, known
from storycore.exports.interchange.cutting import SLATE, Cut
from storycore.exports.interchange.edit import Crossing, Edit, Sound
from storycore.exports.interchange.naming import line as on_one_line
from storycore.metadata.stated import stated
from storycore.project.model import ProjectWarning
from storycore.rendering.codecs import CODECS, Quality, canvas_format
from storycore.rendering.look import Canvas
from storycore.rendering.plan import Part, Timeline, alone

FOLDER = "media"
"""Of clips and sounds, beside the timeline's file."""

_CODEC = CODECS["prores"]


class HandoffOptions(PictureOptions, VoiceOptions):
    """Options of every format for editing programs."""

    handles: Whole | None = Field(
        default=None, ge=0, le=240,
        description="Frames that each clip has before and after its shot; 12, or half of the longest transition, if "
        "left out. There are always as many as the transitions need.",
    )  # fmt: skip
    start_timecode: Timecode = Field(default="01:00:00:00", description="Timecode of the first frame, HH:MM:SS:FF.")
    drop_frame: Switch = Field(
        default=True, description="Count 29.97 and 59.94 frames per second in drop-frame timecode."
    )
    links: Literal["relative", "absolute"] = Field(
        default="relative",
        description="How clips are named: relative ones hold when the folder is moved; absolute ones link at once in "
        "programs that take no others, on this machine.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that an edit is made of, before anything is rendered.

    Attributes:
        line: the film in frames.
        canvas: what clips are drawn on.
        counting: rate and timecode.
        start: number of the first frame.
        handles: of each clip, in frames.
        cuts: in order.
        crossings: the transitions.
        warnings: where the project or the options could not be followed.
    """

    line: Timeline
    canvas: Canvas
    counting: Counting
    start: int
    handles: int
    cuts: tuple[Cut, ...]
    crossings: tuple[Crossing, ...]
    warnings: tuple[ProjectWarning, ...]

    def clip_line(self, cut: Cut) -> Timeline:
        """The frames of one clip's file: its shot, whole and alone, with its handles; or the slate."""
        line = self.line
        if cut.shot == SLATE:
            lead = tuple(part for part in line.segments if part.part is Part.LEAD)
            return replace(line, end=line.first, spans=(), segments=lead)
        shown = tuple(part for part in line.segments if part.part is not Part.LEAD)
        return alone(replace(line, lead=0, segments=shown), cut.shot, handles=self.handles)

    def mark(self, film: Film, options: HandoffOptions) -> str:
        """The same for plans of one film whose clips and sounds are the same."""
        chosen = options.model_dump_json(exclude={"strict", "naming", "links"})
        told = [str(self.line), str(self.canvas), str(self.counting), self.start, self.handles, chosen]
        return hashlib.sha256(json.dumps([str(film.project.folder), *told]).encode()).hexdigest()

    def edit(self, film: Film, sounds: tuple[Sound, ...], base: str) -> Edit:
        """The edit that formats write down.

        Args:
            film: whose it is.
            sounds: files that were made.
            base: as `Edit.base`.
        """
        project = film.project
        words = stated(project)
        facts = {"project_id": project.id, "title": project.title, "logline": project.logline, "rights": words.rights}
        return Edit(
            title=on_one_line(project.title or project.name, 200) or "Film",
            counting=self.counting,
            start=self.start,
            width=self.canvas.width,
            height=self.canvas.height,
            frames=self.line.frames,
            items=cutting.items(project, self.cuts, handles=self.handles),
            crossings=self.crossings,
            marks=cutting.marks(project, self.cuts, self.line),
            sounds=sounds,
            facts={name: value.encode("utf-8", "replace").decode() for name, value in facts.items() if value},
            base=base,
        )


def plan(film: Film, options: HandoffOptions) -> Plan:
    """What is handed over.

    Raises:
        InvalidInput: out_of_range: the range lies behind the film's end; editing programs don't count at this rate, or
            its timecode does not know this beginning.
    """
    found = filming.shape(film, options)
    line, warnings = found.line, list(found.warnings)
    if not known(line.rate):
        raise _refused(
            "fps", f"editing programs don't count {line.rate} frames per second; whole numbers up to 60 and those "
            "over 1.001 are known.",
        )  # fmt: skip
    counting = Counting(rate=line.rate, drop=options.drop_frame and drops(line.rate))
    try:
        start = counting.frame(options.start_timecode)
    except ValueError as fault:
        raise _refused("start_timecode", f"{fault}.") from None
    needed = cutting.needed_handles(line)
    handles = max(cutting.usual_handles(line) if options.handles is None else options.handles, needed)
    if options.handles is not None and handles > options.handles:
        warnings.append(
            ProjectWarning(
                file="project.json", pointer="", reason="handles_lengthened",
                message=f"Fades need handles of {needed} frames; {options.handles} were asked for.",
            )
        )  # fmt: skip
    cuts, crossings = cutting.cuts(line, handles=handles, start=start, folder=FOLDER)
    return Plan(
        line=line,
        canvas=filming.canvas(found, options, canvas_format(_CODEC, Quality())),
        counting=counting,
        start=start,
        handles=handles,
        cuts=tuple(cuts),
        crossings=tuple(crossings),
        warnings=tuple(warnings),
    )


def _refused(option: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"conversion_options.{option}: {why}",
        reason=Reason.OUT_OF_RANGE,
        remediation=f"Choose another {option} in conversion_options.",
        details={"pointer": f"/conversion_options/{option}"},
    )
