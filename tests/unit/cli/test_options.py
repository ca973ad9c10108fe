"""Fields of requests as options, and texts of options as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore import FormatRequest, InspectRequest, MetadataRequest, PackageRequest
from storycore.cli.operation_command import build
from storycore.cli.options import parameters, to_values
from storycore.cli.words import plain
from storycore.errors import InvalidInput
from storycore.operations.catalog import OPERATIONS


def spelled(request):
    return {
        parameter.name: parameter.opts + parameter.secondary_opts for parameter in parameters(request, streams=False)
    }


def test_every_field_of_a_request_is_an_option():
    assert spelled(PackageRequest) == {
        "project_path": ["project_path"],
        "output_path": ["-o", "--output", "--output-path"],
        "include_source": ["--include-source", "--no-include-source"],
        "include_assets": ["--include-assets", "--no-include-assets"],
        "include_reports": ["--include-reports", "--no-include-reports"],
        "compression_level": ["-l", "--level", "--compression-level"],
        "metadata": ["--metadata"],
    }


def test_what_must_be_given_is_an_argument():
    (argument,) = parameters(InspectRequest, streams=False)
    assert (argument.param_type_name, argument.required, argument.metavar) == ("argument", True, "PROJECT")


@pytest.mark.parametrize(
    ("kind", "options", "values"),
    [
        (PackageRequest, {"compression_level": "3"}, {"compression_level": 3}),
        (PackageRequest, {"compression_level": "three"}, {"compression_level": "three"}),
        (PackageRequest, {"compression_level": "-1"}, {"compression_level": -1}),
        (PackageRequest, {"include_source": True}, {"include_source": True}),
        (PackageRequest, {"metadata": ()}, {}),
        (PackageRequest, {"metadata": ("a=1", "b=x", 'c={"d": 2}')}, {"metadata": {"a": 1, "b": "x", "c": {"d": 2}}}),
        (PackageRequest, {"metadata": ('{"a": [1]}',)}, {"metadata": {"a": [1]}}),
        (
            PackageRequest,
            {"metadata": ("day=2026-11-25", "at=01:00:00:00", "take=3 of 5", 'cut="A" cut', "v=1.2.3", "n=007")},
            {"metadata": {"day": "2026-11-25", "at": "01:00:00:00", "take": "3 of 5", "cut": '"A" cut', "v": "1.2.3",
                          "n": "007"}},
        ),
        (
            FormatRequest,
            {"conversion_options": ("naming={number}_{scene}", "picture_naming={number:06d}")},
            {"conversion_options": {"naming": "{number}_{scene}", "picture_naming": "{number:06d}"}},
        ),
        (
            FormatRequest,
            {"conversion_options": ("title=1984", "watermark=true", 'header="7"', "crf=20", "slate=true")},
            {"conversion_options": {"title": "1984", "watermark": "true", "header": "7", "crf": 20, "slate": True}},
        ),
        (FormatRequest, {"target_format": "zip"}, {"target_format": "zip"}),
        (FormatRequest, {"target_format": "zip, json"}, {"target_format": ["zip", "json"]}),
        (MetadataRequest, {"metadata_format": "toml"}, {"metadata_format": "toml"}),
    ],
)  # fmt: skip
def test_only_the_form_of_a_text_is_read(kind, options, values):
    assert to_values(kind, options) == values


@pytest.mark.parametrize(
    "text", ["{", "nothing", "=1", '{"a": NaN}', "a=NaN", "a={x", "a={x:1}", "a=1e999", '{"a": 1, "a": 2}']
)
def test_an_object_that_is_none_is_refused(text):
    with pytest.raises(InvalidInput):
        to_values(PackageRequest, {"metadata": (text,)})


@given(st.text())
def test_text_of_strangers_cannot_steer_a_terminal(text):
    shown = plain(text)
    assert [letter for letter in shown if ord(letter) < 32 and letter not in "\t\n"] == []
    assert not {"\x7f", "\x9b", "\u202e", "\u2066"} & set(shown)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
def test_no_flag_of_a_command_means_two_things(operation):
    flags = [flag for option in build(operation).params for flag in (*option.opts, *option.secondary_opts)]
    assert [flag for flag in flags if flags.count(flag) > 1] == []
