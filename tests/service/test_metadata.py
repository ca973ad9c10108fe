"""storycore.export.metadata on projects as they stand on a disk."""

import json
from pathlib import Path

import httpx
import pytest

from fixtures.documents import OTHERS, typed
from fixtures.programs import storycore
from fixtures.projects import snapshot
from fixtures.servers import serving
from storycore import MetadataRequest, PackageRequest, StoryCore, StoryCoreError

pytest.importorskip("storycore.project.reader")


@pytest.mark.parametrize("form", ["json", "xml", "yaml"])
def test_the_text_says_what_the_content_says(film, form):
    with StoryCore() as sc:
        result = sc.run(MetadataRequest(project_path=str(film), metadata_format=form, measure="full", omc=True))
    readers = [reader for name, reader in OTHERS.values() if name == form]
    assert all(typed(reader(result.metadata_text)) == typed(result.metadata_content) for reader in readers)
    assert result.metadata_size_bytes == len(result.metadata_text.encode())
    assert result.sections_included == ["technical", "creative", "qa_reports"]


def test_one_section_alone(film):
    with StoryCore() as sc:
        result = sc.run(MetadataRequest(project_path=str(film), include_creative=False, include_qa_reports=False))
    assert result.sections_included == ["technical"]
    assert {"creative", "qa_reports"}.isdisjoint(result.metadata_content)


def test_nothing_in_the_project_changes(film):
    before = snapshot(film)
    with StoryCore() as sc:
        sc.run(MetadataRequest(project_path=str(film), measure="full"))
    assert snapshot(film) == before


def test_a_project_that_is_not_there_is_told(films):
    with StoryCore() as sc, pytest.raises(StoryCoreError, match="not found"):
        sc.run(MetadataRequest(project_path=str(films / "none")))


def test_the_samples_are_described(samples):
    with StoryCore() as sc:
        for name in ("compare-demo", "complete_pipeline_test"):
            result = sc.run(MetadataRequest(project_path=str(samples / name), measure="full"))
            assert json.loads(result.metadata_text) == result.metadata_content
            assert len(result.sections_included) == 3


RUN = {"project_path", "generated_at"}
SOFTWARE = {"python_version", "dependencies"}


def described(path, **more):
    with StoryCore() as sc:
        return sc.run(MetadataRequest(project_path=str(path), **more))


@pytest.fixture
def package(film):
    with StoryCore() as sc:
        return sc.run(PackageRequest(project_path=str(film))).export_path


def test_a_package_is_described_as_its_project_but_for_what_was_not_packed_and_who_measured(film, package):
    for more in ({}, {"measure": "none"}, {"measure": "full", "omc": True}, {"include_creative": False}):
        of_project, of_package = (described(path, **more).metadata_content for path in (film, package))
        assert (of_project["project_path"], of_package["project_path"]) == (str(film), package)
        technical, other = of_project["technical"], of_package["technical"]
        assert {name for name in technical if name not in other} == SOFTWARE  # this machine measured nothing
        left = [it for it in technical["inventory"] if it["role"] == "source"]
        assert [it["path"] for it in left] == ["story.md", "workflows/keyframe.json"]
        assert other["inventory"] == [it for it in technical["inventory"] if it not in left]
        counted = {"files", "formats", "inventory"} | SOFTWARE
        assert {name: value for name, value in technical.items() if name not in counted} == {
            name: value for name, value in other.items() if name not in counted
        }
        parts = [name for name in of_project if name not in {*RUN, "technical"}]
        assert {name: of_project[name] for name in parts} == {name: of_package[name] for name in parts}


