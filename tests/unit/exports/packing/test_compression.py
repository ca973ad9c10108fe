"""What a level means, and what is not worth compressing."""

import zlib

import pytest
from isal import isal_zlib
from zlib_ng import zlib_ng

from fixtures.packages import noise
from storycore.exports.packing.compression import deflate, fitting, is_compressed, tempered

TEXT = b"A film is a sequence of shots. " * 500


@pytest.mark.parametrize("level", [1, 2, 3])
def test_levels_1_to_3_are_isa_l_at_its_level_3(level):
    assert deflate(level).whole(TEXT) == isal_zlib.compress(TEXT, 3, -15)


@pytest.mark.parametrize("level", [4, 5, 6, 7, 8, 9])
def test_levels_4_to_9_are_zlib_ng(level):
    assert deflate(level).whole(TEXT) == zlib_ng.compress(TEXT, level, -15)


@pytest.mark.parametrize("level", range(1, 10))
def test_every_level_is_read_by_zlib_whole_and_in_parts(level):
    packer = deflate(level).stream()
    parts = packer.compress(TEXT[:1000]) + packer.compress(memoryview(TEXT)[1000:]) + packer.flush()
    assert zlib.decompress(deflate(level).whole(TEXT), -15) == zlib.decompress(parts, -15) == TEXT


def test_level_0_stores():
    assert deflate(0) is None


@pytest.mark.parametrize("level", [-1, 10])
def test_there_are_no_other_levels(level):
    with pytest.raises(ValueError, match="between 0 and 9"):
        deflate(level)


@pytest.mark.parametrize("kind", ["image/png", "video/mp4", "audio/mpeg", "application/zip"])
def test_compressed_media_is_known_by_its_kind(kind):
    assert is_compressed(kind, b"")


@pytest.mark.parametrize("head", [b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"wOF2"])
def test_other_compressed_content_is_known_by_its_first_bytes(head):
    assert is_compressed(None, head + bytes(100))


@pytest.mark.parametrize("kind", ["audio/wav", "image/x-exr", "image/tiff", "image/x-portable-anymap", None])
def test_what_may_shrink_is_tried(kind):
    assert not is_compressed(kind, b"{}")


@pytest.mark.parametrize("level", range(3, 10))
def test_a_sample_tells_which_compressor_fits(level):
    packer, hiss = deflate(level), bytes(byte % 100 for byte in noise(500_000))
    assert fitting(level, TEXT * 50, 10**7) is packer.stream
    assert fitting(level, hiss, 10**7) is (packer.light or packer.stream)
    assert (fitting(level, noise(50_000), 10**7), fitting(level, b"", 0), fitting(0, TEXT, 10**7)) == (None, None, None)


@pytest.mark.parametrize("level", range(4, 10))
def test_the_light_compressor_is_read_by_zlib_too(level):
    packer = deflate(level).light()
    assert zlib.decompress(packer.compress(TEXT) + packer.flush(), -15) == TEXT


@pytest.mark.parametrize("level", [1, 3, 4, 6, 9])
def test_hours_of_silence_do_not_look_like_a_bomb(level):
    silence = bytes(5 * 2**20 + 7)
    packer = fitting(level, silence[: 2**20], 2**30)()
    packed = packer.compress(silence) + packer.flush()
    assert zlib.decompress(packed, -15) == silence
    assert 50 < len(silence) / len(packed) < 150


@pytest.mark.parametrize("level", [1, 3, 4, 6, 9])
def test_neither_does_silence_after_a_sound_that_the_sample_heard(level):
    sound = b"A film is a sequence of shots. ".join([noise(10 + number % 30) for number in range(20_000)])
    take = sound + bytes(40 * 2**20)
    packer = fitting(level, sound, 2**30)()
    pieces = [take[start : start + 2**20] for start in range(0, len(take), 2**20)]
    packed = b"".join([*map(packer.compress, pieces), packer.flush()])
    assert zlib.decompress(packed, -15) == take
    assert len(take) / len(packed) < 150


@pytest.mark.parametrize("size", [2_000, 262_144, 8 * 2**20])
@pytest.mark.parametrize("level", [1, 3, 4, 6, 9])
def test_nor_do_thousands_of_black_frames(level, size):
    black, packer = bytes(size), deflate(level)
    tight = packer.whole(black)
    packed = tempered(black, tight, packer)
    assert zlib.decompress(packed, -15) == black
    assert len(black) / len(packed) < 150
    digits = noise(1000).hex().encode()
    small = packer.whole(digits)
    assert tempered(digits, small, packer) is small


def test_a_little_silence_is_packed_as_tightly_as_can_be():
    assert fitting(6, bytes(2**20), 2**27) is deflate(6).stream
