"""Workflows in UI format become the graphs that ComfyUI's page would send; one small workflow for each rule."""

import copy

import pytest

from fixtures.workflows import info, node, node_class, subgraph, workflow
from storycore.comfyui.graph.convert import convert
from storycore.errors import InvalidInput, Reason

IMAGE = node("Image", [64, 32])


def inputs(document, object_info=None, **options):
    """The inputs of each node of the converted graph, by its id."""
    graph = convert(document, object_info or info(), **options).graph
    return {name: one["inputs"] for name, one in graph.items()}


def saved(images, **more):
    return node("Save", ["shot"], {"images": images}, **more)


def test_values_go_to_the_controls_in_order_and_links_to_the_inputs():
    assert convert(workflow({1: IMAGE, 2: saved((1, 0), title="Keep")}), info()).graph == {
        "1": {"class_type": "Image", "inputs": {"width": 64, "height": 32}, "_meta": {"title": "Image"}},
        "2": {
            "class_type": "Save",
            "inputs": {"filename_prefix": "shot", "images": ["1", 0]},
            "_meta": {"title": "Keep"},
        },
    }


def test_the_control_after_a_seed_takes_a_place_and_is_not_sent():
    found = inputs(workflow({1: node("Sampler", [7, "randomize", 20, "ddim"])}))
    assert found == {"1": {"seed": 7, "steps": 20, "name": "ddim"}}


def test_an_upload_button_takes_a_place_and_is_not_sent():
    assert inputs(workflow({1: node("LoadImage", ["mine.png", "image"])})) == {"1": {"image": "mine.png"}}


def test_values_saved_by_name_find_their_controls():
    document = workflow({1: node("Image")})
    document["nodes"][0]["widgets_values"] = {"height": 5, "width": 6, "unknown": 1}
    assert inputs(document) == {"1": {"width": 6, "height": 5}}


def test_what_was_not_saved_has_its_default():
    assert inputs(workflow({1: node("Image", [64])})) == {"1": {"width": 64, "height": 0}}


def test_a_linked_control_takes_its_place_and_the_link_wins():
    found = inputs(
        workflow({1: node("Sampler", [1, "fixed", 2, "euler"]), 2: node("Image", [9, 8], {"width": (1, 0)})})
    )
    assert found["2"] == {"width": ["1", 0], "height": 8}


def test_a_value_that_the_server_does_not_list_is_kept_with_a_warning():
    conversion = convert(workflow({1: node("Model", ["mine.safetensors"])}), info())
    assert conversion.graph["1"]["inputs"] == {"name": "mine.safetensors"}
    assert [(odd.node, odd.input, odd.reason) for odd in conversion.warnings] == [("1", "name", "value_not_listed")]


def test_an_empty_choice_takes_the_first():
    assert inputs(workflow({1: node("Model", [None])})) == {"1": {"name": "a.safetensors"}}


def test_a_list_that_is_a_value_says_so():
    boxes = node_class({"boxes": ["BOUNDING_BOXES", {}]})
    assert inputs(workflow({1: node("Boxes", [[1, 2]])}), info(Boxes=boxes)) == {"1": {"boxes": {"__value__": [1, 2]}}}


def test_notes_are_left_out():
    nodes = {1: IMAGE, 2: node("Note", ["hello"]), 3: node("MarkdownNote", ["hello"])}
    assert set(inputs(workflow(nodes))) == {"1"}


def test_nodes_of_packs_that_live_on_the_page_only_are_left_out_unless_the_server_has_them():
    nodes = {1: IMAGE, 2: node("Reroute (rgthree)", inputs={"": (1, 0)}), 3: node("Label (rgthree)"), 4: saved((2, 0))}
    assert inputs(workflow(nodes))["4"]["images"] == ["1", 0]
    assert set(inputs(workflow(nodes))) == {"1", "4"}
    assert "3" in inputs(workflow(nodes), info(**{"Label (rgthree)": node_class()}))


