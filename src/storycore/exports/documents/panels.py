"""What people read about each shot, in words: the same on every page, in the web page and in the table. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from typing_extensions import override

from storycore.project.model import Project, Scene, Shot, TransitionKind
from storycore.units import round_half_up, timecode

FIELDS = ("number", "duration", "dialogue", "action", "camera", "notes", "transition", "prompt")
"""What can be told of a shot."""

USUAL_FIELDS = FIELDS[:-1]

_NOTES = ("notes", "note", "visual_notes", "audio_notes", "visualNotes", "audioNotes", "comments", "comment")
_ACTIONS = ("action", "actions", "action_notes", "actionNotes")
_ANGLES = ("camera_angle", "cameraAngle", "shot_type", "shotType", "lens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something that is said.

    Attributes:
        who: may be empty.
        text: the words.
    """

    who: str
    text: str

    @override
    def __str__(self) -> str:
        return f"{self.who}: {self.text}" if self.who else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One shot, in words.

    Attributes:
        id: as in the project.
        number: from 1.
        title: never empty.
        scene: heading of the scene that begins here, "" where none does.
        scene_title: of the scene that it belongs to, may be empty.
        start: timecode of the film.
        end: timecode of the film.
        duration: as timecode.
        frames: how many.
        seconds: exact.
        dialogue: what is said.
        action: what happens, may be empty.
        camera: how it is seen.
        notes: of the author, may be empty.
        transition: how it ends, "Cut" if it just does.
        prompt: what the generator was asked for, may be empty.
        picture: path of what it shows, "" for nothing.
        missing: whether a picture or clip is named that is not there.
    """

    id: str
    number: int
    title: str
    scene: str
    scene_title: str
    start: str
    end: str
    duration: str
    frames: int
    seconds: Fraction
    dialogue: tuple[Line, ...]
    action: str
    camera: str
    notes: str
    transition: str
    prompt: str
    picture: str
    missing: bool

    @property
    def alt(self) -> str:
        """What its picture shows, for those who can't see it."""
        said = f": {self.action}" if self.action else ""
        what = f"Shot {self.number}, {self.title}{said}" if self.picture else f"Shot {self.number} has no picture yet"
        return what[:500]


def panels(project: Project) -> tuple[Panel, ...]:
    """Every shot of a film in words, in order."""
    scenes = {scene.id: scene for scene in project.scenes}
    scene_of = {shot_id: scene.id for scene in project.scenes for shot_id in scene.shot_ids}
    found, last = [], ""
    for index, shot in enumerate(project.shots):
        scene = scenes.get(shot.scene_id or scene_of.get(shot.id, ""))
        begins = scene is not None and scene.id != last
        last = scene.id if scene is not None else last
        found.append(_panel(shot, project.frame_rate, scene, begins=begins, is_last=index == len(project.shots) - 1))
    return tuple(found)


def scene_heading(scene: Scene) -> str:
    """A scene as its heading names it: what, where, when."""
    place = ", ".join(part for part in (scene.location, scene.time_of_day) if part)
    return f"{scene.title} · {place}" if place else scene.title


def _panel(shot: Shot, rate: Fraction, scene: Scene | None, *, begins: bool, is_last: bool) -> Panel:
    shown = next((media for media in (shot.clip, shot.image) if media is not None and media.found), None)
    named = shot.clip or shot.image
    end = shot.start + shot.duration
    return Panel(
        id=shot.id,
        number=shot.number,
        title=shot.title,
        scene=scene_heading(scene) if scene is not None and begins else "",
        scene_title=scene.title if scene is not None else "",
        start=timecode(shot.start, rate),
        end=timecode(end, rate),
        duration=timecode(shot.duration, rate),
        frames=round_half_up(end * rate) - round_half_up(shot.start * rate),
        seconds=shot.duration,
        dialogue=tuple(Line(who=line.character, text=line.text) for line in shot.dialogue if line.text),
        action=_action(shot),
        camera=_camera(shot),
        notes="\n".join(_texts(shot.original, _NOTES)),
        transition=_transition(shot, is_last=is_last),
        prompt=shot.prompt.text,
        picture=shown.path if shown is not None else "",
        missing=named is not None and shown is None,
    )


def _action(shot: Shot) -> str:
    parts = [shot.description, *_texts(shot.original, _ACTIONS)]
    return "\n".join(dict.fromkeys(part for part in parts if part and part != shot.title))


def _camera(shot: Shot) -> str:
    return ", ".join(dict.fromkeys([shot.camera.capitalize(), *_texts(shot.original, _ANGLES)]))


_CUTS = {
    TransitionKind.CUT: "Cut",
    TransitionKind.FADE_BLACK: "Fade through black",
    TransitionKind.FADE_WHITE: "Fade through white",
}


def _transition(shot: Shot, *, is_last: bool) -> str:
    kind = shot.transition.kind
    if kind is TransitionKind.CUT:
        return "" if is_last else "Cut"
    words = _CUTS.get(kind, kind.value.replace("_", " ").capitalize())
    return f"{words}, {float(shot.transition.duration):g}\u00a0s"


def _texts(values: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """What stands under any of some names, as far as it is text, or a list of texts."""
    found = (values.get(name) for name in names)
    listed = (item for value in found for item in (value if isinstance(value, list) else [value]))
    return list(dict.fromkeys(item.strip() for item in listed if isinstance(item, str) and item.strip()))
