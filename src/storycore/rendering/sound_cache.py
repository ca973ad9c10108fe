"""Under which name an encoded sound is kept to be used again: everything that its bytes depend on."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from storycore.project.content import open_regular
from storycore.project.paths import inside
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.machine import machine
from storycore.rendering.master import Goal
from storycore.rendering.sound_file import SoundEncoding
from storycore.rendering.sounds import Sound
from storycore.units import MEBIBYTE

_VERSION = 3
"""Goes up when the same sounds are mixed, mastered or encoded in another way."""


def sound_key(  # noqa: PLR0913 - what the bytes depend on
    folder: Path,
    sounds: Sequence[Sound],
    *,
    samples: int,
    channels: int,
    encoding: SoundEncoding,
    goal: Goal,
    tags: Sequence[str],
    ffmpeg: Ffmpeg,
) -> str | None:
    """Name of a film's sound in one encoding; None if a file of it can't be read.

    Args:
        folder: of the project.
        sounds: as they are placed.
        samples: length of the film at 48 kHz.
        channels: of the mix.
        encoding: how it is written.
        goal: what it is mastered to.
        tags: arguments that write tags.
        ffmpeg: that decodes and encodes.
    """
    told = hashlib.sha256()
    try:
        for path in sorted({sound.path for sound in sounds}):
            told.update(_digest(folder, path))
    except OSError:
        return None
    facts = (_VERSION, sounds, samples, channels, encoding, goal, list(tags), ffmpeg.mark, machine())
    told.update(repr(facts).encode())
    return told.hexdigest()


def _digest(folder: Path, name: str) -> bytes:
    path = inside(folder, name)
    if path is None:
        raise OSError(f"{name} leads outside")
    told = hashlib.sha256(name.encode())
    with open_regular(path) as file:
        while block := file.read(MEBIBYTE):
            told.update(block)
    return told.digest()
