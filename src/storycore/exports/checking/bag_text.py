"""The text files of a bag as facts: bagit.txt, bag-info.txt, manifests, fetch.txt. Pure.

Source: RFC 8493 (BagIt 1.0) sections 2.1.1, 2.1.3, 2.2 and 2.3; drafts 0.93 to 0.97 for the older versions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from storycore.exports.checking.verdict import Finding, Findings, shown

V1: Final = (1, 0)
VERSIONS: Final = frozenset({(0, 93), (0, 94), (0, 95), (0, 96), (0, 97), V1})
_LINE_END = re.compile(r"\r\n|\r|\n")
_DECLARATION = re.compile(r"BagIt-Version: (\d+)\.(\d+)(?:\r\n|\r|\n)Tag-File-Character-Encoding: (\S+)(\r\n|\r|\n)?")
_LOOSE = re.compile(
    r"\s*BagIt-Version\s*:\s*(\d+)\.(\d+)[ \t]*[\r\n]+[ \t]*Tag-File-Character-Encoding\s*:\s*(\S+)\s*", re.IGNORECASE
)
_MANIFEST_LINE = re.compile(r"([0-9A-Fa-f]+)[ \t]+(.+)", re.DOTALL)
_FETCH_LINE = re.compile(r"(\S+)[ \t]+(\d+|-)[ \t]+(.+)", re.DOTALL)
_DRIVE = re.compile(r"^[A-Za-z]:")
_ESCAPE = re.compile(r"%(0[Aa]|0[Dd]|25)")
_RAW_PERCENT = re.compile(r"%(?!0[Aa]|0[Dd]|25)")
_LITERALS: Final = {"0A": "\n", "0D": "\r", "25": "%"}
_MOST_MALFORMED: Final = 10_000
_BOM: Final = b"\xef\xbb\xbf"
_ENCODINGS: Final = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be"}
    | {"shift_jis", "euc-jp", "euc-kr", "gb2312", "gbk", "gb18030", "big5", "koi8-r", "koi8-u", "macintosh"}
    | {f"iso-8859-{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)}
    | {f"windows-{number}" for number in range(1250, 1259)}
)
_PYTHON_NAMES: Final = {"macintosh": "mac_roman", "us-ascii": "ascii"}


@dataclass(frozen=True, slots=True)
class Declaration:
    """What bagit.txt says.

    Attributes:
        version: major and minor.
        encoding: name of the encoding of the other text files, as Python knows it.
    """

    version: tuple[int, int]
    encoding: str

    @property
    def strict(self) -> bool:
        """Whether the rules of 1.0 hold, and not the looser ones of the drafts before it."""
        return self.version >= V1

    @property
    def info_name(self) -> str:
        """Name of the file with the bag's metadata."""
        return "bag-info.txt" if self.version >= (0, 96) else "package-info.txt"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a manifest or of fetch.txt.

    Attributes:
        number: from 1.
        path: as written.
        checksum: its bytes; empty in fetch.txt.
    """

    number: int
    path: str
    checksum: bytes


def read_declaration(data: bytes, findings: Findings) -> Declaration | None:
    """What bagit.txt says, or None if it says nothing that can be followed."""
    path = "bagit.txt"
    if data.startswith(_BOM):
        findings.fault(path, Finding.BYTE_ORDER_MARK, "It begins with a byte order mark, which RFC 8493 forbids.")
        data = data.removeprefix(_BOM)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        findings.fault(path, Finding.NOT_TEXT, "It is not UTF-8.")
        return None
    match = _LOOSE.fullmatch(text)
    if match is None:
        findings.fault(path, Finding.DECLARATION_INVALID, "It is not the two lines BagIt-Version and encoding.")
        return None
    version = (int(match[1][:9]), int(match[2][:9]))
    if version not in VERSIONS:
        shown_version = shown(f"{match[1]}.{match[2]}", most=20)
        findings.fault(path, Finding.VERSION_UNSUPPORTED, f"BagIt {shown_version} is not known; 0.93 to 1.0 are.")
        return None
    exact = _DECLARATION.fullmatch(text)
    if exact is None and version >= V1:
        findings.fault(
            path, Finding.DECLARATION_INVALID, "BagIt 1.0 wants its two lines exactly, without other white space."
        )
    elif exact is not None and exact[4] is None and version >= V1:
        findings.warn(path, Finding.DECLARATION_INVALID, "The last line has no end.")
    return _declaration(version, match[3], findings)


def _declaration(version: tuple[int, int], encoding: str, findings: Findings) -> Declaration | None:
    name = encoding.lower()
    if name not in _ENCODINGS:
        findings.fault(
            "bagit.txt", Finding.ENCODING_UNSUPPORTED, f"The encoding {shown(encoding, most=40)} is not read here."
        )
        return None
    return Declaration(version, _PYTHON_NAMES.get(name, name))


def decode(path: str, data: bytes, declaration: Declaration, findings: Findings) -> str | None:
    """Text of a tag file, or None if it is not in the encoding that was declared."""
    if declaration.encoding in ("utf-8", "utf8", "ascii") and data.startswith(_BOM):
        findings.tell(
            path, Finding.BYTE_ORDER_MARK, "It begins with a byte order mark, which UTF-8 does not need.",
            wrong=declaration.strict,
        )  # fmt: skip
        data = data.removeprefix(_BOM)
    try:
        return data.decode(declaration.encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        findings.fault(path, Finding.NOT_TEXT, f"It is not {declaration.encoding.upper()}.")
        return None


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1; they end with LF, CR or CRLF and nothing else."""
    number = start = 0
    for number, end in enumerate(_LINE_END.finditer(text), start=1):  # not split: a text may be millions of lines
        yield number, text[start : end.start()]
        start = end.end()
    if start < len(text):
        yield number + 1, text[start:]