def test_links_are_followed_through_any_number_of_reroutes():
    many = {at: node("Reroute", inputs={"": (at - 1, 0)}) for at in range(2, 3000)}
    assert inputs(workflow({1: IMAGE, **many, 3000: saved((2999, 0))}))["3000"]["images"] == ["1", 0]


def test_reroutes_in_a_circle_give_nothing():
    nodes = {1: node("Reroute", inputs={"": (2, 0)}), 2: node("Reroute", inputs={"": (1, 0)}), 3: saved((1, 0))}
    assert inputs(workflow(nodes)) == {"3": {"filename_prefix": "shot"}}


def test_a_primitive_sets_the_controls_it_is_linked_to():
    nodes = {1: node("PrimitiveNode", [512, "fixed"]), 2: node("Image", [1, 2], {"width": (1, 0), "height": (1, 0)})}
    assert inputs(workflow(nodes)) == {"2": {"width": 512, "height": 512}}


def test_a_primitive_behind_a_reroute_keeps_its_value():
    nodes = {1: node("PrimitiveNode", [512]), 2: node("Reroute", inputs={"": (1, 0)})}
    assert inputs(workflow({**nodes, 3: node("Image", [1, 2], {"width": (2, 0)})}))["3"] == {"width": 512, "height": 2}


def test_get_and_set_nodes_are_joined_by_name():
    nodes = {
        1: IMAGE,
        2: node("SetNode", ["picture"], {"IMAGE": (1, 0)}),
        3: node("GetNode", ["picture"]),
        4: node("GetNode", ["other"]),
        5: saved((3, 0)),
        6: saved((4, 0)),
    }
    found = inputs(workflow(nodes))
    assert found["5"]["images"] == ["1", 0]
    assert "images" not in found["6"]


def test_a_muted_node_gives_nothing():
    found = inputs(workflow({1: IMAGE, 2: node("Blur", [3], {"image": (1, 0)}, mode=2), 3: saved((2, 0))}))
    assert found == {"1": {"width": 64, "height": 32}, "3": {"filename_prefix": "shot"}}


def test_a_bypassed_node_hands_on_the_input_of_the_same_type():
    nodes = {1: IMAGE, 2: node("Mask", [1]), 3: node("Image", [1, 1])}
    blend = node("Blend", inputs={"one": (1, 0), "two": (3, 0), "mask": (2, 0)}, mode=4)
    assert inputs(workflow({**nodes, 4: blend, 5: saved((4, 0))}))["5"]["images"] == ["1", 0]


def test_a_bypassed_node_with_no_input_of_the_type_gives_nothing():
    nodes = {
        1: node("Model", ["a.safetensors"], mode=4),
        2: node("Sampler", [1, "fixed", 2, "ddim"], {"model": (1, 0)}),
    }
    assert "model" not in inputs(workflow(nodes))["2"]


def test_a_class_that_the_server_lacks_is_kept_and_told():
    conversion = convert(workflow({1: IMAGE, 2: node("Strange", [1], {"in": (1, 0)})}), info())
    assert conversion.graph["2"] == {"class_type": "Strange", "inputs": {"in": ["1", 0]}, "_meta": {"title": "Strange"}}
    assert [odd.reason for odd in conversion.warnings] == ["missing_class"]


def test_alternatives_in_a_text_give_the_first_and_a_warning():
    conversion = convert(workflow({1: node("Text", ["a {red|{blue|green}} car // note"])}), info())
    assert conversion.graph["1"]["inputs"]["text"] == "a red car "
    assert [odd.reason for odd in conversion.warnings] == ["random_text"]


def test_a_link_that_is_not_there_is_no_link():
    document = workflow({1: IMAGE, 2: saved((1, 0))})
    document["links"] = []
    assert inputs(document)["2"] == {"filename_prefix": "shot"}


INNER = subgraph(
    "inner",
    {7: node("Blur", [3], {"image": None}), 8: node("Blur", [4], {"image": (7, 0)})},
    inputs=[("image", "IMAGE", [(7, "image")]), ("radius", "INT", [(7, "radius")])],
    outputs=[("IMAGE", "IMAGE", (8, 0))],
)


