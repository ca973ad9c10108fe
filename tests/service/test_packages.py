"""export.package, .plan and .format through the library, checked by programs that are not ours."""

import io
import json
import os
import random
import re
import shutil
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bagit
import pytest

from fixtures.media_files import sparse
from fixtures.projects import make_project, snapshot, write_json
from storycore import FormatRequest, PackageRequest, PlanRequest, Progress, StoryCore, VerifyRequest
from storycore.errors import AccessDenied, Conflict, InvalidInput, StoryCoreError


@pytest.fixture
def sc():
    with StoryCore() as storycore:
        yield storycore


def package(sc, film, out=None, **more):
    return sc.run(PackageRequest(project_path=str(film), output_path=None if out is None else str(out), **more))


def contents(path):
    with zipfile.ZipFile(path) as file:
        return {name.partition("/")[2]: file.read(name) for name in file.namelist()}


def test_a_package_goes_to_a_folder_of_its_own_in_exports(sc, film):
    result = package(sc, film)
    place = Path(result.export_path).relative_to(film)
    assert re.fullmatch(r"exports/export_\d{8}T\d{6}Z/Little film\.zip", place.as_posix())


def test_many_packages_in_one_second_do_not_meet(sc, film):
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: package(sc, film).export_path, range(8)))
    assert len(set(paths)) == 8
    assert len({Path(path).read_bytes() for path in paths}) == 1


@pytest.mark.parametrize(("out", "made"), [("new/place", "new/place/Little film.zip"), ("new/my.ZIP", "new/my.ZIP")])
def test_an_output_is_a_folder_or_the_name_of_the_zip(sc, film, tmp_path, out, made):
    assert package(sc, film, tmp_path / out).export_path == str(tmp_path / made)


def test_what_is_told_is_what_stands_in_the_file(sc, film, tmp_path):
    result = package(sc, film, tmp_path / "a.zip", metadata={"mine": 1})
    data = contents(tmp_path / "a.zip")
    payload = [name.removeprefix("data/") for name in data if name.startswith("data/")]
    assert (result.manifest, result.files_included) == (payload, len(payload))
    assert {file.path: file.size_bytes for file in result.files} == {
        name: len(data[f"data/{name}"]) for name in payload
    }
    assert (result.package_size_bytes, result.format) == ((tmp_path / "a.zip").stat().st_size, "zip")
    assert (result.metadata, result.export_time_ms > 0) == ({"mine": 1}, True)


def test_a_package_is_a_bag_that_others_and_we_find_valid(sc, film, tmp_path):
    package(sc, film, tmp_path / "a.zip", include_source=True)
    assert sc.run(VerifyRequest(package_path=str(tmp_path / "a.zip"))).model_dump(include={"valid", "faults"}) == {
        "valid": True, "faults": [],
    }  # fmt: skip
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        file.extractall(tmp_path / "bag")
    assert bagit.Bag(str(tmp_path / "bag/Little film")).validate()


def test_a_package_holds_the_canonical_project_and_its_description(sc, film, tmp_path):
    package(sc, film, tmp_path / "a.zip")
    data = contents(tmp_path / "a.zip")
    canonical, described = (json.loads(data[f"data/storycore/{name}.json"]) for name in ("project", "metadata"))
    assert ([shot["id"] for shot in canonical["shots"]], described["project_name"]) == (
        ["shot_01", "shot_02", "shot_03"], "Little film",
    )  # fmt: skip
    assert data["data/project.json"] == (film / "project.json").read_bytes()
    assert "data/storycore/renames.json" not in data


def test_names_that_changed_stand_in_the_package(sc, film, tmp_path):
    (film / "assets/50%.png").write_bytes((film / "assets/images/promoted/panel_01_promoted.png").read_bytes())
    result = package(sc, film, tmp_path / "a.zip")
    told = json.loads(contents(tmp_path / "a.zip")["data/storycore/renames.json"])
    assert told == result.renamed == {"assets/50%.png": "assets/50_.png"}


def test_nothing_in_a_package_knows_the_place_the_clock_or_the_machine(sc, film, tmp_path):
    copy = shutil.copytree(film, tmp_path / "elsewhere/other")
    package(sc, film, tmp_path / "a.zip", include_source=True)
    package(sc, copy, tmp_path / "b.zip", include_source=True)
    first, second = contents(tmp_path / "a.zip"), contents(tmp_path / "b.zip")
    assert {name for name in first if first[name] != second.get(name)} == set()
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert [name for name, data in first.items() if str(tmp_path).encode() in data] == []


