"""When attempts are made again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.webhooks.schedule import (
    JITTER,
    LONGEST_PAUSE_SECONDS,
    LONGEST_SECONDS,
    USUAL_DELAYS,
    RetryPolicy,
    allowance,
    pause_seconds,
    retry_after,
)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
chances = st.floats(0, 1)
policies = st.builds(
    RetryPolicy.exponential, max_retries=st.integers(0, 30), retry_delay_seconds=st.floats(0.1, 86_400)
)


def test_the_usual_schedule_ends_three_days_after_the_first_attempt():
    delays = [RetryPolicy().delay(attempt, chance=0.0) for attempt in range(1, 11)]
    assert delays == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, None]
    assert timedelta(seconds=sum(USUAL_DELAYS)) == timedelta(hours=75, minutes=35, seconds=5)


def test_a_policy_doubles_its_delay_and_ends_after_its_retries():
    policy = RetryPolicy.exponential(max_retries=3, retry_delay_seconds=5)
    assert [policy.delay(attempt, chance=0.0) for attempt in range(1, 5)] == [5, 10, 20, None]
    assert RetryPolicy.exponential(max_retries=0, retry_delay_seconds=5).delay(1, chance=0.5) is None


@given(policy=policies, attempt=st.integers(1, 31), chance=chances, hint=st.none() | st.floats(0, 1e9))
def test_chance_only_adds_a_tenth_and_a_hint_only_lengthens(policy, attempt, chance, hint):
    bare, told = policy.delay(attempt, chance=0.0), policy.delay(attempt, chance=chance, hint_seconds=hint)
    if bare is None:
        assert told is None
        return
    assert bare <= told <= LONGEST_SECONDS * (1 + JITTER)
    assert told <= max(bare * (1 + JITTER), hint or 0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0), ("120", 120), (" 7 ", 7), ("999999999", LONGEST_SECONDS), ("Wed, 25 Nov 2026 12:05:00 GMT", 300),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0), ("Wednesday, 25-Nov-26 12:05:00 GMT", 300),
        ("Thu, 31 Dec 9999 23:59:59 GMT", LONGEST_SECONDS), ("-1", None), ("1.5", None), ("soon", None), ("", None),
        ("١٢", None), ("99999999999", None), ("Wed, 99 Nov 2026 12:05:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_and_as_a_date_and_capped(value, seconds):
    assert retry_after(value, NOON) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_does_harm(value):
    found = retry_after(value, NOON)
    assert found is None or 0 <= found <= LONGEST_SECONDS


def test_pauses_begin_after_several_failures_and_double_to_a_bound():
    assert [pause_seconds(failures) for failures in (0, 4, 5, 6, 7)] == [0, 0, 15, 30, 60]
    assert pause_seconds(10_000) == LONGEST_PAUSE_SECONDS


def sent_in(seconds, per_minute, ask_every):
    """How many messages a limit lets through when ten are wanted at each look."""
    paced, total = None, 0
    for step in range(int(seconds / ask_every)):
        count, paced = allowance(paced, NOON + timedelta(seconds=step * ask_every), per_minute=per_minute, wanted=10)
        total += count
    return total


@pytest.mark.parametrize("per_minute", [1, 6, 60, 600, 3000])
def test_a_rate_limit_is_kept_and_used(per_minute):
    total = sent_in(120, per_minute, 0.05)
    assert 2 * per_minute <= total <= 2 * per_minute + 1 + per_minute / 600


def test_no_limit_lets_all_through_and_a_pause_heaps_up_nothing():
    assert allowance(None, NOON, per_minute=0, wanted=64) == (64, None)
    _, paced = allowance(None, NOON, per_minute=60, wanted=5)
    count, _ = allowance(paced, NOON + timedelta(hours=1), per_minute=60, wanted=64)
    assert count == 1
