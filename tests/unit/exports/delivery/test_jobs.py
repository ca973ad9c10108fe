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


def test_options_go_to_the_parts_whose_codec_heeds_them(folder):
    parts = part("master", "mov") + part("film", "mp4")
    (_, master), (_, film) = wanted_of(find("mine", write_template(folder, parts)), {"crf": 30, "width": 64})
    assert [(it.options.crf, it.options.width) for it in (*master, *film)] == [(None, 64), (30, 64)]
    (_, master), _ = wanted_of(find("mine", folder), {"crf": 30, "video_codec": "h265"})
    assert master[0].options.crf == 30


def test_an_option_that_the_codec_of_no_part_heeds_is_refused_with_the_first_of_them(folder):
    parts = part("data", "json") + part("master", "mov") + part("archive", "mkv")
    for options, why in (
        ({"crf": 30}, "Master: conversion_options.crf: ProRes 422 HQ has no crf"),
        ({"bitrate_bps": 50_000}, "Master: conversion_options.bitrate_bps: ProRes 422 HQ takes no bitrate_bps"),
    ):
        with pytest.raises(InvalidInput) as fault:
            wanted_of(find("mine", write_template(folder, parts)), options)
        assert fault.value.message.startswith(why)
        assert (fault.value.reason, fault.value.details) == (Reason.OUT_OF_RANGE, {"part": "master"})


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


SMALL, LARGE = "{ width = 64, height = 36 }", "{ width = 128, height = 72 }"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (part("two", "edl", folder='"Edit"', options=LARGE), "other clips, those of One"),
        (part("two", "json", folder='"Edit/Media/Data"'), "files of another part"),
        (part("two", "edl", folder='"Edit/media"', options=SMALL), "files of another part"),
    ],
    ids=["clips of another size", "files below", "a timeline below"],
)
def test_two_things_in_one_folder_of_clips_are_refused(folder, other, told):
    parts = [part("one", "fcpxml", folder='"Edit"', options=SMALL), other]
    for ordered in (parts, parts[::-1]):
        with pytest.raises(InvalidInput, match=" would stand in Edit/media, and so would ") as fault:
            planned(folder, *ordered)
        assert fault.value.reason is Reason.TEMPLATE_INVALID
        assert fault.value.details == {"part": fault.value.message.partition(":")[0].lower(), "pointer": "/template"}
    with pytest.raises(InvalidInput, match=told):
        planned(folder, *parts)


def test_timelines_with_the_same_clips_share_their_folder_and_others_have_folders_of_their_own(folder):
    same = [part(name, kind, folder='"Edit"', options=SMALL) for name, kind in (("one", "fcpxml"), ("two", "edl"))]
    other = part("three", "edl", folder='"Large"', options=LARGE)
    found = planned(folder, *same, other, part("four", "otioz", folder='"Edit"', options=LARGE))
    assert [job.beside and job.place_of(job.beside.name) for job in found.jobs] == [
        "Edit/media", "Edit/media", "Large/media", None,
    ]  # fmt: skip
