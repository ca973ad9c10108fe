"""The one model, before any format."""

import itertools
import math

import pytest
from hypothesis import given, settings

from fixtures.documents import FORBIDDEN, OTHERS, dirty_documents, typed
from storycore.metadata.document import MAX_DEPTH, MAX_DIGITS, Change, clean
from storycore.metadata.write import write


def test_a_document_that_all_formats_carry_stays_as_it_is():
    document = {"a": [1, 2.5, "x\r\n", None, True, {}], "": {"é": "\U0001f3ac"}}
    assert clean(document) == (document, ())


def test_characters_that_xml_forbids_are_removed_and_told_with_their_place():
    found = clean({"shots": [{"title": "bell\x07 and\0 more"}], "a/b": {"~": "\ud800"}})
    assert found.document == {"shots": [{"title": "bell and more"}], "a/b": {"~": ""}}
    assert found.changes == (
        Change("/shots/0/title", "removed 2 characters that XML forbids"),
        Change("/a~1b/~0", "removed 1 character that XML forbids"),
    )


@pytest.mark.parametrize("code", [0, 8, 0xB, 0xC, 0x1F, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF])
def test_each_character_outside_xml_is_forbidden(code):
    assert clean({"a": chr(code)}).document == {"a": ""}


@pytest.mark.parametrize("code", [9, 0xA, 0xD, 0x20, 0x7F, 0x85, 0x2028, 0xD7FF, 0xE000, 0xFFFD, 0xFEFF, 0x10FFFF])
def test_each_character_inside_xml_is_kept(code):
    assert clean({"a": chr(code)}) == ({"a": chr(code)}, ())


def test_keys_that_become_equal_are_both_kept():
    found = clean({"a\0": 1, "a": 2, "a\x01": 3})
    assert found.document == {"a (2)": 1, "a": 2, "a (3)": 3}
    assert [change.pointer for change in found.changes] == ["/a (2)", "/a (3)"]


def test_numbers_that_no_format_carries_are_told():
    found = clean({"a": math.nan, "b": -math.inf, "c": 10**MAX_DIGITS, "d": -0.0, "e": 10**MAX_DIGITS - 1})
    assert typed(found.document) == typed(
        {"a": None, "b": None, "c": f"{10**MAX_DIGITS:#x}", "d": 0.0, "e": 10**MAX_DIGITS - 1}
    )
    assert [change.pointer for change in found.changes] == ["/a", "/b", "/c"]


def test_what_is_nested_too_deep_is_left_out_and_told():
    document: dict = {}
    inner = document
    for _ in range(MAX_DEPTH + 5):
        inner["a"] = {}
        inner = inner["a"]
    found = clean(document)
    assert found.changes == (Change("/a" * MAX_DEPTH, f"left out: nested more than {MAX_DEPTH} levels deep"),)
    assert clean(found.document) == (found.document, ())


@pytest.mark.parametrize("value", [{1: "a"}, {"a": object()}, {"a": {2, 3}}, {"a": b"bytes"}])
def test_what_json_has_no_type_for_is_a_fault_of_the_caller(value):
    with pytest.raises(TypeError):
        clean(value)


@given(dirty_documents)
@settings(max_examples=40, deadline=None)
def test_a_cleaned_document_is_the_same_to_every_other_reader(dirty):
    document = clean(dirty).document
    for form, reader in OTHERS.values():
        assert typed(reader(write(document, form))) == typed(document)


def test_cleaning_twice_changes_nothing_more():
    for first, second in itertools.pairwise(FORBIDDEN):
        once = clean({first: second, second: [first]}).document
        assert clean(once) == (once, ())
