"""Names that every editing program takes: of media, of reels, and words on one line. Pure."""

import re
import unicodedata

from storycore.rendering.tags import clean

_MOST_LETTERS = 40
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_ODD = re.compile(r"[^A-Za-z0-9]+")


def media_name(number: int, title: str, *, digits: int = 3) -> str:
    """A file's name without suffix: the shot's number, and of its title what ASCII has. Never a path, never long."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = _ODD.sub("_", plain)[:_MOST_LETTERS].strip("_")
    return f"{number:0{digits}d}_{words}" if words else f"{number:0{digits}d}"


def reel_name(number: int) -> str:
    """A reel's name: at most 8 letters and digits. Source: CMX 3600, reel identification."""
    return f"S{number % 10_000_000:04d}"


def line(text: str, longest: int = 1000) -> str:
    """Words of strangers on one line, without what steers a reader or breaks XML."""
    return clean(text)[:longest].strip()


def link(base: str, path: str) -> str:
    """A path as a link: percent-encoded. Source: RFC 3986 §2.1."""
    return base + "".join(chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}" for byte in path.encode())
