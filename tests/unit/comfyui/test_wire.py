"""What servers send is read whatever they send."""

import json
import struct

from hypothesis import given
from hypothesis import strategies as st

from storycore.comfyui.wire import End, read_event, read_history, read_json, read_preview

ID = "11111111-1111-4111-8111-111111111111"


def entry(status, *messages, outputs=None):
    return {
        ID: {"outputs": outputs or {}, "status": {"status_str": status, "messages": [list(one) for one in messages]}}
    }


def test_bare_nan_is_nothing():
    assert read_json('{"a": NaN, "b": [Infinity, 1e999, 2.5]}') == {"a": None, "b": [None, None, 2.5]}


def test_a_message_says_which_run_it_is_about():
    event = read_event(json.dumps({"type": "executing", "data": {"node": None, "prompt_id": ID}}))
    assert (event.type, event.prompt_id, event.ends) == ("executing", ID, True)


@given(st.one_of(st.text(max_size=40), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
def test_what_is_no_message_is_none(text):
    assert read_event(text) is None


def test_previews_come_with_and_without_facts():
    facts = json.dumps({"prompt_id": ID, "image_type": "image/png"}).encode()
    bare = struct.pack(">II", 1, 1) + b"\xff\xd8jpeg"
    told = struct.pack(">II", 4, len(facts)) + facts + b"\x89PNG"
    assert [(it.prompt_id, it.media_type, it.data) for it in (read_preview(bare), read_preview(told))] == [
        ("", "image/jpeg", b"\xff\xd8jpeg"),
        (ID, "image/png", b"\x89PNG"),
    ]


@given(st.binary(max_size=64))
def test_frames_of_any_kind_break_nothing(frame):
    read_preview(frame)


def test_texts_are_no_previews():
    assert read_preview(struct.pack(">II", 3, 1) + b"2hello") is None


def test_the_history_says_how_a_run_ended():
    error = {"node_id": "2", "node_type": "KSampler", "exception_type": "torch.OutOfMemoryError",
             "exception_message": "too large\n"}  # fmt: skip
    ended = [
        read_history(entry("success", outputs={"3": {}}), ID),
        read_history(entry("error", ("execution_error", error)), ID),
        read_history(entry("error", ("execution_interrupted", {})), ID),
        read_history({}, ID),
    ]
    assert [item and item.end for item in ended] == [End.SUCCESS, End.ERROR, End.INTERRUPTED, None]
    assert (ended[1].fault.is_out_of_memory, ended[1].fault.message) == (True, "too large")


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from([ID, "status", "status_str", "messages", "outputs"]), inner)))  # fmt: skip
def test_a_history_of_any_shape_breaks_nothing(body):
    read_history(body, ID)
    read_history({ID: body}, ID)
