"""What a check of a package finds, in words that stay the same between versions."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

MAX_FINDINGS = 1000
"""Most faults, and most warnings, that one verdict lists."""
_MAX_SHOWN = 1024


class Finding(StrEnum):
    """Why something in a package is wrong or odd: the whole list.

    A package with a fault is not valid. A warning changes nothing about validity. Where both are noted, the older
    versions of BagIt (before 1.0) or a tolerant reading decide.
    """

    # The archive as a file
    NOT_A_PACKAGE = "not_a_package"
    """Fault: neither a ZIP nor a folder that holds a bag."""
    TRUNCATED = "truncated"
    """Fault: the file ends before it should."""
    LEADING_DATA = "leading_data"
    """Fault: bytes before the first entry. No checksum covers them, and readers that stream stop at them."""
    TRAILING_DATA = "trailing_data"
    """Fault: bytes after the end record, covered by no checksum."""
    HIDDEN_DATA = "hidden_data"
    """Fault: bytes between entries that no entry owns."""
    AMBIGUOUS_END = "ambiguous_end"
    """Fault: two end records; different programs would see different contents."""
    COMMENT = "comment"
    """Warning: the archive carries a comment; nothing checks it."""
    ARCHIVE_MALFORMED = "archive_malformed"
    """Fault: the list of contents can't be read."""
    COUNT_MISMATCH = "count_mismatch"
    """Fault: the list of contents is longer or shorter than the archive says."""
    ZIP64_INVALID = "zip64_invalid"
    """Fault: the fields for large archives contradict themselves or are beyond 2^63."""
    SEVERAL_DISKS = "several_disks"
    """Fault: one part of a split archive."""
    OVERLAP = "overlap"
    """Fault: two entries share bytes, as in a decompression bomb."""
    BOMB = "bomb"
    """Fault: unpacks to more than 200 times its size, or beyond any limit."""
    TOO_MANY_FILES = "too_many_files"
    """Fault: more entries than a package may hold."""
    # One entry
    HEADER_MISMATCH = "header_mismatch"
    """Fault: the entry is described differently in its own header and in the list of contents."""
    ENCRYPTED = "encrypted"
    """Fault: needs a password."""
    METHOD_UNSUPPORTED = "method_unsupported"
    """Fault: packed in a way other than stored or deflate."""
    SPECIAL_ENTRY = "special_entry"
    """Fault: a link, a device, a pipe, or a folder that carries data."""
    UNSAFE_NAME = "unsafe_name"
    """Fault: a name that could lead out of the folder it is unpacked to, or mislead."""
    NAME_NOT_TEXT = "name_not_text"
    """Fault: a name that is not UTF-8."""
    NAME_UNMARKED = "name_unmarked"
    """Warning: a UTF-8 name that does not say so; old programs show it garbled."""
    NAME_NOT_PORTABLE = "name_not_portable"
    """Warning: a name that Windows can't store."""
    DUPLICATE_NAME = "duplicate_name"
    """Fault: two entries of one name."""
    COLLIDING_NAME = "colliding_name"
    """Fault in a ZIP, warning in a folder: two names that differ only in case or in how accents are written."""
    SIZE_MISMATCH = "size_mismatch"
    """Fault: the data is longer or shorter than the entry says."""
    CRC_MISMATCH = "crc_mismatch"
    """Fault: the data was changed after packing."""
    DATA_DAMAGED = "data_damaged"
    """Fault: the packed data can't be unpacked."""
    # A folder
    LINK = "link"
    """Fault: a link; links are not followed."""
    NOT_A_FILE = "not_a_file"
    """Fault: a pipe, a socket or a device."""
    UNREADABLE = "unreadable"
    """Fault: can't be read, or changed while it was read."""
    # The bag
    NO_TOP_FOLDER = "no_top_folder"
    """Fault: the files stand at the top of the ZIP, not in one folder (RFC 8493 section 4)."""
    SEVERAL_TOP_FOLDERS = "several_top_folders"
    """Fault: something stands beside the one folder of the bag."""
    DECLARATION_MISSING = "declaration_missing"
    """Fault: no bagit.txt."""
    DECLARATION_INVALID = "declaration_invalid"
    """Fault: bagit.txt is not its two lines, exactly."""
    VERSION_UNSUPPORTED = "version_unsupported"
    """Fault: not BagIt 0.93 to 0.97 or 1.0."""
    ENCODING_UNSUPPORTED = "encoding_unsupported"
    """Fault: the tag files are in an encoding that is not read here."""
    BYTE_ORDER_MARK = "byte_order_mark"
    """Fault: a byte order mark where there must be none."""
    NOT_TEXT = "not_text"
    """Fault: a tag file is not in the encoding that bagit.txt names."""
    TOO_LARGE = "too_large"
    """Fault: a tag file is larger than is read. Warning: a record is."""
    TEXTS_TOO_LARGE = "texts_too_large"
    """Fault: the tag files and records together are larger than is kept of them. Warning: a record was not kept."""
    PAYLOAD_MISSING = "payload_missing"
    """Fault: no data folder."""
    PAYLOAD_EMPTY = "payload_empty"
    """Warning: the data folder holds no file."""
    MANIFEST_MISSING = "manifest_missing"
    """Fault: no manifest with an algorithm that can be checked."""
    MANIFEST_TWICE = "manifest_twice"
    """Fault: two manifests for one algorithm."""
    MANIFEST_FORM = "manifest_form"
    """Warning: a line that is not as RFC 8493 wants it, but clear: `*`, `./`, a raw `%`, other accents."""
    LINE_MALFORMED = "line_malformed"
    """Fault, a warning before 1.0 if empty or a comment: a line that is not checksum, space, path."""
    ALGORITHM_UNKNOWN = "algorithm_unknown"
    """Warning: a manifest in an algorithm that can't be checked here."""
    ALGORITHM_WEAK = "algorithm_weak"
    """Warning: only MD5 or SHA-1, which protect against accidents but not against forgery."""
    UNSAFE_PATH = "unsafe_path"
    """Fault: a manifest or fetch.txt names a path that leads out of the bag."""
    OUTSIDE_PAYLOAD = "outside_payload"
    """Fault: a payload manifest or fetch.txt names a file that is not under data/."""
    PAYLOAD_IN_TAG_MANIFEST = "payload_in_tag_manifest"
    """Fault: a tag manifest names a file under data/."""
    TAG_MANIFEST_LISTED = "tag_manifest_listed"
    """Fault: a tag manifest names a tag manifest."""
    MANIFEST_NOT_LISTED = "manifest_not_listed"
    """Fault: a tag manifest leaves out a payload manifest."""
    LISTED_TWICE = "listed_twice"
    """Fault, a warning before 1.0 if the checksums agree: one file on two lines of a manifest."""
    FILE_MISSING = "file_missing"
    """Fault: listed, but not there; also what fetch.txt would download."""
    FILE_UNLISTED = "file_unlisted"
    """Fault: there, but in no manifest (1.0: not in every manifest)."""
    CHECKSUM_MISMATCH = "checksum_mismatch"
    """Fault: the content is not what the manifest says."""
    INFO_MALFORMED = "info_malformed"
    """Fault in 1.0, else a warning: bag-info.txt is not `Label: value`."""
    OXUM_MALFORMED = "oxum_malformed"
    """Fault: Payload-Oxum is not `bytes.files`, or stands there twice with different values."""
    OXUM_MISMATCH = "oxum_mismatch"
    """Fault: Payload-Oxum counts other bytes or files than there are."""
    FETCH_MALFORMED = "fetch_malformed"
    """Fault: a line of fetch.txt is not URL, length, path."""
    FETCH_PRESENT = "fetch_present"
    """Warning: fetch.txt is there, though all is here; nothing is ever downloaded."""
    # StoryCore's own layer
    RECORD_MALFORMED = "record_malformed"
    """Fault: data/storycore/manifest.json or data/ro-crate-metadata.json is not what it should be."""
    RECORD_MISMATCH = "record_mismatch"
    """Fault: data/storycore/manifest.json disagrees with what is there."""
    MEDIA_EMPTY = "media_empty"
    """Warning: a picture, clip or sound without content."""
    MEDIA_UNKNOWN = "media_unknown"
    """Warning: the content is not of any kind that the name promises."""
    MEDIA_MISLABELLED = "media_mislabelled"
    """Warning: the content is of another kind than the name says."""
    MEDIA_BROKEN = "media_broken"
    """Warning: a picture, clip or sound whose headers are broken or whose end is missing."""
    # The verdict itself
    TOO_MANY_FINDINGS = "too_many_findings"
    """Always the last: more was found than is listed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong or odd.

    Attributes:
        path: name inside the package, `""` for the whole; text of a stranger.
        reason: why.
        message: one sentence for people.
    """

    path: str
    reason: Finding
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a package is whole, and exactly what is wrong if not.

    Attributes:
        kind: what was checked.
        checksum: `sha256:` and 64 hex digits of the ZIP; `""` for a folder.
        algorithms: checksums that were compared, strongest last.
        files_checked: how many files were read to their end.
        bytes_checked: their size, unpacked.
        faults: what is wrong, at most `MAX_FINDINGS` and one that says so.
        warnings: what is odd, likewise.
    """

    kind: Literal["zip", "folder"]
    checksum: str
    algorithms: tuple[str, ...]
    files_checked: int
    bytes_checked: int
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]

    @property
    def valid(self) -> bool:
        """Whether everything holds."""
        return not self.faults


class Defect(Exception):  # noqa: N818 - says what it is; never leaves this part
    """Something in a package that can't stand: a record, an entry or a file that is not what it says.

    Attributes:
        reason: why.
        message: one sentence for people.
    """

    def __init__(self, reason: Finding, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


class Findings:
    """Collects what is found, within bounds."""

    def __init__(self) -> None:
        self._faults = _Bounded("faults")
        self._warnings = _Bounded("warnings")

    def fault(self, path: str, reason: Finding, message: str) -> None:
        """Adds something that is wrong."""
        self._faults.add(path, reason, message)

    def warn(self, path: str, reason: Finding, message: str) -> None:
        """Adds something that is odd."""
        self._warnings.add(path, reason, message)

    def tell(self, path: str, reason: Finding, message: str, *, wrong: bool) -> None:
        """Adds a fault if it is `wrong`, else a warning."""
        (self.fault if wrong else self.warn)(path, reason, message)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that is wrong, as far as it is listed."""
        return self._faults.listed()

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """Everything that is odd, as far as it is listed."""
        return self._warnings.listed()


class _Bounded:
    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._found: list[Fault] = []
        self.count = 0

    def add(self, path: str, reason: Finding, message: str) -> None:
        self.count += 1
        if self.count <= MAX_FINDINGS:
            self._found.append(Fault(shown(path), reason, message))

    def listed(self) -> tuple[Fault, ...]:
        if self.count <= MAX_FINDINGS:
            return tuple(self._found)
        message = f"{self.count - MAX_FINDINGS} more {self._noun} are not listed."
        return (*self._found, Fault("", Finding.TOO_MANY_FINDINGS, message))


def shown(text: str, *, most: int = _MAX_SHOWN) -> str:
    """Text of a stranger, made valid Unicode and of bounded length."""
    clean = text[: most + 1].encode("utf-8", "backslashreplace").decode()
    return clean if len(text) <= most else clean[:most] + "…"
