"""The list of checksums, as coreutils read it."""

import hashlib
import shutil
import subprocess

import pytest

from storycore.exports.delivery.checksums import NAME, checksums


def test_the_list_is_sorted_and_ends_its_lines():
    digests = {"B/film.mov": "b" * 64, "A film/ü.mp4": "a" * 64}
    assert checksums(digests).decode() == f"{'a' * 64}  A film/ü.mp4\n{'b' * 64}  B/film.mov\n"


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_sha256sum_accepts_it_and_sees_a_flipped_byte(tmp_path):
    path = tmp_path / "Master files" / "film ü (1).mov"
    path.parent.mkdir()
    path.write_bytes(b"frames")
    (tmp_path / NAME).write_bytes(checksums({"Master files/film ü (1).mov": hashlib.sha256(b"frames").hexdigest()}))
    command = ["sha256sum", "--strict", "--quiet", "-c", NAME]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    path.write_bytes(b"framez")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1
