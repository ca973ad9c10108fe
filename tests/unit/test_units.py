"""Numbers for people and machines."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.units import human_bytes, human_seconds, iso, rough_seconds, round_half_up, seconds, stamp, timecode


@pytest.mark.parametrize(("value", "whole"), [("1/2", 1), ("-1/2", 0), ("3/2", 2), ("5/2", 3), ("49/100", 0), (7, 7)])
def test_halves_go_up(value, whole):
    assert round_half_up(Fraction(value)) == whole


@given(st.fractions(), st.integers(-1000, 1000))
def test_rounding_does_not_depend_on_where_it_starts(value, shift):
    assert round_half_up(value + shift) == round_half_up(value) + shift


def test_a_float_is_taken_as_it_was_written():
    assert seconds(0.1) == Fraction(1, 10)


@pytest.mark.parametrize(
    ("time", "rate", "shown"),
    [
        (Fraction(0), Fraction(24), "00:00:00:00"),
        (Fraction(121, 2), Fraction(24), "00:01:00:12"),
        (Fraction(3600), Fraction(25), "01:00:00:00"),
        (Fraction(1001, 1000), Fraction(24000, 1001), "00:00:01:00"),
    ],
)
def test_timecode_counts_frames_at_the_nominal_rate(time, rate, shown):
    assert timecode(time, rate) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_234_567_890, "1.2 GB"),
        (999_999, "1.0 MB"),
        (10**18, "1000.0 PB"),
    ],
)
def test_sizes_are_decimal(size, shown):
    assert human_bytes(size) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.84, "0.8 s"), (42, "42 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"), (59.9, "1 min 00 s")]
)
def test_durations_are_for_people(value, shown):
    assert human_seconds(value) == shown


def test_instants_say_their_offset():
    instant = datetime(2026, 11, 24, 2, 1, 35, tzinfo=UTC)
    assert (iso(instant), stamp(instant)) == ("2026-11-24T02:01:35+00:00", "20261124T020135Z")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "5 s"), (12, "10 s"), (58, "1 min"), (91.4, "1 min 30 s"), (299, "5 min"), (1653, "28 min"),
     (7260, "2 h 01 min")],
)  # fmt: skip
def test_guessed_durations_claim_no_more_than_a_guess(seconds, told):
    assert rough_seconds(seconds) == told
