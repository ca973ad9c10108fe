"""A project whose film is made of named files instead of its own shots."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PurePosixPath

from storycore.errors import FieldFault, InvalidInput, NotFound, Reason
from storycore.project.content import HEAD_BYTES, media_type, open_regular
from storycore.project.headers import HeaderFault, read_facts
from storycore.project.model import Media, MediaKind, Project, ProjectWarning, Shot
from storycore.project.paths import inside, relative_inside
from storycore.project.timeline import place
from storycore.units import human_seconds, seconds

_PICTURE_SECONDS = Fraction(5)

_SHOTS = frozenset({"shots", "storyboard", "panels", "sequences", "video_plan", "entries"})
"""Members of project files that hold shots."""

_OF_SHOTS = frozenset(
    {"no_shots", "timeline_gap", "order_incomplete", "shot_unknown", "transition_unknown", "transition_shortened",
     "duration_guessed", "layer_left_out"}
)  # fmt: skip

Part = tuple[str, float, float | None]
"""Path relative to the project, in point and out point in seconds."""


def with_shots(project: Project, parts: Sequence[Part]) -> Project:
    """The project with one shot for each part, in order, joined by cuts, and without what is odd about its own shots.

    Raises:
        NotFound: file_not_found.
        InvalidInput: path_invalid, media_invalid: no picture and no clip; out_of_range: it ends before it begins.
    """
    placed = place([_shot(project, number, part) for number, part in enumerate(parts, start=1)])
    told = tuple(warning for warning in project.warnings if not _of_shots(warning))
    return replace(project, shots=placed.shots, duration=placed.duration, warnings=told)


def _of_shots(warning: ProjectWarning) -> bool:
    """Whether a warning tells of the project's own shots, which are not shown."""
    return warning.reason in _OF_SHOTS or not _SHOTS.isdisjoint(warning.pointer.split("/"))


def _shot(project: Project, number: int, part: Part) -> Shot:
    text, begin, end = part
    pointer = f"/shots/{number - 1}"
    path = inside(project.folder, text)
    if path is None and relative_inside(text) is not None:
        raise NotFound(f"File not found: {text}", details={"pointer": f"{pointer}/path"})
    if path is None:
        raise _fault(f"{text} does not lead to a file of this project.", Reason.PATH_INVALID, f"{pointer}/path")
    kind = _kind(path, text, pointer)
    first, last = seconds(begin), None if end is None else seconds(end)
    if last is None and kind is MediaKind.IMAGE:
        last = first + _PICTURE_SECONDS
    elif last is None:
        last = _length(path)
        if last <= first:
            told = f"{text} lasts {human_seconds(float(last))}; its part can't begin at {float(first):g} s."
            raise _fault(told, Reason.OUT_OF_RANGE, f"{pointer}/in_point")
    if last <= first:
        raise _fault(f"{text} ends before it begins.", Reason.OUT_OF_RANGE, f"{pointer}/out_point")
    media = Media(path=PurePosixPath(text).as_posix(), kind=kind, source="clip", found=True)
    return Shot(
        id=f"shot_{number:02d}",
        number=number,
        title=path.stem,
        description="",
        duration=last - first,
        start=Fraction(0),
        image=media if kind is MediaKind.IMAGE else None,
        clip=media if kind is MediaKind.VIDEO else None,
        clip_in=first if kind is MediaKind.VIDEO else Fraction(0),
        clip_out=last if kind is MediaKind.VIDEO else None,
    )


def _kind(path: Path, text: str, pointer: str) -> MediaKind:
    try:
        with open_regular(path) as file:
            found = media_type(file.read(HEAD_BYTES)) or ""
    except OSError:
        raise NotFound(f"File not found: {text}", details={"pointer": f"{pointer}/path"}) from None
    for kind in (MediaKind.IMAGE, MediaKind.VIDEO):
        if found.startswith(f"{kind.value}/"):
            return kind
    raise _fault(f"{text} is no picture and no clip.", Reason.MEDIA_INVALID, f"{pointer}/path")


def _length(path: Path) -> Fraction:
    """How long a clip is, by its headers; 5 seconds if they don't tell."""
    try:
        facts = read_facts(path)
    except (HeaderFault, OSError):
        facts = None
    return (facts.duration if facts else None) or _PICTURE_SECONDS


def _fault(message: str, reason: Reason, pointer: str) -> InvalidInput:
    return InvalidInput(message, reason=reason, errors=[FieldFault(pointer, reason, message)])
