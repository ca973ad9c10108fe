"""What a shot fills into a workflow."""

import pytest

from storycore.errors import InvalidInput
from storycore.operations.shot_parameters import declared, image_parameter

LOADER = {"class_type": "LoadImage", "inputs": {"image": "x.png"}}


def test_placeholders_are_found_in_either_format():
    api = {"1": {"class_type": "A", "inputs": {"text": "a {{ prompt }} in {{style}}"}}}
    ui = {"nodes": [{"id": 1, "type": "A", "widgets_values": ["{{prompt}}"]}]}
    assert (declared(api), declared(ui)) == ({"prompt", "style"}, {"prompt"})


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        ({"7": LOADER}, "7.image"),
        ({"nodes": [{"id": 12, "type": "LoadImage"}]}, "12.image"),
        ({"prompt": {"7": LOADER}, "workflow": {}}, "7.image"),
        ({"7": LOADER, "8": {**LOADER, "inputs": {"image": "{{reference_image}}"}}}, "reference_image"),
    ],
)  # fmt: skip
def test_the_reference_goes_to_its_placeholder_or_to_the_one_loader(definition, name):
    assert image_parameter(definition) == name


@pytest.mark.parametrize("definition", [{"7": LOADER, "8": LOADER}, {"1": {"class_type": "A", "inputs": {}}}])
def test_where_it_is_not_clear_it_is_asked(definition):
    with pytest.raises(InvalidInput, match="reference image"):
        image_parameter(definition)
