"""Texts of many lines as bytes."""

import json

import pytest

from storycore.exports.packing.lines import listed


@pytest.mark.parametrize("count", [0, 1, 2, 511, 512, 513, 1024, 1025])
def test_as_many_lines_come_out_as_went_in_whatever_is_taken_together(count):
    lines = [json.dumps(f"é {number}", ensure_ascii=False) for number in range(count)]
    made = listed("[\n", iter(lines), "\n]\n")
    assert made.decode() == "[\n" + ",\n".join(lines) + "\n]\n"
    assert json.loads(made) == [f"é {number}" for number in range(count)]
