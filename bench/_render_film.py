"""The film that renderers are compared with: stills with a move each, dissolves, music and ducked dialogue."""

import json
import wave
from pathlib import Path

import cv2
import numpy as np

SECONDS, OVERLAP, FPS = 3.5, 0.5, 24
SIZE = (2304, 1296)
RATE = 48000


def make(folder: Path, shots: int, each: float = SECONDS) -> Path:
    """The project, with shots of so many seconds each; the same bytes each time."""
    (folder / "assets").mkdir(parents=True)
    for number in range(shots):
        cv2.imwrite(str(still(folder, number)), _picture(number))
    seconds = shots * each - (shots - 1) * OVERLAP
    _sound(folder / "assets/music.wav", _music(seconds))
    _sound(folder / "assets/dialogue.wav", _dialogue(seconds))
    entries = [
        {
            "id": f"s{number:02d}", "title": f"Shot {number}", "duration": each, "position": number,
            "image": f"assets/{number:02d}.png", "camera_movement": "zoom",
            "prompt_modules": {"camera": "zoom out" if number % 2 else "zoom in"},
            "transitionOut": {"type": "dissolve" if number < shots - 1 else "cut", "duration": OVERLAP},
        }
        for number in range(shots)
    ]  # fmt: skip
    tracks = [
        {
            "id": "m",
            "type": "music",
            "url": "assets/music.wav",
            "startTime": 0,
            "volume": 80,
            "fadeIn": 1,
            "fadeOut": 2,
        },
        {"id": "d", "type": "dialogue", "url": "assets/dialogue.wav", "startTime": 0, "volume": 100},
    ]
    project = {"project_name": "Bench", "shots": entries, "audioTracks": tracks}
    (folder / "project.json").write_text(json.dumps(project), encoding="utf-8")
    return folder


def still(folder: Path, number: int) -> Path:
    """The picture of a shot."""
    return folder / f"assets/{number:02d}.png"


def _picture(number: int):
    chance = np.random.default_rng(number)
    width, height = SIZE
    image = np.zeros((height, width, 3), np.float32)
    for octave in range(2, 9):
        small = (max(2, height >> (9 - octave)), max(2, width >> (9 - octave)), 3)
        noise = chance.standard_normal(small).astype(np.float32)
        image += cv2.resize(noise, SIZE, interpolation=cv2.INTER_CUBIC) / (1.7**octave) * 60
    image = np.clip(image + chance.uniform(60, 180, 3), 0, 255).astype(np.uint8)
    for k in range(25):
        colour = tuple(int(value) for value in chance.integers(0, 255, 3))
        place = (int(chance.integers(0, width)), int(chance.integers(0, height)))
        if k % 2:
            cv2.circle(image, place, int(chance.integers(20, 200)), colour, -1 if k % 3 else 3, cv2.LINE_AA)
        else:
            other = (int(chance.integers(0, width)), int(chance.integers(0, height)))
            cv2.line(image, place, other, colour, int(chance.integers(2, 12)), cv2.LINE_AA)
    return image


def _music(seconds: float):
    time = np.arange(int(RATE * seconds)) / RATE
    tones = sum(np.sin(2 * np.pi * f * time) * (0.5 + 0.5 * np.sin(2 * np.pi * time / (3 + j)))
                for j, f in enumerate((110, 220, 277, 330, 440))) * 0.05  # fmt: skip
    return np.stack([tones, tones * 0.9], 1)


def _dialogue(seconds: float):
    sound = np.zeros(int(RATE * seconds))
    for begin in range(5, int(seconds) - 4, 6):
        time = np.arange(int(2.5 * RATE)) / RATE
        voice = np.sin(2 * np.pi * (180 + 30 * np.sin(2 * np.pi * 3 * time)) * time)
        sound[begin * RATE : begin * RATE + len(time)] += voice * np.abs(np.sin(2 * np.pi * 2 * time)) * 0.4
    return np.stack([sound, sound], 1)


def _sound(path: Path, samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2").tobytes())
