"""Checking a package takes a bounded amount of memory, however large its texts are."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fixtures.archives import bag
from storycore.exports.verify import verify_package
from storycore.observe.progress import Progress
from storycore.settings import Settings
from storycore.units import MEBIBYTE

CHECK = """
import resource, sys
from pathlib import Path
from storycore.exports.verify import verify_package
from storycore.observe.progress import Progress
from storycore.settings import Settings
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
verdict = verify_package(Path(sys.argv[1]), settings=Settings(), progress=Progress())
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(grown // 1024, ",".join(sorted({fault.reason.value for fault in verdict.faults})))
"""


def checked(path: Path) -> tuple[int, set[str]]:
    """By how many MiB a process grows that checks a package, and which faults it finds."""
    run = subprocess.run([sys.executable, "-c", CHECK, str(path)], check=True, capture_output=True, text=True)
    grown, reasons = run.stdout.strip("\n").split(" ")
    return int(grown) // (1024 if sys.platform == "darwin" else 1), set(filter(None, reasons.split(",")))


def with_texts(path: Path, texts: dict[str, bytes], size: int) -> Path:
    """A bag with more files, each of them one MiB repeated up to a size."""
    with zipfile.ZipFile(
        path, "w", zipfile.ZIP_DEFLATED if size > 50 * MEBIBYTE else zipfile.ZIP_STORED, compresslevel=1
    ) as made:
        for name, data in bag().items():
            made.writestr(f"film/{name}", data)
        for name, block in texts.items():
            with made.open(f"film/{name}", "w") as written:
                for _ in range(size // len(block)):
                    written.write(block)
    return path


@pytest.mark.slow
def test_manifests_of_unknown_algorithms_are_not_kept(tmp_path: Path) -> None:
    texts = {f"manifest-x{number}.txt": b"\n" * MEBIBYTE for number in range(14)}
    grown, reasons = checked(with_texts(tmp_path / "f.zip", texts, 63 * MEBIBYTE))
    assert (grown < 100, "texts_too_large" in reasons) == (True, False)


@pytest.mark.slow
@pytest.mark.parametrize("line", [b"\n", b"ab\n", b"a" * 32 + b" " + b"x" * 200 + b"\n"])
def test_manifests_that_shrink_are_read_one_at_a_time(line: bytes, tmp_path: Path) -> None:
    texts = dict.fromkeys(("manifest-md5.txt", "manifest-sha1.txt"), line * (MEBIBYTE // len(line)))
    grown, reasons = checked(with_texts(tmp_path / "f.zip", texts, 63 * MEBIBYTE))
    assert (grown < 400, "too_many_findings" in reasons) == (True, True)


@pytest.mark.slow
def test_texts_that_are_too_large_together_are_a_fault_of_their_own(tmp_path: Path) -> None:
    import random

    names = ("manifest-md5.txt", "manifest-sha1.txt", "manifest-sha512.txt", "manifest-sha224.txt")
    texts = {name: random.Random(name).randbytes(24 * MEBIBYTE) for name in names}
    grown, reasons = checked(with_texts(tmp_path / "f.zip", texts, 24 * MEBIBYTE))
    assert (grown < 400, "texts_too_large" in reasons) == (True, True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ro-crate-metadata.json", "storycore/manifest.json"])
def test_lists_in_the_payload_that_are_too_large_to_be_read_are_told_and_no_fault(name: str, tmp_path: Path) -> None:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for part, data in bag({"project.json": b"{}", name: b"{}" + b" " * (64 * MEBIBYTE)}).items():
            made.writestr(f"film/{part}", data)
    verdict = verify_package(path, settings=Settings(), progress=Progress())
    assert (verdict.faults, [odd.path for odd in verdict.warnings]) == ((), [f"data/{name}"])


@pytest.mark.slow
def test_a_package_of_very_many_files_is_valid(tmp_path: Path) -> None:
    payload = {f"assets/pictures of scene {n // 1000}/{n:0200}.txt": b"" for n in range(20_000)}
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, data in bag(payload).items():
            made.writestr(f"film/{name}", data)
    assert checked(path)[1] == set()
