import html
import itertools
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.project.model import DialogueLine, Project, Shape, Shot
from storycore.project.timeline import place
from storycore.rendering.captions import CaptionStyle, Cue, ass, cues, left_out, srt, vtt
from storycore.rendering.plan import timeline

STYLE = CaptionStyle(width=1280, height=720)
HOSTILE = [
    r"{\an8\fs200\p1}m 0 0 l 9 9{\p0}",
    "{comment} kept",
    r"a\Nb\hc\n",
    "00:00:01,000 --> 00:00:09,000",
    "<script>alert(1)</script> & <b>bold</b>",
    "<font color=red>",
    "one\n\n2\n00:00:00,000 --> 00:00:09,000\ninjected",
    "\u202egnp.exe\u202c",
    "NOTE nothing\r\nSTYLE",
    "Dialogue: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,x",
    "\x00\x1b[31mred\x07",
    "WEBVTT",
    "{{{}}} \\{ \\}",
]


def line(text, start=None, end=None):
    return DialogueLine(
        text=text, start=None if start is None else Fraction(start), end=None if end is None else Fraction(end)
    )


def project(*lines, seconds=10, phrases=()):
    shot = Shot(
        id="s", number=1, title="", description="", duration=Fraction(seconds), start=Fraction(0), dialogue=lines
    )
    shots, _, duration = place([shot])
    return Project(
        folder=Path("/film"), shape=Shape.INTERFACE, schema_version="1.0", id="x", name="x", created=None, updated=None,
        title="x", logline="", frame_rate=Fraction(24), width=64, height=36, shots=shots, duration=duration,
        phrases=tuple(phrases),
    )  # fmt: skip


def captions(film, **how):
    return cues(film, timeline(film.shots, film.frame_rate, **how))


def cue(start, end, *lines):
    return Cue(start_ms=start, end_ms=end, lines=lines)


def test_recorded_phrases_come_before_dialogue():
    film = project(line("dialogue"), phrases=[line("phrase", 1, 2)])
    assert captions(film) == (cue(1000, 2000, "phrase"),)


def test_dialogue_without_times_is_spread_over_its_shot():
    assert captions(project(line("ten"), line("thirty"), seconds=9)) == (cue(0, 3000, "ten"), cue(3000, 9000, "thirty"))


def test_a_long_text_becomes_several_captions_that_share_its_time():
    film = project(line("word " * 60, 1, 7))
    found = captions(film)
    assert len(found) == 4
    assert [(first.end_ms, second.start_ms) for first, second in itertools.pairwise(found)] == [
        (second.start_ms,) * 2 for second in found[1:]
    ]
    assert (found[0].start_ms, found[-1].end_ms) == (1000, 7000)


def test_what_there_is_no_time_to_read_is_counted():
    film = project(line(" ".join(f"word{n:04d}" for n in range(550))), seconds=3)
    shown = sum(text.count("word") for one in captions(film) for text in one.lines)
    lost = left_out(film, timeline(film.shots, Fraction(24)))
    assert shown < 550
    assert 8 * lost == pytest.approx(550 - shown, abs=8), "eight such words stand on two lines"
    assert left_out(project(line("A few words.")), timeline(film.shots, Fraction(24))) == 0


def test_a_caption_ends_where_the_next_begins():
    assert captions(project(phrases=[line("one", 1, 5), line("two", 3, 6)])) == (
        cue(1000, 3000, "one"),
        cue(3000, 6000, "two"),
    )


def test_two_that_speak_at_once_have_a_dash_each():
    assert captions(project(phrases=[line("Yes!", 1, 3), line("No!", "1.1", 4)])) == (
        cue(1000, 4000, "– Yes!", "– No!"),
    )


def test_nothing_is_shown_beyond_the_film():
    film = project(phrases=[line("late", 9, 20), line("later", 11, 12), line("early", -5, 1)])
    assert captions(film) == (cue(0, 1000, "early"), cue(9000, 10_000, "late"))


