"""Names of files with parts that the page fills in."""

from datetime import UTC, datetime

import pytest

from fixtures.workflows import info, node, workflow
from storycore.comfyui.graph.convert import convert
from storycore.comfyui.graph.file_names import date_file_names, dated_text

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def named(prefix, **more):
    nodes = {
        1: node("Image", [64, 32], title="Canvas"),
        2: node("Model", ["a:b/c"], properties={"Node name for S&R": "Loader"}),
        3: node("Save", [prefix], {"images": (1, 0)}),
    }
    conversion = convert(workflow({**nodes, **more}), info())
    return conversion.graph["3"]["inputs"]["filename_prefix"], [odd.reason for odd in conversion.warnings]


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("shot_%Canvas.width%x%Canvas.height%", "shot_64x32"),
        ("%Loader.name%", "a_b_c"),
        ("%year%/%width%_%Nobody.seed%_%Canvas.depth%_100%", "%year%/%width%_%Nobody.seed%_%Canvas.depth%_100%"),
    ],
)
def test_values_of_controls_are_filled_in_and_what_is_none_is_left(prefix, name):
    assert named(prefix)[0] == name


def test_a_date_is_left_for_the_moment_of_sending_and_told():
    name, reasons = named("film/%date:yyyy-MM-dd%/shot")
    assert name == "film/%date:yyyy-MM-dd%/shot"
    assert "date_in_name" in reasons


@pytest.mark.parametrize(
    ("text", "dated"),
    [
        ("%date:yyyy-MM-dd%", "2026-03-04"),
        ("%date:yy.M.d h:m:s%", "26.3.4 5:6:7"),
        ("%date:hhmmss%_%date:dd%", "050607_04"),
        ("%year%", "%year%"),
    ],
)
def test_dates_are_written_as_the_page_writes_them(text, dated):
    assert dated_text(text, WHEN) == dated


def test_dates_are_written_into_names_of_outputs_only():
    graph = {
        "1": {"class_type": "Save", "inputs": {"filename_prefix": "%date:yyyy%"}},
        "2": {"class_type": "Image", "inputs": {"filename_prefix": "%date:yyyy%"}},
    }
    dated = date_file_names(graph, info(), WHEN)
    assert [node["inputs"]["filename_prefix"] for node in dated.values()] == ["2026", "%date:yyyy%"]
    assert graph["1"]["inputs"]["filename_prefix"] == "%date:yyyy%"
