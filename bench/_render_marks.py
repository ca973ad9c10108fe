"""What signing a film costs."""

import json
import statistics
from importlib.metadata import version
from pathlib import Path

import _page
from _render_cost import ours, verdict
from _render_film import make, still
from PIL import Image
from PIL.PngImagePlugin import PngInfo


def marking(place: Path, shots: int, rounds: int):
    """What signing a film and reading the credentials back add to an export, with each still an ingredient."""
    film = make(place / "marks", shots)
    graph = json.dumps({"3": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sdxl.safetensors"}}})
    told = PngInfo()
    told.add_text("prompt", graph)
    for number in range(shots):
        with Image.open(still(film, number)) as picture:
            picture.load()
            picture.save(still(film, number), pnginfo=told, compress_level=1)
    cache = place / "marks-cache"
    full = ours(film, place / "m", cache, "credentials=never")
    plain, signed = [], []
    for number in range(rounds):
        for name, costs, asked in (("n", plain, "never"), ("y", signed, "always")):
            costs.append(ours(film, place / f"{name}{number}", cache, f"credentials={asked}").cpu)
    more = statistics.median(signed) - statistics.median(plain)
    size = (place / "y0/Bench.mp4").stat().st_size
    added = size - (place / "n0/Bench.mp4").stat().st_size
    yield verdict("signing and reading back ÷ full, processor time", more / full.cpu, 0.01,
               f"{more:.3f} of {full.cpu:.1f} s, median of {rounds} with a warm cache, which differ by "
               f"{max(plain) - min(plain):.3f} and {max(signed) - min(signed):.3f} s by themselves; "
               f"{shots} ingredients, {added:,} bytes more in {size / 1e6:.1f} MB")  # fmt: skip


def marks(place: Path, shots: int):
    """The part about signing alone, line by line."""
    yield "## Films: what signing costs"
    yield ""
    yield f"Made by `python3 run.py bench render --marks --shots {shots} --write`. {shots} generated stills,"
    yield "and else the film of the part above; from a warm cache with and without credentials, start-up included."
    yield ""
    noise = [_page.control() for _ in range(3)]
    found = list(marking(place, shots, 5))
    noise += [_page.control() for _ in range(3)]
    yield from _page.circumstances("five rounds, one after the other", noise, f"c2pa-python {version('c2pa-python')}")
    yield ""
    yield from found
