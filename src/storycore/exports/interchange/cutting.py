"""From a film in frames to an edit: where the cuts are, and which frames of which file lie between them. Pure.

Where two shots are seen at once, the cut lies in the middle of that time, as editing programs have it; the rest of
each shot, and its handles, are in its file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from storycore.exports.interchange.edit import Crossing, Item, Mark, Medium
from storycore.exports.interchange.naming import line as on_one_line
from storycore.exports.interchange.naming import media_name, reel_name
from storycore.project.model import MediaKind, Project, Shot
from storycore.rendering.plan import Part, Segment, Timeline
from storycore.units import round_half_up

SLATE = -1
"""Stands for the slate before the film where a shot's place is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A shot between its cuts.

    Attributes:
        shot: its place in the film, or `SLATE`.
        first: frame of the timeline, from 0.
        frames: at least 1.
        medium: its file.
        into: frame of the file that is shown first.
    """

    shot: int
    first: int
    frames: int
    medium: Medium
    into: int


def needed_handles(line: Timeline) -> int:
    """Frames beyond a shot that its transitions show: half of the longest fade; a dissolve lies inside of its shots."""
    fades = [part.transition_frames for part in line.segments if _lies_over_a_cut(part, line)]
    return max((-(-frames // 2) for frames in fades), default=0)


def usual_handles(line: Timeline) -> int:
    """Frames of handles if nobody says how many: 12, or half of the longest transition."""
    longest = max((part.transition_frames for part in line.segments if part.part is Part.TRANSITION), default=0)
    return max(12, -(-longest // 2))


def cuts(line: Timeline, *, handles: int, start: int, folder: str) -> tuple[list[Cut], list[Crossing]]:
    """What is seen, cut by cut, and the transitions over the cuts.

    Args:
        line: the film in frames.
        handles: frames that each file has before and after its shot.
        start: number of the timeline's first frame; files are numbered so that both count alike.
        folder: of the files, relative to the timeline's.
    """
    shift = line.lead - line.first
    found: list[Cut] = []
    if line.lead:
        name = media_name(0, "slate")
        slate = Medium(name=name, path=f"{folder}/{name}.mov", reel=reel_name(0), frames=line.lead, start=start)
        found.append(Cut(shot=SLATE, first=0, frames=line.lead, medium=slate, into=0))
    bounds, crossed = _bounds(line), _whole_transitions(line)
    digits = max(3, len(str(len(line.spans))))
    for place, span in enumerate(line.spans):
        first, end = max(line.first, bounds[place]), min(line.end, bounds[place + 1])
        if end <= first:
            continue
        name = media_name(span.shot.number, span.shot.title, digits=digits)
        medium = Medium(
            name=name,
            path=f"{folder}/{name}.mov",
            reel=reel_name(span.shot.number),
            frames=span.frames + 2 * handles,
            start=max(0, start + shift + span.first - handles),
        )
        into = first - span.first + handles
        found.append(Cut(shot=place, first=first + shift, frames=end - first, medium=medium, into=into))
    return found, _crossings(line, found, bounds, crossed)


def items(project: Project, found: Sequence[Cut], *, handles: int) -> list[Item]:
    """Cuts with what the project knows of their shots.

    Args:
        project: whose shots they are.
        found: as `cuts` gives them.
        handles: frames that each file has before and after its shot.
    """
    scenes = _scenes(project)
    made = []
    for cut in found:
        if cut.shot == SLATE:
            title, note, facts = project.title, "", dict[str, Any]()
        else:
            shot = project.shots[cut.shot]
            title, note = shot.title, shot.description
            facts = _facts(shot, scenes.get(shot.id, ""), handles)
        made.append(
            Item(
                medium=cut.medium,
                title=on_one_line(title, 200) or cut.medium.name,
                first=cut.first,
                frames=cut.frames,
                into=cut.into,
                note=on_one_line(note),
                facts=facts,
            )
        )
    return made


def marks(project: Project, found: Sequence[Cut], line: Timeline) -> list[Mark]:
    """A mark where each scene begins, as long as it is, and those that the project file itself has."""
    scenes, told = _scenes(project), {scene.id: scene for scene in project.scenes}
    made: list[Mark] = []
    last = ""
    for cut in found:
        scene = "" if cut.shot == SLATE else scenes.get(project.shots[cut.shot].id, "")
        if scene and scene == last:
            made[-1] = Mark(
                frame=made[-1].frame, frames=cut.first + cut.frames - made[-1].frame,
                name=made[-1].name, note=made[-1].note,
            )  # fmt: skip
        elif scene:
            known = told.get(scene)
            name = on_one_line((known and known.title) or scene, 200) or f"Scene at {cut.first}"
            note = on_one_line(known.description) if known else ""
            made.append(Mark(frame=cut.first, frames=cut.frames, name=name, note=note))
        last = scene
    return sorted([*made, *_own_marks(project, line)], key=lambda mark: mark.frame)


def _own_marks(project: Project, line: Timeline) -> list[Mark]:
    """Marks of the project file: `markers` with `time` in seconds, as the video editor writes them."""
    written = project.original.get("markers")
    found = []
    for one in written if isinstance(written, list) else ():
        time = one.get("time") if isinstance(one, Mapping) else None
        if isinstance(time, bool) or not isinstance(time, (int, float)) or not 0 <= time < 1e6:
            continue
        frame = round_half_up(line.place(Fraction(str(time))) * line.rate)
        name = next((value for key in ("label", "name", "title") if isinstance(value := one.get(key), str)), "")
        note = one.get("comment") or one.get("note")
        if line.lead <= frame < line.frames:
            said = on_one_line(note) if isinstance(note, str) else ""
            found.append(Mark(frame=frame, frames=1, name=on_one_line(name, 200) or "Marker", note=said))
    return found


def _bounds(line: Timeline) -> list[int]:
    """Frame of the film at which each shot's cut lies, and at last the film's end."""
    found = [line.spans[0].first] if line.spans else []
    for before, after in zip(line.spans, line.spans[1:], strict=False):
        shared = max(0, before.end - after.first)
        found.append(max(found[-1], after.first + shared // 2))
    return [*found, max((span.end for span in line.spans), default=0)]


def _lies_over_a_cut(part: Segment, line: Timeline) -> bool:
    """Whether it is a transition between shots that do not overlap: each is shown alone, on its side of the cut."""
    if part.part is not Part.TRANSITION or part.following is None:
        return False
    return line.spans[part.following].first >= line.spans[part.shot].end


def _whole_transitions(line: Timeline) -> dict[int, Segment]:
    """Transitions that are shown whole, by the outgoing shot."""
    return {
        part.shot: part
        for part in line.segments
        if part.part is Part.TRANSITION and part.frames == part.transition_frames
    }


def _crossings(
    line: Timeline, found: Sequence[Cut], bounds: Sequence[int], crossed: Mapping[int, Segment]
) -> list[Crossing]:
    made: list[Crossing] = []
    for place, cut in enumerate(found):
        part = crossed.get(cut.shot)
        if part is None or cut.shot == SLATE:
            continue
        at_end = part.following is None
        incoming = found[place + 1] if place + 1 < len(found) else None
        if not at_end and (incoming is None or incoming.shot != part.following):
            continue
        at = bounds[cut.shot + 1]
        before, behind = at - part.first, part.end - at
        taken = made[-1].behind if made and made[-1].after == place - 1 else 0
        if before < 0 or behind < 0 or before + taken > cut.frames or (incoming and behind > incoming.frames):
            continue
        kind = line.spans[cut.shot].shot.transition.kind
        made.append(Crossing(kind=kind, after=place, before=before, behind=behind))
    return made


def _scenes(project: Project) -> dict[str, str]:
    """Id of the scene of each shot."""
    listed = {shot_id: scene.id for scene in project.scenes for shot_id in scene.shot_ids}
    return {shot.id: shot.scene_id or listed.get(shot.id, "") for shot in project.shots}


def _facts(shot: Shot, scene: str, handles: int) -> dict[str, Any]:
    """What the project knows of a shot, as plain values; what it does not know is left out."""
    media = shot.clip if shot.clip is not None and shot.clip.found else shot.image
    prompt = shot.prompt
    told: dict[str, Any] = {
        "shot_id": shot.id,
        "shot_number": shot.number,
        "title": shot.title,
        "description": shot.description,
        "scene": scene,
        "camera": shot.camera,
        "transition": shot.transition.original or shot.transition.kind.value,
        "source": media.path if media is not None else "",
        "source_kind": _kind(shot),
        "source_in_seconds": float(shot.clip_in) if _kind(shot) == "clip" else None,
        "prompt": prompt.text,
        "negative_prompt": prompt.negative,
        "seed": prompt.seed,
        "model": prompt.model,
        "dialogue": "\n".join(f"{one.character}: {one.text}" if one.character else one.text for one in shot.dialogue),
        "handle_frames": handles,
    }
    return {name: _sound(value) for name, value in told.items() if value not in ("", None)}


def _kind(shot: Shot) -> str:
    if shot.clip is not None and shot.clip.found:
        return "clip"
    image = shot.image
    return "still" if image is not None and image.found and image.kind is MediaKind.IMAGE else "slate"


def _sound(value: Any) -> Any:
    """Text without halves of letters, which no file can hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
