"""The sound of a file of strangers, decoded to 48 kHz by a child process."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from storycore.errors import InvalidInput, Reason
from storycore.observe.progress import Progress
from storycore.project.content import open_regular
from storycore.rendering.au_stream import OUTPUT, read_au
from storycore.rendering.encoder import DECODING, Ffmpeg, child, source
from storycore.rendering.gain import Samples
from storycore.rendering.sounds import SAMPLE_RATE

_LOUDEST = 8.0  # full scale 1; a file of floats may hold anything
_LAYOUTS = {2: "mono|stereo", 6: "mono|stereo|5.1", 8: "mono|stereo|5.1|7.1"}
_BLOCK_SECONDS = 1.0
_SILENT = ("matches no streams", "does not contain any stream")


class NoSound(Exception):  # noqa: N818 - the name says what it is
    """The file has no sound."""


def decoded(  # noqa: PLR0913 - what of it, for what, and who is told
    ffmpeg: Ffmpeg, path: Path, *, offset: Fraction, length: int, channels: int, progress: Progress
) -> Iterator[Samples]:
    """The sound from `offset` seconds on, in blocks of `(samples, channels of the file) float32`.

    Files with more channels than the film come with the film's.

    Args:
        ffmpeg: decodes it.
        path: absolute; its name is not believed.
        offset: seconds into the file.
        length: samples to give at most.
        channels: of the film: 2, 6 or 8.
        progress: can cancel.

    Raises:
        NoSound: the file is a medium without sound.
        InvalidInput: media_invalid: it can't be read, or only up to here.
    """
    try:
        open_regular(path).close()  # a pipe that was put there meanwhile would never open
    except OSError:
        raise InvalidInput(f"{path.name} can't be read.", reason=Reason.MEDIA_INVALID) from None
    with child(
        ffmpeg,
        _arguments(path, offset, length, channels),
        progress=progress,
        reads=True,
        limits=DECODING,
        foreign=path.name,
    ) as running:
        sound = read_au(running, _BLOCK_SECONDS)
        for block in sound.blocks if sound else ():  # if nothing came, `finish` says why
            yield np.clip(np.nan_to_num(block, posinf=_LOUDEST, neginf=-_LOUDEST), -_LOUDEST, _LOUDEST)
        try:
            running.finish()
        except InvalidInput:
            if any(word in line for line in running.lines for word in _SILENT):
                raise NoSound from None
            raise


def _arguments(path: Path, offset: Fraction, length: int, channels: int) -> list[str]:
    seek = ("-ss", f"{float(offset):.9f}") if offset else ()
    steps = (
        f"aresample={SAMPLE_RATE}:resampler=soxr:precision=24",
        f"aformat=sample_fmts=flt:channel_layouts={_LAYOUTS[channels]}",
        f"atrim=end_sample={length}",
    )
    return [*source(path, *seek), "-map", "0:a:0", "-af", ",".join(steps), *OUTPUT]
