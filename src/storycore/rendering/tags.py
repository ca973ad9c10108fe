"""What a film says about itself in its files. Pure."""

import unicodedata
from collections.abc import Mapping

_LONGEST = 1000
_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")  # they reorder what follows

_CODES = (
    "af:afr ar:ara bg:bul bn:ben ca:cat cs:ces cy:cym da:dan de:deu el:ell en:eng es:spa et:est eu:eus fa:fas "
    "fi:fin fr:fra ga:gle gl:glg he:heb hi:hin hr:hrv hu:hun hy:hye id:ind is:isl it:ita ja:jpn ka:kat ko:kor "
    "lt:lit lv:lav mk:mkd ms:msa nb:nob nl:nld nn:nno no:nor pl:pol pt:por ro:ron ru:rus sk:slk sl:slv sq:sqi "
    "sr:srp sv:swe sw:swa ta:tam th:tha tl:tgl tr:tur uk:ukr ur:urd vi:vie zh:zho"
)
_THREE_LETTERS = dict(pair.split(":") for pair in _CODES.split())


def clean(text: str) -> str:
    """A text on one line, without characters that steer a reader, and not too long."""
    kept = (
        " " if letter.isspace() else letter
        for letter in text[: 4 * _LONGEST]
        if letter.isspace() or (unicodedata.category(letter) not in ("Cc", "Cs", "Cn", "Co") and letter not in _MARKS)
    )
    return " ".join("".join(kept).split())[:_LONGEST]


def three_letters(language: str) -> str:
    """ISO 639-2/T code of a BCP 47 language, as MP4, Matroska and ID3 want it; "und" for one not in our list."""
    first = language.split("-", maxsplit=1)[0].lower()
    return _THREE_LETTERS.get(first, first if len(first) == 3 else "und")


def arguments(tags: Mapping[str, str], *, language: str = "") -> list[str]:
    """Arguments that write tags; empty ones are left out.

    Args:
        tags: name → text of a stranger.
        language: BCP 47, of the sound; "" if it is not known.
    """
    found = [word for name, text in tags.items() if (shown := clean(text)) for word in ("-metadata", f"{name}={shown}")]
    return [*found, *(("-metadata:s:a:0", f"language={three_letters(language)}") if language else ())]