def test_a_subgraph_is_entered_and_left():
    found = inputs(workflow({1: IMAGE, 2: node("inner", [9], {"image": (1, 0)}), 3: saved((2, 0))}, [INNER]))
    assert found["2:7"]["image"] == ["1", 0]
    assert found["2:8"] == {"radius": 4, "image": ["2:7", 0]}
    assert found["3"]["images"] == ["2:8", 0]


def test_the_value_of_an_instance_stands_in_place_of_the_inner_one():
    document = workflow({1: IMAGE, 2: node("inner", [9], {"image": (1, 0)}), 3: node("inner", [5])}, [INNER])
    found = inputs(document)
    assert (found["2:7"]["radius"], found["3:7"]["radius"]) == (9, 5)


def test_an_instance_without_a_value_leaves_the_inner_one():
    assert inputs(workflow({2: node("inner")}, [INNER]))["2:7"]["radius"] == 3


OUTER = subgraph(
    "outer",
    {5: node("inner", [6], {"image": None})},
    inputs=[("picture", "IMAGE", [(5, "image")]), ("strength", "INT", [(5, "radius")])],
    outputs=[("IMAGE", "IMAGE", (5, 0))],
)


@pytest.mark.parametrize("definitions", [[OUTER, INNER], [{**OUTER, "definitions": {"subgraphs": [INNER]}}]])
def test_values_reach_through_nested_subgraphs(definitions):
    document = workflow({1: IMAGE, 2: node("outer", [11], {"picture": (1, 0)}), 3: saved((2, 0))}, definitions)
    found = inputs(document)
    assert found["2:5:7"] == {"radius": 11, "image": ["1", 0]}
    assert found["3"]["images"] == ["2:5:8", 0]


def test_a_primitive_outside_reaches_a_control_inside():
    nodes = {1: node("PrimitiveNode", [512]), 2: node("inner", [1], {"radius": (1, 0)})}
    assert inputs(workflow(nodes, [INNER]))["2:7"]["radius"] == 512


@pytest.mark.parametrize("mode", [2, 4])
def test_a_muted_or_bypassed_instance_does_not_run(mode):
    nodes = {1: IMAGE, 2: node("inner", [9], {"image": (1, 0)}, mode=mode), 3: saved((2, 0))}
    found = inputs(workflow(nodes, [INNER]))
    assert set(found) == {"1", "3"}
    assert found["3"].get("images") == (["1", 0] if mode == 4 else None)


def test_a_list_of_promoted_controls_sets_them_and_every_instance_knows():
    plain = subgraph("plain", {7: node("Image", [1, 2])}, outputs=[("IMAGE", "IMAGE", (7, 0))])
    listed = node("plain", [70, 80], properties={"proxyWidgets": [["7", "height"], ["7", "width"]]})
    found = inputs(workflow({2: listed, 3: node("plain")}, [plain]))
    assert found == {"2:7": {"width": 80, "height": 70}, "3:7": {"width": 1, "height": 2}}


def test_values_that_an_earlier_load_set_aside_are_taken_back():
    aside = {"proxyWidgetErrorQuarantine": [{"originalEntry": ["-1", "radius"], "hostValue": 21}]}
    assert inputs(workflow({2: node("inner", [9], properties=aside)}, [INNER]))["2:7"]["radius"] == 21


def test_a_subgraph_that_holds_itself_is_refused():
    one = subgraph("one", {1: node("two")})
    two = subgraph("two", {1: node("one")})
    with pytest.raises(InvalidInput) as told:
        convert(workflow({1: node("one")}, [one, two]), info())
    assert told.value.reason is Reason.WORKFLOW_INVALID


def test_subgraphs_that_multiply_beyond_measure_are_refused():
    levels = [subgraph(f"s{at}", {1: node(f"s{at + 1}"), 2: node(f"s{at + 1}")}) for at in range(30)]
    with pytest.raises(InvalidInput) as told:
        convert(workflow({1: node("s0")}, [*levels, subgraph("s30", {1: IMAGE})]), info())
    assert told.value.reason is Reason.WORKFLOW_INVALID


