from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storycore.errors import InvalidInput
from storycore.project.draft import MOST_ITEMS, Notes, Piece, Units
from storycore.project.fields import Fields, read_instant, read_number


def fields(raw, **units) -> Fields:
    return Fields([Piece(raw=raw, file="f.json", units=Units(**units))], Notes())


def told(found: Fields) -> list[tuple[str, str]]:
    return [(warning.pointer, warning.reason) for warning in found.notes.taken()]


def test_the_first_piece_and_the_first_name_that_know_a_fact_give_it():
    pieces = [Piece(raw={"b": "2", "a": None}, file="x"), Piece(raw={"a": "3"}, file="y")]
    assert Fields(pieces, Notes()).text(("a", "b")) == "2"


def test_a_dot_leads_into_objects_and_lists():
    assert fields({"a": [{"b": "x"}]}).text(("a.1.b", "a.0.b")) == "x"


def test_a_wrong_type_is_told_with_its_pointer_and_the_next_name_is_tried():
    found = fields({"a/b": {"c": [1]}, "d": "x"})
    assert found.text(("a/b.c", "d")) == "x"
    assert told(found) == [("/a~1b/c", "wrong_type")]


@settings(deadline=None, max_examples=60)
@given(st.decimals(0, 10**6, places=6))
def test_decimal_seconds_are_exact(value):
    assert fields({"t": float(value)}).seconds(("t",)) == Fraction(str(float(value)))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([Fraction(24), Fraction(24000, 1001), Fraction(30000, 1001)]))
def test_frames_are_exact_seconds(frames, rate):
    assert fields({"t": frames}, frames=True, frame_rate=rate).seconds(("t",)) == frames / rate
    assert fields({"t": frames}, frame_rate=rate).seconds(("t#frames",)) == frames / rate


def test_a_ratio_beside_a_number_counts_only_if_it_agrees():
    rate = {"frame_rate": Fraction(24)}
    assert fields({"t": 103 / 24, "t_exact": "103/24"}, **rate).seconds(("t",)) == Fraction(103, 24)
    assert fields({"t": 4, "t_exact": "103/24"}, **rate).seconds(("t",)) == 4
    assert fields({"t": 4, "t_exact": "4/0"}, **rate).seconds(("t",)) == 4


@pytest.mark.parametrize("value", [-1, 1e8, "soon", True, [], 10**40, 1e300])
def test_what_is_no_time_of_a_film_is_left_out_and_told(value):
    found = fields({"t": value})
    assert found.seconds(("t",)) is None
    assert [pointer for pointer, _ in told(found)] == ["/t"]


def test_shares_are_decided_by_the_units_of_the_file_and_never_by_the_value():
    assert fields({"v": 1}).share(("v",), 100, 0, Fraction(1)) == Fraction(1, 100)
    assert fields({"v": 1}).share(("v",), 1, 0, Fraction(1)) == 1
    found = fields({"v": 150})
    assert found.share(("v",), 100, 0, Fraction(1)) == 1
    assert told(found) == [("/v", "out_of_range")]


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-01-07T16:57:55.571306Z", datetime(2026, 1, 7, 16, 57, 55, 571306, tzinfo=UTC)),
        ("2026-01-07T16:57:55", datetime(2026, 1, 7, 16, 57, 55, tzinfo=UTC)),
        ("2026-01-07T18:57:55+02:00", datetime(2026, 1, 7, 16, 57, 55, tzinfo=UTC)),
        (1768060952.5, datetime(2026, 1, 10, 16, 2, 32, 500000, tzinfo=UTC)),
        (1768060952500, datetime(2026, 1, 10, 16, 2, 32, 500000, tzinfo=UTC)),
        ("yesterday", None), (-1, None), (True, None), (None, None),
        (10**17, None), ("0001-01-01T00:00:00+23:59", None),
    ],
)  # fmt: skip
def test_instants_are_read_in_every_way_that_they_are_written(value, instant):
    assert read_instant(value) == instant


@settings(deadline=None, max_examples=60)
@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text())
def test_a_number_is_read_or_not_but_nothing_is_raised(value):
    number = read_number(value)
    assert number is None or isinstance(number, Fraction)


def test_a_list_that_is_too_long_is_refused():
    with pytest.raises(InvalidInput):
        fields({"a": [{}] * (MOST_ITEMS + 1)}).objects(("a",))
