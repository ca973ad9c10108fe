"""How large the parts of an upload are."""

from hypothesis import given
from hypothesis import strategies as st

from storycore.storage.upload import LEAST_PART_BYTES, part_bytes_for
from storycore.units import MEBIBYTE


@given(st.integers(0, 5 * 2**40))
def test_parts_fit_every_store_however_large_the_object_comes_out(size_bytes):
    part = part_bytes_for(size_bytes)
    assert part >= LEAST_PART_BYTES
    assert part % MEBIBYTE == 0
    assert -(-int(size_bytes * 1.1) // part) <= 10_000


def test_a_package_of_200_gb_goes_in_parts_that_memory_has_room_for():
    assert part_bytes_for(200 * 10**9) == 22 * MEBIBYTE