def read_manifest(path: str, text: str, size: int, declaration: Declaration, findings: Findings) -> Iterator[Line]:
    """The lines of a manifest whose checksums have `size` bytes; others are told, up to where it is hopeless."""
    malformed = 0
    for number, line in lines(text):
        if malformed > _MOST_MALFORMED:
            findings.fault(path, Finding.LINE_MALFORMED, f"From line {number} on it was not read any more.")
            return
        if not line.strip() or line.startswith("#"):
            malformed += 1
            findings.tell(
                path, Finding.LINE_MALFORMED, f"Line {number} is empty or a comment.", wrong=declaration.strict
            )
            continue
        match = _MANIFEST_LINE.fullmatch(line if declaration.strict else line.strip())
        if match is None or len(match[1]) != 2 * size:
            malformed += 1
            findings.fault(
                path, Finding.LINE_MALFORMED, f"Line {number} is not {2 * size} hex digits, white space and a path."
            )
            continue
        yield Line(number, match[2], bytes.fromhex(match[1]))


def read_fetch(text: str, findings: Findings) -> Iterator[Line]:
    """The lines of fetch.txt; nothing is downloaded."""
    for number, line in lines(text):
        match = _FETCH_LINE.fullmatch(line.strip(" \t"))
        if match:
            yield Line(number, match[3], b"")
        elif line.strip():
            findings.fault("fetch.txt", Finding.FETCH_MALFORMED, f"Line {number} is not URL, length and path.")


def read_info(path: str, text: str, declaration: Declaration, findings: Findings) -> list[tuple[str, str]]:
    """Labels and values of bag-info.txt, in order; continued lines are joined."""
    found: list[tuple[str, list[str]]] = []
    for number, line in lines(text):
        if line[:1] in (" ", "\t") and found:
            found[-1][1].append(line.strip())
            continue
        label, colon, value = line.partition(":")
        if colon and label.strip():
            found.append((label.strip(), [value.strip()]))
        odd = not colon or label != label.strip() or not label or (value and value[0] not in " \t")
        if odd:
            findings.tell(
                path, Finding.INFO_MALFORMED, f"Line {number} is not a label, a colon, a space and a value.",
                wrong=declaration.strict and bool(line.strip()),
            )  # fmt: skip
    return [(label, " ".join(values)) for label, values in found]


def unescape(path: str, declaration: Declaration) -> str:
    """The path that a manifest means: LF, CR and, since 1.0, `%` are written as `%0A`, `%0D`, `%25`."""
    if "%" not in path:
        return path

    def literal(match: re.Match[str]) -> str:
        code = match[1].upper()
        return match[0] if code == "25" and not declaration.strict else _LITERALS[code]

    return _ESCAPE.sub(literal, path)


def has_raw_percent(path: str) -> bool:
    """Whether a path holds a `%` that stands for itself, which 1.0 wants written as `%25`."""
    return bool(_RAW_PERCENT.search(path))


def leads_out(path: str) -> bool:
    """Whether a path of a manifest could mean something outside the bag, on any system."""
    parts = re.split(r"[\\/]", path)
    return path.startswith(("/", "\\", "~")) or ".." in parts or bool(_DRIVE.match(path)) or "\0" in path
