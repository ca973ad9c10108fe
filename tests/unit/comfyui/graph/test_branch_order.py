"""The order of the inputs of a choice, where the answer of a server was sorted on its way."""

import pytest

from fixtures.workflows import node, node_class, workflow
from storycore.comfyui.graph.convert import convert

MODES = [
    {
        "key": "on",
        "inputs": {
            "required": {
                "min_p": ["FLOAT", {"default": 0.05, "max": 1.0}],
                "temperature": ["FLOAT", {"default": 0.7, "max": 2.0}],
                "top_k": ["INT", {"default": 64}],
            },
            "optional": {"a_last": ["FLOAT", {"default": 0.0}]},
        },
    },
    {"key": "texts", "inputs": {"required": {"negative": ["STRING", {}], "prompt": ["STRING", {}]}}},
]
GENERATE = node_class({"mode": ["COMFY_DYNAMICCOMBO_V3", {"options": MODES}]})
OTHERS = {f"Other{at}": node_class({"prompt": ["STRING", {}], "negative": ["STRING", {}]}) for at in range(3)}


def sorted_info(**classes):
    """As a tool writes it that sorts keys: the declared order stands in input_order alone."""
    return {
        name: {**facts, "input": {part: dict(sorted(inputs.items())) for part, inputs in facts["input"].items()}}
        for name, facts in classes.items()
    }


SORTED = sorted_info(Generate=GENERATE, **OTHERS)
PLAIN = {"Generate": GENERATE, **OTHERS}


def inputs(values, object_info, **more):
    graph = convert(workflow({1: node("Generate", values, **more)}), object_info).graph
    return {name.removeprefix("mode."): value for name, value in graph["1"]["inputs"].items() if name != "mode"}


def test_the_order_that_a_server_tells_is_believed():
    assert inputs(["on", 1, 2, 3, 4], PLAIN) == {"min_p": 1, "temperature": 2, "top_k": 3, "a_last": 4}


def test_where_it_is_lost_the_values_tell_it_and_the_optional_ones_come_last():
    values = ["on", 0.6, 64, 0.05, 0.0]
    assert inputs(values, SORTED) == {"temperature": 0.6, "top_k": 64, "min_p": 0.05, "a_last": 0.0}


def test_where_values_tell_nothing_the_habit_of_other_classes_does():
    assert inputs(["texts", "one", "two"], SORTED) == {"prompt": "one", "negative": "two"}


@pytest.mark.parametrize("side", ["inputs", "names"])
def test_names_that_were_saved_tell_more_than_values(side):
    order = ["mode", "mode.top_k", "mode.min_p", "mode.temperature", "mode.a_last"]
    values = ["on", 1, 0.5, 0.6, 0.0]
    if side == "inputs":
        more = {"inputs": dict.fromkeys(order)}
        document = workflow({1: node("Generate", values, more["inputs"])})
    else:
        document = workflow({1: node("Generate", values, widgets_values_named=dict(zip(order, values, strict=True)))})
    found = convert(document, SORTED).graph["1"]["inputs"]
    assert (found["mode.top_k"], found["mode.min_p"], found["mode.temperature"]) == (1, 0.5, 0.6)
