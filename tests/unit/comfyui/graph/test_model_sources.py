"""Where a workflow says that its models can be fetched."""

import pytest

from fixtures.workflows import node, subgraph, workflow
from storycore.comfyui.graph.model_sources import ModelSource, model_sources

GOOD = {"name": "a.safetensors", "url": "https://example.org/a.safetensors", "directory": "checkpoints"}


def test_models_are_found_on_nodes_at_any_depth():
    inner = subgraph("inner", {1: node("Model", properties={"models": [GOOD]})})
    found = model_sources(workflow({2: node("inner")}, [inner]))
    assert found == {"a.safetensors": ModelSource("checkpoints", "https://example.org/a.safetensors")}


@pytest.mark.parametrize(
    "change",
    [{"url": "file:///etc/passwd"}, {"url": "javascript:x"}, {"url": "https://"}, {"url": "https://a\nb/c"}, {"url": 5},
     {"url": "http://[x"}, {"name": ""}, {"url": "https://example.org/" + "x" * 3000}],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_left_out(change):
    assert model_sources(workflow({1: node("Model", properties={"models": [{**GOOD, **change}]})})) == {}
