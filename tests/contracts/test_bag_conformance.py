"""Bags, good and bad, modelled on the Library of Congress conformance suite: our verdict beside bagit-python's.

Where the two differ, RFC 8493 decides, and the case says which rule.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bagit
import pytest

from fixtures.archives import PAYLOAD, bag, in_folder, sealed, with_lines, write, zipped
from storycore.exports.checking.verdict import Verdict
from storycore.exports.verify import verify_package
from storycore.observe.progress import Progress
from storycore.settings import Settings

# bagit 1.9 calls re.sub in a way that Python 3.13 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:'count' is passed as positional argument:DeprecationWarning")

Files = dict[str, bytes]
OLD = ("0.93", "0.94", "0.95", "0.96", "0.97")


@dataclass(frozen=True)
class Case:
    """A bag, whether it is valid, a finding that must be told, and why bagit-python says otherwise if it does."""

    files: Callable[[], Files]
    valid: bool = True
    told: str = ""
    bagit_differs: str = ""


def first(text: str) -> str:
    return text.splitlines(keepends=True)[0]


def changed(name: str, data: bytes) -> Files:
    return {**bag(), name: data}


def without(name: str, **how: object) -> Files:
    return {key: data for key, data in bag(**how).items() if key != name}  # type: ignore[arg-type]


def declared(text: str | bytes, version: str = "1.0") -> Files:
    return sealed(bag(version=version), **{"bagit.txt": text if isinstance(text, bytes) else text.encode()})


def lines(change: Callable[[str], str], version: str = "1.0") -> Files:
    return with_lines(bag(version=version), change)


def extra_line(path: str, version: str = "1.0") -> Files:
    return lines(lambda text: text + f"{hashlib.sha256(b'').hexdigest()}  {path}\n", version)


def fetching(line: str, version: str = "1.0") -> Files:
    return bag(version=version, tags={"fetch.txt": line.encode()})


def raw_percent() -> Files:
    return bag({"100%.txt": b"x", "50%ile/a": b"y"})


def escaped() -> Files:
    files = bag({"100%.txt": b"x"})
    return with_lines(files, lambda text: text.replace("100%.txt", "100%25.txt"))


def escaped_line_ends() -> Files:
    files = bag({"a\nb": b"x", "c\rd": b"y", "e\r\nf": b"z"})
    fix = {"a\nb": "a%0Ab", "c\rd": "c%0Dd", "e\r\nf": "e%0D%0Af"}
    text = files["manifest-sha256.txt"].decode()
    for raw, code in fix.items():
        text = text.replace(f"data/{raw}\n", f"data/{code}\n")
    return sealed(files, **{"manifest-sha256.txt": text.encode()})


def lines_escaped_low() -> Files:
    return with_lines(bag({"a\rb": b"x"}), lambda text: text.replace("\r", "%0d"))


def not_in_each() -> Files:
    return with_lines(bag(algorithms=("sha256", "sha512")), first, "manifest-sha512.txt")


def tag_manifest_lists(line: str) -> Files:
    files = bag()
    return {**files, "tagmanifest-sha256.txt": files["tagmanifest-sha256.txt"] + line.encode()}


def tag_manifest_without_manifest() -> Files:
    files = bag()
    kept = [it for it in files["tagmanifest-sha256.txt"].splitlines(keepends=True) if b"  manifest-" not in it]
    return {**files, "tagmanifest-sha256.txt": b"".join(kept)}


RAW = "b" * 64
V1 = "BagIt-Version: 1.0\n"
ENCODED = "Tag-File-Character-Encoding: UTF-8\n"
CASES = {
    "a bag": Case(bag),
    **{f"a bag of {version}": Case(lambda version=version: bag(version=version)) for version in OLD},
    "no tag manifest": Case(lambda: without("tagmanifest-sha256.txt")),
    "no bag-info.txt": Case(lambda: sealed(bag(), **{"bag-info.txt": None})),
    "two algorithms": Case(lambda: bag(algorithms=("sha256", "sha512"))),
    "only sha512": Case(lambda: bag(algorithms=("sha512",))),
    "only md5": Case(lambda: bag(algorithms=("md5",)), told="algorithm_weak"),
    "sha224": Case(lambda: bag(algorithms=("sha224",))),
    "upper case checksums": Case(lambda: lines(lambda text: "".join(_upper(it) for it in text.splitlines(True)))),
    "one space": Case(lambda: lines(lambda text: text.replace("  ", " "))),
    "a tab": Case(lambda: lines(lambda text: text.replace("  ", "\t"))),
    "many blanks": Case(lambda: lines(lambda text: text.replace("  ", " \t  "))),
    "CRLF": Case(lambda: lines(lambda text: text.replace("\n", "\r\n"))),
    "CR": Case(lambda: lines(lambda text: text.replace("\n", "\r"))),
    "CRLF in bagit.txt": Case(lambda: declared((V1 + ENCODED).replace("\n", "\r\n"))),
    "asterisks": Case(lambda: lines(lambda text: text.replace("  ", " *")), told="manifest_form"),
    "dot slash": Case(lambda: lines(lambda text: text.replace("  ", "  ./")), told="manifest_form"),
    "dot slash in 0.97": Case(lambda: lines(lambda text: text.replace("  ", "  ./"), "0.97"), told="manifest_form"),
    "a space in a name": Case(lambda: bag({"shot 1.txt": b"x"})),
    "a tilde in a name": Case(lambda: bag({"dir/~a": b"x", "~b": b"y"})),
    "encoded names in 0.97": Case(lambda: bag({"%7Ea": b"x"}, version="0.97")),
    "encoded names in 1.0": Case(lambda: bag({"%7Ea": b"x"}), told="manifest_form"),
    "raw percent": Case(raw_percent, told="manifest_form"),
    "percent as %25": Case(escaped, bagit_differs="2.1.3: % is written as %25; bagit-python does not decode it"),
    "percent as %25 in 0.97": Case(
        lambda: with_lines(bag({"100%.txt": b"x"}, version="0.97"), lambda text: text.replace("%", "%25")),
        valid=False, told="file_missing",
    ),
    "line ends as %0A and %0D": Case(escaped_line_ends),
    "line ends as %0a": Case(
        lines_escaped_low,
        bagit_differs="2.1.3, RFC 3986 2.1: hex digits of either case; bagit-python knows %0D only",
    ),
    "a bag in a bag": Case(lambda: bag({f"bag/{name}": data for name, data in bag().items()})),
    "accents written otherwise": Case(
        lambda: with_lines(bag({"é.txt": b"x"}), lambda text: text.replace("é", "e\u0301")),
        told="manifest_form",
        bagit_differs="6.1.1: tools are advised to bear it; bagit-python means to, and then can't open the file",
    ),
    "twins by case": Case(lambda: bag({"hello": b"x", "HELLO": b"y"}), told="colliding_name"),
    "no payload": Case(lambda: bag({}), told="payload_empty"),
    "Latin-1": Case(lambda: bag({"café": b"x"}, encoding="ISO-8859-1")),
    "UTF-16": Case(lambda: bag({"café": b"x"}, encoding="UTF-16", version="0.97")),
    "unlisted tag files": Case(lambda: {**bag(), "notes.txt": b"x", "more/notes.txt": b"y"}),
    "listed tag files in folders": Case(lambda: bag(tags={"metadata/mets.xml": b"<mets/>"})),
    "fetch.txt, all there": Case(
        lambda: fetching("https://example.org/x 17 data/project.json\n"), told="fetch_present"
    ),
    "metadata repeated and folded": Case(
        lambda: bag(info="Contact-Name: A\nContact-Name: B\nNote: long\n  and longer\n\tand more\n")
    ),
    "odd separators in 0.97": Case(lambda: bag(info="Tag : 3\nTag:4\n", version="0.97"), told="info_malformed"),
    "listed twice alike in 0.97": Case(lambda: lines(lambda text: text + first(text), "0.97"), told="listed_twice"),
    "in one manifest of two in 0.97": Case(
        lambda: with_lines(bag(version="0.97", algorithms=("sha256", "sha512")), first, "manifest-sha512.txt")
    ),
    "an unknown algorithm beside": Case(lambda: bag(tags={"manifest-whirlpool.txt": b"x"}), told="algorithm_unknown"),
    # What must be refused
    "no bagit.txt": Case(lambda: without("bagit.txt"), False, "declaration_missing"),
    "no data folder": Case(lambda: {k: d for k, d in bag().items() if "data/" not in k}, False, "payload_missing"),
    "no manifest": Case(lambda: without("manifest-sha256.txt"), False, "manifest_missing"),
    "one line in bagit.txt": Case(lambda: declared(V1), False, "declaration_invalid"),
    "a byte order mark": Case(lambda: declared("\ufeff" + V1 + ENCODED), False, "byte_order_mark"),
    "no number": Case(lambda: declared(f"BagIt-Version: .97\n{ENCODED}"), False, "declaration_invalid"),
    "a version to come": Case(lambda: declared(f"BagIt-Version: 2.0\n{ENCODED}"), False, "version_unsupported"),
    "an encoding that is none": Case(
        lambda: declared(f"{V1}Tag-File-Character-Encoding: zlib\n"), False, "encoding_unsupported"
    ),
    "a byte order mark in a manifest": Case(
        lambda: lines(lambda text: "\ufeff" + text), False, "byte_order_mark",
        "2.3: UTF-8 does not need one, so it may not be there; bagit-python only warns",
    ),
    "a manifest that is not UTF-8": Case(
        lambda: sealed(bag(), **{"manifest-sha256.txt": b"\xff\xfe"}), False, "not_text"
    ),
    "white space before a colon": Case(
        lambda: declared(f"BagIt-Version : 1.0\n{ENCODED}"), False, "declaration_invalid",
        "2.1.1: the two lines are exact; the suite's bagit-with-invalid-whitespace",
    ),
    "two spaces after a colon": Case(
        lambda: declared(f"BagIt-Version:  1.0\n{ENCODED}"), False, "declaration_invalid", "2.1.1: exact lines"
    ),
    "a third line in bagit.txt": Case(
        lambda: declared(f"{V1}{ENCODED}More: x\n"), False, "declaration_invalid", "2.1.1: exactly two lines"
    ),
    "lower case in bagit.txt": Case(
        lambda: declared((V1 + ENCODED).lower()), False, "declaration_invalid",
    ),
    "a space before the checksum": Case(
        lambda: lines(lambda text: " " + text), False, "line_malformed", "2.1.3: a line begins with its checksum"
    ),
    "an empty line": Case(
        lambda: lines(lambda text: text + "\n"), False, "line_malformed", "2.1.3: each line is checksum and path"
    ),
    "a comment": Case(
        lambda: lines(lambda text: "# sums\n" + text), False, "line_malformed", "2.1.3: there are no comments"
    ),
    "a line without a path": Case(
        lambda: lines(lambda text: text + RAW + "\n"), False, "line_malformed", "2.1.3; bagit-python skips the line"
    ),
    "a checksum too short": Case(lambda: lines(lambda text: text[2:]), False, "line_malformed"),
    "a name with a blank at its end": Case(
        lambda: lines(lambda text: text.replace("\n", " \n")), False, "file_missing", "2.1.3: the rest is the path"
    ),
    "a changed payload file": Case(lambda: changed("data/project.json", b"{}"), False, "checksum_mismatch"),
    "a changed payload file of the same size": Case(
        lambda: changed("data/project.json", b'{"name": "fiLm"}\n'), False, "checksum_mismatch"
    ),
    "a changed tag file": Case(lambda: changed("bag-info.txt", b"Contact-Name: me\n"), False, "checksum_mismatch"),
    "a missing payload file": Case(lambda: without("data/project.json"), False, "file_missing"),
    "a missing tag file": Case(lambda: without("bag-info.txt"), False, "file_missing"),
    "an extra payload file": Case(lambda: changed("data/more", b"x"), False, "file_unlisted"),
    "not in every manifest": Case(not_in_each, False, "file_unlisted", "3: since 1.0 every manifest lists every file"),
    "in no manifest in 0.97": Case(lambda: {**bag(version="0.97"), "data/x": b""}, False, "file_unlisted"),
    "listed twice alike": Case(lambda: lines(lambda text: text + first(text)), False, "listed_twice"),
    "listed twice differently": Case(
        lambda: lines(lambda text: text + RAW + first(text)[64:], "0.97"), False, "listed_twice"
    ),
    "listed twice through ./": Case(
        lambda: lines(lambda text: text + first(text).replace("  ", "  ./")), False, "listed_twice"
    ),
    "leads out by dots": Case(lambda: extra_line("../../evil"), False, "unsafe_path"),
    "leads out by dots below data": Case(lambda: extra_line("data/../../evil"), False, "unsafe_path"),
    "leads out by backslashes": Case(lambda: extra_line(r"data\..\..\evil"), False, "unsafe_path"),
    "leads out absolutely": Case(lambda: extra_line("/etc/passwd"), False, "unsafe_path"),
    "leads out through home": Case(lambda: extra_line("~/evil"), False, "unsafe_path"),
    "leads out through a user": Case(lambda: extra_line("~root/evil"), False, "unsafe_path"),
    "leads out by a drive": Case(lambda: extra_line(r"C:\Windows\evil.exe"), False, "unsafe_path"),
    "leads out by UNC": Case(lambda: extra_line(r"\\?\UNC\server\evil"), False, "unsafe_path"),
    "leads out behind an asterisk": Case(lambda: extra_line("*/etc/passwd"), False, "unsafe_path"),
    "names a tag file": Case(
        lambda: lines(lambda text: text + hashlib.sha256(bag()["bagit.txt"]).hexdigest() + "  bagit.txt\n"),
        False, "outside_payload",
    ),
    "a folder": Case(lambda: extra_line("data/notes"), False, "file_missing"),
    "payload in a tag manifest": Case(
        lambda: tag_manifest_lists(f"{hashlib.sha256(PAYLOAD['project.json']).hexdigest()}  data/project.json\n"),
        False, "payload_in_tag_manifest",
    ),
    "a tag manifest in itself": Case(
        lambda: tag_manifest_lists(f"{RAW}  tagmanifest-sha256.txt\n"), False, "tag_manifest_listed"
    ),
    "a manifest in no tag manifest": Case(
        tag_manifest_without_manifest, False, "manifest_not_listed", "2.2.1: each payload manifest is listed"
    ),
    "a sum of other bytes": Case(lambda: bag(info="Payload-Oxum: 1.3\n"), False, "oxum_mismatch"),
    "a sum of other files": Case(
        lambda: bag({"a": b"12345"}, info="Payload-Oxum: 5.2\n"), False, "oxum_mismatch"
    ),
    "a sum in lower case": Case(
        lambda: bag(info="payload-oxum: 1.1\n"), False, "oxum_mismatch",
        "2.2.2: labels are case-insensitive; bagit-python overlooks it",
    ),
    "a sum that is none": Case(lambda: bag(info="Payload-Oxum: 12 MB\n"), False, "oxum_malformed"),
    "two sums": Case(
        lambda: bag({"a": b"1"}, info="Payload-Oxum: 1.1\nPayload-Oxum: 2.2\n"), False, "oxum_malformed",
        "only one can be true; bagit-python looks at the first",
    ),
    "metadata without a colon": Case(lambda: bag(info="hello\n"), False, "info_malformed"),
    "white space after a label": Case(
        lambda: bag(info="Contact-Name : A\n"), False, "info_malformed", "2.2.2: a label does not end with white space"
    ),
    "to be fetched": Case(
        lambda: {k: d for k, d in fetching("https://example.org/x 17 data/project.json\n").items()
                 if k != "data/project.json"}, False, "file_missing",
    ),
    "to be fetched, but not listed": Case(
        lambda: fetching("https://example.org/x 17 data/gone\n"), False, "file_missing",
        "2.2.3: what fetch.txt names, every payload manifest lists; bagit-python does not look",
    ),
    "fetch.txt leads out": Case(lambda: fetching("https://example.org/x - ../../evil\n"), False, "unsafe_path"),
    "fetch.txt leads out absolutely": Case(lambda: fetching("https://example.org/x - /etc/x\n"), False, "unsafe_path"),
    "fetch.txt leads out by a drive": Case(
        lambda: fetching("https://example.org/x - C:\\evil\n"), False, "unsafe_path",
        "5.1: also what leads out on another system",
    ),
    "fetch.txt names a tag file": Case(
        lambda: fetching("https://example.org/x - bag-info.txt\n"), False, "outside_payload",
        "2.2.3: payload files only",
    ),
    "fetch.txt is malformed": Case(lambda: fetching("https://example.org/x data/y\n"), False, "fetch_malformed"),
}  # fmt: skip


def _upper(line: str) -> str:
    return line[:64].upper() + line[64:]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def checked(path: Path) -> Verdict:
    return verify_package(path, settings=Settings(), progress=Progress())


def says_bagit(folder: Path) -> bool:
    try:
        return bool(bagit.Bag(str(folder)).validate())
    except Warning:
        raise
    except Exception:  # noqa: BLE001 - it also falls over some bags, which is a refusal too
        return False


@pytest.mark.parametrize("name", CASES)
def test_a_bag_in_a_folder_is_judged_by_the_rfc(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    folder = in_folder(case.files(), tmp_path / "bag")
    if name == "no data folder":
        (folder / "data").rmdir()
    verdict = checked(folder)
    told = {it.reason.value for it in (verdict.warnings if case.valid else verdict.faults)}
    assert (verdict.valid, verdict.faults if case.valid else ()) == (case.valid, ())
    assert case.told in told | {""}
    assert says_bagit(folder) == (not case.valid if case.bagit_differs else case.valid)


UNZIPPABLE = {"line ends as %0A and %0D", "line ends as %0a", "twins by case", "no payload"}
"""Names that a ZIP must not have, and an empty folder, which needs an entry of its own."""


@pytest.mark.parametrize("name", sorted(CASES.keys() - UNZIPPABLE))
def test_a_zip_is_judged_as_the_folder_in_it(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    verdict = checked(write(tmp_path / "bag.zip", zipped(case.files(), "bag/")))
    told = {it.reason.value for it in (verdict.warnings if case.valid else verdict.faults)}
    assert (verdict.valid, case.told in told | {""}) == (case.valid, True)


def test_everything_wrong_is_found_in_one_pass(tmp_path: Path) -> None:
    files = bag(tags={"fetch.txt": b"https://example.org/x - data/gone\n"})
    files = with_lines(files, lambda text: text + f"{RAW}  data/gone\nnonsense\n{RAW}  ../out\n")
    files |= {"data/project.json": b"{}", "data/more": b""}
    verdict = checked(in_folder(files, tmp_path / "bag"))
    assert [(it.path, it.reason.value) for it in verdict.faults] == [
        ("data/project.json", "checksum_mismatch"),
        ("data/gone", "file_missing"),
        ("manifest-sha256.txt", "line_malformed"),
        ("manifest-sha256.txt", "unsafe_path"),
        ("data/more", "file_unlisted"),
        ("bag-info.txt", "oxum_mismatch"),
    ]
    assert "nothing is downloaded" in verdict.faults[1].message
