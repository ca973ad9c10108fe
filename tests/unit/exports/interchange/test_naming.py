"""Names that every editing program takes."""

import re

from hypothesis import given
from hypothesis import strategies as st

from storycore.exports.interchange.naming import line, link, media_name, reel_name


@given(title=st.text(max_size=80), number=st.integers(0, 100_000))
def test_whatever_a_title_holds_its_file_has_a_plain_short_name(title, number):
    assert re.fullmatch(r"\d{3,6}(_[A-Za-z0-9]([A-Za-z0-9_]{0,38}[A-Za-z0-9])?)?", media_name(number, title))


def test_a_name_keeps_of_a_title_what_ascii_has():
    assert media_name(7, "Été: l'arrivée & <more> 100% 🎬") == "007_Ete_l_arrivee_more_100"
    assert media_name(7, "日本") == "007"
    assert media_name(7, "../../etc/passwd") == "007_etc_passwd"


@given(st.sets(st.integers(0, 9_999_999), min_size=2, max_size=9))
def test_reels_are_unique_and_fit_into_eight_letters(numbers):
    reels = {reel_name(number) for number in numbers}
    assert len(reels) == len(numbers)
    assert all(re.fullmatch(r"S\d{4,7}", reel) for reel in reels)


@given(st.text(max_size=40))
def test_a_line_is_one_line_and_breaks_no_xml(text):
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]", line(text))


def test_a_link_is_percent_encoded():
    assert link("file:///films/", 'media/a b%&<"é.mov') == "file:///films/media/a%20b%25%26%3C%22%C3%A9.mov"
