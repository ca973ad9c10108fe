"""What a file says itself of how it was made; hostile files say nothing, and break nothing."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.marks import graph_picture
from storycore.metadata.evidence import COMPOSITE, GENERATED, NOTHING, SCHEME, Evidence, look


def file_of(folder, data, name="a.png"):
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_picture_of_comfyui_names_its_model(tmp_path):
    found = look(graph_picture(tmp_path / "a.png"))
    assert found == Evidence(has_graph=True, software="ComfyUI", models=("sdxl.safetensors",))
    assert found.is_generated


@pytest.mark.parametrize(
    ("kinds", "expected", "generated"),
    [
        (["trainedAlgorithmicMedia"], GENERATED, True),
        (["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"], COMPOSITE, True),
        (["digitalCapture", "trainedAlgorithmicMedia"], GENERATED, True),
        (["digitalCapture"], SCHEME + "digitalCapture", False),
        ([], "", False),
    ],
)
def test_the_type_that_says_the_most_counts(tmp_path, kinds, expected, generated):
    data = b"".join(b"<x>" + (SCHEME + kind).encode() + b"</x>" for kind in kinds)
    found = look(file_of(tmp_path, b"\x89PNG" + data))
    assert (found.source_type, found.is_generated, found.has_credentials) == (expected, generated, False)


def test_marks_at_the_end_of_a_long_file_are_seen(tmp_path):
    data = bytes(1_000_000) + GENERATED.encode() + bytes(1000)
    assert look(file_of(tmp_path, data)).source_type == GENERATED


def test_a_note_beside_a_file_counts_if_it_is_about_this_file(tmp_path):
    path = file_of(tmp_path, b"12345")
    note = {
        "schema": "storycore.generated/1", "file": {"size_bytes": 5}, "models": ["x/flux.safetensors", 7],
        "backend": {"version": "0.33.0"},
    }  # fmt: skip
    beside = path.with_name("a.png.storycore.json")
    beside.write_text(json.dumps(note))
    expected = Evidence(has_graph=True, software="ComfyUI", version="0.33.0", models=("flux.safetensors",))
    assert look(path) == expected
    beside.write_text(json.dumps({**note, "file": {"size_bytes": 6}}))
    os.utime(beside, (1, 1))
    assert look(path) == NOTHING


@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_a_broken_note_says_nothing(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("note")
    path = file_of(folder, b"12345")
    path.with_name("a.png.storycore.json").write_bytes(text)
    assert look(path) == NOTHING


def test_what_is_not_there_or_no_file_says_nothing(tmp_path):
    assert (look(tmp_path / "gone.png"), look(tmp_path)) == (NOTHING, NOTHING)
