"""The one model of a film project, whatever shape its files have.

Everything here is frozen and knows no file format. Times are exact: seconds as `Fraction`. Volumes are 0.0-1.0, pan
is -1.0-1.0, positions on the picture are 0.0-1.0 from the top left, whatever scale the source used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any


class Shape(StrEnum):
    """The known shapes of project files, by who writes them."""

    PIPELINE = "pipeline"
    """Command line pipeline: asset_manifest, shots_index, storyboard.json, video_plan.json (P)."""
    INTERFACE = "interface"
    """UI family: shots or storyboard in project.json (U1, U2), and the minimal `{"name": …}`."""
    DESKTOP = "desktop"
    """Desktop application: sequences/sequence_NNN.json beside project.json (E)."""
    ASSISTANT = "assistant"
    """Assistant: scenes and sequences with shots inside (A)."""
    SEQUENCE_EDITOR = "sequence_editor"
    """Sequence editor: `project` and `timeline`, counted in frames (S)."""
    WIZARD = "wizard"
    """Wizard: shots without durations, minutes on scenes (W)."""
    COMPONENTS = "components"
    """End to end builder: `components` name the files that hold the parts (B)."""
    BACKEND = "backend"
    """Backend store: shots and sequences by id, owner_id, format names (no schema_version)."""
    VIDEO_EDITOR = "video_editor"
    """Video editor: tracks with clips, media, markers (no schema_version)."""
    TEMPLATE = "template"
    """Template: everything under `project`, no shots."""
    SCENARIO = "scenario"
    """French scenario: meta.titre, personnages, lieux, scenes."""
    TIMELINE = "timeline"
    """A timeline file alone: shot_timings, or metadata and scenes with elements."""
    FOLDER = "folder"
    """No project.json: only side files or media."""


class MediaKind(StrEnum):
    """What a media file is, by its content."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class TransitionKind(StrEnum):
    """How one shot gives way to the next."""

    CUT = "cut"
    FADE_BLACK = "fade_black"
    FADE_WHITE = "fade_white"
    DISSOLVE = "dissolve"
    WIPE_LEFT = "wipe_left"
    WIPE_RIGHT = "wipe_right"
    WIPE_UP = "wipe_up"
    WIPE_DOWN = "wipe_down"
    SLIDE_LEFT = "slide_left"
    SLIDE_RIGHT = "slide_right"
    SLIDE_UP = "slide_up"
    SLIDE_DOWN = "slide_down"
    ZOOM = "zoom"
    BLUR = "blur"

    @property
    def overlaps(self) -> bool:
        """Whether both shots are seen at once, so that the film gets shorter by the transition."""
        return self not in (TransitionKind.CUT, TransitionKind.FADE_BLACK, TransitionKind.FADE_WHITE)