ONE = ["INT", {"default": 1}]
CODECS = [
    {"key": "h264", "inputs": {"required": {"crf": ONE}}},
    {"key": "av1", "inputs": {"required": {}, "optional": {"sound": ["AUDIO", {}]}}},
]
CODEC = ["COMFY_DYNAMICCOMBO_V3", {"options": CODECS}]
FORMATS = [
    {"key": "auto", "inputs": {"required": {}}},
    {"key": "mp4", "inputs": {"required": {"quality": ONE, "codec": CODEC}}},
]
CHOICE = {"VIDEO": node_class({"format": ["COMFY_DYNAMICCOMBO_V3", {"options": FORMATS}], "last": ONE})}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["auto", 5], {"format": "auto", "last": 5}),
        (
            ["mp4", 2, "h264", 23, 5],
            {"format": "mp4", "format.quality": 2, "format.codec": "h264", "format.codec.crf": 23, "last": 5},
        ),
        (["mp4", 2, "av1", 5], {"format": "mp4", "format.quality": 2, "format.codec": "av1", "last": 5}),
        ([], {"format": "auto", "last": 1}),
    ],
)
def test_a_choice_brings_its_own_inputs_with_dotted_names(values, expected):
    assert inputs(workflow({1: node("VIDEO", values)}), info(**CHOICE)) == {"1": expected}


def test_a_link_to_an_input_of_the_chosen_branch_stands_and_that_of_another_does_not():
    link = {"format.codec.sound": (1, 0)}
    nodes = {1: IMAGE, 2: node("VIDEO", ["mp4", 2, "av1", 5], link), 3: node("VIDEO", ["auto", 5], link)}
    found = inputs(workflow(nodes), info(**CHOICE))
    assert found["2"]["format.codec.sound"] == ["1", 0]
    assert "format.codec.sound" not in found["3"]


def test_a_growing_row_has_as_many_inputs_as_are_linked():
    template = {"input": {"required": {"image": ["IMAGE", {}]}}, "prefix": "image", "min": 1, "max": 9}
    batch = node_class({"images": ["COMFY_AUTOGROW_V3", {"template": template}]}, output=["IMAGE"])
    nodes = {1: IMAGE, 2: IMAGE, 3: node("Batch", [], {"images.image0": (1, 0), "images.image4": (2, 0)})}
    found = inputs(workflow(nodes), info(Batch=batch))
    assert found["3"] == {"images.image0": ["1", 0], "images.image4": ["2", 0]}


def test_an_input_that_takes_any_type_is_linked_like_others():
    either = {"template": {"allowed_types": "*", "template_id": "t"}}
    switch = node_class({"on": ["COMFY_MATCHTYPE_V3", either]}, output=["COMFY_MATCHTYPE_V3"])
    nodes = {1: IMAGE, 2: node("Switch", [], {"on": (1, 0)}, mode=4), 3: saved((2, 0))}
    assert inputs(workflow(nodes), info(Switch=switch))["3"]["images"] == ["1", 0]


def test_options_of_the_author_are_sent_with_the_number_of_the_chosen_one():
    combo = node_class({"choice": ["COMBO", {"options": []}]})
    found = inputs(workflow({1: node("CustomCombo", ["b", 0, "a", "b", ""])}), info(CustomCombo=combo))
    assert found == {"1": {"choice": "b", "index": 1, "option1": "a", "option2": "b", "option3": ""}}


def test_values_of_inputs_that_lost_their_control_are_skipped():
    old = node_class({"width": ["INT", {"forceInput": True}], "height": ["INT", {"default": 1}]})
    assert inputs(workflow({1: node("Old", [11, 22])}), info(Old=old)) == {"1": {"height": 22}}


