"""The languages that a film speaks, and the film in one of them. Pure.

Recorded voices and lines may say which language they are in. Those that say nothing are in the film's own, if the
project states one. Where voices are in several languages they are dubs of each other: only one of them is heard.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from storycore.errors import InvalidInput, Reason
from storycore.project.model import AudioTrack, DialogueLine, Project, TrackKind

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_VOICES = (TrackKind.DIALOGUE, TrackKind.VOICEOVER)


def tag(text: str) -> str:
    """A BCP 47 tag as it was written, `""` for what is none."""
    return text if _TAG.fullmatch(text) else ""


def spoken(project: Project, own: str = "") -> list[str]:
    """The languages of its recorded voices, the film's own first, `""` where nothing is known.

    Args:
        project: whose voices.
        own: the film's language, as the project states it.
    """
    found = dict.fromkeys(track.language or own for track in _tracks(project) if _is_voice(track))
    return sorted(found, key=lambda language: (not _same(language, own), bool(language)))


def written(project: Project, own: str = "") -> list[str]:
    """The languages of its lines, in the same order."""
    found = dict.fromkeys(line.language or own for line in _lines(project))
    return sorted(found, key=lambda language: (not _same(language, own), bool(language)))


def dubbed(project: Project, wanted: str, own: str = "") -> Project:
    """The film with its voices in one language; whatever else is heard stays.

    Args:
        project: as read.
        wanted: BCP 47 tag; `""` for the film's own, or where that is not known for the first one there is.
        own: the film's language, as the project states it.

    Raises:
        InvalidInput: unknown_value: there are no voices in that language; lists the languages there are.
    """
    language = _chosen(spoken(project, own), wanted, "dub_language", "voices")
    if language is None:
        return project

    def heard(track: AudioTrack) -> AudioTrack:
        silent = _is_voice(track) and not _same(track.language or own, language)
        return replace(track, muted=True) if silent else track

    shots = tuple(replace(shot, audio=tuple(map(heard, shot.audio))) for shot in project.shots)
    return replace(project, shots=shots, audio=tuple(map(heard, project.audio)))


def captioned(project: Project, wanted: str, own: str = "") -> Project:
    """The film with its lines in one language. Lines that say nothing of theirs count as what is wanted.

    Args:
        project: as read.
        wanted: BCP 47 tag; `""` for the film's own.
        own: the film's language, as the project states it.

    Raises:
        InvalidInput: unknown_value: there are no lines in that language; lists the languages there are.
    """
    if not any(line.language for line in _lines(project)):
        return project
    language = _chosen(written(project, own), wanted, "caption_language", "lines")
    if language is None:
        return project
    kept: Callable[[Sequence[DialogueLine]], tuple[DialogueLine, ...]] = lambda lines: tuple(  # noqa: E731 - for both
        line for line in lines if _same(line.language or own, language)
    )
    shots = tuple(replace(shot, dialogue=kept(shot.dialogue)) for shot in project.shots)
    return replace(project, shots=shots, phrases=kept(project.phrases))


def _chosen(there: Sequence[str], wanted: str, option: str, what: str) -> str | None:
    """The one of the languages that is meant; None if there is nothing to choose between."""
    if wanted:
        found = [language for language in there if _same(language, wanted)]
        if not found:
            raise _unknown(there, wanted, option, what)
        exact = [language for language in found if language.lower() == wanted.lower()]
        return (exact or found)[0]
    return there[0] if len({language.lower() for language in there if language}) > 1 else None


def _unknown(there: Sequence[str], wanted: str, option: str, what: str) -> InvalidInput:
    known = [language for language in there if language]
    told = f"there are: {', '.join(known)}" if known else f"no {what} of this film say theirs"
    return InvalidInput(
        f"conversion_options.{option}: no {what} in {wanted!r}; {told}.",
        reason=Reason.UNKNOWN_VALUE,
        details={"languages": known, "pointer": f"/conversion_options/{option}"},
    )


def _same(one: str, other: str) -> bool:
    """Whether two tags mean the same language; a shorter one means all of its regions."""
    first, second = one.lower().split("-"), other.lower().split("-")
    length = min(len(first), len(second))
    return first[:length] == second[:length]


def _is_voice(track: AudioTrack) -> bool:
    return track.kind in _VOICES


def _tracks(project: Project) -> list[AudioTrack]:
    return [*(track for shot in project.shots for track in shot.audio), *project.audio]


def _lines(project: Project) -> list[DialogueLine]:
    return [*(line for shot in project.shots for line in shot.dialogue), *project.phrases]
