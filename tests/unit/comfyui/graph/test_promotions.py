"""Values of controls inside subgraphs that instances set, in every way that ComfyUI saved them."""

import pytest

from fixtures.workflows import info, node, subgraph, workflow
from storycore.comfyui.graph.convert import convert


def inputs(document):
    return {name: one["inputs"] for name, one in convert(document, info()).graph.items()}


def listed(*entries, values=(), kind="inner", **more):
    return node(kind, values, properties={"proxyWidgets": [list(entry) for entry in entries]}, **more)


INNER = subgraph("inner", {7: node("Image", [1, 2]), 8: node("Blur", [3], {"image": (7, 0)})})
OUTER = subgraph("outer", {5: node("inner")})


def test_a_listed_control_is_set_at_the_instance_alone():
    found = inputs(workflow({2: listed(("7", "width"), ("8", "radius"), values=[10, 30]), 3: node("inner")}, [INNER]))
    assert found["2:7"] == {"width": 10, "height": 2}
    assert found["2:8"]["radius"] == 30
    assert found["3:7"] == {"width": 1, "height": 2}


def test_a_listed_control_without_a_value_keeps_the_inner_one():
    assert inputs(workflow({2: listed(("7", "width"), values=[None])}, [INNER]))["2:7"]["width"] == 1


@pytest.mark.parametrize(
    "entry", [("9", "width"), ("7", "depth"), ("7", "$$canvas-image-preview"), ("7", "control_after_generate")]
)
def test_what_leads_nowhere_changes_nothing(entry):
    found = inputs(workflow({2: listed(entry, ("7", "height"), values=[10, 20])}, [INNER]))
    assert found["2:7"] == {"width": 1, "height": 20}


@pytest.mark.parametrize("entry", [("5", "width"), ("5", "7: width"), ("5", "width", "7")])
def test_a_control_two_levels_down_is_reached_through_the_instance_between(entry):
    middle = subgraph("outer", {5: listed(("7", "width"), values=[50])})
    found = inputs(workflow({2: listed(entry, values=[60], kind="outer"), 3: node("outer")}, [INNER, middle]))
    assert (found["2:5:7"]["width"], found["3:5:7"]["width"]) == (60, 50)


def test_values_without_a_node_are_found_by_the_name_of_the_input():
    inner = subgraph("inner", {7: node("Image", [1, 2])}, inputs=[("width", "INT", [(7, "width")])])
    assert inputs(workflow({2: listed(("-1", "width"), values=[44])}, [inner]))["2:7"]["width"] == 44


def test_an_inner_primitive_that_is_listed_sets_all_that_it_is_linked_to():
    inner = subgraph(
        "inner",
        {
            6: node("PrimitiveNode", [5, "fixed"], outputs=[{"name": "INT", "type": "INT", "links": []}]),
            7: node("Image", [1, 2], {"width": (6, 0), "height": (6, 0)}),
        },
    )
    found = inputs(workflow({2: listed(("6", "value"), values=[512]), 3: node("inner")}, [inner]))
    assert found["2:7"] == {"width": 512, "height": 512}
    assert found["3:7"] == {"width": 5, "height": 5}


@pytest.mark.parametrize(("by_name", "width"), [(True, 9), (False, "x")])
def test_values_of_an_instance_that_lost_an_input_go_by_name_or_slip_as_in_the_page(by_name, width):
    inner = subgraph(
        "inner",
        {7: node("Image", [1, 2]), 8: node("Strange", [])},
        inputs=[("name", "STRING", [(8, "name")]), ("width", "INT", [(7, "width")])],
    )
    document = workflow({2: node("inner", ["x", 9], widgets_values_named={"name": "x", "width": 9})}, [inner])
    conversion = convert(document, info(), by_name=by_name)
    assert conversion.graph["2:7"]["inputs"]["width"] == width
    assert ("values_shifted" in [odd.reason for odd in conversion.warnings]) is not by_name
