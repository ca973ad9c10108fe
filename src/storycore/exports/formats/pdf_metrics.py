"""What a finished PDF measures, as every result tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

from storycore.exports.documents.pdf_facts import PdfFacts
from storycore.exports.formats.figures import Figure, Kind
from storycore.exports.formats.sound_metrics import metric

CONFORMANCE = ("PDF/A-2a", "PDF/UA-1")
"""What our documents conform to."""

FIGURES: Mapping[str, Figure] = {
    "pages": Figure(words="the number of pages"),
    "dpi": Figure(words="the lowest resolution of a picture"),
    "color_space": Figure(words="the colour space", kind=Kind.TEXT),
    "page_size": Figure(words="the number of different sizes of pages", kind=Kind.STRETCHES),
    "pictures": Figure(words="the number of pictures", kind=Kind.STRETCHES),
    "fonts": Figure(words="the number of fonts", kind=Kind.STRETCHES),
    "fonts_embedded": Figure(words="the number of fonts that stand in the file", aimed=True),
    "conformance": Figure(words="what it conforms to", kind=Kind.TEXT, aimed=True),
    "tagged": Figure(words="whether it is tagged", kind=Kind.TRUTH, aimed=True),
    "alt_text": Figure(words="the number of pictures that are told in words", aimed=True),
    "bookmarks": Figure(words="the number of bookmarks"),
    "links": Figure(words="the number of links"),
    "language": Figure(words="the language", kind=Kind.TEXT),
}
"""Of documents on paper."""

_READ = "read back (pypdf)"
_POINTS_PER_MM = 72 / 25.4


def metrics(facts: PdfFacts, dpi: int) -> dict[str, Any]:
    """The keys that callers know, then each further figure as `{value, unit, method, target?, verdict?}`.

    Args:
        facts: of the file.
        dpi: that pictures were reduced to; those of a small film have less.
    """
    lowest = min((it.dpi for it in facts.placed), default=None)
    embedded = sum(facts.fonts.values())
    figures, described = facts.figures
    return {
        "pages": facts.pages,
        "dpi": None if lowest is None else round(lowest),
        "color_space": facts.color_space,
        "page_size": metric(
            [[round(side / _POINTS_PER_MM, 1) for side in size] for size in facts.sizes], "mm", _READ
        ),
        "pictures": metric(
            [{"page": it.page, "width": it.width, "height": it.height, "dpi": round(it.dpi, 1)} for it in facts.placed],
            "",
            "pixels over the size on paper, from the content streams",
            target=dpi,
        ),
        "fonts": metric(sorted(facts.fonts), "", _READ),
        "fonts_embedded": metric(
            embedded, "fonts", _READ, target=len(facts.fonts), verdict=_all(embedded, len(facts.fonts))
        ),
        "conformance": metric(
            ", ".join(facts.conformance), "", "as its XMP says", target=", ".join(CONFORMANCE),
            verdict=_verdict(facts.conformance),
        ),
        "tagged": metric(facts.tagged, "", "MarkInfo and structure tree", target=True,
                         verdict="within target" if facts.tagged else "not tagged"),
        "alt_text": metric(described, "pictures", "structure tree", target=figures, verdict=_all(described, figures)),
        "bookmarks": metric(facts.bookmarks, "", _READ),
        "links": metric(facts.links, "", _READ),
        "language": facts.language,
    }  # fmt: skip


def _all(count: int, target: int) -> str:
    return "within target" if count == target else f"{target - count} without"


def _verdict(found: Sequence[str]) -> str:
    missing = [name for name in CONFORMANCE if name not in found]
    return f"without {', '.join(missing)}" if missing else "within target"
