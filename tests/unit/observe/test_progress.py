"""Progress of long work."""

import pytest

from storycore.errors import Cancelled
from storycore.observe.progress import Progress


def listening():
    told = []
    return told, Progress(told.append, interval_seconds=0)


def test_steps_and_counts_make_a_share_of_the_whole():
    told, progress = listening()
    progress.begin("reading", total=4, until=0.2)
    progress.advance(2)
    progress.begin("packing", total=10, unit="bytes", until=1.0)
    progress.advance(5)
    progress.finish()
    assert [(report.step, report.done, round(report.fraction, 2)) for report in told] == [
        ("reading", 0, 0.0), ("reading", 2, 0.1), ("packing", 0, 0.2), ("packing", 5, 0.6), ("done", 5, 1.0),
    ]  # fmt: skip


def test_the_share_never_goes_down_and_is_whole_only_at_the_end():
    told, progress = listening()
    progress.begin("one", total=1, until=1.0)
    progress.advance(9)
    progress.begin("two", total=10, until=0.5)
    progress.advance(10)
    shares = [report.fraction for report in told]
    assert shares == sorted(shares)
    assert shares[-1] < 1.0


def test_cancelled_work_stops_at_its_next_count():
    progress = Progress()
    progress.begin("packing", until=1.0)
    progress.cancel()
    with pytest.raises(Cancelled):
        progress.advance()


def test_counts_are_told_no_more_often_than_the_interval():
    told = []
    progress = Progress(told.append, interval_seconds=3600)
    progress.begin("packing", total=1000, until=1.0)
    for _ in range(1000):
        progress.advance()
    assert len(told) == 1


def test_a_step_is_told_with_what_it_is_for():
    told, progress = listening()
    with progress.named("Screener (2 of 8)"):
        progress.begin("joining", until=0.5)
        progress.begin("j" * 99, until=0.6)
    progress.begin("packing", until=0.9)
    progress.finish()
    assert [report.step for report in told] == [
        "Screener (2 of 8): joining", f"Screener (2 of 8): {'j' * 45}", "packing", "done",
    ]  # fmt: skip