class TrackKind(StrEnum):
    """What a sound is for."""

    DIALOGUE = "dialogue"
    VOICEOVER = "voiceover"
    MUSIC = "music"
    SFX = "sfx"
    AMBIENT = "ambient"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectWarning:
    """Something about the project that is odd but was read all the same.

    Attributes:
        file: which file, POSIX path relative to the project; `""` for the folder itself.
        pointer: JSON Pointer into that file (RFC 6901), `""` for the whole of it.
        reason: stable word: unknown_version, field_missing, wrong_type, duplicate_key, media_missing,
            media_mislabelled, media_unreadable, path_refused, transition_unknown, transition_shortened,
            duration_guessed, side_file_broken, text_repaired, ….
        message: one sentence for people.
    """

    file: str
    pointer: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A media file that a project names, and whether it is there.

    Attributes:
        path: POSIX path relative to the project, confined to it; for `data:` URIs `data:<media type>`.
        kind: what it should be.
        source: where it was found: take, clip, promoted, image, refined, panel, grid, track, data.
        found: whether a regular file stands there whose content is of that kind.
        panel: for a cell of a grid, its (row, column) from 0 and the grid's (rows, columns); else None.
    """

    path: str
    kind: MediaKind
    source: str
    found: bool
    panel: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """How a shot ends; it belongs to the outgoing shot.

    Attributes:
        kind: which one.
        duration: in seconds, already shortened to half the shorter neighbour; 0 for a cut.
        easing: name of the curve, "linear" if none was given.
        original: the name as it was written.
    """

    kind: TransitionKind
    duration: Fraction
    easing: str = "linear"
    original: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueLine:
    """Something said or shown as a subtitle.

    Attributes:
        text: the words.
        character: who says it: a name, or an id if no character has it; may be empty.
        start: seconds from the start of the film; None until the shot's own time decides.
        end: seconds from the start of the film, exclusive.
        emotion: may be empty.
        language: BCP 47 tag, "" if none is written.
    """

    text: str
    character: str = ""
    start: Fraction | None = None
    end: Fraction | None = None
    emotion: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTrack:
    """A sound laid under a shot or the film.

    Attributes:
        id: as written, or made from its place.
        name: for people, may be empty.
        kind: what it is for.
        media: the file; None if none is named.
        start: seconds from the start of its shot (in a shot) or of the film (in the project).
        duration: seconds; None means to the end of the file.
        offset: seconds into the file at which it begins.
        volume: 0.0-1.0.
        pan: -1.0 (left) - 1.0 (right).
        fade_in: seconds.
        fade_out: seconds.
        muted: not heard.
        solo: only solo tracks are heard.
        language: BCP 47 tag of what is said, "" if none is written.
    """

    id: str
    name: str
    kind: TrackKind
    media: Media | None
    start: Fraction
    duration: Fraction | None
    offset: Fraction = Fraction(0)
    volume: float = 1.0
    pan: float = 0.0
    fade_in: Fraction = Fraction(0)
    fade_out: Fraction = Fraction(0)
    muted: bool = False
    solo: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLayer:
    """Text on the picture.

    Attributes:
        text: the words.
        x: 0.0 (left) - 1.0 (right).
        y: 0.0 (top) - 1.0 (bottom).
        start: seconds from the start of the shot.
        duration: seconds; None means to the end of the shot.
        style: font, size, colours and animation as written.
    """

    text: str
    x: float
    y: float
    start: Fraction
    duration: Fraction | None
    style: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a generator was asked for.

    Attributes:
        text: the prompt itself, may be empty.
        negative: what to avoid, may be empty.
        seed: None if not recorded.
        model: name of the generating model, may be empty.
        modules: subject, camera, lighting, … as written.
    """

    text: str = ""
    negative: str = ""
    seed: int | None = None
    model: str = ""
    modules: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One shot, in film order.

    Attributes:
        id: unique in the project.
        number: from 1, its place in the film.
        title: never empty.
        description: may be empty.
        duration: seconds, positive.
        start: seconds from the start of the film, overlaps taken off.
        scene_id: may be empty.
        image: the still picture to show; None if none is named or found anywhere.
        clip: the moving picture; takes precedence over `image`.
        clip_in: seconds into the clip at which it begins.
        clip_out: seconds into the clip at which it ends; None means the clip's end.
        camera: movement in the field's words: static, pan, tilt, zoom, dolly, tracking, crane, handheld; and where it
            goes if that is said: left, right, up, down, in, out.
        transition: how it ends.
        prompt: what generated it.
        dialogue: lines said during it.
        audio: sounds that belong to it.
        text: text on the picture.
        original: every key of the source that has no field here, verbatim.
    """

    id: str
    number: int
    title: str
    description: str
    duration: Fraction
    start: Fraction
    scene_id: str = ""
    image: Media | None = None
    clip: Media | None = None
    clip_in: Fraction = Fraction(0)
    clip_out: Fraction | None = None
    camera: str = "static"
    transition: Transition = Transition(kind=TransitionKind.CUT, duration=Fraction(0))
    prompt: Prompt = Prompt()
    dialogue: tuple[DialogueLine, ...] = ()
    audio: tuple[AudioTrack, ...] = ()
    text: tuple[TextLayer, ...] = ()
    original: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A scene of the story."""

    id: str
    title: str
    description: str = ""
    location: str = ""
    time_of_day: str = ""
    duration: Fraction | None = None
    shot_ids: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    original: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """Somebody in the story."""

    id: str
    name: str
    role: str = ""
    description: str = ""
    appearance: str = ""
    personality: str = ""
    reference_image: Media | None = None
    original: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class QAIssue:
    """One finding of a QA report."""

    id: str
    severity: str
    category: str
    title: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QAReport:
    """A QA report, whichever of the two shapes it has.

    Attributes:
        id: as written.
        file: POSIX path relative to the project.
        instant: when it was made; None if not readable.
        score: 0.0-1.0.
        original_score: as written.
        scale: the highest score of the original: 5, 100 or 1.
        passed: verdict of the report.
        categories: name → score 0.0-1.0.
        issues: what was found.
    """

    id: str
    file: str
    instant: datetime | None
    score: float | None
    original_score: float | None
    scale: float
    passed: bool | None
    categories: Mapping[str, float]
    issues: tuple[QAIssue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A film project as read from its folder.

    Attributes:
        folder: absolute path of the project.
        shape: which kind of project.json it has.
        schema_version: as written, `""` if it says none.
        id: never empty.
        name: never empty; the last resort is the folder's name.
        created: when it was made, None if not readable.
        updated: when it was last changed, None if not readable.
        title: for the public, may equal `name`.
        logline: one sentence of story, may be empty.
        frame_rate: frames per second, exact (24000/1001 for 23.976).
        width: of the picture in pixels.
        height: of the picture in pixels.
        shots: in film order.
        duration: seconds of the whole film: sum of shots less overlaps.
        scenes: of the story.
        characters: of the story.
        audio: sounds that belong to the film as a whole.
        phrases: spoken phrases that were recorded with times of the film; the first choice for subtitles.
        qa_reports: newest first.
        warnings: everything odd that was met while reading.
        missing: POSIX paths of media that are named but can't be used, in the order met.
        capabilities: as written, both vocabularies.
        generation_status: as written.
        original: the whole of project.json, verbatim; {} if there is none.
        side_files: POSIX paths of the files that were read beside project.json.
    """

    folder: Path
    shape: Shape
    schema_version: str
    id: str
    name: str
    created: datetime | None
    updated: datetime | None
    title: str
    logline: str
    frame_rate: Fraction
    width: int
    height: int
    shots: tuple[Shot, ...]
    duration: Fraction
    scenes: tuple[Scene, ...] = ()
    characters: tuple[Character, ...] = ()
    audio: tuple[AudioTrack, ...] = ()
    phrases: tuple[DialogueLine, ...] = ()
    qa_reports: tuple[QAReport, ...] = ()
    warnings: tuple[ProjectWarning, ...] = ()
    missing: tuple[str, ...] = ()
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    generation_status: Mapping[str, str] = field(default_factory=dict)
    original: Mapping[str, Any] = field(default_factory=dict)
    side_files: tuple[str, ...] = ()
