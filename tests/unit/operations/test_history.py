from hypothesis import given
from hypothesis import strategies as st

from storycore.operations.history import share


def test_shares_are_values_that_were_measured():
    assert share([], 0.5) is None
    assert share([3.0], 0.95) == 3.0
    assert share([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert share([float(value) for value in range(1, 101)], 0.95) == 95.0


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_so_many_do_not_exceed_the_share(values, part):
    found = share(values, part)
    assert sum(value <= found for value in values) >= part * len(values) - 1e-6
