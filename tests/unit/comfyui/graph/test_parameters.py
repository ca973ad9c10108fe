"""Values put into a graph: by node id, by title, for placeholders, with their types checked."""

import copy

import pytest

from fixtures.workflows import info, node_class
from storycore.comfyui.graph.parameters import Cell, fill, placeholders
from storycore.errors import InvalidInput, Reason

INFO = info(
    Picture=node_class({
        "seed": ["INT", {"min": 0, "max": 100}],
        "cfg": ["FLOAT", {"max": 9.5}],
        "fast": ["BOOLEAN", {}],
        "name": [["euler", "ddim"]],
        "text": ["STRING", {}],
        "image": ["IMAGE"],
        "file": [["a.png"], {"image_upload": True}],
        "source": ["*", {}],
    })
)  # fmt: skip

GRAPH = {
    "3": {
        "class_type": "Picture",
        "inputs": {"seed": 1, "text": "a {{subject}} in {{place}}", "image": ["4", 0], "cfg": "{{cfg}}"},
        "_meta": {"title": "Sampler v1.5"},
    },
    "12:4": {"class_type": "Image", "inputs": {"width": 1, "height": 2}, "_meta": {"title": "Canvas"}},
    "5": {"class_type": "Save", "inputs": {"images": ["3", 0], "filename_prefix": "x"}, "_meta": {"title": "Keep"}},
}
TEXTS = {"subject": "cat", "place": "house", "cfg": 2.5}


def filled(**parameters):
    graph = fill(GRAPH, {**TEXTS, **parameters}, INFO)
    return {name: node["inputs"] for name, node in graph.items()}


def faults(parameters):
    with pytest.raises(InvalidInput) as told:
        fill(GRAPH, parameters, INFO)
    return {fault.pointer.removeprefix("/input_parameters"): fault.reason for fault in told.value.errors}


def test_placeholders_are_listed_and_filled_in_the_type_of_their_input():
    assert placeholders(GRAPH) == ["cfg", "place", "subject"]
    assert filled()["3"] == {"seed": 1, "text": "a cat in house", "image": ["4", 0], "cfg": 2.5}


@pytest.mark.parametrize(
    ("name", "value", "node", "field"),
    [
        ("3.seed", 7, "3", "seed"),
        ("Sampler v1.5.seed", 7, "3", "seed"),
        ("12:4.width", 64, "12:4", "width"),
        ("Canvas.width", 64, "12:4", "width"),
        ("Keep", "film", "5", "filename_prefix"),
        ("3.name", "ddim", "3", "name"),
        ("3.seed", 7.0, "3", "seed"),
        ("3.fast", True, "3", "fast"),
        ("3.file", "not-there-yet.png", "3", "file"),
    ],
)
def test_a_parameter_finds_its_place_by_id_or_title(name, value, node, field):
    assert filled(**{name: value})[node][field] == value


def test_several_inputs_of_a_node_can_be_given_together():
    assert filled(**{"3": {"seed": 5, "name": "ddim"}, "Canvas": {"width": 9}})["3"]["seed"] == 5


def test_a_parameter_takes_the_place_of_a_link():
    graph = {"1": {"class_type": "Image", "inputs": {"width": ["2", 0]}}}
    assert fill(graph, {"1.width": 8}, INFO)["1"]["inputs"] == {"width": 8}


def test_a_list_is_sent_as_a_value_and_not_as_a_link():
    graph = {"1": {"class_type": "Unknown", "inputs": {"points": 0}}}
    assert fill(graph, {"1.points": [1, 2]}, INFO)["1"]["inputs"] == {"points": {"__value__": [1, 2]}}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("3.seed", "7", Reason.WRONG_TYPE),
        ("3.seed", True, Reason.WRONG_TYPE),
        ("3.seed", 7.5, Reason.WRONG_TYPE),
        ("3.seed", 101, Reason.OUT_OF_RANGE),
        ("3.cfg", 9.6, Reason.OUT_OF_RANGE),
        ("3.fast", 1, Reason.WRONG_TYPE),
        ("3.name", "heun", Reason.UNKNOWN_VALUE),
        ("3.text", 5, Reason.WRONG_TYPE),
        ("3.image", "a.png", Reason.WRONG_TYPE),
        ("3.sed", 1, Reason.UNKNOWN_FIELD),
        ("Nobody.seed", 1, Reason.UNKNOWN_FIELD),
        ("Canvas", 1, Reason.UNKNOWN_FIELD),
        ("cfg", "much", Reason.WRONG_TYPE),
    ],
)
def test_what_does_not_fit_is_refused(name, value, reason):
    assert faults({**TEXTS, name: value}) == {f"/{name}": reason}


def test_everything_wrong_is_told_at_once_and_what_is_missing_too():
    assert faults({"3.seed": "x", "9.seed": 1, "cfg": 1.0}) == {
        "/3.seed": Reason.WRONG_TYPE,
        "/9.seed": Reason.UNKNOWN_FIELD,
        "/place": Reason.MISSING_FIELD,
        "/subject": Reason.MISSING_FIELD,
    }


def test_a_title_of_several_nodes_says_nothing():
    graph = {name: {"class_type": "Image", "inputs": {"width": 1}, "_meta": {"title": "Twin"}} for name in ("1", "2")}
    with pytest.raises(InvalidInput, match="say which by its id: 1, 2"):
        fill(graph, {"Twin.width": 5}, INFO)


def test_a_near_miss_is_suggested():
    with pytest.raises(InvalidInput, match="did you mean Canvas"):
        fill(GRAPH, {**TEXTS, "Canvs.width": 5}, INFO)


def test_filling_changes_nothing_that_was_given():
    before = copy.deepcopy(GRAPH)
    filled(**{"3.seed": 9})
    assert before == GRAPH


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", "1984", "1984"), ("text", "true", "true"), ("text", "007", "007"), ("seed", "7", 7),
        ("seed", "007", 7), ("seed", "7.0", 7.0), ("cfg", "2", 2.0), ("cfg", "2.50", 2.5), ("fast", "TRUE", True),
        ("name", "ddim", "ddim"),
    ],
)  # fmt: skip
def test_a_cell_of_a_table_is_what_its_input_takes(name, text, value):
    found = filled(**{f"3.{name}": Cell(text)})["3"][name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"), [("seed", "seven"), ("seed", "1_0"), ("seed", "\u0661"), ("cfg", "1e999"), ("fast", "1")]
)
def test_a_cell_that_is_none_of_what_its_input_takes_is_refused(name, text):
    with pytest.raises(InvalidInput) as told:
        filled(**{f"3.{name}": Cell(text)})
    assert told.value.reason is Reason.WRONG_TYPE


def test_a_choice_among_numbers_is_found_by_its_text():
    numbers = info(Picture=node_class({"size": [[512, 1024], {}]}))
    graph = {"3": {"class_type": "Picture", "inputs": {"size": 512}}}
    assert fill(graph, {"3.size": Cell("1024")}, numbers)["3"]["inputs"]["size"] == 1024


@pytest.mark.parametrize("value", ["a red car", 7])
def test_an_input_of_any_type_takes_any_value(value):
    graph = {"3": {"class_type": "Picture", "inputs": {"source": "{{what}}"}}}
    assert fill(graph, {"what": value}, INFO)["3"]["inputs"] == {"source": value}
