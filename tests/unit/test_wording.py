"""What is wrong with a value is said in our words, on whatever way it came."""

import re

import pytest
from pydantic import ValidationError

from storycore.errors import InvalidInput
from storycore.events import TYPES, make
from storycore.exports.formats import registry
from storycore.loading import load
from storycore.operations.catalog import OPERATIONS
from storycore.settings import Settings
from storycore.wording import explain

WRONG = [
    None, "", "x", "\ud800", "y" * 70_000, True, -1, 10**30, 2.5, float("nan"), [], ["x"], [1] * 5000, {}, {"x": 1},
    {1: 2}, [None], [{}], object(), b"x", -(10**400),
]  # fmt: skip
THEIRS = re.compile(
    r"\b(should|valid|Input|Value error|instance of|parse|pydantic|str|int|dict|tuple)\b(?!ation)|\{|\}$", re.ASCII
)
PATTERN = re.compile(r"does not have the form .*")


def words(refuse):
    """What is said of a value, without the forms that are needed, which are no words."""
    try:
        refuse()
    except InvalidInput as fault:
        return {PATTERN.sub("", text) for text in (fault.message, *(item.message for item in fault.errors))}
    return set()


def strange(said):
    return sorted(text for text in said if THEIRS.search(text.partition(": ")[2] or text))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda it: it.name)
def test_every_field_of_every_request_is_refused_in_our_words(operation):
    request = load(operation.request)
    said = {
        text
        for name in (*request.model_fields, "nothing_such")
        for value in WRONG
        for text in words(lambda name=name, value=value: request(**{name: value}))
    }
    assert (len(said) > 0, strange(said)) == (True, [])


def test_every_setting_is_refused_in_our_words():
    said = {
        text
        for name in (*Settings.model_fields, "nothing_such")
        for value in WRONG
        for text in words(lambda name=name, value=value: Settings.read(**{name: value}))
    }
    assert (len(said) > 10, strange(said)) == (True, [])


@pytest.mark.parametrize("kind", TYPES)
def test_every_field_of_every_event_is_refused_in_our_words(kind):
    fields = TYPES[kind].model_fields
    said = {
        text
        for name in (*fields, "nothing_such")
        for value in WRONG
        for text in words(lambda name=name, value=value: make(kind, {name: value}))
    }
    assert (len(said) > 0, strange(said)) == (True, [])


@pytest.mark.parametrize("name", registry.names())
def test_every_option_of_every_format_is_refused_in_our_words(name):
    options = registry.find(name).options
    said = set()
    for field in (*options.model_fields, "nothing_such"):
        for value in WRONG:
            try:
                options(**{field: value})
            except ValidationError as fault:
                said |= {explain(it["type"], it.get("ctx", {}), it["msg"]) for it in fault.errors()}
    assert strange({PATTERN.sub("", text) for text in said}) == []


@pytest.mark.parametrize(
    ("kind", "facts", "said"),
    [
        ("greater_than_equal", {"ge": 1}, "must be at least 1"),
        ("less_than", {"lt": 2.5}, "must be less than 2.5"),
        ("too_short", {"min_length": 1}, "must not be empty"),
        ("too_short", {"min_length": 2}, "must have at least 2 entries"),
        ("literal_error", {"expected": "'a' or 'b'"}, "must be 'a' or 'b'"),
        ("int_parsing", {}, "a whole number is needed"),
        ("kind_of_a_later_pydantic", {}, "is not acceptable"),
        ("value_error", {"error": ValueError("is ours")}, "is ours"),
    ],
)
def test_a_fault_says_what_is_needed(kind, facts, said):
    assert explain(kind, facts, "Value error, is ours") == said
