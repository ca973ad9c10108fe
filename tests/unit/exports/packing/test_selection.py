"""Which files a package holds."""

from fractions import Fraction
from itertools import product

import pytest

from fixtures.packages import project_in
from fixtures.projects import make_project, write_json
from storycore.exports.packing.selection import Selection, missing, select
from storycore.project.files import Role, walk
from storycore.project.model import AudioTrack, Character, Media, MediaKind, Shot, TrackKind


def media(path, *, found=True, kind=MediaKind.IMAGE):
    return Media(path=path, kind=kind, source="image", found=found)


def shot(number=1, **facts):
    return Shot(
        id=f"s{number}", number=number, title="S", description="", duration=Fraction(1), start=Fraction(0), **facts
    )


def chosen(folder, selection=None, **facts):
    picked = select(walk(folder, max_files=1000), project_in(folder, **facts), selection or Selection())
    return {file.path: file.role for file in picked.files}, {odd.file: odd.reason for odd in picked.skipped}


@pytest.fixture
def folder(tmp_path):
    return make_project(tmp_path / "film", shots=1)


PICTURE = "assets/images/promoted/panel_01_promoted.png"
KINDS = {
    "source": {"workflows/keyframe.json": Role.SOURCE, "story.md": Role.SOURCE},
    "assets": {PICTURE: Role.MEDIA},
    "reports": {"qa_output/qa_report.json": Role.REPORT},
}


@pytest.mark.parametrize("wanted", list(product([False, True], repeat=3)))
def test_each_switch_selects_its_kind_and_the_project_is_always_there(folder, wanted):
    switches = dict(zip(KINDS, wanted, strict=True))
    expected = {"project.json": Role.PROJECT}
    for kind, is_wanted in switches.items():
        expected |= KINDS[kind] if is_wanted else {}
    assert chosen(folder, Selection(**switches))[0] == expected


def test_data_of_the_film_is_always_packed(folder):
    write_json(folder / "storyboard.json", {})
    write_json(folder / "scenes/one.json", {})
    nothing = Selection(source=False, assets=False, reports=False)
    assert set(chosen(folder, nothing)[0]) == {"project.json", "storyboard.json", "scenes/one.json"}


def test_what_the_film_shows_is_media_wherever_it_stands(folder):
    for name in ("renders/final", "qa_output/frame.json", "scenes/plate.json", "voice.dat", "hero"):
        write_json(folder / name, {})
    voice = AudioTrack(
        id="a", name="", kind=TrackKind.DIALOGUE, media=media("voice.dat"), start=Fraction(0), duration=None
    )
    found, _ = chosen(
        folder,
        shots=(shot(clip=media("renders/final"), image=media("qa_output/frame.json"), audio=(voice,)),
               shot(2, image=media("scenes/plate.json"))),
        characters=(Character(id="c", name="C", reference_image=media("hero")),),
    )  # fmt: skip
    shown = ("renders/final", "qa_output/frame.json", "scenes/plate.json", "voice.dat", "hero")
    assert {path: found.get(path) for path in shown} == dict.fromkeys(shown, Role.MEDIA)


def test_what_the_film_shows_is_not_packed_without_assets(folder):
    write_json(folder / "renders/final", {})
    found, told = chosen(folder, Selection(assets=False, source=True), shots=(shot(clip=media("renders/final")),))
    assert ("renders/final" in found, told) == (False, {})


def test_what_the_project_was_read_from_is_data_of_the_film(folder):
    write_json(folder / "odd/place.json", {})
    assert chosen(folder, side_files=("odd/place.json",))[0]["odd/place.json"] is Role.STORYBOARD


def test_a_qa_report_stays_a_report_though_it_was_read(folder):
    assert (
        "qa_output/qa_report.json"
        not in chosen(folder, Selection(reports=False), side_files=("qa_output/qa_report.json",))[0]
    )


def test_project_json_stays_the_project_whatever_shows_it(folder):
    assert (
        chosen(folder, Selection(assets=False), shots=(shot(image=media("project.json")),))[0]["project.json"]
        is Role.PROJECT
    )


def test_what_the_film_shows_but_is_never_packed_is_told(folder):
    write_json(folder / "cache/frame.png", {})
    _, told = chosen(folder, shots=(shot(image=media("cache/frame.png")), shot(2, image=media("data:image/png"))))
    assert told == {"cache/frame.png": "left_out"}


def test_missing_media_are_told_once_in_film_order(folder):
    shots = (
        shot(image=media("b.png", found=False)),
        shot(2, image=media("a.png", found=False), clip=media("b.png", found=False)),
    )
    assert missing(project_in(folder, shots=shots)) == ["b.png", "a.png"]
