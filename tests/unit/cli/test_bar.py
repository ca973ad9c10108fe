"""Progress as people see it where there is no terminal."""

import pytest

from storycore.cli.bar import follow
from storycore.observe.progress import Progress


@pytest.mark.parametrize(
    ("total", "unit", "told"),
    [(1, "frames", "1 frame"), (2, "frames", "2 frames"), (1, "bytes", "1 B"), (0, "rows", "")],
)
def test_a_step_is_told_once_with_how_much_there_is_to_do(capsys, total, unit, told):
    with follow(quiet=False) as listener:
        progress = Progress(listener)
        progress.begin("rendering", total=total, unit=unit, until=1.0)
        progress.advance(total)
    assert capsys.readouterr().err == f"rendering … {told}".rstrip() + "\n"


def test_who_wants_quiet_gets_none():
    with follow(quiet=True) as listener:
        assert listener is None