class TestNames:
    """Newer workflows tell the names beside the values."""

    SIZE = node_class({"width": ["INT", {"default": 1}], "depth": ["INT", {"default": 2}], "name": ["STRING", {}]})

    def document(self, values, named):
        return workflow({1: node("Size", values, widgets_values_named=named)})

    def test_the_names_decide_where_a_class_has_changed(self):
        document = self.document([5, "x"], {"width": 5, "name": "x"})
        assert inputs(document, info(Size=self.SIZE)) == {"1": {"width": 5, "depth": 2, "name": "x"}}

    def test_the_order_decides_as_in_the_page_when_asked_for_and_the_slip_is_told(self):
        document = self.document([5, "x"], {"width": 5, "name": "x"})
        conversion = convert(document, info(Size=self.SIZE), by_name=False)
        assert conversion.graph["1"]["inputs"] == {"width": 5, "depth": "x", "name": ""}
        assert [odd.reason for odd in conversion.warnings] == ["values_shifted"]

    def test_names_that_may_be_older_decide_only_where_the_order_can_t_be(self):
        stale = {"width": 1, "depth": 2, "name": "old", "gone": 1}
        assert inputs(self.document([5, 6, "new"], stale), info(Size=self.SIZE))["1"]["name"] == "new"
        assert inputs(self.document(["new", 5, 6], stale), info(Size=self.SIZE))["1"]["name"] == "old"

    def test_values_of_the_list_are_newer_than_those_by_name(self):
        document = self.document([5, 6, "new", None], {"width": 5, "depth": 6, "name": "old"})
        assert inputs(document, info(Size=self.SIZE))["1"]["name"] == "new"


GROUP = {
    "nodes": [
        {"index": 0, "type": "Model", "widgets_values": ["a.safetensors"]},
        {"index": 1, "type": "PrimitiveNode", "widgets_values": [20, "fixed"], "outputs": [{"type": "INT"}]},
        {
            "index": 2,
            "type": "Sampler",
            "widgets_values": [1, "randomize", 5, "euler"],
            "inputs": [
                {"name": "model", "type": "MODEL", "link": 7},
                {"name": "steps", "type": "INT", "widget": {"name": "steps"}, "link": 9},
            ],
        },
        {"index": 3, "type": "Blend", "inputs": [{"name": name, "type": "IMAGE"} for name in ("one", "two")]},
    ],
    "links": [[0, 0, 2, 0, 1, "MODEL"], [1, 0, 2, 1, 2, "INT"], [2, 0, 3, 1, 3, "IMAGE"]],
    "external": [],
}


@pytest.mark.parametrize("separator", ["/", ">"])
def test_a_group_node_is_unpacked_with_the_values_of_its_instance(separator):
    group = node(f"workflow{separator}Mix", ["b.safetensors", 30, "fixed", 7, "fixed", "ddim"], {"one": (1, 0)})
    document = workflow({1: IMAGE, 2: group, 3: saved((2, 1))}, extra={"groupNodes": {"Mix": GROUP}})
    found = inputs(document)
    assert found["2:0"] == {"name": "b.safetensors"}
    assert found["2:2"] == {"seed": 7, "steps": 30, "name": "ddim", "model": ["2:0", 0]}
    assert found["2:3"] == {"one": ["1", 0], "two": ["2:2", 0]}
    assert found["3"]["images"] == ["2:3", 0]


def test_group_nodes_that_hold_themselves_are_refused():
    group = {"nodes": [{"index": 0, "type": "workflow>Mix"}], "links": [], "external": []}
    with pytest.raises(InvalidInput) as told:
        convert(workflow({2: node("workflow>Mix")}, extra={"groupNodes": {"Mix": group}}), info())
    assert told.value.reason is Reason.WORKFLOW_INVALID


def test_converting_changes_nothing_that_was_given():
    document, facts = workflow({2: node("outer", [11])}, [OUTER, INNER]), info()
    before = copy.deepcopy((document, facts))
    convert(document, facts)
    assert (document, facts) == before


@pytest.mark.parametrize("document", [None, [], {}, {"nodes": {}}, {"1": {"class_type": "Image"}}])
def test_what_is_no_workflow_is_refused(document):
    with pytest.raises(InvalidInput) as told:
        convert(document, info())
    assert told.value.reason is Reason.WORKFLOW_INVALID
