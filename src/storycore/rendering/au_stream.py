"""Sound as it comes out of a child process: Sun's AU, of float32, because its header tells rate and channels first."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np

from storycore.rendering.encoder import Child
from storycore.rendering.gain import Samples

_HEADER = struct.Struct(">4sIIIII")  # magic, where the samples begin, size, encoding, rate, channels

OUTPUT = ("-c:a", "pcm_f32be", "-bitexact", "-f", "au", "pipe:1")
"""Arguments that make a child write it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuStream:
    """A sound that is being decoded.

    Attributes:
        rate_hz: samples per second.
        channels: of the sound.
        blocks: the sound, each block once, `(samples, channels) float32`; as it came, NaN and all.
    """

    rate_hz: int
    channels: int
    blocks: Iterator[Samples]


def read_au(running: Child, block_seconds: float) -> AuStream | None:
    """What a child writes that was started with `OUTPUT`, in blocks; None if it wrote nothing."""
    if running.output is None:
        return None
    pipe = running.output
    head = _read(pipe, _HEADER.size)
    if len(head) < _HEADER.size:
        return None
    _, begins, _, _, rate_hz, channels = _HEADER.unpack(head)
    _read(pipe, begins - _HEADER.size)
    count = max(1, round(rate_hz * block_seconds))
    return AuStream(rate_hz=rate_hz, channels=channels, blocks=_blocks(pipe, channels, count))


def _blocks(pipe: IO[bytes], channels: int, count: int) -> Iterator[Samples]:
    frame = 4 * channels
    while data := _read(pipe, count * frame):
        yield np.frombuffer(data[: len(data) // frame * frame], ">f4").reshape(-1, channels).astype(np.float32)


def _read(pipe: IO[bytes], count: int) -> bytes:
    """As many bytes as told, or fewer at the end; a pipe gives them in pieces."""
    pieces = []
    while count and (piece := pipe.read(count)):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
