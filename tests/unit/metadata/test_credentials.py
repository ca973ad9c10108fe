"""What can go wrong while a file is signed or read is told as what it is."""

import errno
import io

import pytest

from fixtures.marks import graph_picture
from storycore.errors import DependencyFailed, Reason
from storycore.metadata import credentials
from storycore.metadata.evidence import GENERATED
from storycore.metadata.signing_key import Identity, identity
from storycore.settings import Settings

CLAIM = credentials.Claim(title="Film", version="1", source_type=GENERATED, assets=(), mining="unsaid")


class FullDisk(io.BytesIO):
    """A file on a disk without room."""

    def write(self, data):  # noqa: ARG002 - as files have it
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_a_full_disk(tmp_path):
    key = identity(Settings.read())
    with graph_picture(tmp_path / "a.png").open("rb") as source, pytest.raises(OSError, match="No space left"):
        credentials.embed(CLAIM, key, "image/png", source, FullDisk())


def test_a_key_that_the_library_refuses_is_told(tmp_path):
    key = identity(Settings.read())
    odd = Identity(chain=b"no certificate", key=key.key, algorithm=key.algorithm, serial="", is_own=False)
    with graph_picture(tmp_path / "a.png").open("rb") as source, pytest.raises(DependencyFailed) as fault:
        credentials.embed(CLAIM, odd, "image/png", source, io.BytesIO())
    assert fault.value.reason == Reason.SIGNING_FAILED
    assert "PRIVATE" not in str(fault.value)


@pytest.mark.parametrize("data", [b"", b"nothing" * 100])
def test_what_is_no_file_of_its_kind_can_not_be_read(data):
    with pytest.raises(credentials.Unreadable):
        credentials.read("image/png", io.BytesIO(data), b"")


def test_kinds_that_can_not_hold_any_have_none():
    assert credentials.read("video/webm", io.BytesIO(b"\x1aE\xdf\xa3"), b"") is None


def test_a_hundred_thousand_characters_beside_a_file_are_unreadable(tmp_path):
    with pytest.raises(credentials.Unreadable):
        credentials.read("video/webm", io.BytesIO(b"x"), b"", manifest=b"\0\0\0\x0bjumb" * 10_000)
