"""Sounds and text layers, read out of their pieces."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from storycore.project import aliases
from storycore.project.draft import Notes, Piece
from storycore.project.fields import Fields, Found
from storycore.project.languages import tag
from storycore.project.lookup import MediaLookup
from storycore.project.model import AudioTrack, MediaKind, TextLayer, TrackKind

_KINDS = {
    "music": TrackKind.MUSIC,
    "score": TrackKind.MUSIC,
    "sfx": TrackKind.SFX,
    "sound": TrackKind.SFX,
    "effect": TrackKind.SFX,
    "sound_effect": TrackKind.SFX,
    "foley": TrackKind.SFX,
    "dialogue": TrackKind.DIALOGUE,
    "dialog": TrackKind.DIALOGUE,
    "voice": TrackKind.DIALOGUE,
    "voiceover": TrackKind.VOICEOVER,
    "voice_over": TrackKind.VOICEOVER,
    "narration": TrackKind.VOICEOVER,
    "ambient": TrackKind.AMBIENT,
    "ambience": TrackKind.AMBIENT,
    "atmosphere": TrackKind.AMBIENT,
}
_ONE, _HALF = Fraction(1), Fraction(1, 2)
_LAYER_KEYS = aliases.first_names(
    aliases.LAYER_TEXT, aliases.LAYER_X, aliases.LAYER_Y, aliases.LAYER_START, aliases.LAYER_DURATION
)
_LAYER_KEYS = _LAYER_KEYS | {f"{name}_exact" for name in _LAYER_KEYS}


def read_tracks(pieces: Sequence[tuple[Piece, ...]], lookup: MediaLookup, notes: Notes) -> tuple[AudioTrack, ...]:
    """Sounds in the order written; ids are made unique.

    Each is a clip, and after it what is said of the track that it lies on: volumes multiply, muted and solo hold
    for all clips of a track.
    """
    tracks: list[AudioTrack] = []
    names = FreeNames()
    for number, (clip, *rest) in enumerate(pieces, start=1):
        track = _read_track(Fields([clip], notes), Fields(rest, notes), lookup, f"audio_{number:02d}")
        if track is None:
            continue
        tracks.append(replace(track, id=names.take(track.id)))
    return tuple(tracks)


class FreeNames:
    """Names that are each given once; how often one is asked for does not slow it down."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}  # the number to try next, by name that is taken

    def take(self, name: str) -> str:
        """The name, or the name with the first number that makes it unlike all others."""
        if name not in self._numbers:
            self._numbers[name] = 2
            return name
        number = self._numbers[name]
        while f"{name}_{number}" in self._numbers:
            number += 1
        self._numbers[name] = number + 1
        self._numbers[f"{name}_{number}"] = 2
        return f"{name}_{number}"


def read_layers(pieces: Sequence[Piece], notes: Notes) -> tuple[TextLayer, ...]:
    """Text layers in the order written; empty ones are left out."""
    layers = []
    for piece in pieces:
        fields = Fields([piece], notes)
        text = fields.text(aliases.LAYER_TEXT)
        if text:
            layers.append(
                TextLayer(
                    text=text,
                    x=_place(fields, aliases.LAYER_X),
                    y=_place(fields, aliases.LAYER_Y),
                    start=fields.seconds(aliases.LAYER_START) or Fraction(0),
                    duration=_positive(fields.seconds(aliases.LAYER_DURATION)),
                    style={key: value for key, value in piece.raw.items() if key not in _LAYER_KEYS},
                )
            )
    return tuple(layers)


def _read_track(clip: Fields, track: Fields, lookup: MediaLookup, default_id: str) -> AudioTrack | None:
    units = clip.pieces[0].units
    both = Fields([*clip.pieces, *track.pieces], clip.notes)
    found = _path(both)
    name = clip.text(aliases.TRACK_NAME, quiet=True)
    if found is None and not name and "volume" not in clip.pieces[0].raw:
        return None
    start = clip.seconds(aliases.TRACK_START) or Fraction(0)
    duration = clip.seconds(aliases.TRACK_DURATION)
    end = clip.seconds(aliases.TRACK_END) if duration is None else None
    full = clip.share(aliases.TRACK_VOLUME, units.volume, 0, _ONE)
    return AudioTrack(
        id=clip.text(aliases.TRACK_ID, default_id, quiet=True),
        name=name,
        kind=_kind(both),
        media=lookup.named(found, MediaKind.AUDIO, "track") if found else None,
        start=start,
        duration=_positive(duration if end is None else end - start),
        offset=clip.seconds(aliases.TRACK_OFFSET) or Fraction(0),
        volume=float(full * track.share(aliases.TRACK_VOLUME, units.volume, 0, _ONE)),
        pan=float(clip.share(aliases.TRACK_PAN, units.pan, -1, Fraction(0))),
        fade_in=clip.seconds(aliases.TRACK_FADE_IN) or Fraction(0),
        fade_out=clip.seconds(aliases.TRACK_FADE_OUT) or Fraction(0),
        muted=both.flag(aliases.TRACK_MUTED),
        solo=both.flag(aliases.TRACK_SOLO),
        language=tag(both.text(aliases.LANGUAGE, quiet=True)),
    )


def _path(clip: Fields) -> Found | None:
    return next(
        (
            found
            for found in clip.candidates(aliases.MEDIA_PATH)
            if isinstance(found.value, str) and found.value.strip()
        ),
        None,
    )


def _kind(fields: Fields) -> TrackKind:
    for found in fields.candidates(aliases.TRACK_KIND):
        word = str(found.value).rsplit(".", maxsplit=1)[-1].strip().lower().replace("-", "_").replace(" ", "_")
        if word in _KINDS:
            return _KINDS[word]
        if word not in ("audio", "clip"):
            fields.warn(found, "unknown_value", "this kind of sound is not known; it counts as an effect")
    return TrackKind.SFX


def _place(fields: Fields, names: aliases.Names) -> float:
    units = fields.pieces[0].units
    if not units.centred:
        return float(fields.share(names, units.position, 0, _HALF))
    return float(min(max(fields.share(names, units.position, -1, Fraction(0)) + _HALF, Fraction(0)), _ONE))


def _positive(value: Fraction | None) -> Fraction | None:
    return value if value is not None and value > 0 else None