def test_the_description_is_the_same_with_and_without_source(sc, film, tmp_path):
    package(sc, film, tmp_path / "a.zip", include_source=True)
    package(sc, film, tmp_path / "b.zip")
    name = "data/storycore/metadata.json"
    assert contents(tmp_path / "a.zip")[name] == contents(tmp_path / "b.zip")[name]


@pytest.mark.parametrize(
    "switches", [{}, {"include_source": True}, {"include_assets": False}, {"include_reports": False}]
)
def test_a_plan_names_the_files_that_a_package_then_holds(sc, film, tmp_path, switches):
    plan = sc.run(PlanRequest(project_path=str(film), **switches))
    result = package(sc, film, tmp_path / "a.zip", **switches)
    packed = [(file.path, file.size_bytes, file.role) for file in result.files if file.role != "generated"]
    assert [(file.path, file.size_bytes, file.role) for file in plan.files] == packed
    assert (plan.total_size_bytes, plan.files_included) == (sum(size for _, size, _ in packed), len(packed))


def test_a_plan_tells_what_is_missing_and_writes_nothing(sc, film):
    (film / "assets/images/promoted/panel_02_promoted.png").unlink()
    (film / "link.png").symlink_to("/etc/passwd")
    before = snapshot(film)
    plan = sc.run(PlanRequest(project_path=str(film)))
    assert (plan.missing, plan.shots, plan.duration_seconds) == (
        ["assets/images/promoted/panel_02_promoted.png"],
        3,
        6.0,
    )
    assert [(odd.file, odd.reason) for odd in plan.skipped] == [("link.png", "link")]
    assert {file.sha256 for file in plan.files} == {""}
    assert (snapshot(film), (film / "exports").exists()) == (before, False)


def test_a_stream_tells_the_same_and_stores_nothing(sc, film, tmp_path):
    sink, before = io.BytesIO(), snapshot(film)
    streamed = sc.stream(PackageRequest(project_path=str(film)), sink)
    (tmp_path / "s.zip").write_bytes(sink.getvalue())
    listed = subprocess.run(["sha256sum", tmp_path / "s.zip"], capture_output=True, text=True).stdout.split()[0]
    assert (streamed.export_path, streamed.checksum) == ("", f"sha256:{listed}")
    assert streamed.files == package(sc, film, tmp_path / "a.zip").files
    assert snapshot(film) == before


def test_an_earlier_export_is_never_packed(sc, film):
    first, second = package(sc, film), package(sc, film)
    assert (first.manifest, first.checksum) == (second.manifest, second.checksum)


def test_an_output_that_exists_is_kept(sc, film, tmp_path):
    package(sc, film, tmp_path / "a.zip")
    before = (tmp_path / "a.zip").read_bytes()
    with pytest.raises(Conflict):
        package(sc, film, tmp_path / "a.zip", compression_level=0)
    assert (tmp_path / "a.zip").read_bytes() == before


@pytest.mark.parametrize("out", ["project.json", "assets/out", "."])
def test_results_do_not_go_among_the_sources(sc, film, out):
    before = snapshot(film)
    with pytest.raises(InvalidInput):
        package(sc, film, film / out)
    assert snapshot(film) == before


def test_a_file_in_the_way_of_the_output_is_told(sc, film, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput):
        package(sc, film, tmp_path / "file/deeper")


def test_exports_that_lead_elsewhere_are_not_followed(sc, film, tmp_path):
    (tmp_path / "other").mkdir()
    (film / "exports").symlink_to(tmp_path / "other")
    with pytest.raises(AccessDenied):
        package(sc, film)
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize("step", ["packing", "checking"])
def test_a_cancelled_package_leaves_the_project_as_it_was(sc, film, step):
    before = snapshot(film)
    progress = Progress(lambda report: progress.cancel() if report.step == step else None, interval_seconds=0)
    with pytest.raises(Conflict):
        sc.run(PackageRequest(project_path=str(film)), progress=progress)
    assert (snapshot(film), (film / "exports").exists()) == (before, False)


def test_progress_ends_with_the_result(sc, film, tmp_path):
    reports = []
    sc.run(PackageRequest(project_path=str(film), output_path=str(tmp_path)), progress=reports.append)
    assert (reports[-1].fraction, reports[-1].step) == (1.0, "done")


