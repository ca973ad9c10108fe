"""Requests refuse what they do not know, and say everything that is wrong."""

from pathlib import Path

import pytest

from storycore import FormatRequest, PackageRequest
from storycore.errors import FieldFault, InvalidInput, Reason


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def faults(**values):
    with pytest.raises(InvalidInput) as fault:
        PackageRequest(**values)
    return fault.value


def test_everything_wrong_is_told_at_once():
    fault = faults(project_path="film", compression_level=15, incude_assets=True, metadata=[])
    assert [(item.pointer, item.reason) for item in fault.errors] == [
        ("/compression_level", Reason.OUT_OF_RANGE),
        ("/metadata", Reason.WRONG_TYPE),
        ("/incude_assets", Reason.UNKNOWN_FIELD),
    ]


def test_an_unknown_field_is_answered_with_the_nearest_one():
    assert "did you mean include_assets?" in faults(project_path="film", incude_assets=True).message


@pytest.mark.parametrize("values", [{}, {"project_path": None}])
def test_missing_and_null_are_the_same(values):
    fault = faults(**values)
    assert (fault.reason, fault.details) == (Reason.MISSING_FIELD, {"missing_fields": ["project_path"]})


@pytest.mark.parametrize("level", [True, "6", 5.5, None, [6], float("nan")])
def test_only_whole_numbers_are_whole_numbers(level):
    assert faults(project_path="film", compression_level=level).reason is Reason.WRONG_TYPE


def test_five_point_zero_is_a_whole_number():
    assert PackageRequest(project_path="film", compression_level=5.0).compression_level == 5


@pytest.mark.parametrize("value", [1, 0, "true", "yes", 1.0])
def test_only_true_and_false_are_flags(value):
    assert faults(project_path="film", include_assets=value).reason is Reason.WRONG_TYPE


@pytest.mark.parametrize("level", [-1, 10, 15])
def test_a_level_out_of_range_names_compression(level):
    fault = faults(project_path="film", compression_level=level)
    assert (fault.reason, "compression" in fault.message) == (Reason.OUT_OF_RANGE, True)


@pytest.mark.parametrize(
    "path",
    ["", " ", "a\0b", "a\nb", "a\x7fb", "~/film", "~root", "$HOME/film", "%TEMP%/film", "C:\\film", "C:film",
     "\\\\srv\\x", "//srv/share", "\\\\?\\C:\\x", "http://x/y", "file:///etc", "data:text/plain,x", "a\u202eb",
     "\u2066film", "x" * 256, "y/" * 600, "a\ud800"],
)  # fmt: skip
def test_a_path_that_is_not_harmless_everywhere_is_refused(path):
    fault = faults(project_path=path)
    assert fault.errors == (FieldFault("/project_path", Reason.PATH_INVALID, fault.errors[0].message),)


@pytest.mark.parametrize("path", ["film", "my films/Été 日本", "./film", "../film", "/films/a.b", "film (copy)", "a b"])
def test_plain_paths_are_accepted(path):
    assert PackageRequest(project_path=path).project_path == path


def test_a_path_object_is_as_good_as_its_text():
    request = PackageRequest(project_path=Path("my films") / "Été", output_path=Path("out.zip"))
    assert (request.project_path, request.output_path) == (str(Path("my films", "Été")), "out.zip")
    assert faults(project_path=Path("a\nb")).reason is Reason.PATH_INVALID


def test_nan_has_no_place_in_the_callers_facts():
    assert faults(project_path="film", metadata={"a": [float("inf")]}).errors[0].pointer == "/metadata"


@pytest.mark.parametrize(
    ("value", "said"),
    [({1, 2}, "set is not a kind of JSON"), (b"x", "bytes is not a kind of JSON"), ("\ud800", "not text"),
     ({"\udfff": 1}, "not text"), ({7: 1}, "a key of an object is text"), (10**4000, "at most 4000 digits"),
     (Path("x"), "is not a kind of JSON"), (nested(70), "64 levels")],
    ids=["set", "bytes", "surrogate", "surrogate as key", "number as key", "digits", "path", "deep"],
)  # fmt: skip
def test_what_json_has_no_word_for_has_no_place_in_the_callers_facts(value, said):
    fault = faults(project_path="film", metadata={"a": [value]})
    assert (fault.errors[0].pointer, fault.reason) == ("/metadata", Reason.WRONG_TYPE)
    assert said in fault.message


def test_every_kind_of_json_has_a_place_in_the_callers_facts():
    facts = {"é": [None, True, -(10**3999), 1.5, "日本 😀", {"": []}]}
    assert PackageRequest(project_path="film", metadata=facts).metadata == facts


@pytest.mark.parametrize("path", [b"film", bytearray(b"film"), 7])
def test_a_path_is_text(path):
    assert faults(project_path=path).reason is Reason.WRONG_TYPE
    assert faults(project_path="film", output_path=path).reason is Reason.WRONG_TYPE


@pytest.mark.parametrize("formats", [7, [7], {}])
def test_a_format_is_a_name_or_a_list_of_names(formats):
    with pytest.raises(InvalidInput) as fault:
        FormatRequest(project_path="film", target_format=formats)
    assert {item.reason for item in fault.value.errors} == {Reason.WRONG_TYPE}


def test_several_formats_can_be_asked_for():
    assert FormatRequest(project_path="film", target_format=["zip", "json"]).target_format == ["zip", "json"]
