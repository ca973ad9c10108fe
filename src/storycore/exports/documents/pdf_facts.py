"""What a finished PDF is, read by a library that did not write it."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from pypdf import PdfReader
from pypdf.generic import ContentStream, DictionaryObject, StreamObject

POINTS_PER_INCH = 72
_DEEPEST = 8
_PART = re.compile(r"<pdfaid:part>(\d)</pdfaid:part>|pdfaid:part=\"(\d)\"")
_LEVEL = re.compile(r"<pdfaid:conformance>(\w)</pdfaid:conformance>|pdfaid:conformance=\"(\w)\"")
_ACCESS = re.compile(r"<pdfuaid:part>(\d)</pdfuaid:part>|pdfuaid:part=\"(\d)\"")

Matrix = tuple[float, float, float, float, float, float]
_PLAIN: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A picture on a page.

    Attributes:
        page: from 1.
        width: in pixels.
        height: in pixels.
        dpi: pixels to an inch of paper, where that is lower.
        color: DeviceRGB, DeviceGray, ….
    """

    page: int
    width: int
    height: int
    dpi: float
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfFacts:
    """A PDF.

    Attributes:
        pages: how many.
        sizes: different sizes of pages in points, as they come.
        placed: every picture on every page.
        fonts: names of all fonts, each with whether it is embedded.
        conformance: what it says it conforms to: PDF/A-2A, PDF/UA-1.
        tagged: whether it says that it is tagged, and has a structure.
        figures: how many pictures its structure tells of, and how many of them have words in place of the picture.
        bookmarks: how many.
        links: how many.
        color_space: of its output intent.
        title: as viewers show it.
        language: of the text.
    """

    pages: int
    sizes: Sequence[tuple[float, float]]
    placed: Sequence[Placed]
    fonts: dict[str, bool]
    conformance: Sequence[str]
    tagged: bool
    figures: tuple[int, int]
    bookmarks: int
    links: int
    color_space: str
    title: str
    language: str


def read(file: BinaryIO) -> PdfFacts:
    """Facts of a PDF that was made here.

    Raises:
        pypdf.errors.PdfReadError: it is none.
    """
    reader = PdfReader(file, strict=True)
    root: Any = reader.trailer["/Root"]
    fonts: dict[str, bool] = {}
    placed: list[Placed] = []
    links = 0
    for number, page in enumerate(reader.pages, start=1):
        resources = _object(page.get("/Resources"))
        fonts |= dict(_fonts(resources))
        placed += _pictures(page.get_contents(), resources, _PLAIN, number, 0)
        links += sum(_object(it).get("/Subtype") == "/Link" for it in _object(page.get("/Annots")) or ())
        reader.resolved_objects.clear()  # it would keep every picture
    metadata = _object(root.get("/Metadata"))
    structure = _object(root.get("/StructTreeRoot"))
    marked = _object(root.get("/MarkInfo")) or {}
    return PdfFacts(
        pages=len(reader.pages),
        sizes=list(dict.fromkeys((float(it.mediabox.width), float(it.mediabox.height)) for it in reader.pages)),
        placed=placed,
        fonts=fonts,
        conformance=_conformance(metadata.get_data().decode("utf-8", "replace") if metadata is not None else ""),
        tagged=bool(marked.get("/Marked")) and structure is not None,
        figures=_figures(structure),
        bookmarks=_count(reader.outline),
        links=links,
        color_space=_intent(root, placed),
        title=str((reader.metadata and reader.metadata.title) or ""),
        language=str(root.get("/Lang", "")),
    )


def _object(value: Any) -> Any:
    return value.get_object() if value is not None else None


def _fonts(resources: Any) -> Iterator[tuple[str, bool]]:
    for value in (_object(resources.get("/Font")) or {}).values():
        font = _object(value)
        inner = _object(font.get("/DescendantFonts"))
        described = _object((_object(inner[0]) if inner else font).get("/FontDescriptor")) or {}
        embedded = any(f"/FontFile{kind}" in described for kind in ("", "2", "3"))
        yield str(font.get("/BaseFont", "")).lstrip("/"), embedded


