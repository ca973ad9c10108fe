"""What a run put out is found whatever nodes call it, and no name of a stranger is trusted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.comfyui.outputs import files, safe_name, texts
from storycore.project.paths import is_portable

FILE = {"filename": "a.png", "subfolder": "x", "type": "output"}


keys = st.sampled_from(["images", "filename", "type", "subfolder", "text", "result"])
odd = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)


def names(outputs):
    return [(it.node, it.subfolder, it.filename, it.type) for it in files(outputs)]


def test_files_are_found_under_any_key_each_once():
    outputs = {
        "3": {"images": [FILE], "animated": [True]},
        "4": {"gifs": [{**FILE, "filename": "b.mp4", "format": "video/h264-mp4"}], "audio": [FILE]},
        "5": {"anything": [{"filename": "c.bin"}], "odd": None, "nan": [None]},
    }
    assert names(outputs) == [
        ("3", "x", "a.png", "output"), ("4", "x", "b.mp4", "output"), ("5", "", "c.bin", "output"),
    ]  # fmt: skip


def test_what_is_saved_comes_before_what_is_only_shown():
    outputs = {"3": {"images": [{**FILE, "filename": "seen.png", "type": "temp"}]}, "4": {"images": [FILE]}}
    assert [name for _, _, name, _ in names(outputs)] == ["a.png", "seen.png"]


def test_three_dimensional_things_may_be_bare_texts():
    assert names({"7": {"result": ["3d/x.glb", None, None], "text": ["not.glb"]}}) == [("7", "3d", "x.glb", "output")]


def test_inputs_that_are_shown_again_are_no_output():
    assert names({"1": {"images": [{**FILE, "type": "input"}]}}) == []


@pytest.mark.parametrize("place", [[], {}, None, 5, "elsewhere"])
def test_places_that_no_server_has_are_no_output(place):
    assert names({"1": {"images": [{**FILE, "type": place}]}}) == []


def test_texts_stand_alone_or_belong_to_their_file():
    outputs = {"6": {"text": ["hello", ""]}, "7": {"text": ["words"], "files": [{"filename": "d.txt"}]}}
    assert [(it.node, it.text) for it in texts(outputs)] == [("6", "hello")]


@given(st.dictionaries(st.text(max_size=3), odd))
def test_outputs_of_any_shape_break_nothing(outputs):
    files(outputs)
    texts(outputs)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("a.png", "a.png"), ("../../etc/passwd", "passwd"), ("..\\x.png", "x.png"), ("a\0b.png", "a_b.png"),
        ("CON.png", "output_CON.png"), ("", "output"), ("...", "output"), ("a:b?.mp4", "a_b_.mp4"),
        ("schön 1.png", "schön 1.png"), ("~$HOME%.wav", "__HOME_.wav"),
    ],
)  # fmt: skip
def test_names_of_strangers_become_plain(name, ours):
    assert safe_name(name, set()) == ours


@given(st.lists(st.text(max_size=300), max_size=6))
def test_names_are_portable_and_differ_in_more_than_case(wanted):
    taken: set[str] = set()
    found = [safe_name(name, taken) for name in wanted]
    assert all(is_portable(name) for name in found)
    assert len({name.casefold() for name in found}) == len(wanted)
