"""Links followed to where they come from."""

import pytest

from fixtures.workflows import info, node, subgraph, workflow
from storycore.comfyui.graph.branch_order import BranchOrder
from storycore.comfyui.graph.convert import convert
from storycore.comfyui.graph.node_class import NodeClasses
from storycore.comfyui.graph.routes import Router, Scope, Source, connects
from storycore.comfyui.graph.subgraphs import Builder, build
from storycore.comfyui.graph.ui_graph import read_ui_graph
from storycore.errors import InvalidInput, Reason


@pytest.mark.parametrize(
    ("one", "other", "fit"),
    [
        ("IMAGE", "IMAGE", True),
        ("IMAGE", "image", True),
        ("IMAGE", "MASK", False),
        ("*", "MASK", True),
        ("IMAGE", "", True),
        ("IMAGE,MASK", "MASK", True),
        ("IMAGE,MASK", "LATENT,mask", True),
        ("IMAGE,MASK", "LATENT", False),
    ],
)
def test_types_fit_if_they_are_the_same_any_or_have_one_in_common(one, other, fit):
    assert connects(one, other) is connects(other, one) is fit


def test_all_ways_together_have_an_end():
    document = workflow(
        {1: node("Image"), 2: node("Reroute", inputs={"": (1, 0)}), 3: node("Blur", [], {"image": (2, 0)})}
    )
    builder = Builder(classes=NodeClasses(info()), order=BranchOrder(info()), by_name=True)
    canvas = build(read_ui_graph(document), builder)
    router = Router()
    assert router.follow(Scope(canvas=canvas), canvas.nodes["3"], 0) == Source("1", 0)
    router._left = 3
    with pytest.raises(InvalidInput) as told:
        router.follow(Scope(canvas=canvas), canvas.nodes["3"], 0)
    assert told.value.reason is Reason.WORKFLOW_INVALID


def inputs(nodes, *definitions):
    return {name: one["inputs"] for name, one in convert(workflow(nodes, definitions), info()).graph.items()}


def test_what_goes_straight_through_a_subgraph_comes_from_before_it():
    through = subgraph("through", {}, inputs=[("image", "IMAGE", [])])
    through["links"] = [
        {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "IMAGE"}
    ]
    through["outputs"] = [{"name": "IMAGE", "type": "IMAGE", "linkIds": [1]}]
    nodes = {1: node("Image"), 2: node("through", inputs={"image": (1, 0)}), 3: node("Save", ["x"], {"images": (2, 0)})}
    assert inputs(nodes, through)["3"]["images"] == ["1", 0]


def test_an_output_that_shows_nothing_gives_nothing():
    empty = subgraph("empty", {1: node("Image")})
    empty["outputs"] = [{"name": "IMAGE", "type": "IMAGE", "linkIds": [77]}]
    nodes = {2: node("empty"), 3: node("Save", ["x"], {"images": (2, 0)}), 4: node("Save", ["y"], {"images": (2, 5)})}
    found = inputs(nodes, empty)
    assert "images" not in found["3"]
    assert "images" not in found["4"]


def test_setters_are_found_further_out():
    inner = subgraph("inner", {5: node("GetNode", ["a"]), 6: node("Save", ["x"], {"images": (5, 0)})})
    nodes = {1: node("Image"), 2: node("SetNode", ["a"], {"IMAGE": (1, 0)}), 3: node("inner")}
    assert inputs(nodes, inner)["3:6"]["images"] == ["1", 0]
