"""The controls that ComfyUI's page puts on nodes, each with its place in the saved values."""

import pytest

from fixtures.workflows import node, node_class, workflow
from storycore.comfyui.graph.convert import convert

LAST = ["INT", {"default": 0}]


def inputs(fields, values, name="Node", optional=None, **facts):
    """What is sent for a node of one class with these values."""
    info = {name: node_class({**fields, "last": LAST}, optional, **facts)}
    return convert(workflow({1: node(name, values)}), info).graph["1"]["inputs"]


@pytest.mark.parametrize(
    ("fields", "values", "sent"),
    [
        ({"seed": ["INT", {}]}, [5, "fixed", 9], {"seed": 5}),
        ({"noise_seed": ["INT", {}]}, [5, "fixed", 9], {"noise_seed": 5}),
        ({"seed": ["INT", {"control_after_generate": False}]}, [5, 9], {"seed": 5}),
        ({"value": ["INT", {"control_after_generate": True}]}, [5, "fixed", 9], {"value": 5}),
        ({"value": ["INT", {"control_after_generate": "fixed"}]}, [5, "fixed", 9], {"value": 5}),
        ({"value": ["FLOAT", {"control_after_generate": True}]}, [0.5, "fixed", 9], {"value": 0.5}),
        ({"name": [["a"], {"control_after_generate": True}]}, ["a", "fixed", "", 9], {"name": "a"}),
        ({"name": ["COMBO", {"options": ["a"], "remote": {}}]}, ["b", False, 9], {"name": "b"}),
        ({"name": ["COMBO", {"remote": {"refresh_button": True}}]}, ["b", False, "refresh", 9], {"name": "b"}),
        ({"box": ["BOUNDING_BOX", {}]}, [{"x": 1}, 1, 2, 3, 4, 9], {"box": {"x": 1}}),
        ({"view": ["IMAGECOMPARE", {"socketless": True}]}, [9], {"view": {"__value__": ["", ""]}}),
        ({"sound": ["AUDIO_RECORD", {}]}, ["", "", 9], {"sound": ""}),
        ({"curve": ["CURVE", {}]}, [{"points": [[0, 0]]}, 9], {"curve": {"points": [[0, 0]]}}),
        ({"rate": ["FLOAT,INT", {"widgetType": "FLOAT"}]}, [24, 9], {"rate": 24}),
        ({"image": ["IMAGE", {}]}, [9], {}),
    ],
)
def test_each_control_takes_its_places_and_sends_one_value(fields, values, sent):
    assert inputs(fields, values) == {**sent, "last": 9}


def test_buttons_for_3d_models_stand_before_the_view():
    fields = {"model_file": [["none"], {}], "image": ["LOAD_3D", {}]}
    values = ["a.glb", "upload3dmodel", "uploadExtraResources", "clear", "view", 9]
    assert inputs(fields, values, "Load3D") == {"model_file": "a.glb", "image": "view", "last": 9}


@pytest.mark.parametrize("order", [True, False])
def test_an_upload_button_stands_after_all_or_after_what_is_required(order):
    facts = {} if order else {"input_order": None}
    values = ["a.png", 9, *([5, "image"] if order else ["image", 5])]
    fields = {"image": [["a.png"], {"image_upload": True}]}
    sent = inputs(fields, values, optional={"more": ["INT", {}]}, **facts)
    assert sent == {"image": "a.png", "last": 9, "more": 5}


def test_a_pool_of_chosen_values_is_kept_as_a_list():
    fields = {"names": ["COMBO", {"options": ["a", "b"], "multi_select": True}]}
    assert inputs(fields, [["a", "b"], 9]) == {"names": {"__value__": ["a", "b"]}, "last": 9}


def test_defaults_are_those_that_the_server_declares_or_the_page_has():
    fields = {
        "whole": ["INT", {}],
        "text": ["STRING", {}],
        "flag": ["BOOLEAN", {"default": True}],
        "name": [["x", "y"]],
        "other": ["COMBO", {"options": ["x", "y"], "default": "y"}],
        "empty": ["COMBO", {"options": []}],
    }
    sent = {"whole": 0, "text": "", "flag": True, "name": "x", "other": "y", "empty": None, "last": 0}
    assert inputs(fields, []) == sent
