"""Graphs in API format."""

from storycore.comfyui.graph.api_graph import Link, ancestors, classes, is_api_graph, link_of, output_nodes, title_of

GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8}, "_meta": {"title": "Canvas"}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}},
    "3": {"class_type": "EmptyImage", "inputs": {"width": {"__value__": [1, 2]}}},
}
INFO = {"EmptyImage": {"output_node": False}, "SaveImage": {"output_node": True}}


def test_output_nodes_are_those_whose_class_says_so():
    assert output_nodes(GRAPH, INFO) == ["2"]


def test_ancestors_are_all_that_a_node_needs_and_nothing_else():
    assert ancestors(GRAPH, ["2", "9"]) == {"1", "2"}


def test_ancestors_of_a_graph_with_a_cycle_end():
    graph = {"1": {"class_type": "A", "inputs": {"x": ["2", 0]}}, "2": {"class_type": "A", "inputs": {"x": ["1", 0]}}}
    assert ancestors(graph, ["1"]) == {"1", "2"}


def test_a_link_is_a_pair_of_a_node_and_a_number_and_nothing_else_is():
    assert link_of(["1", 0]) == link_of([1, 0]) == Link("1", 0)
    assert [link_of(value) for value in (["1", True], ["1"], {"__value__": [1, 2]}, "1", None)] == [None] * 5


def test_a_node_is_called_by_its_title_or_its_class():
    assert [title_of(node) for node in GRAPH.values()] == ["Canvas", "SaveImage", "EmptyImage"]


def test_classes_are_told_once_each():
    assert classes(GRAPH) == ["EmptyImage", "SaveImage"]


def test_only_graphs_of_classes_are_api_graphs():
    assert is_api_graph(GRAPH)
    assert not any(is_api_graph(other) for other in ({}, [], {"nodes": [], "links": []}, {"1": {"inputs": {}}}))
