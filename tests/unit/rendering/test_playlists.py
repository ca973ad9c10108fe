"""Playlists of streams."""

from fractions import Fraction

import pytest

from storycore.rendering.playlists import Piece, Rendition, Variant, master, pieces, rungs, whole


@pytest.mark.parametrize(
    ("size", "wanted", "expected"),
    [
        ((1920, 1080), None, [(1920, 1080), (1280, 720), (854, 480), (640, 360)]),
        ((1080, 1920), None, [(1080, 1920), (720, 1280), (480, 854), (360, 640)]),
        ((640, 360), None, [(640, 360), (426, 240)]),
        ((64, 36), None, [(64, 36)]),
        ((1920, 1080), [], [(1920, 1080)]),
        ((1280, 720), [240, 1080, 480, 480], [(1280, 720), (854, 480), (426, 240)]),
    ],
)
def test_sizes_are_even_of_one_shape_and_smaller_than_the_film(size, wanted, expected):
    assert rungs(size, wanted) == expected


def test_pieces_are_read_from_a_playlist():
    text = "#EXTM3U\n#EXTINF:4.010667,\n00000.m4s\n#EXTINF:2.5,title\n00001.m4s\n#EXT-X-ENDLIST\n"
    assert pieces(text) == [
        Piece(name="00000.m4s", duration=Fraction("4.010667")),
        Piece(name="00001.m4s", duration=Fraction("2.5")),
    ]
    assert pieces(whole("words.vtt", Fraction(61, 2))) == [Piece(name="words.vtt", duration=Fraction("30.5"))]


def test_a_master_playlist_names_each_size_with_what_a_line_must_carry():
    variant = Variant(
        uri="360p/index.m3u8", width=640, height=360, rate=Fraction(24000, 1001), codecs="avc1.64001e,mp4a.40.2",
        peak_bps=900, average_bps=500,
    )  # fmt: skip
    sound = Rendition(kind="AUDIO", uri="sound/index.m3u8", channels=2)
    words = Rendition(kind="SUBTITLES", uri="captions/index.m3u8", language="fr")
    heard = 'TYPE=AUDIO,GROUP-ID="audio",NAME="Sound",CHANNELS="2",DEFAULT=YES,AUTOSELECT=YES,URI="sound/index.m3u8"'
    read = 'TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="fr",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES'
    seen = 'BANDWIDTH=900,AVERAGE-BANDWIDTH=500,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=23.976'
    assert master([variant], [sound, words]).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f"#EXT-X-MEDIA:{heard}",
        f'#EXT-X-MEDIA:{read},URI="captions/index.m3u8"',
        f'#EXT-X-STREAM-INF:{seen},AUDIO="audio",SUBTITLES="subtitles"',
        "360p/index.m3u8",
    ]
