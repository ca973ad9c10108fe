"""Which file a shot shows, confined to the project and told by its content."""

import base64
import os
import sys
from pathlib import Path

import pytest

from fixtures.reading import read, reasons
from fixtures.shapes import mp4, png, wav, write_project
from storycore.project.lookup import INDEX, data_bytes
from storycore.project.model import Media, MediaKind

posix = pytest.mark.skipif(os.name == "nt", reason="Windows needs rights for links")


def with_files(folder: Path, shot: dict, files: dict):
    """The shot of a project of one shot, and the project."""
    project = read(write_project(folder, {"project.json": {"schema_version": "1.0", "shots": [shot]}, **files}))
    return project.shots[0], project


def image(path: str, source: str = "image", *, found: bool = True) -> Media:
    return Media(path=path, kind=MediaKind.IMAGE, source=source, found=found)


TAKES = {
    "a": [
        {"id": "t1", "path": "assets/generated/t1.png", "status": "completed", "created_at": "2026-01-01T00:00:00Z"},
        {"id": "t2", "path": "assets/generated/t2.mp4", "status": "completed", "created_at": "2026-01-03T00:00:00Z"},
        {"id": "t3", "path": "assets/generated/t3.png", "status": "running", "created_at": "2026-01-09T00:00:00Z"},
    ]
}
TAKE_FILES = {"assets/generated/t1.png": png(), "assets/generated/t2.mp4": mp4(), "assets/generated/t3.png": png()}


def test_the_newest_completed_take_is_shown_before_everything_else(tmp_path):
    shot, _ = with_files(tmp_path, {"id": "a", "image": "a.png"}, {INDEX: TAKES, **TAKE_FILES, "a.png": png()})
    assert shot.clip == Media(path="assets/generated/t2.mp4", kind=MediaKind.VIDEO, source="take", found=True)
    assert shot.image == image("a.png")


def test_the_picked_take_is_shown_before_newer_ones(tmp_path):
    takes = {"a": [{**TAKES["a"][0], "picked": True}, *TAKES["a"][1:]]}
    shot, _ = with_files(tmp_path, {"id": "a", "video": "v.mp4"}, {INDEX: takes, **TAKE_FILES, "v.mp4": mp4()})
    assert (shot.image, shot.clip) == (image("assets/generated/t1.png", "take"), None)


def test_a_take_whose_file_is_gone_is_told_and_the_next_one_is_shown(tmp_path):
    files = {name: content for name, content in TAKE_FILES.items() if not name.endswith("mp4")}
    shot, project = with_files(tmp_path, {"id": "a", "duration": 1}, {INDEX: TAKES, **files})
    assert shot.image == image("assets/generated/t1.png", "take")
    assert reasons(project) == [(INDEX, "/a/1/path", "media_missing")]


def test_a_promoted_panel_is_shown_before_the_picture(tmp_path):
    files = {"p.png": png(), "i.png": png()}
    shot, _ = with_files(tmp_path, {"id": "a", "image": "i.png", "promoted_panel_path": "p.png"}, files)
    assert shot.image == image("p.png", "promoted")


def test_panels_are_shown_refined_promoted_as_generated_in_this_order(tmp_path):
    places = ["refined/panel_01_refined.png", "promoted/panel_01_promoted.png", "panels/panel_1.png"]
    files = {f"assets/images/{place}": png() for place in places}
    for place, source in zip(places, ("refined", "promoted", "panel"), strict=True):
        shot, _ = with_files(tmp_path, {"id": "a"}, files)
        assert shot.image == image(f"assets/images/{place}", source)
        (tmp_path / "assets/images" / place).unlink()
        del files[f"assets/images/{place}"]


def test_a_missing_picture_is_told_and_a_panel_stands_in(tmp_path):
    shot, project = with_files(tmp_path, {"id": "a", "image": "gone.png"}, {"assets/images/panels/panel_01.png": png()})
    assert shot.image == image("assets/images/panels/panel_01.png", "panel")
    assert project.missing == ("gone.png",)
    assert reasons(project)[-1] == ("project.json", "/shots/0/image", "media_missing")


def test_a_shot_without_any_picture_is_told(tmp_path):
    shot, project = with_files(tmp_path, {"id": "a", "duration": 1}, {})
    assert (shot.image, shot.clip) == (None, None)
    assert reasons(project) == [("project.json", "/shots/0", "media_missing")]


@pytest.mark.parametrize("content", [b"test content 12", b"", b"%PDF-1.7\n", wav()])
def test_a_file_whose_name_lies_counts_as_missing(content, tmp_path):
    shot, project = with_files(tmp_path, {"id": "a", "duration": 1, "image": "a.png"}, {"a.png": content})
    assert shot.image == image("a.png", found=False)
    assert reasons(project) == [("project.json", "/shots/0/image", "media_mislabelled")]


def test_a_picture_with_the_suffix_of_another_picture_is_fine(tmp_path):
    shot, project = with_files(tmp_path, {"id": "a", "duration": 1, "image": "a.jpg"}, {"a.jpg": png()})
    assert (shot.image, reasons(project)) == (image("a.jpg"), [])


def test_a_result_may_be_a_picture_or_a_clip(tmp_path):
    files = {"a.png": png(), "a.mp4": mp4()}
    assert with_files(tmp_path, {"result_url": "a.png"}, files)[0].image == image("a.png")
    clip = with_files(tmp_path, {"result_url": "a.mp4"}, files)[0].clip
    assert clip == Media(path="a.mp4", kind=MediaKind.VIDEO, source="clip", found=True)


