"""Sound for the demo film, made sample by sample: 48 kHz, 16 bit."""

import math
import random
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path

SAMPLE_RATE = 48_000
_CHORDS = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7), (164.8, 207.7, 246.9))


def music(path: Path, *, seconds: float) -> None:
    """A slow stereo pad: four chords, two seconds each, over and over, with a fade at both ends."""
    bars = [_pad(chord) for chord in _CHORDS]
    count = round(seconds * SAMPLE_RATE)
    samples: list[float] = []
    while len(samples) < count:
        for bar in bars:
            samples.extend(bar)
    _save(path, _faded(samples[:count], SAMPLE_RATE // 2), channels=2)


def ambience(path: Path, *, seconds: float) -> None:
    """Sea: filtered noise that swells and falls back."""
    chance = random.Random(7)  # noqa: S311 - the same sea every time
    level, samples = 0.0, []
    for index in range(round(seconds * SAMPLE_RATE)):
        level += 0.04 * (chance.uniform(-1, 1) - level)
        swell = 0.6 + 0.4 * math.sin(2 * math.pi * index / SAMPLE_RATE / seconds)
        samples.append(level * swell * 1.5)
    _save(path, _faded(samples, 2400), channels=1)


def voice(path: Path, text: str, *, pitch_hz: float) -> None:
    """Voice-like tones, a syllable for each vowel of the text."""
    samples: list[float] = []
    for index, letter in enumerate(letter for letter in text.lower() if letter in "aeiou"):
        pitch = pitch_hz * (1 + 0.06 * math.sin(index * 1.7)) * (1 + 0.02 * "aeiou".index(letter))
        samples.extend(_syllable(pitch))
    _save(path, samples, channels=1)


def _pad(chord: tuple[float, ...]) -> list[float]:
    count = 2 * SAMPLE_RATE
    steps = [2 * math.pi * tone / SAMPLE_RATE for tone in chord]
    swell = [math.sin(math.pi * index / count) for index in range(count)]
    return [0.16 * swell[index] * sum(math.sin(step * index) for step in steps) for index in range(count)]


def _syllable(pitch: float) -> Iterator[float]:
    count = SAMPLE_RATE // 7
    step = 2 * math.pi * pitch / SAMPLE_RATE
    for index in range(count):
        envelope = math.sin(math.pi * index / count) ** 2
        yield 0.3 * envelope * (math.sin(step * index) + 0.5 * math.sin(2 * step * index))


def _faded(samples: list[float], count: int) -> list[float]:
    for index in range(min(count, len(samples) // 2)):
        samples[index] *= index / count
        samples[-1 - index] *= index / count
    return samples


def _save(path: Path, samples: list[float], *, channels: int) -> None:
    values = array("h", (round(max(-1.0, min(1.0, sample)) * 32_000) for sample in samples))
    if channels == 2:
        values = array("h", (value for value in values for _ in range(2)))
    if values.itemsize == 2 and array("H", [1]).tobytes() == b"\0\1":
        values.byteswap()  # WAV is little-endian
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(values.tobytes())
