"""Clips and sounds of a hand-off: each shot with handles as ProRes 422 HQ, each stem as WAV, both with timecode."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from storycore.errors import DependencyFailed, Reason
from storycore.exports.formats import filming
from storycore.exports.formats.format import Film
from storycore.exports.formats.handoff_plan import FOLDER, HandoffOptions, Plan
from storycore.exports.formats.marking import marks, seal
from storycore.exports.formats.mixdown import mixed, sound_tags
from storycore.exports.interchange.edit import Medium, Sound
from storycore.observe.progress import Progress
from storycore.project.headers import HeaderFault, read_facts
from storycore.project.model import ProjectWarning
from storycore.rendering import container, encoder
from storycore.rendering.ability import encoder_for
from storycore.rendering.codecs import CODECS, Quality
from storycore.rendering.film import Picture, Studio, render
from storycore.rendering.joining import Wrapping, join
from storycore.rendering.master import Master
from storycore.rendering.mix import Mix
from storycore.rendering.sound_file import SoundEncoding, encode_sound
from storycore.rendering.sounds import SAMPLE_RATE, Stem, place_sounds
from storycore.units import round_half_up

_CODEC = CODECS["prores"]
_PICTURES, _SOUNDS = "video/quicktime", "audio/wav"
_BROADCAST_WAVE = ("-write_bext", "1", "-rf64", "auto", "-f", "wav")
"""EBU Tech 3285: tells when a sound begins, so that programs can lay it by its timecode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The files of a hand-off, all there.

    Attributes:
        files: clips first, in order.
        sounds: those that are sound.
        warnings: what could not be shown, heard or said.
        signed: how many of the files got credentials; None if they were made for another format.
    """

    files: tuple[Path, ...]
    sounds: tuple[Sound, ...]
    warnings: tuple[ProjectWarning, ...]
    signed: int | None = None


def make_media(film: Film, plan: Plan, options: HandoffOptions, folder: Path, progress: Progress) -> Media:
    """Makes all files of a hand-off.

    Args:
        film: what is shown and heard.
        plan: what is to be made.
        options: of the sound.
        folder: absolute, there and empty.
        progress: told how far it is; can cancel.

    Raises:
        StoryCoreError: see `rendering.film.render` and `rendering.mix.write_mix`.
    """
    with filming.studio(film) as studio:
        clips = _clips(film, plan, studio, folder, progress)
        files, sounds, unheard = _sounds(film, plan, options, folder, progress)
        warnings = (*studio.sources.warnings, *unheard)
    signed = _sealed(film, plan, options, clips, files, progress) if film.marked else None
    unsaid = marks(film, _PICTURES, options).warnings if film.marked else ()
    return Media(files=(*clips, *files), sounds=sounds, warnings=(*warnings, *unsaid), signed=signed)


def check_clip(path: Path, medium: Medium) -> None:
    """Reads a clip back.

    Raises:
        DependencyFailed: encoder_failed: it has not all of its frames, or no timecode.
    """
    try:
        tracks = {track.kind: track.samples for track in container.read(path).tracks}
    except (HeaderFault, OSError):
        tracks = {}
    if tracks != {"vide": medium.frames, "tmcd": 1}:
        raise DependencyFailed(f"{path.name} was not written whole.", reason=Reason.ENCODER_FAILED)


def _sealed(  # noqa: PLR0913, PLR0917 - whose, what, how, on which files, and who is told
    film: Film, plan: Plan, options: HandoffOptions, clips: Sequence[Path], sounds: Sequence[Path], progress: Progress
) -> int:
    """Marks each file for what it shows or sounds; gives how many were signed."""
    signed, lines = 0, [plan.clip_line(cut) for cut in plan.cuts]
    works = [*((path, _PICTURES, line) for path, line in zip(clips, lines, strict=True)),
             *((path, _SOUNDS, plan.line) for path in sounds)]  # fmt: skip
    for number, (path, media_type, line) in enumerate(works, start=1):
        until = 0.96 + 0.01 * number / len(works)
        with path.open("r+b") as file:
            signed += bool(seal(film, file, media_type, options, progress, until=until, line=line))
    for cut, path in zip(plan.cuts, clips, strict=True):
        check_clip(path, cut.medium)
    return signed


def clip_pictures(film: Film, plan: Plan) -> list[Picture]:
    """The picture of each clip, in order.

    Raises:
        DependencyFailed: encoder_missing.
    """
    ffmpeg = encoder.find(film.settings)
    name = encoder_for(_CODEC, Quality(), ffmpeg, film.settings.cache_folder / "encoders", hardware=False)
    return [
        Picture(line=plan.clip_line(cut), canvas=plan.canvas, codec=_CODEC, quality=Quality(), encoder=name)
        for cut in plan.cuts
    ]


def _clips(film: Film, plan: Plan, studio: Studio, folder: Path, progress: Progress) -> list[Path]:
    rendered = render(clip_pictures(film, plan), studio, progress, until=0.75)
    progress.begin("joining", total=len(rendered), unit="clips", until=0.85)
    made = []
    for cut, one in zip(plan.cuts, rendered, strict=True):
        medium = cut.medium
        path = folder / f"{medium.name}.mov"
        wrapping = Wrapping(
            container="mov",
            arguments=("-movflags", "+faststart+write_colr", "-timecode", plan.counting.text(medium.start)),
            tags=("-metadata:s:v:0", f"reel_name={medium.reel}"),
        )
        join(studio.ffmpeg, one, wrapping, path, progress)
        check_clip(path, medium)
        made.append(path)
        progress.advance()
    return made


def _sounds(
    film: Film, plan: Plan, options: HandoffOptions, folder: Path, progress: Progress
) -> tuple[list[Path], tuple[Sound, ...], tuple[ProjectWarning, ...]]:
    """Each stem that has any sound, as long as the film."""
    line = plan.line
    if not place_sounds(film.project, line):
        return [], (), ()
    ffmpeg = encoder.find(film.settings)
    begin = round_half_up(Fraction(plan.start) / line.rate * SAMPLE_RATE)
    tags = [*sound_tags(film.project, options), "-metadata", f"time_reference={begin}"]
    encoding = SoundEncoding(codec=("-c:a", "pcm_s24le"), container=_BROADCAST_WAVE)
    with mixed(film, line, ffmpeg=ffmpeg, channels=2, progress=progress, until=0.92) as mix:
        progress.begin("writing sound", total=len(mix.stems), unit="files", until=0.96)
        paths, sounds = [], []
        for stem in Stem:
            if stem not in mix.stems:
                continue
            sound = Sound(name=f"sound_{stem}", path=f"{FOLDER}/sound_{stem}.wav", title=str(stem))
            path = folder / f"{sound.name}.wav"
            encode_sound(_whole(mix, stem), path, encoding, ffmpeg=ffmpeg, tags=tags, progress=progress)
            _check_sound(path, Fraction(mix.samples, SAMPLE_RATE))
            paths.append(path)
            sounds.append(sound)
            progress.advance()
        return paths, tuple(sounds), mix.warnings


def _whole(mix: Mix, stem: Stem) -> Master:
    return Master(path=mix.stems[stem], channels=mix.stem_channels, samples=mix.samples, gain_db=0.0, reduced_db=0.0)


def _check_sound(path: Path, seconds: Fraction) -> None:
    try:
        facts = read_facts(path)
    except (HeaderFault, OSError):
        facts = None
    if facts is None or facts.duration != seconds:
        raise DependencyFailed(f"{path.name} was not written whole.", reason=Reason.ENCODER_FAILED)
