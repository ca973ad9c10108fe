"""All that a server would refuse about a graph, at once."""

import pytest

from fixtures.workflows import info, node_class
from storycore.comfyui.graph.check import Fault, check

ROW = {"template": {"input": {"required": {"image": ["IMAGE", {}]}}, "prefix": "image", "min": 2, "max": 3}}
CHOICE = {"options": [{"key": "a", "inputs": {"required": {"size": ["INT", {}]}}}, {"key": "b", "inputs": {}}]}
INFO = info(
    Load=node_class({"name": [["flux/base.safetensors", "other.ckpt"]]}, output=["MODEL"]),
    Pick=node_class({"name": [["flux/base.safetensors", "other.ckpt"]]}, output=["IMAGE"]),
    Empty=node_class({"name": ["COMBO", {"options": []}]}, output=["IMAGE"]),
    Run=node_class(
        {"model": ["MODEL"], "seed": ["INT", {"min": 0, "max": 9}]}, {"more": ["INT", {}]}, output=["IMAGE"]
    ),
    Rows=node_class({"images": ["COMFY_AUTOGROW_V3", ROW]}, output=["IMAGE"]),
    Choose=node_class({"mode": ["COMFY_DYNAMICCOMBO_V3", CHOICE]}, output=["IMAGE"]),
    Any=node_class({"any": ["*"], "two": ["IMAGE,MASK"]}, output=["IMAGE"]),
    Loop=node_class({"image": ["IMAGE"]}, output=["IMAGE"]),
)


def graph(**nodes):
    """A graph whose last node is kept."""
    made = {name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()}
    last = list(nodes)[-1]
    return {**made, "save": {"class_type": "Save", "inputs": {"images": [last, 0], "filename_prefix": "x"}}}


def found(**nodes):
    return [(one.node, one.input, one.reason) for one in check(graph(**nodes), INFO)]


GOOD = {"load": ("Load", {"name": "other.ckpt"}), "run": ("Run", {"model": ["load", 0], "seed": 1})}


def test_a_graph_that_can_run_is_found_without_fault():
    assert found(**GOOD) == []


@pytest.mark.parametrize(
    ("node", "wrong"),
    [
        (("Run", {"model": ["load", 0]}), ("seed", Fault.MISSING_INPUT)),
        (("Run", {"seed": 1}), ("model", Fault.MISSING_INPUT)),
        (("Run", {"model": ["load", 0], "seed": "x"}), ("seed", Fault.WRONG_TYPE)),
        (("Run", {"model": ["load", 0], "seed": None}), ("seed", Fault.WRONG_TYPE)),
        (("Run", {"model": ["load", 0], "seed": 10}), ("seed", Fault.OUT_OF_RANGE)),
        (("Run", {"model": ["load", 0], "seed": -1}), ("seed", Fault.OUT_OF_RANGE)),
        (("Run", {"model": ["gone", 0], "seed": 1}), ("model", Fault.LOOSE_LINK)),
        (("Run", {"model": ["load", 3], "seed": 1}), ("model", Fault.LOOSE_LINK)),
        (("Run", {"model": [], "seed": 1}), ("model", Fault.LOOSE_LINK)),
        (("Loop", {"image": ["load", 0]}), ("image", Fault.WRONG_LINK)),
        (("Pick", {"name": "base.safetensors"}), ("name", Fault.MISSING_MODEL)),
        (("Empty", {"name": "x.safetensors"}), ("name", Fault.MISSING_MODEL)),
        (("Pick", {"name": "what"}), ("name", Fault.VALUE_NOT_LISTED)),
        (("LoadImage", {"image": "mine.png"}), ("image", Fault.MISSING_FILE)),
        (("Choose", {"mode": "c"}), ("mode", Fault.VALUE_NOT_LISTED)),
        (("Choose", {"mode": "a"}), ("mode.size", Fault.MISSING_INPUT)),
        (("Choose", {"mode": "a", "mode.size": "x"}), ("mode.size", Fault.WRONG_TYPE)),
        (("Rows", {"images.image0": ["load", 0], "images.image1": ["x", 0]}), None),
    ],
)
def test_each_fault_is_found_where_it_is(node, wrong):
    faults = found(**{**GOOD, "last": node})
    if wrong is None:
        wrong_links = [("last", "images.image0", Fault.WRONG_LINK), ("last", "images.image1", Fault.LOOSE_LINK)]
        assert faults == wrong_links
    else:
        assert faults == [("last", *wrong)]


@pytest.mark.parametrize(
    "node",
    [
        ("Run", {"model": ["load", 0], "seed": "7"}),
        ("Run", {"model": ["load", 0], "seed": 7, "unknown": 1}),
        ("LoadImage", {"image": "shots/mine.png"}),
        ("LoadImage", {"image": "mine.png [output]"}),
        ("Choose", {"mode": "b"}),
        ("Empty", {"name": "whatever"}),
        ("Any", {"any": ["load", 0], "two": ["run", 0]}),
    ],
)
def test_what_the_server_would_take_is_no_fault(node):
    assert found(**{**GOOD, "last": node}) == []


def test_a_growing_row_needs_its_first_steps():
    assert [one[1] for one in found(run=("Rows", {}))] == ["images.image0", "images.image1"]


def test_all_missing_classes_are_told_with_what_might_be_meant():
    faults = check(graph(a=("Lod", {}), b=("Zzz", {})), INFO)
    assert [(one.node, one.reason, one.suggestions) for one in faults[:2]] == [
        ("a", Fault.MISSING_CLASS, ("Load",)),
        ("b", Fault.MISSING_CLASS, ()),
    ]


def test_a_model_in_another_folder_is_suggested():
    (fault,) = check(graph(last=("Pick", {"name": "BASE.safetensors"})), INFO)
    assert fault.suggestions[0] == "flux/base.safetensors"
    assert fault.message == "Pick (node last) needs the model 'BASE.safetensors' at name."


def test_only_what_outputs_need_is_looked_at():
    assert found(unused=("Run", {}), run=("Image", {"width": 1, "height": 1})) == []


def test_a_graph_without_outputs_keeps_nothing():
    assert [one.reason for one in check({"1": {"class_type": "Image", "inputs": {}}}, INFO)] == [Fault.NO_OUTPUT]


def test_a_way_in_a_circle_is_told_once():
    faults = found(one=("Loop", {"image": ["two", 0]}), two=("Loop", {"image": ["one", 0]}))
    assert [one[2] for one in faults] == [Fault.CIRCLE]