def test_several_formats_stand_beside_each_other(sc, film, tmp_path):
    result = sc.run(FormatRequest(project_path=str(film), target_format="JSON,zip", output_path=str(tmp_path / "out")))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "Little film.json", "Little film.zip", "Little film.zip.c2pa",
    ]  # fmt: skip
    assert [(item.target_format, Path(item.output_path).stat().st_size) for item in result.outputs] == [
        (item.target_format, item.output_size_bytes) for item in result.outputs
    ]
    assert result.output_path == result.outputs[0].output_path
    assert (result.source_format, result.target_format) == ("storycore_project", "json")


def test_the_zip_format_is_the_package(sc, film, tmp_path):
    converted = sc.run(FormatRequest(project_path=str(film), target_format="zip", output_path=str(tmp_path / "a.zip")))
    assert converted.checksum == package(sc, film, tmp_path / "b.zip").checksum


def test_a_refused_conversion_makes_nothing(sc, film):
    for request in (
        {"target_format": "mp5"},
        {"target_format": "json", "conversion_options": {"bitrate": 5}},
        {"target_format": ["zip", "json"], "output_path": "out.zip"},
    ):
        with pytest.raises(InvalidInput):
            sc.run(FormatRequest(project_path=str(film), **request))
    assert not (film / "exports").exists()
    assert list(Path.cwd().iterdir()) == []


def test_a_folder_without_project_json_is_packed_too(sc, tmp_path):
    write_json(tmp_path / "loose/storyboard.json", {"shots": [{"id": "s", "title": "One", "duration": 2}]})
    result = package(sc, tmp_path / "loose", tmp_path / "a.zip")
    assert "storyboard.json" in result.manifest


def test_hostile_files_do_not_stop_a_package(sc, film, tmp_path):
    os.mkfifo(film / "assets/pipe.png")
    (film / "assets/broken.json").write_bytes(b'{"cut')
    (film / "assets/endless").symlink_to(film)
    result = package(sc, film, tmp_path / "a.zip")
    assert "assets/broken.json" in result.manifest
    assert {odd.file for odd in result.skipped} == {"assets/pipe.png", "assets/endless"}


@pytest.mark.parametrize("name", ["compare-demo", "complete_pipeline_test"])
def test_the_samples_are_packed_whole_and_never_changed(sc, samples, tmp_path, name):
    before = snapshot(samples / name)
    result = package(sc, samples / name, tmp_path / "a.zip", include_source=True)
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        file.extractall(tmp_path / "bag")
    (top,) = (tmp_path / "bag").iterdir()
    assert bagit.Bag(str(top)).validate()
    assert set(result.manifest) >= {file for file in before if not file.startswith(".")}
    assert snapshot(samples / name) == before


@pytest.mark.parametrize("name", ['~/$HOME: "50%" \\ CON?', "電影" * 100, "\U0001f3ac" * 200, "..", " ", "nul"])
def test_a_name_of_any_kind_makes_a_file_name(sc, tmp_path, name):
    folder = make_project(tmp_path / "film", name=name)
    result = package(sc, folder, tmp_path / "out")
    assert sc.run(VerifyRequest(package_path=result.export_path)).valid


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such long paths")
def test_what_is_packed_from_the_deepest_folder_is_valid_and_deeper_ones_are_refused(sc, film, tmp_path):
    deepest = film.joinpath("assets", *"d" * 196)
    deepest.mkdir(parents=True)
    (deepest / "take.srt").write_text("")
    result = package(sc, film, tmp_path / "a.zip")
    assert sc.run(VerifyRequest(package_path=result.export_path)).valid
    (deepest / "d").mkdir()
    (deepest / "d/take.srt").write_text("")
    with pytest.raises(InvalidInput, match="assets/d/d/d lies too deep"):
        package(sc, film, tmp_path / "b.zip")


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 6])
def test_an_hour_of_silence_after_a_moment_of_sound_is_valid(sc, film, tmp_path, level):
    sparse(film / "assets/stem.raw", size_bytes=600 * 2**20)
    with (film / "assets/stem.raw").open("r+b") as file:
        file.write(random.Random(1).randbytes(400_000))
    result = package(sc, film, tmp_path / "a.zip", compression_level=level, include_source=True)
    assert "assets/stem.raw" in result.manifest
    assert sc.run(VerifyRequest(package_path=result.export_path)).valid


def test_every_refusal_is_one_of_ours(sc, film, tmp_path):
    for out in ("/proc/x", "/sys/kernel/x", "\0", "~/x", "a" * 300):
        with pytest.raises(StoryCoreError):
            package(sc, film, out)