def _pictures(content: Any, resources: Any, matrix: Matrix, page: int, depth: int) -> Iterator[Placed]:
    """Pictures that a content stream draws, those inside of its forms too."""
    if content is None or depth > _DEEPEST:
        return
    stack: list[Matrix] = []
    drawn = _object(resources.get("/XObject")) or {}
    for operands, operator in _operations(content):
        if operator == b"q":
            stack.append(matrix)
        elif operator == b"Q":
            matrix = stack.pop() if stack else matrix
        elif operator == b"cm":
            matrix = _times(_matrix(operands), matrix)
        elif operator == b"Do":
            yield from _drawn(_object(drawn.get(operands[0])), resources, matrix, page, depth)


def _drawn(item: Any, resources: Any, matrix: Matrix, page: int, depth: int) -> Iterator[Placed]:
    if not isinstance(item, StreamObject):
        return
    if item.get("/Subtype") == "/Form":
        inner = _times(_matrix(item.get("/Matrix", _PLAIN)), matrix)
        yield from _pictures(item, _object(item.get("/Resources")) or resources, inner, page, depth + 1)
    elif item.get("/Subtype") == "/Image":
        width, height = (int(str(item[side])) for side in ("/Width", "/Height"))
        wide, high = math.hypot(matrix[0], matrix[1]), math.hypot(matrix[2], matrix[3])
        dpi = min(width / max(wide, 0.01), height / max(high, 0.01)) * POINTS_PER_INCH
        yield Placed(page=page, width=width, height=height, dpi=dpi, color=_color(item.get("/ColorSpace")))


def _operations(content: Any) -> Iterable[tuple[Any, bytes]]:
    stream = content if isinstance(content, ContentStream) else ContentStream(content, None)
    return stream.operations


def _matrix(values: Any) -> Matrix:
    a, b, c, d, e, f = (float(value) for value in values)
    return a, b, c, d, e, f


def _times(one: Matrix, two: Matrix) -> Matrix:
    """`one`, then `two`. Source: ISO 32000-1 §8.3.4."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def _color(value: Any) -> str:
    space = _object(value)
    return str(space[0] if isinstance(space, list) else space).lstrip("/")


def _conformance(xmp: str) -> list[str]:
    part, level, access = (pattern.search(xmp) for pattern in (_PART, _LEVEL, _ACCESS))
    found = []
    if part:
        found.append(f"PDF/A-{part[1] or part[2]}{(level[1] or level[2]).lower() if level else ''}")
    if access:
        found.append(f"PDF/UA-{access[1] or access[2]}")
    return found


def _figures(structure: Any) -> tuple[int, int]:
    """Figures of the structure tree, and those with words in place of the picture."""
    count = told = 0
    waiting = [structure] if structure is not None else []
    while waiting:
        item = _object(waiting.pop())
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, DictionaryObject):
            if item.get("/S") == "/Figure":
                count += 1
                told += bool(item.get("/Alt"))
            if "/K" in item:
                waiting.append(item.raw_get("/K"))
    return count, told


def _count(outline: Any) -> int:
    return sum(_count(item) if isinstance(item, list) else 1 for item in outline)


def _intent(root: Any, placed: Sequence[Placed]) -> str:
    """RGB, as the output intent's profile counts channels, or what pictures are in."""
    intents = _object(root.get("/OutputIntents"))
    profile = _object(_object(intents[0]).get("/DestOutputProfile")) if intents else None
    channels = {1: "Gray", 3: "RGB", 4: "CMYK"}
    if profile is not None:
        return channels.get(int(profile.get("/N", 0)), "")
    return "RGB" if any("RGB" in it.color for it in placed) else ""
