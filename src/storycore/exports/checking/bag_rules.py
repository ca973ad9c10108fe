"""Whether what was read is a valid bag, by the rules of the version that it declares.

Where bagit-python 1.9 is more forgiving than RFC 8493, the RFC decides: white space in bagit.txt, payload files that
one manifest leaves out, empty lines and comments in manifests, payload manifests that a tag manifest leaves out.
Where common tools write what the RFC does not want but nobody can misread it, a warning is enough: `*` and `./`
before a path, a `%` that is not escaped, accents written another way.

Source: RFC 8493 sections 2, 3 and 6; drafts 0.93 to 0.97 for the older versions.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from functools import cached_property
from typing import Final

from storycore.exports.checking import bag_text
from storycore.exports.checking.bag_text import Declaration, Line
from storycore.exports.checking.scan import PAYLOAD, Manifest, Scan
from storycore.exports.checking.verdict import Finding, Findings, shown

_OXUM = re.compile(r"(\d{1,19})\.(\d{1,19})")
_MOST_MISSING: Final = 100_000
"""How many names of files that are not there are remembered, so that each is told once."""
_WEAK: Final = frozenset({"md5", "sha1"})


class BagRules:
    """Judges one bag.

    Args:
        scan: all files of the bag.
        findings: is told what is wrong or odd.
    """

    def __init__(self, scan: Scan, findings: Findings) -> None:
        self._scan = scan
        self._findings = findings
        self._missing: set[str] = set()
        self._fetched: set[str] = set()

    def check(self) -> None:
        """Tells everything that is wrong with the bag."""
        declaration = self._declaration()
        self._check_payload()
        self._check_manifests()
        if declaration is None:
            return
        self._check_fetch(declaration)
        listed = [self._check_manifest(manifest, declaration) for manifest in self._scan.manifests]
        self._check_listed(
            [(one, names) for one, names in zip(self._scan.manifests, listed, strict=True) if names is not None],
            declaration,
        )
        self._check_fetched()
        self._check_info(declaration)

    def _declaration(self) -> Declaration | None:
        data = self._scan.take_text("bagit.txt")
        if data is not None:
            return bag_text.read_declaration(data, self._findings)
        if "bagit.txt" not in self._scan.files:
            self._findings.fault("bagit.txt", Finding.DECLARATION_MISSING, "It is not a bag: there is no bagit.txt.")
        return None

    def _check_payload(self) -> None:
        if not self._scan.has_payload_folder:
            self._findings.fault("data", Finding.PAYLOAD_MISSING, "There is no data folder.")
        elif next(self._scan.payload(), None) is None:
            self._findings.warn("data", Finding.PAYLOAD_EMPTY, "The data folder holds no file.")

    def _check_manifests(self) -> None:
        payload = [manifest for manifest in self._scan.manifests if not manifest.of_tags]
        known = {manifest.algorithm for manifest in payload if manifest.algorithm}
        if not known:
            self._findings.fault("", Finding.MANIFEST_MISSING, "There is no payload manifest that can be checked.")
        elif known <= _WEAK:
            self._findings.warn(
                "", Finding.ALGORITHM_WEAK, "Only MD5 or SHA-1: enough against accidents, not against forgery."
            )
        counts = Counter((manifest.of_tags, manifest.algorithm) for manifest in self._scan.manifests)
        for manifest in self._scan.manifests:
            if manifest.algorithm is None:
                self._findings.warn(manifest.path, Finding.ALGORITHM_UNKNOWN, "Its algorithm is not known here.")
            elif counts[manifest.of_tags, manifest.algorithm] > 1:
                self._findings.fault(manifest.path, Finding.MANIFEST_TWICE, "Another manifest has the same algorithm.")

    def _text(self, path: str, declaration: Declaration) -> str | None:
        """A text file, decoded; None, and told, if that is not possible."""
        data = self._scan.take_text(path)
        return None if data is None else bag_text.decode(path, data, declaration, self._findings)

    def _check_manifest(self, manifest: Manifest, declaration: Declaration) -> set[str] | None:
        """The files that a manifest lists, or None if it can't be read."""
        text = self._text(manifest.path, declaration)
        if text is None or manifest.algorithm is None:
            return None
        size = hashlib.new(manifest.algorithm, usedforsecurity=False).digest_size
        seen: dict[str, bytes] = {}
        odd: Counter[str] = Counter()
        for line in bag_text.read_manifest(manifest.path, text, size, declaration, self._findings):
            name = self._meant(manifest.path, line, declaration, odd)
            if name is None or not self._belongs(manifest, name, line, declaration):
                continue
            if name in seen:
                self._tell_twice(manifest, name, line, agree=seen[name] == line.checksum, strict=declaration.strict)
                continue
            self._compare(manifest, name, line.checksum)
            if name in self._scan.files or len(seen) < _MOST_MISSING:
                seen[name] = line.checksum
        for what, count in odd.items():
            self._findings.warn(manifest.path, Finding.MANIFEST_FORM, f"{count} of its lines have {what}.")
        return set(seen)

    def _meant(self, source: str, line: Line, declaration: Declaration, odd: Counter[str]) -> str | None:
        """The file that a line means; None, and told, if that could be outside the bag."""
        text = line.path
        if text.startswith("*") and text not in self._scan.files:  # as md5sum writes in binary mode
            text = text[1:]
            odd["an asterisk before the path"] += 1
        if text.startswith("./"):
            text = text.removeprefix("./")
            odd["./ before the path"] += 1
        name = bag_text.unescape(text, declaration)
        if bag_text.leads_out(text) or bag_text.leads_out(name):
            self._findings.fault(
                source, Finding.UNSAFE_PATH, f"Line {line.number} leads out of the bag: {shown(text, most=100)}"
            )
            return None
        if name in self._scan.files:
            if declaration.strict and bag_text.has_raw_percent(text):
                odd["a % that is not written as %25"] += 1
            return name
        if text in self._scan.files:
            odd["a % that is not written as %25"] += 1
            return text
        other = self._normal.get(unicodedata.normalize("NFC", name))
        if other is not None:
            odd["accents written in another way than the name of the file"] += 1
        return other or name

    @cached_property
    def _normal(self) -> dict[str, str]:
        """Names by their composed form; needed only if accents are written differently."""
        return {unicodedata.normalize("NFC", name): name for name in self._scan.files}

    def _belongs(self, manifest: Manifest, name: str, line: Line, declaration: Declaration) -> bool:
        """Whether a manifest may list that file at all."""
        path = shown(name, most=100)
        if manifest.of_tags == name.startswith(PAYLOAD):
            reason = Finding.PAYLOAD_IN_TAG_MANIFEST if manifest.of_tags else Finding.OUTSIDE_PAYLOAD
            where = "under data/" if manifest.of_tags else "that is not under data/"
            self._findings.fault(manifest.path, reason, f"Line {line.number} names a file {where}: {path}")
            return False
        if declaration.strict and manifest.of_tags and name.startswith("tagmanifest-"):
            self._findings.fault(
                manifest.path, Finding.TAG_MANIFEST_LISTED, f"Line {line.number} names a tag manifest: {path}"
            )
        return True

    def _tell_twice(self, manifest: Manifest, name: str, line: Line, *, agree: bool, strict: bool) -> None:
        how = "the same checksum" if agree else "different checksums"
        self._findings.tell(
            name, Finding.LISTED_TWICE, f"{manifest.path} lists it again on line {line.number}, with {how}.",
            wrong=strict or not agree,
        )  # fmt: skip

    def _compare(self, manifest: Manifest, name: str, checksum: bytes) -> None:
        if name not in self._scan.files:
            if name not in self._missing:
                if len(self._missing) < _MOST_MISSING:
                    self._missing.add(name)
                more = "; fetch.txt names it, but nothing is downloaded" if name in self._fetched else ""
                self._findings.fault(
                    name, Finding.FILE_MISSING, f"{manifest.path} lists it, but it is not there{more}."
                )
            return
        found = self._scan.digest(name, manifest.algorithm or "")
        if found is not None and found != checksum:
            self._findings.fault(
                name, Finding.CHECKSUM_MISMATCH, f"Its content is not what {manifest.path} says: it was changed."
            )

    def _check_listed(self, listed: list[tuple[Manifest, set[str]]], declaration: Declaration) -> None:
        """Every payload file must be listed: in every manifest since 1.0, in any of them before."""
        payload = [(manifest.path, names) for manifest, names in listed if not manifest.of_tags]
        if payload and not declaration.strict:
            payload = [("any manifest", set().union(*(names for _, names in payload)))]
        for path, _ in self._scan.payload():
            absent = [manifest for manifest, names in payload if path not in names]
            if absent:
                self._findings.fault(path, Finding.FILE_UNLISTED, f"It is not listed in {', '.join(absent)}.")
        if declaration.strict:
            self._check_tag_manifests(listed)

    def _check_tag_manifests(self, listed: list[tuple[Manifest, set[str]]]) -> None:
        for manifest, names in listed:
            if manifest.of_tags:
                for other in self._scan.manifests:
                    if not other.of_tags and other.path not in names:
                        self._findings.fault(
                            manifest.path, Finding.MANIFEST_NOT_LISTED, f"It does not list {other.path}."
                        )

    def _check_fetch(self, declaration: Declaration) -> None:
        text = self._text("fetch.txt", declaration)
        if text is None:
            return
        for line in bag_text.read_fetch(text, self._findings):
            name = bag_text.unescape(line.path.removeprefix("./"), declaration)
            if bag_text.leads_out(name):
                self._findings.fault(
                    "fetch.txt",
                    Finding.UNSAFE_PATH,
                    f"Line {line.number} leads out of the bag: {shown(name, most=100)}",
                )
            elif not name.startswith(PAYLOAD):
                self._findings.fault(
                    "fetch.txt", Finding.OUTSIDE_PAYLOAD, f"Line {line.number} names a file that is not under data/."
                )
            elif name in self._scan.files or len(self._fetched) < _MOST_MISSING:
                self._fetched.add(name)
        if self._fetched and all(name in self._scan.files for name in self._fetched):
            self._findings.warn("fetch.txt", Finding.FETCH_PRESENT, "It names downloads, though all of them are here.")

    def _check_fetched(self) -> None:
        """What is to be fetched must be listed; what is not is told only here. Source: RFC 8493, section 2.2.3."""
        for name in sorted(self._fetched - self._missing - self._scan.files.keys()):
            self._findings.fault(
                name, Finding.FILE_MISSING, "fetch.txt names it and no manifest lists it; nothing is downloaded."
            )

    def _check_info(self, declaration: Declaration) -> None:
        path = declaration.info_name
        text = self._text(path, declaration)
        if text is None:
            return
        info = bag_text.read_info(path, text, declaration, self._findings)
        sums = {value for label, value in info if label.lower() == "payload-oxum"}
        matches = [_OXUM.fullmatch(value) for value in sums]
        if len(sums) > 1 or None in matches:
            self._findings.fault(path, Finding.OXUM_MALFORMED, "Payload-Oxum is not one sum of bytes and files.")
        for match in matches:
            if match and len(sums) == 1:
                self._compare_sum(path, int(match[1]), int(match[2]))

    def _compare_sum(self, path: str, size: int, files: int) -> None:
        sizes = [None if facts is None else facts.size_bytes for _, facts in self._scan.payload()]
        whole = None if None in sizes else sum(filter(None, sizes))
        if len(sizes) != files or (whole is not None and whole != size):
            self._findings.fault(
                path, Finding.OXUM_MISMATCH,
                f"Payload-Oxum counts {size} bytes in {files} files; there are {whole} bytes in {len(sizes)} files.",
            )  # fmt: skip
