"""Makes the two trees that packing is measured on, the same each time, with the standard library and Pillow.

t1: about 1 GB as a film project has it: 1080p stills, clips, sound, float plates, shot data.
t2: 20,000 small JSON files.
"""

import json
import math
import random
import struct
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

PAGE = (1920, 1080)
RATE = 48_000
MEBIBYTE = 1024 * 1024
_START = 1_750_000_000  # every file is a second younger than the one before

_WORDS = [
    "shot", "camera", "dolly", "light", "scene", "prompt", "seed", "sampler", "lumière", "帝国", "character", "wide",
    "closeup", *(f"w{number}" for number in range(4000)),
]  # fmt: skip


def mixed(folder: Path, *, scale: float = 1.0) -> None:
    """t1, or a part of it."""
    rng = random.Random(1)
    count = max(1, round(12 * scale))
    for number in range(max(1, round(100 * scale))):
        _still(_place(folder, f"images/shot_{number:03d}.png"), number, rng)
    for number in range(count):
        _place(folder, f"video/clip_{number:02d}.mp4").write_bytes(b"\0\0\0\x18ftypisom" + rng.randbytes(28 * MEBIBYTE))
        _sound(_place(folder, f"audio/track_{number:02d}.wav"), 110 + number * 20, rng)
    rows = _plate_rows()
    for number in range(count):
        _plate(_place(folder, f"plates/plate_{number:02d}.raw"), rows, rng)
    for number in range(max(1, round(400 * scale))):
        _document(_place(folder, f"shots/shot_{number:03d}.json"), rng.randint(1500, 6000), rng)
    _place(folder, "audio/é 日本/note ñ.txt").write_text("ok", encoding="utf-8")
    _finish(folder, rng)


def small_files(folder: Path, *, count: int = 20_000) -> None:
    """t2, or a part of it."""
    rng = random.Random(2)
    for number in range(count):
        _document(_place(folder, f"d{number // 200:03d}/f{number:05d}.json"), rng.randint(20, 250), rng)
    _finish(folder, rng)


def _finish(folder: Path, rng: random.Random) -> None:
    facts = {"schema_version": "1.0", "project_name": folder.name, "note": _text(rng, 2000)}
    (folder / "project.json").write_text(json.dumps(facts), encoding="utf-8")
    import os

    for age, path in enumerate(sorted(path for path in folder.rglob("*") if path.is_file())):
        os.utime(path, (_START + age, _START + age))


def _place(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words))


def _document(path: Path, size: int, rng: random.Random) -> None:
    steps = [{"k": rng.choice(_WORDS), "v": rng.random()} for _ in range(size // 4)]
    facts = {"id": rng.getrandbits(64), "prompt": _text(rng, size), "seed": rng.getrandbits(32), "steps": steps}
    path.write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _still(path: Path, number: int, rng: random.Random) -> None:
    """Gradients, a disc and grain, saved fast as generators do."""
    vertical = Image.linear_gradient("L").resize(PAGE)
    round_one = Image.radial_gradient("L").resize(PAGE).rotate(number * 3)
    grain = _grain(rng)
    channels = (vertical, round_one, ImageChops.invert(vertical))
    picture = Image.merge("RGB", [ImageChops.add(channel, grain, scale=1.1, offset=-6) for channel in channels])
    x, y = rng.randint(300, 1600), rng.randint(200, 900)
    ImageDraw.Draw(picture).ellipse((x - 150, y - 150, x + 150, y + 150), fill=(220, 60, 40))
    picture.save(path, compress_level=1)


def _grain(rng: random.Random) -> Image.Image:
    levels = bytes(byte % 13 for byte in range(256))
    return Image.frombytes("L", PAGE, rng.randbytes(PAGE[0] * PAGE[1]).translate(levels))


def _sound(path: Path, pitch: int, rng: random.Random) -> None:
    """A minute of plucked tone with hiss, 16-bit stereo."""
    frames = 2 * RATE
    samples = []
    for frame in range(frames):
        value = math.sin(2 * math.pi * pitch * frame / RATE) * 8000 * math.exp(-frame / RATE)
        samples += (32_640 + int(value), 32_640 + int(value * 0.7))
    body = struct.pack(f"<{frames * 2}H", *samples) * 30
    hiss = bytearray(len(body))
    hiss[0::2] = rng.randbytes(len(body) // 2)
    # Whole numbers of the length of a file: every sample is added in one go, and none is large enough to carry.
    mixed_down = _number(body) + _number(bytes(hiss)) ^ _number(b"\0\x80" * (len(body) // 2))
    content = mixed_down.to_bytes(len(body), "little")
    header = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(content), b"WAVEfmt ", 16, 1, 2, RATE, RATE * 4, 4, 16,
                         b"data", len(content))  # fmt: skip
    path.write_bytes(header + content)


def _plate_rows() -> tuple[bytes, bytes, bytes]:
    """Three planes of half floats: across, down, and their product."""
    width, height = PAGE
    across = struct.pack(f"<{width}e", *(x / width for x in range(width))) * height
    down = b"".join(struct.pack("<e", y / height) * width for y in range(height))
    product = b"".join(
        struct.pack(f"<{width}e", *(x * y / (width * height) for x in range(width))) for y in range(height)
    )
    return across, down, product


def _plate(path: Path, planes: tuple[bytes, bytes, bytes], rng: random.Random) -> None:
    across, down, product = planes
    grain = bytearray(len(across))
    grain[0::2] = rng.randbytes(len(across) // 2).translate(bytes(byte % 8 for byte in range(256)))
    grainy = (_number(across) + _number(bytes(grain))).to_bytes(len(across) + 1, "little")[: len(across)]
    path.write_bytes(grainy + down + product)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def sizes(folder: Path) -> Iterator[int]:
    """Sizes of all files."""
    return (path.stat().st_size for path in folder.rglob("*") if path.is_file())
