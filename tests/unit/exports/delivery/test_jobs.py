"""What a delivery will hold, settled before anything is made."""

import pytest

from fixtures.deliveries import part, write_template
from fixtures.films import film_in, make_film
from storycore.errors import InvalidInput, NotFound, Reason
from storycore.exports.delivery.jobs import agenda, wanted_of
from storycore.exports.delivery.template import find


@pytest.fixture
def folder(tmp_path):
    return make_film(tmp_path / "film", {"colour": "red"})


def planned(folder, *parts, **options):
    template = find("mine", write_template(folder, "".join(parts)))
    return agenda(film_in(folder), template, options)


def test_the_report_is_made_last_but_for_the_package(folder):
    report = part("report", "pdf", options='{ document = "report", naming = "r" }', folder='"Docs"')
    found = planned(folder, part("package", "zip"), report, part("data", "json", "csv"))
    assert [job.path for job in found.jobs] == ["Small.json", "Small.csv", "Docs/r.pdf", "Small.zip"]


def test_what_the_film_lacks_is_left_out_where_that_may_be(folder):
    found = planned(folder, part("captions", "srt", "vtt", optional="true"), part("stems", "stems", optional="true"),
                    part("data", "json"))  # fmt: skip
    assert [job.path for job in found.jobs] == ["Small.json"]
    assert [it.warning.message for it in found.left_out] == [
        "Captions was left out: The film has no words to caption.",
        "Captions was left out: The film has no words to caption.",
        "Stems was left out: The film has no sound.",
    ]


def test_what_the_film_lacks_is_told_by_name_where_it_must_not_be_left_out(folder):
    with pytest.raises(NotFound) as fault:
        planned(folder, part("captions", "srt"))
    assert fault.value.reason is Reason.NOTHING_TO_EXPORT
    assert fault.value.message == "Captions: The film has no words to caption."
    assert fault.value.details["part"] == "captions"
    assert "optional" in fault.value.remediation


def test_options_go_to_the_parts_that_know_them(folder):
    template = find("mine", write_template(folder, part("film", "mp4", options="{ crf = 20 }") + part("data", "json")))
    (_, film), (_, data) = wanted_of(template, {"crf": 30, "width": 64})
    assert (film[0].options.crf, film[0].options.width, hasattr(data[0].options, "crf")) == (30, 64, False)


@pytest.mark.parametrize(
    ("options", "message", "details"),
    [
        ({"colour": 1}, "conversion_options.colour: there is no option 'colour'", {}),
        ({"crf": 99}, "Film: conversion_options.crf: ", {"part": "film"}),
    ],
)
def test_an_option_that_is_wrong_is_told_with_its_part(folder, options, message, details):
    with pytest.raises(InvalidInput) as fault:
        planned(folder, part("data", "json"), part("film", "mp4"), **options)
    assert fault.value.message.startswith(message)
    assert fault.value.details == details
    assert fault.value.errors[0].pointer == f"/conversion_options/{next(iter(options))}"


@pytest.mark.parametrize(
    "others",
    [
        [part("two", "json")],
        [part("two", "csv", options='{ naming = "x" }'), part("three", "json", folder='"x.csv"', options="{}")],
        [part("two", "csv", options='{ naming = "X" }'), part("three", "csv", options='{ naming = "x" }')],
        [part("two", "csv", folder='"Checksums-SHA256.txt/more"')],
    ],
)
def test_two_files_of_one_name_are_refused(folder, others):
    with pytest.raises(InvalidInput) as fault:
        planned(folder, part("one", "json"), *others)
    assert fault.value.reason is Reason.TEMPLATE_INVALID
    assert "would also be the name of" in fault.value.message