def test_times_count_from_the_start_of_what_is_delivered():
    film = project(phrases=[line("one", 1, 2), line("two", 5, 6)])
    assert captions(film, time_range=(Fraction(4), Fraction(10))) == (cue(1000, 2000, "two"),)
    assert captions(film, lead_seconds=Fraction(3))[0] == cue(4000, 5000, "one")


@given(st.lists(st.tuples(st.text(max_size=120), st.integers(-2000, 12_000), st.integers(-2000, 12_000)), max_size=30))
def test_captions_are_in_order_one_at_a_time_inside_the_film(phrases):
    lines = [line(text, Fraction(start, 1000), Fraction(end, 1000)) for text, start, end in phrases]
    found = captions(project(phrases=lines))
    assert all(0 <= one.start_ms < one.end_ms <= 10_000 for one in found)
    assert all(first.end_ms <= second.start_ms for first, second in itertools.pairwise(found))
    assert all(one.lines and all(one.lines) and len(one.lines) <= 4 for one in found)


@pytest.mark.parametrize(
    ("form", "write"), [("srt", srt), ("vtt", vtt), ("ass", lambda found: ass(found, STYLE))], ids=["srt", "vtt", "ass"]
)
def test_another_reader_finds_the_same_captions(form, write):
    found = (cue(0, 1500, "Où est l’été ?", "Là !"), cue(3_600_000 + 62_340, 3_600_000 + 63_000, "你好 שלום"))
    read = pysubs2.SSAFile.from_string(write(found), form)
    assert [(event.start, event.end, tuple(event.plaintext.split("\n"))) for event in read] == [
        (one.start_ms, one.end_ms, one.lines) for one in found
    ]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    ("form", "write"), [("srt", srt), ("vtt", vtt), ("ass", lambda found: ass(found, STYLE))], ids=["srt", "vtt", "ass"]
)
def test_hostile_words_are_only_words(form, write, text):
    found = captions(project(phrases=[line(text, 1, 2), line("after", 3, 4)]))
    read = pysubs2.SSAFile.from_string(write(found), form)
    assert len(read) == len(found)
    assert (read[-1].start, read[-1].end, read[-1].plaintext) == (3000, 4000, "after")
    assert all(1000 <= event.start < event.end <= 4000 for event in read)
    shown = [html.unescape(event.plaintext) for event in read]
    assert [words(text) for text in shown] == [words(" ".join(one.lines)) for one in found]


def words(text):
    return re.findall(r"\w+", text)


def test_in_ass_no_word_of_a_text_is_a_command():
    text = ass(captions(project(phrases=[line(text, 1, 2) for text in HOSTILE[:3]])), STYLE)
    events = [part.split(",", 9)[9] for part in text.splitlines() if part.startswith("Dialogue:")]
    assert not any(mark in event for event in events for mark in "{}")
    assert all("\\" not in event.replace("\\N", "").replace("\\\u2060", "") for event in events)


def test_a_vtt_file_tells_its_language_and_escapes_markup():
    assert vtt((cue(0, 1000, "a < b & c --> d"),), "en") == (
        "WEBVTT\nLanguage: en\n\n00:00:00.000 --> 00:00:01.000\na &lt; b &amp; c --&gt; d\n"
    )


def test_without_words_the_files_are_empty_but_whole():
    assert (srt(()), vtt(())) == ("\n", "WEBVTT\n")
    assert len(pysubs2.SSAFile.from_string(ass((), STYLE), "ass")) == 0


def test_letters_are_as_large_as_the_picture_allows():
    sizes = [
        pysubs2.SSAFile.from_string(ass((), replace(STYLE, width=width, height=height)), "ass")
        .styles["Default"]
        .fontsize
        for width, height in ((1920, 1080), (1080, 1920), (16, 16))
    ]
    assert sizes == [60, 42, 8]