def test_a_package_that_holds_all_files_is_described_by_the_very_same_text(film):
    for path in ("story.md", "workflows/keyframe.json"):
        (film / path).unlink()
    with StoryCore() as sc:
        package = sc.run(PackageRequest(project_path=str(film))).export_path
    for form in ("json", "xml", "yaml"):
        project, packed = (described(path, metadata_format=form, measure="full", omc=True) for path in (film, package))
        assert project.sections_included == packed.sections_included
        readers = [reader for name, reader in OTHERS.values() if name == form]
        for reader in readers:
            read = [typed(without_run(reader(result.metadata_text))) for result in (project, packed)]
            assert read[0] == read[1]


def without_run(document):
    technical = {name: value for name, value in document["technical"].items() if name not in SOFTWARE}
    return {name: value for name, value in document.items() if name not in RUN} | {"technical": technical}


def test_what_the_film_shows_is_measured_wherever_it_lies(film):
    picture = film / "assets/images/promoted/panel_01_promoted.png"
    picture.rename(film / "first.png")
    (film / "project.json").write_text(
        (film / "project.json").read_text().replace("assets/images/promoted/panel_01_promoted.png", "first.png")
    )
    entry = next(it for it in described(film).metadata_content["technical"]["inventory"] if it["path"] == "first.png")
    assert (entry["role"], entry["width"]) == ("media", 64)


def test_who_names_a_place_to_write_to_learns_that_the_document_is_the_answer(film):
    for place in ("s3://films/little.json", "little.json"):
        with pytest.raises(StoryCoreError, match="is its answer, and is written nowhere") as fault:
            described(film, output_path=place)
        assert fault.value.reason == "unknown_field"


def test_a_file_that_is_no_package_is_told_to_be_named_by_its_folder(film):
    for name in ("project.json", "assets/images/promoted/panel_01_promoted.png"):
        with pytest.raises(StoryCoreError, match="That is a file; name its folder") as fault:
            described(film / name)
        assert fault.value.reason == "project_not_found"


def test_a_package_is_read_only_where_its_caller_may_read(film, films, tmp_path):
    outside = tmp_path / "outside.zip"
    outside.write_bytes(b"PK")
    with StoryCore() as sc:
        inside = sc.run(PackageRequest(project_path=str(film))).export_path
    with serving(films) as url:
        answers = {
            path: httpx.post(f"{url}/v1/storycore.export.metadata", json={"project_path": path})
            for path in (inside, str(outside), str(films / "none.zip"), str(tmp_path / "none.zip"))
        }
        told = [
            (it.status_code, it.json().get("error", {}).get("details", {}).get("reason")) for it in answers.values()
        ]
        assert told == [
            (200, None), (403, "path_outside_root"), (404, "project_not_found"), (403, "path_outside_root"),
        ]  # fmt: skip
        with StoryCore(server=url) as there:
            assert there.run(MetadataRequest(project_path=inside)).metadata_content["project_name"] == "Little film"


def test_a_command_describes_a_package_in_any_format_and_tells_what_is_wrong_with_a_broken_one(package, films):
    run = storycore("export", "metadata", package, "--to", "xml", cwd=films)
    assert (run.returncode, run.stdout.startswith("<?xml")) == (0, True), run.stderr
    cut = Path(package).with_name("cut.zip")
    cut.write_bytes(Path(package).read_bytes()[:-30])
    run = storycore("export", "metadata", str(cut), cwd=films)
    assert (run.returncode, run.stdout) == (2, "")
    assert ("cut off" in run.stderr, "storycore export verify" in run.stderr) == (True, True)


@pytest.mark.parametrize(
    "harm", [b"", b"no ZIP at all", b"XXXX + the package"], ids=["emptied", "replaced", "in front"]
)
def test_what_is_called_a_package_is_told_what_is_wrong_with_it_however_it_begins(package, harm):
    broken = Path(package).with_name("broken.ZIP")
    broken.write_bytes(harm.replace(b" + the package", Path(package).read_bytes()))
    with pytest.raises(StoryCoreError) as fault:
        described(broken)
    assert (fault.value.reason, "storycore export verify" in fault.value.remediation) == ("package_invalid", True)
