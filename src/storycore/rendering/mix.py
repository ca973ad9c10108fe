"""The sound of a film: one continuous mix, as long as its picture to the sample, and the stems that it is the sum of.

Every sound is decoded by a child process, one after the other, and added to its stem on the disk, so that no film is
too long for the memory and no number of sounds too large for the machine. Then music is ducked, and the stems are
added up.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from storycore.errors import InvalidInput
from storycore.observe.progress import Progress
from storycore.project.headers import HeaderFault, read_facts
from storycore.project.model import Project, ProjectWarning
from storycore.project.paths import inside
from storycore.rendering import ducking
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.gain import Curve, shaped, spread
from storycore.rendering.loudness import Loudness, measure_raw
from storycore.rendering.plan import Timeline
from storycore.rendering.sound_source import NoSound, decoded
from storycore.rendering.sounds import SAMPLE_RATE, Sound, Stem, odd_sounds, place_sounds
from storycore.rendering.stem_file import StemFile
from storycore.storage.local import explain, require_room
from storycore.units import round_half_up

_SAMPLE_BYTES = 4
_NEAR = SAMPLE_RATE // 5  # samples by which a header may be wrong: frames of codecs, and what they prime with
_BLOCK = 2 * SAMPLE_RATE - 2 * SAMPLE_RATE % ducking.WINDOW  # a multiple of the window


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """A mix on the disk, before mastering. All files hold float32 samples at 48 kHz.

    Attributes:
        path: of the sum.
        channels: of the sum, in the order of WAVE files.
        samples: of each channel.
        stems: the parts that it is the sum of, as they are in it; a stem without any sound is missing.
        stem_channels: of each stem; 2 where the sum is mono.
        loudness: of the sum.
        unheard: sounds that could not be heard, or not wholly, and why.
        odd: what else is odd about the film's sounds.
    """

    path: Path
    channels: int
    samples: int
    stems: Mapping[Stem, Path]
    stem_channels: int
    loudness: Loudness
    unheard: tuple[ProjectWarning, ...]
    odd: tuple[ProjectWarning, ...]

    @property
    def warnings(self) -> tuple[ProjectWarning, ...]:
        """All of them."""
        return (*self.odd, *self.unheard)


def write_mix(  # noqa: PLR0913 - what, where, by what, how, and who is told
    project: Project,
    timeline: Timeline,
    folder: Path,
    *,
    ffmpeg: Ffmpeg,
    channels: int = 2,
    progress: Progress,
    until: float = 0.5,
) -> Mix:
    """Mixes a film.

    Guarantee: the same project and timeline give the same bytes. What can't be read becomes silence and a warning.

    Args:
        project: whose sounds.
        timeline: the film in frames.
        folder: absolute, empty; the files of the mix are made in it and stay there.
        ffmpeg: decodes and measures.
        channels: 1, 2, 6 or 8.
        progress: told how far it is; can cancel.
        until: share of the whole work that is done when it is mixed.

    Raises:
        Unavailable: disk_full.
        StoryCoreError: see `encoder.child`.
    """
    sounds = place_sounds(project, timeline)
    samples, room = timeline.samples(SAMPLE_RATE), max(2, channels)
    require_room(folder, samples * channels * _SAMPLE_BYTES, "The sound of the film")
    unheard: dict[str, ProjectWarning] = {}
    progress.begin("mixing sound", total=len(sounds), unit="files", until=until)
    path = folder / "mix.f32"
    try:
        with ExitStack() as files:
            stems = {
                stem: files.enter_context(StemFile(folder / f"{stem}.f32", samples=samples, channels=room))
                for stem in Stem
                if any(sound.stem is stem for sound in sounds)
            }
            for sound in sounds:
                for warning in _lay(project.folder, sound, stems[sound.stem], ffmpeg, progress):
                    unheard[warning.message] = warning
                progress.advance()
            with StemFile(path, samples=samples, channels=channels) as target:
                _add_up(stems, target, progress)
    except OSError as fault:
        explain(fault, path)
    return Mix(
        path=path,
        channels=channels,
        samples=samples,
        stems={stem: file.path for stem, file in stems.items()},
        stem_channels=room,
        loudness=measure_raw(ffmpeg, path, channels=channels, samples=samples, progress=progress),
        unheard=tuple(unheard.values()),
        odd=tuple(odd_sounds(project)),
    )


def _lay(folder: Path, sound: Sound, stem: StemFile, ffmpeg: Ffmpeg, progress: Progress) -> list[ProjectWarning]:
    """Adds a sound to its stem; what keeps it from being heard is told."""
    path = inside(folder, sound.path)
    if path is None:  # it stood there when the project was read
        return [_unheard(sound, "it is not there any more")]
    blocks = decoded(
        ffmpeg, path, offset=sound.offset, length=sound.length, channels=stem.channels,
        progress=progress,
    )  # fmt: skip
    heard = shaped(
        blocks,
        begun=sound.begun,
        fade_in=sound.fade_in,
        fade_out=sound.fade_out,
        cross_in=sound.cross_in,
        cross_out=sound.cross_out,
    )
    place, speech = sound.start, sound.stem is Stem.DIALOGUE
    try:
        for block in heard:
            laid = spread(block, stem.channels, pan=sound.pan, gain=sound.gain, speech=speech)
            stem.add(place, laid)
            place += len(laid)
    except NoSound:
        return [] if sound.of_clip else [_unheard(sound, "it holds no sound")]
    except InvalidInput as fault:
        return [_unheard(sound, fault.message)]
    heard_samples = place - sound.start
    if not heard_samples and not sound.of_clip:
        return [_unheard(sound, "it ends before the part that is asked for")]
    if heard_samples < min(sound.length, _promised(path, sound.offset)) - _NEAR:
        return [_unheard(sound, "it is cut short; what is there is heard", "is not wholly heard")]
    return []


def _promised(path: Path, offset: Fraction) -> int:
    """Samples that a file has after `offset`, if its headers are right; 0 if they don't say for sure."""
    try:
        facts = read_facts(path)
    except (HeaderFault, OSError):
        return 0
    if facts is None or facts.duration is None or facts.estimated or facts.audio_codec is None:
        return 0
    return round_half_up((facts.duration - offset) * SAMPLE_RATE)


def _unheard(sound: Sound, why: str, how: str = "is not heard") -> ProjectWarning:
    return ProjectWarning(
        file=sound.path, pointer="", reason="media_unreadable", message=f"{sound.path} {how}: {why}"[:500]
    )


def _add_up(stems: Mapping[Stem, StemFile], target: StemFile, progress: Progress) -> None:
    """Ducks the music where it stands, and writes the sum of all stems."""
    duck = _duck(stems) if Stem.MUSIC in stems and Stem.DIALOGUE in stems else np.ones(0)
    for first in range(0, target.samples, _BLOCK):
        progress.check()
        count = min(_BLOCK, target.samples - first)
        total = np.zeros((count, max(2, target.channels)), np.float32)
        for stem, file in stems.items():
            part = file.read(first, count)
            if stem is Stem.MUSIC:
                quieter = ducking.ducked(part, first, duck)
                if quieter is not part:
                    file.write(first, quieter)
                part = quieter
            total += part
        target.write(first, total.mean(axis=1, keepdims=True) if target.channels == 1 else total)


def _duck(stems: Mapping[Stem, StemFile]) -> Curve:
    speech = stems[Stem.DIALOGUE]
    levels = [ducking.levels(speech.read(first, _BLOCK)) for first in range(0, speech.samples, _BLOCK)]
    return ducking.curve(np.concatenate(levels) if levels else np.zeros(0))