@pytest.mark.parametrize("path", ["assets\\ünder é\\a.png", "./assets//ünder é/a.png", "assets/x/../ünder é/a.png"])
def test_backslashes_accents_spaces_and_dots_lead_to_the_file(path, tmp_path):
    shot, _ = with_files(tmp_path, {"id": "a", "image": path}, {"assets/ünder é/a.png": png()})
    assert shot.image == image("assets/ünder é/a.png")


def test_accents_match_however_they_are_composed(tmp_path):
    shot, _ = with_files(tmp_path, {"id": "a", "image": "e\u0301.png"}, {"\u00e9.png": png()})
    assert shot.image.found


def test_an_absolute_path_into_the_project_leads_to_the_file(tmp_path):
    shot, _ = with_files(tmp_path, {"id": "a", "image": str(tmp_path / "a.png")}, {"a.png": png()})
    assert shot.image == image("a.png")


@pytest.mark.parametrize(
    "path",
    ["https://example.org/a.png", "file:///etc/passwd", "/etc/hostname", "../outside.png", "C:\\Windows\\a.png",
     "\\\\server\\share\\a.png", "C:a.png", "assets/../../outside.png", "a\u0000.png", "javascript:alert(1)"],
)  # fmt: skip
def test_nothing_outside_the_project_is_ever_shown(path, tmp_path):
    (tmp_path / "outside.png").write_bytes(png())
    shot, project = with_files(tmp_path / "film", {"id": "a", "duration": 1, "image": path}, {})
    assert shot.image is None
    assert [reason for _, _, reason in reasons(project)] == ["path_refused", "media_missing"]


@posix
def test_a_link_is_followed_only_inside(tmp_path):
    folder = write_project(tmp_path / "film", {"a.png": png()})
    (tmp_path / "out.png").write_bytes(png())
    (folder / "in-link.png").symlink_to("a.png")
    (folder / "out-link.png").symlink_to("../out.png")
    assert with_files(folder, {"id": "a", "image": "in-link.png"}, {})[0].image == image("a.png")
    shot, project = with_files(folder, {"id": "a", "duration": 1, "image": "out-link.png"}, {})
    assert (shot.image, [reason for _, _, reason in reasons(project)]) == (None, ["path_refused", "media_missing"])


@posix
@pytest.mark.timeout(20)
def test_a_pipe_that_is_named_as_a_picture_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert with_files(tmp_path, {"id": "a", "image": "a.png"}, {})[0].image is None


def test_a_data_uri_is_a_picture_and_its_bytes_are_kept(tmp_path):
    uri = "data:image/png;base64," + base64.b64encode(png()).decode()
    shot, _ = with_files(tmp_path, {"id": "a", "image": uri}, {})
    assert shot.image == Media(path="data:image/png", kind=MediaKind.IMAGE, source="data", found=True)
    assert data_bytes(shot.original["image"]) == png()


def test_a_data_uri_that_lies_counts_as_missing(tmp_path):
    shot, project = with_files(tmp_path, {"id": "a", "duration": 1, "image": "data:image/png;base64,aGVsbG8="}, {})
    assert (shot.image.found, reasons(project)) == (False, [("project.json", "/shots/0/image", "media_mislabelled")])


@pytest.mark.skipif(sys.platform != "linux", reason="paths are compared as Linux writes them")
def test_media_that_no_shot_names_are_not_opened(tmp_path):
    folder = write_project(tmp_path, {"a.png": png(), "other/b.png": png(), "assets/images/panels/panel_07.png": png()})
    opened, watching = [], [True]  # a hook can't be taken away again, only told to look away
    sys.addaudithook(lambda event, facts: opened.append(facts[0]) if watching and event == "open" else None)
    with_files(folder, {"id": "a", "image": "a.png"}, {})
    watching.clear()
    inside = {Path(path).name for path in opened if isinstance(path, (str, Path)) and str(path).startswith(str(folder))}
    assert inside == {"project.json", "a.png"}


REPORT = {"qa_report_id": "q", "overall_score": 4, "passed": True, "timestamp": "2026-01-01T00:00:00Z",
          "categories": {"look": 5, "sound": {"score": 2.5}}, "issues": ["too dark"]}  # fmt: skip


@pytest.mark.parametrize("place", ["", "qa_output/", "qa_reports/", "assets/metadata/"])
def test_reports_are_found_in_all_four_places(place, tmp_path):
    _, project = with_files(tmp_path, {"id": "a"}, {f"{place}qa_report.json": REPORT})
    report = project.qa_reports[0]
    assert (report.file, report.score, report.original_score, report.scale) == (f"{place}qa_report.json", 0.8, 4.0, 5.0)
    assert (report.categories, report.issues[0].title) == ({"look": 1.0, "sound": 0.5}, "too dark")


def test_the_newest_report_stands_first_and_each_shape_has_its_own_scale(tmp_path):
    newer = {"report_id": "n", "overallScore": 50, "timestamp": 1_800_000_000.5}
    files = {"qa_report.json": REPORT, "qa_reports/n.json": newer, "qa_output/extract.json": {"overall_score": 1}}
    _, project = with_files(tmp_path, {"id": "a"}, files)
    assert [(report.id, report.score, report.scale) for report in project.qa_reports] == [
        ("n", 0.5, 100.0),
        ("q", 0.8, 5.0),
    ]
