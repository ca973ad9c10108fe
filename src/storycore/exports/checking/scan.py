"""Reads every file of a package once and keeps what the checks need: sizes, checksums, the small text files."""

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from storycore.exports.checking.media import Ends, is_media, media_fault
from storycore.exports.checking.verdict import Defect, Finding, Findings
from storycore.observe.progress import Progress
from storycore.units import MEBIBYTE

RECORD: Final = "data/storycore/manifest.json"
CRATE: Final = "data/ro-crate-metadata.json"
PAYLOAD: Final = "data/"
_SMALL_BYTES: Final = {"bagit.txt": 4096, "bag-info.txt": MEBIBYTE, "package-info.txt": MEBIBYTE}
MAX_TEXT_BYTES: Final = 64 * MEBIBYTE
"""Most bytes of one text: a package of 100,000 files has records of half of that."""
MAX_KEPT_BYTES: Final = 64 * MEBIBYTE
"""Most bytes of memory for all texts together, packed; a package of 100,000 files needs about 13 MB: three times its
SHA-256 sums, which shrink to 38 bytes each."""
_MANIFEST = re.compile(r"(tag)?manifest-([A-Za-z0-9_-]{1,32})\.txt")
_HASHES: Final = {
    "md5": "md5", "sha1": "sha1", "sha224": "sha224", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512",
    "sha3224": "sha3_224", "sha3256": "sha3_256", "sha3384": "sha3_384", "sha3512": "sha3_512",
    "blake2b": "blake2b", "blake2b512": "blake2b", "blake2s": "blake2s", "blake2s256": "blake2s",
}  # fmt: skip
"""Names of algorithms as RFC 8493 section 2.4 normalises them, and as hashlib knows them."""


class Manifest(NamedTuple):
    """A file that lists checksums.

    Attributes:
        path: its name.
        of_tags: whether it lists tag files, not the payload.
        algorithm: as hashlib knows it; None if it is not known here.
    """

    path: str
    of_tags: bool
    algorithm: str | None


class FileFacts(NamedTuple):
    """What is known of a file that was read to its end.

    Attributes:
        size_bytes: how many bytes were read.
        digests: one for each algorithm of its part of the bag, in order.
    """

    size_bytes: int
    digests: tuple[bytes, ...]


class Readable(Protocol):
    """One file of a package, wherever it is."""

    @property
    def path(self) -> str:
        """Name inside the bag."""

    @property
    def size_bytes(self) -> int:
        """As declared; reading gives no more."""

    def chunks(self) -> Iterator[bytes]:
        """Its content.

        Raises:
            Defect: it can't be read as declared.
        """


@dataclass(slots=True)
class Scan:
    """Everything that the checks of a bag need to know.

    Attributes:
        files: facts by name inside the bag; None for a file that is there but can't be read.
        texts: what the checks read of text files, packed to save memory; see `take_text`.
        manifests: the files that list checksums.
        payload_algorithms: of `FileFacts.digests` for files under data/; sha256 is always the first.
        tag_algorithms: of `FileFacts.digests` for the others, likewise.
        has_payload_folder: whether there is a data folder, be it empty.
        kept_bytes: how large `texts` are, packed.
        read: how many files were read to their end.
        read_bytes: their size.
    """

    files: dict[str, FileFacts | None]
    texts: dict[str, bytes]
    manifests: tuple[Manifest, ...]
    payload_algorithms: tuple[str, ...]
    tag_algorithms: tuple[str, ...]
    has_payload_folder: bool
    kept_bytes: int = 0
    read: int = 0
    read_bytes: int = 0

    def take_text(self, path: str) -> bytes | None:
        """Content of a text file, at most `MAX_TEXT_BYTES`, once; None if it was not kept."""
        packed = self.texts.pop(path, None)
        return None if packed is None else zlib.decompress(packed)

    def digest(self, path: str, algorithm: str) -> bytes | None:
        """Checksum of a file, or None if it could not be read."""
        facts = self.files.get(path)
        if facts is None:
            return None
        algorithms = self.payload_algorithms if path.startswith(PAYLOAD) else self.tag_algorithms
        return facts.digests[algorithms.index(algorithm)]

    def payload(self) -> Iterator[tuple[str, FileFacts | None]]:
        """The files under data/."""
        return ((path, facts) for path, facts in self.files.items() if path.startswith(PAYLOAD))


def begin(names: Iterable[str], *, has_payload_folder: bool) -> Scan:
    """A scan that has read nothing yet, of a bag that holds files of these `names`."""
    manifests = tuple(sorted(_manifests(names)))
    return Scan(
        files={},
        texts={},
        manifests=manifests,
        payload_algorithms=_algorithms(manifests, of_tags=False),
        tag_algorithms=_algorithms(manifests, of_tags=True),
        has_payload_folder=has_payload_folder,
    )


