"""Graphs and answers of servers as nobody should make them: an error that says so, or a graph, and never a crash."""

import functools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.workflows import info, node, node_class, subgraph, workflow
from storycore.comfyui.graph.api_graph import is_api_graph
from storycore.comfyui.graph.check import check
from storycore.comfyui.graph.convert import convert
from storycore.comfyui.graph.model_sources import model_sources
from storycore.comfyui.graph.parameters import fill
from storycore.errors import InvalidInput

ROW = {"template": {"input": {"required": {"image": ["IMAGE", {}]}}, "prefix": "image", "min": 1, "max": 4}}
CHOICE = {"options": [{"key": "a", "inputs": {"required": {"size": ["INT", {}], "text": ["STRING", {}]}}}]}
INFO = info(
    Rows=node_class({"images": ["COMFY_AUTOGROW_V3", ROW]}, output=["IMAGE"]),
    Choose=node_class({"mode": ["COMFY_DYNAMICCOMBO_V3", CHOICE], "box": ["BOUNDING_BOX", {}]}, output=["IMAGE"]),
    CustomCombo=node_class({"choice": ["COMBO", {"options": []}]}, output=["STRING"]),
)
DOCUMENT = workflow(
    {
        1: node("Image", [64, 32]),
        2: node("PrimitiveNode", [7, "fixed"]),
        3: node("Reroute", inputs={"": (1, 0)}),
        4: node("inner", [5], {"image": (3, 0)}, properties={"proxyWidgets": [["7", "radius"], ["8", "radius"]]}),
        5: node("Rows", inputs={"images.image0": (4, 0), "images.image1": (3, 0)}, mode=4),
        6: node("Choose", ["a", 5, "x", {"x": 1}, 1, 2, 3, 4], {"mode.size": (2, 0)}),
        7: node("Save", ["x"], {"images": (5, 0)}, widgets_values_named={"filename_prefix": "y"}),
        8: node("SetNode", ["a"], {"IMAGE": (6, 0)}),
        9: node("GetNode", ["a"]),
        10: node("Save", ["{{name}}"], {"images": (9, 0)}),
        11: node("CustomCombo", ["b", 0, "a", "b", ""]),
        12: node("workflow>Mix", [9, 8], {"image": (1, 0)}),
        13: node("Save", ["z"], {"images": (12, 0)}),
    },
    [
        subgraph(
            "inner",
            {7: node("Blur", [3], {"image": None}), 8: node("Blur", [4], {"image": (7, 0)})},
            inputs=[("image", "IMAGE", [(7, "image")])],
            outputs=[("IMAGE", "IMAGE", (8, 0))],
        )
    ],
    extra={
        "groupNodes": {
            "Mix": {
                "nodes": [
                    {"type": "Blur", "widgets_values": [1], "inputs": [{"name": "image", "type": "IMAGE"}]},
                    {"type": "Blur", "widgets_values": [2], "inputs": [{"name": "image", "type": "IMAGE"}]},
                ],
                "links": [[0, 0, 1, 0, 1, "IMAGE"]],
                "external": [[0, 0, "IMAGE"]],
                "config": {"0": {"output": {"0": {"visible": True}}}},
            }
        }
    },
)
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 20), st.floats(allow_nan=False), st.sampled_from(["", "inner", "-10"]),
    st.lists(st.integers(-1, 9), max_size=3), st.dictionaries(st.sampled_from(["id", "name", "link"]), st.integers()),
)  # fmt: skip

patient = functools.partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""On a busy machine one example may take long, which says nothing."""


def places(value, path=()):
    """The path of everything inside a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


@st.composite
def spoilt(draw, value):
    """A JSON value in which some things are gone and others are something else."""
    copy = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 5))):
        path = draw(st.sampled_from(list(places(copy)) or [()]))
        if not path:
            return copy
        holder = copy
        for key in path[:-1]:
            holder = holder[key]
        if draw(st.booleans()):
            holder[path[-1]] = draw(JUNK)
        else:
            del holder[path[-1]]
    return copy


def everything(document, object_info):
    """All that is done with a workflow."""
    try:
        graph = convert(document, object_info).graph
        assert is_api_graph(graph) or graph == {}
        json.dumps(graph, allow_nan=False)
        check(graph, object_info)
        model_sources(document)
        fill(graph, {"name": "x", "7.filename_prefix": "y"}, object_info)
    except InvalidInput:
        pass


@patient(max_examples=300)
@given(spoilt(DOCUMENT))
def test_spoilt_workflows_are_an_error_or_a_graph(document):
    everything(document, INFO)


@patient(max_examples=300)
@given(spoilt(INFO))
def test_what_servers_tell_may_be_anything(object_info):
    everything(DOCUMENT, object_info)


@patient()
@given(spoilt(convert(DOCUMENT, INFO).graph))
def test_spoilt_graphs_are_checked(graph):
    if is_api_graph(graph):
        check(graph, INFO)


@patient()
@given(spoilt(DOCUMENT))
def test_the_same_workflow_gives_the_same_graph(document):
    try:
        first = convert(document, INFO)
    except InvalidInput:
        return
    again = convert(json.loads(json.dumps(document)), INFO)
    assert json.dumps(first.graph) == json.dumps(again.graph)
    assert first.warnings == again.warnings


def test_a_workflow_larger_than_any_that_a_person_made_is_refused():
    with pytest.raises(InvalidInput):
        convert(workflow({at: node("Image") for at in range(20_001)}), INFO)
