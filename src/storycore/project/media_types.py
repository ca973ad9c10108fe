"""The IANA media type of a file, by its content; only for texts its name has a say."""

from storycore.project.content import HEAD_BYTES, media_type

_TEXTS = {
    ".json": "application/json", ".txt": "text/plain", ".md": "text/markdown", ".csv": "text/csv",
    ".html": "text/html", ".htm": "text/html", ".xml": "application/xml", ".svg": "image/svg+xml",
    ".yaml": "application/yaml", ".yml": "application/yaml", ".toml": "application/toml",
    ".srt": "application/x-subrip", ".vtt": "text/vtt", ".ass": "text/x-ssa", ".ssa": "text/x-ssa",
    ".py": "text/x-python", ".js": "text/javascript", ".css": "text/css", ".fountain": "text/x-fountain",
    ".edl": "text/plain", ".cube": "text/plain", ".log": "text/plain",
}  # fmt: skip
_BINARIES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif",
    ".bmp": "image/bmp", ".tif": "image/tiff", ".tiff": "image/tiff", ".exr": "image/x-exr", ".avif": "image/avif",
    ".heic": "image/heic", ".ppm": "image/x-portable-anymap", ".pgm": "image/x-portable-anymap",
    ".pbm": "image/x-portable-anymap", ".pnm": "image/x-portable-anymap", ".mp4": "video/mp4", ".m4v": "video/mp4",
    ".mov": "video/quicktime", ".mkv": "video/x-matroska", ".webm": "video/webm", ".avi": "video/x-msvideo",
    ".wav": "audio/wav", ".mp3": "audio/mpeg", ".flac": "audio/flac", ".m4a": "audio/mp4", ".aac": "audio/aac",
    ".ogg": "audio/ogg", ".opus": "audio/ogg", ".ttf": "font/ttf", ".otf": "font/otf", ".woff": "font/woff",
    ".woff2": "font/woff2", ".pdf": "application/pdf", ".zip": "application/zip",
}  # fmt: skip
_UNKNOWN = "application/octet-stream"


def measured(path: str, head: bytes, kind: str | None) -> str:
    """The media type of a file that begins with `head`.

    Args:
        path: only its suffix counts, and only for texts and fonts.
        head: the first `HEAD_BYTES`, or all of it.
        kind: what `project.content.media_type` made of `head`.
    """
    if kind is not None:
        return kind
    if _is_text(head):
        return _TEXTS.get(_suffix(path), "text/plain")
    by_name = named(path)
    return by_name if by_name.startswith("font/") else _UNKNOWN


def named(path: str) -> str:
    """The media type of a text, font or document by its name; "" for media, whose content tells."""
    suffix = _suffix(path)
    binary = _BINARIES.get(suffix, "")
    return _TEXTS.get(suffix, "") or (binary if binary.startswith(("font/", "application/")) else "")


def expected(path: str) -> str:
    """The media type that the name of a file promises; nothing is read."""
    suffix = _suffix(path)
    return _TEXTS.get(suffix) or _BINARIES.get(suffix, _UNKNOWN)


def kind_of(head: bytes) -> str | None:
    """What a file that begins with `head` is, or None for texts and the unknown."""
    return None if head[:1] in (b"{", b"[") else media_type(head[:HEAD_BYTES])


def _suffix(path: str) -> str:
    start, dot = path.rfind("/") + 1, path.rfind(".")
    return path[dot:].lower() if dot > start else ""


def _is_text(head: bytes) -> bool:
    """Whether it is UTF-8 without NUL; a character may be cut off at the end of `head`."""
    head = head[:HEAD_BYTES]
    if head.isascii():
        return b"\0" not in head
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as fault:
        return fault.reason == "unexpected end of data" and len(head) == HEAD_BYTES
    return True