def read_all(scan: Scan, files: Iterable[Readable], findings: Findings, progress: Progress) -> None:
    """Reads files into `scan`; those that break are told and kept as None.

    Raises:
        Cancelled: the work was asked to stop.
    """
    for file in files:
        scan.files[file.path] = None
        try:
            scan.files[file.path] = _read(scan, file, findings, progress)
        except Defect as defect:
            findings.fault(file.path, defect.reason, defect.message)


def _read(scan: Scan, file: Readable, findings: Findings, progress: Progress) -> FileFacts:
    algorithms = scan.payload_algorithms if file.path.startswith(PAYLOAD) else scan.tag_algorithms
    hashes = [hashlib.new(name, usedforsecurity=False) for name in algorithms]
    text = _Text(scan, file)
    inside = file.path.removeprefix(PAYLOAD)
    ends = Ends(file.size_bytes) if inside != file.path and is_media(inside) else None
    size = 0
    for chunk in file.chunks():
        for digest in hashes:
            digest.update(chunk)
        size += len(chunk)
        text.add(chunk)
        if ends is not None:
            ends.add(chunk)
        progress.advance(len(chunk))
    text.finish(findings)
    scan.read += 1
    scan.read_bytes += size
    odd = media_fault(file.path, ends, size) if ends is not None else None
    if odd is not None:
        findings.warn(file.path, *odd)
    return FileFacts(size, tuple(digest.digest() for digest in hashes))


class _Text:
    """What is kept of one file: nothing, unless it is a text of the checks and within its own and the common bound."""

    def __init__(self, scan: Scan, file: Readable) -> None:
        self._scan = scan
        self._path = file.path
        self._limit = _text_limit(scan, file.path)
        self._fits = 0 < self._limit >= file.size_bytes
        self._packer = zlib.compressobj(1) if self._fits else None
        self._kept: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        if self._packer is not None:
            self._keep(self._packer.compress(chunk))

    def finish(self, findings: Findings) -> None:
        if self._packer is not None:
            self._keep(self._packer.flush())
        if self._packer is not None:
            self._scan.texts[self._path] = b"".join(self._kept)
        elif self._fits:
            message = "It and the other texts of the package are more than is kept of them; it was not looked at."
            findings.tell(self._path, Finding.TEXTS_TOO_LARGE, message, wrong=self._is_needed)
        elif self._limit:
            message = f"It is larger than the {self._limit} bytes that are read of it."
            findings.tell(self._path, Finding.TOO_LARGE, message, wrong=self._is_needed)

    @property
    def _is_needed(self) -> bool:
        """Whether a bag is none without it; what else the payload says of itself is covered by its checksum."""
        return self._path not in (RECORD, CRATE)

    def _keep(self, packed: bytes) -> None:
        if self._scan.kept_bytes + len(packed) > MAX_KEPT_BYTES:
            self._scan.kept_bytes -= sum(map(len, self._kept))
            self._kept, self._packer = [], None
        elif packed:
            self._scan.kept_bytes += len(packed)
            self._kept.append(packed)


def _text_limit(scan: Scan, path: str) -> int:
    """How many bytes of a file may be kept: 0 for those whose content is nothing to the checks."""
    if path in _SMALL_BYTES:
        return _SMALL_BYTES[path]
    return MAX_TEXT_BYTES if path in ("fetch.txt", RECORD, CRATE) or _is_read(scan.manifests, path) else 0


def _is_read(manifests: tuple[Manifest, ...], path: str) -> bool:
    """Whether a file is a manifest that can be checked: of a known algorithm, and the first one of it."""
    if not _MANIFEST.fullmatch(path):
        return False
    own = next(manifest for manifest in manifests if manifest.path == path)
    same = (one for one in manifests if (one.of_tags, one.algorithm) == (own.of_tags, own.algorithm))
    return own.algorithm is not None and next(same) is own


def _manifests(names: Iterable[str]) -> Iterator[Manifest]:
    for name in names:
        match = _MANIFEST.fullmatch(name)
        if match:
            normal = match[2].lower().replace("-", "").replace("_", "")
            yield Manifest(name, bool(match[1]), _HASHES.get(normal))


def _algorithms(manifests: Iterable[Manifest], *, of_tags: bool) -> tuple[str, ...]:
    named = {manifest.algorithm for manifest in manifests if manifest.of_tags == of_tags and manifest.algorithm}
    return ("sha256", *sorted(named - {"sha256"}))
