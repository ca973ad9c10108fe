"""Workflows as ComfyUI's page saves them, read."""

import pytest

from fixtures.workflows import node, subgraph, workflow
from storycore.comfyui.graph.ui_graph import MAX_SLOTS, read_ui_graph, ui_classes
from storycore.errors import InvalidInput


def test_links_are_read_as_lists_and_as_objects():
    document = workflow({1: node("Image"), 2: node("Save", inputs={"images": (1, 0)})})
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    objects = {**document, "links": [dict(zip(names, link, strict=True)) for link in document["links"]]}
    by_id = {**document, "links": {str(link[0]): link for link in document["links"]}}
    assert read_ui_graph(document).links == read_ui_graph(objects).links == read_ui_graph(by_id).links


def test_ids_are_texts_whatever_they_were():
    document = workflow({"a": node("Image"), 2: node("Save", inputs={"images": ("a", 0)})})
    graph = read_ui_graph(document)
    assert [one.id for one in graph.nodes] == ["a", "2"]
    assert graph.links["1"].origin == "a"


def test_what_is_no_node_is_left_out():
    document = workflow({1: node("Image")})
    document["nodes"] += [None, {"type": "Image"}, {"id": 5}, {"id": True, "type": "Image"}]
    assert [one.id for one in read_ui_graph(document).nodes] == ["1"]


def test_classes_are_told_of_all_that_is_inside():
    inner = subgraph("inner", {1: node("Blur")})
    groups = {"Mix": {"nodes": [{"type": "Blend"}]}}
    document = workflow({1: node("Image"), 2: node("inner"), 3: node("Note")}, [inner], extra={"groupNodes": groups})
    assert ui_classes(read_ui_graph(document)) == ["Blend", "Blur", "Image", "Note"]


def test_a_node_with_more_inputs_than_any_has_is_refused():
    document = workflow({1: node("Image")})
    document["nodes"][0]["inputs"] = [{"name": str(at)} for at in range(MAX_SLOTS + 1)]
    with pytest.raises(InvalidInput):
        read_ui_graph(document)
