"""Which of a film's media were made with generative AI, as far as the project says so, and how to say it.

A shot counts as generated when the project records it: its medium is a take of the generated index, or lies in a
folder for generated media, or the shot names the model or the seed it was made with, or it is a panel that the
pipeline made from a recorded prompt. A medium of which none of this is recorded is "not said", never "not generated".

Source: IPTC NewsCodes, Digital Source Type (trainedAlgorithmicMedia, compositeWithTrainedAlgorithmicMedia); EU AI Act
Art. 50 for why people want to read it.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from storycore.metadata.evidence import COMPOSITE, GENERATED
from storycore.project.model import AudioTrack, Media, Project, Shot

_FOLDERS = (
    "assets/generated/",
    "assets/images/generated/",
    "assets/video/generated/",
    "assets/audio/generated/",
    "assets/generated_video/",
)
_PANELS = frozenset({"panel", "grid", "promoted", "refined"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What the project records about generated media.

    Attributes:
        generated: ids of the shots whose picture is recorded as generated.
        unsaid: ids of the shots with a picture of which the project does not say how it was made.
        without_picture: ids of the shots that have none.
        sounds_generated: how many sound files are recorded as generated.
        sounds_unsaid: how many are not.
        seconds_generated: length of the generated shots.
        seconds: length of all shots that have a picture.
        models: names of the models that the shots name, in film order.
        prompts: how many shots have their prompt recorded.
    """

    generated: tuple[str, ...]
    unsaid: tuple[str, ...]
    without_picture: tuple[str, ...]
    sounds_generated: int
    sounds_unsaid: int
    seconds_generated: Fraction
    seconds: Fraction
    models: tuple[str, ...]
    prompts: int

    @property
    def source_type(self) -> str | None:
        """The IPTC digital source type that follows, or None if nothing is recorded as generated."""
        if not (self.generated or self.sounds_generated):
            return None
        return COMPOSITE if self.unsaid or self.sounds_unsaid else GENERATED

    @property
    def statement(self) -> str:
        """The same in sentences, for a catalogue or an archive's form."""
        return " ".join(_sentences(self))


def disclose(project: Project, known: Collection[str] = ()) -> Disclosure:
    """What the project records about generated media.

    Args:
        project: as read.
        known: paths of media that say themselves that they were generated.
    """
    shown = [(shot, shown_media(shot)) for shot in project.shots]
    made = [shot for shot, media in shown if media is not None and (is_recorded(shot, media) or media.path in known)]
    there = [shot for shot, media in shown if media is not None]
    ids = {shot.id for shot in made}
    sounds = {track.media.path: track.media for track in _tracks(project) if track.media is not None}
    heard = [media for media in sounds.values() if media.found]
    return Disclosure(
        generated=tuple(shot.id for shot in made),
        unsaid=tuple(shot.id for shot in there if shot.id not in ids),
        without_picture=tuple(shot.id for shot, media in shown if media is None),
        sounds_generated=sum(in_generated_folder(media) or media.path in known for media in heard),
        sounds_unsaid=sum(not in_generated_folder(media) and media.path not in known for media in heard),
        seconds_generated=_length(made),
        seconds=_length(there),
        models=tuple(dict.fromkeys(shot.prompt.model for shot in made if shot.prompt.model)),
        prompts=sum(bool(shot.prompt.text) for shot in project.shots),
    )


def shown_media(shot: Shot) -> Media | None:
    """The file that a shot shows, or None."""
    return next((media for media in (shot.clip, shot.image) if media is not None and media.found), None)


def is_recorded(shot: Shot, media: Media) -> bool:
    """Whether the project records that what a shot shows was generated."""
    prompt = shot.prompt
    return (
        media.source == "take"
        or in_generated_folder(media)
        or bool(prompt.model)
        or prompt.seed is not None
        or (media.source in _PANELS and bool(prompt.text))
    )


def in_generated_folder(media: Media) -> bool:
    """Whether a file lies in a folder for generated media."""
    return media.path.startswith(_FOLDERS)


def _tracks(project: Project) -> Iterator[AudioTrack]:
    yield from project.audio
    for shot in project.shots:
        yield from shot.audio


def _length(shots: Iterable[Shot]) -> Fraction:
    return sum((shot.duration for shot in shots), Fraction(0))


def _sentences(found: Disclosure) -> Iterator[str]:
    pictures = len(found.generated) + len(found.unsaid)
    if not (found.generated or found.sounds_generated):
        yield "The project does not record that any of its media were made with generative AI."
    if found.generated:
        length = f"{float(found.seconds_generated):.1f} of {float(found.seconds):.1f} seconds"
        yield (
            f"According to the project, the pictures of {len(found.generated)} of {_count(pictures, 'shot')} "
            f"({length}) were made with generative AI."
        )
        if found.models:
            yield f"It names {'these models' if len(found.models) > 1 else 'the model'}: {', '.join(found.models)}."
        else:
            yield "It does not name the model."
    if found.sounds_generated:
        yield f"{_count(found.sounds_generated, 'sound file')} {_were(found.sounds_generated)} generated too."
    if found.unsaid or found.sounds_unsaid:
        parts = [_count(len(found.unsaid), "shot")] * bool(found.unsaid)
        parts += [_count(found.sounds_unsaid, "sound file")] * bool(found.sounds_unsaid)
        one = len(found.unsaid) + found.sounds_unsaid == 1
        yield f"Of {' and '.join(parts)} it does not say how {'it was' if one else 'they were'} made."
    if found.without_picture:
        yield f"{_count(len(found.without_picture), 'shot')} {_have(len(found.without_picture))} no picture yet."
    if found.prompts:
        yield f"Prompts are recorded for {_count(found.prompts, 'shot')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _have(number: int) -> str:
    return "has" if number == 1 else "have"
