"""Timecode, judged by OpenTimelineIO's own."""

from fractions import Fraction

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.exports.interchange.counting import Counting, drops, known, shown

RATES = [Fraction(24_000, 1001), Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(30), Fraction(50),
         Fraction(60_000, 1001), Fraction(60)]  # fmt: skip


@given(rate=st.sampled_from(RATES), frame=st.integers(0, 2_000_000))
def test_a_frame_has_the_timecode_that_others_give_it(rate, frame):
    counting = Counting(rate=rate, drop=drops(rate))
    told = otio.opentime.to_timecode(otio.opentime.RationalTime(frame, float(rate)), float(rate), counting.drop)
    assert counting.text(frame) == told


@given(rate=st.sampled_from(RATES), drop=st.booleans(), frame=st.integers(0, 2_000_000))
def test_a_timecode_names_one_frame(rate, drop, frame):
    counting = Counting(rate=rate, drop=drop and drops(rate))
    assert counting.frame(counting.text(frame)) == frame


@pytest.mark.parametrize("text", ["1:00:00:00", "24:00:00:00", "00:60:00:00", "00:00:60:00", "00:00:00:24", "", "x"])
def test_what_is_no_timecode_is_refused(text):
    with pytest.raises(ValueError, match=r"timecode|there is no"):
        Counting(rate=Fraction(24)).frame(text)


def test_numbers_that_are_dropped_name_no_frame():
    counting = Counting(rate=Fraction(30_000, 1001), drop=True)
    assert counting.text(1800) == "00:01:00;02"
    with pytest.raises(ValueError, match="leaves out"):
        counting.frame("00:01:00;01")
    assert counting.frame("00:10:00;01") == 17_983


def test_a_day_later_counting_begins_anew():
    counting = Counting(rate=Fraction(24))
    assert counting.text(24 * 86_400 + 5) == "00:00:00:05"


@pytest.mark.parametrize("rate", RATES)
def test_rates_of_films_are_known(rate):
    assert known(rate)


@pytest.mark.parametrize("rate", [Fraction(25, 2), Fraction(120), Fraction(1, 1001), Fraction(24_001, 1001)])
def test_rates_that_no_program_counts_are_not(rate):
    assert not known(rate)


def test_a_rate_is_shown_as_people_write_it():
    assert [shown(rate) for rate in RATES[:4]] == [23.976, 24, 25, 29.97]
