"""Delivery templates: ours are whole, and those of others are refused with what is wrong and where."""

import pytest

from fixtures.deliveries import HEAD, write_file
from storycore.errors import InvalidInput, NotFound, Reason
from storycore.exports.delivery.template import find, templates

HAND_OFF = {"otio", "xml", "fcpxml", "edl"}
PART = '[[parts]]\nname = "one"\ntitle = "One"\n'


def formats_in(template):
    return {item.format.name for part in template.parts for item in part.wanted()}


def test_ours_are_those_that_the_page_promises():
    found = {template.name: template for template in templates()}
    assert sorted(found) == ["archive", "editor", "festival", "social"]
    assert all(template.source and template.origin == "storycore" for template in found.values())
    assert {"mov", "mp4", "stems", "srt", "vtt", "pdf", "poster", "sheet", "zip"} == formats_in(found["festival"])
    presets = {part.preset.name for part in found["social"].parts if part.preset is not None}
    assert presets == {"shorts", "tiktok", "reels", "instagram-feed", "instagram-portrait"}
    assert {"mkv", "zip"} <= formats_in(found["archive"])


def test_the_editor_is_handed_every_timeline_that_can_stand_over_the_same_clips():
    """All but otioz, which holds every clip in itself, and so would send all of them twice."""
    assert formats_in(find("editor")) & {*HAND_OFF, "otioz"} == HAND_OFF


def test_a_template_of_the_project_goes_before_ours(tmp_path):
    write_file(tmp_path, HEAD + PART + 'formats = ["json"]\n', "festival")
    found = find("Festival", tmp_path)
    assert (found.origin, [part.name for part in found.parts], found.title) == ("project", ["one"], "Mine")
    assert find("festival").origin == "storycore"


def test_gates_of_a_preset_and_of_the_part_both_count(tmp_path):
    gate = '[[parts.gates]]\nfigure = "faststart"\nequals = true\n'
    part = find("mine", write_file(tmp_path, HEAD + PART + 'preset = "prores-master"\n' + gate)).parts[0]
    of_preset = ["frames", "duration", "pixel_format", "start_timecode"]
    assert [gate.figure for gate in part.gates] == [*of_preset, "faststart"]


def test_an_unknown_template_is_told_with_those_there_are(tmp_path):
    with pytest.raises(NotFound) as fault:
        find("../../etc/passwd", tmp_path)
    assert fault.value.reason is Reason.TEMPLATE_NOT_FOUND
    assert "archive, editor, festival, social" in fault.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a =", "Invalid value"),
        ("\xff", "utf-8"),
        ('title = "x"\n', "date"),
        (HEAD, "parts"),
        (HEAD + "parts = 3\n", "parts"),
        (HEAD + "colour = 1\n" + PART, "there is no key 'colour'"),
        (HEAD + PART + 'formts = ["mp4"]\n', "part one: there is no key 'formts'; did you mean formats?"),
        (HEAD + PART, "part one: needs a preset, or formats"),
        (HEAD + PART + 'formats = [""]\n', "part one: needs a preset, or formats"),
        (HEAD + PART + 'formats = ["vhs"]\n', "part one: Unsupported target format: 'vhs'"),
        (HEAD + PART + 'preset = "vhs"\n', "part one: There is no preset 'vhs'"),
        (HEAD + PART + 'formats = ["mp4"]\noptions = { crf = 99 }\n', "part one: conversion_options.crf"),
        (HEAD + PART + 'formats = ["mp4"]\noptions = { colour = 9 }\n', "part one: conversion_options.colour"),
        (HEAD + PART + 'formats = ["mp4"]\noptions = { naming = "../../x" }\n', "a name is needed, not a path"),
        (HEAD + PART + 'formats = ["mp4"]\ngates = [{ figure = "frmes" }]\n', "part one: gate 1: there is no figure"),
        (HEAD + PART + 'formats = ["mp4"]\ngates = [{ fgure = "frames" }]\n', "part one: gate 1: there is no key"),
        (HEAD + PART + 'formats = ["mp4"]\ngates = [{ figure = "frames" }]\n', "part one: gate 1: frames needs one of"),
        (HEAD + 2 * (PART + 'formats = ["json"]\n'), "two parts are called one"),
        (HEAD + PART + 'formats = ["json"]\noptional = "yes"\n', "parts.0.optional"),
        (HEAD + PART.replace("one", "One/Two") + 'formats = ["json"]\n', "parts.0.name"),
    ],
)
def test_a_template_that_is_none_is_refused_with_what_is_wrong(tmp_path, text, message):
    with pytest.raises(InvalidInput) as fault:
        find("mine", write_file(tmp_path, text))
    assert fault.value.reason is Reason.TEMPLATE_INVALID
    assert fault.value.message.startswith("The delivery template mine.toml can't be read: ")
    assert message in fault.value.message


@pytest.mark.parametrize(
    "folder",
    ["..", "../out", "/tmp", "a/../b", "a//b", "a/", ".hidden", "C:\\\\x", "a\\\\b", "~", "$HOME", "con", "a.", " a",
     "a\\u0000b", "a\\u202eb", "a\\nb", "a/b/c/d", "x%41", "*", "n" * 121],
)  # fmt: skip
def test_a_folder_that_leads_elsewhere_or_is_no_plain_name_is_refused(tmp_path, folder):
    with pytest.raises(InvalidInput) as fault:
        find("mine", write_file(tmp_path, HEAD + PART + f'formats = ["json"]\nfolder = "{folder}"\n'))
    assert "folder: " in fault.value.message


def test_one_folder_is_spelled_in_one_way(tmp_path):
    two = PART.replace("one", "two") + 'formats = ["csv"]\nfolder = "docs"\n'
    with pytest.raises(InvalidInput, match="also spelled in another way"):
        find("mine", write_file(tmp_path, HEAD + PART + 'formats = ["json"]\nfolder = "Docs"\n' + two))


def test_a_link_is_no_template(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text(HEAD + PART + 'formats = ["json"]\n')
    (tmp_path / "deliveries").mkdir()
    try:
        (tmp_path / "deliveries/mine.toml").symlink_to(secret)
    except OSError:
        pytest.skip("this system makes no links")
    with pytest.raises(InvalidInput):
        find("mine", tmp_path)
