"""A whole delivery by one command, one request and one call; judged by readers that are not ours."""

import hashlib
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import bagit
import httpx
import opentimelineio as otio
import pypdf
import pysubs2
import pytest

from fixtures.deliveries import part, write_template
from fixtures.films import see
from fixtures.programs import storycore
from fixtures.servers import serving
from fixtures.sounds import make_sound_project, save, tone, track
from storycore import DeliverRequest, PlanRequest, PresetsRequest, Progress, Settings, StoryCore
from storycore.errors import Conflict, InvalidInput, NotFound, Reason, StoryCoreError
from storycore.operations.event import EventListRequest

TINY = {"width": 160, "height": 90, "effort": "fast"}
FESTIVAL = [
    "Captions/Sounding.srt", "Captions/Sounding.vtt", "Documents/Sounding_report.pdf",
    "Documents/Sounding_storyboard.pdf", "Master/Sounding_master.mov", "Package/Sounding.zip",
    "Screener/Sounding_screener.mp4", "Sound/Sounding.stems.zip", "Stills/Sounding.png", "Stills/Sounding.sheet.png",
    "checksums-sha256.txt",
]  # fmt: skip


def make(folder):
    """Half a second a shot, with words and a sound."""
    save(folder / "tone.wav", tone(seconds=1, level=0.1))
    shot = {"duration": 0.5, "camera": "pan"}
    return make_sound_project(
        folder, {**shot, "dialogue": "Who is there?", "audioTracks": [track("tone.wav")]}, {**shot, "duration": 0.5}
    )


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def events():
    with StoryCore() as sc:
        return [(it.event_type, it.data) for it in sc.run(EventListRequest(limit=200)).items]


@pytest.fixture(scope="module")
def festival(tmp_path_factory):
    """A festival delivery, made once; the result, what was told while it was made, and the project."""
    place = tmp_path_factory.mktemp("festival")
    folder, steps = make(place / "film"), []
    settings = Settings.read(database_url=f"sqlite:///{place / 'storycore.db'}", cache_folder=place / "cache")
    with StoryCore(settings) as sc:
        result = sc.run(
            DeliverRequest(project_path=str(folder), template="festival", conversion_options=TINY),
            progress=lambda report: steps.append((report.step, report.fraction)),
        )
        told = [(it.event_type, it.data) for it in sc.run(EventListRequest(limit=200)).items]
    return result, steps, told


def test_a_delivery_is_a_folder_of_tidy_names(festival):
    result, _, _ = festival
    place = Path(result.delivery_path)
    assert files_in(place) == FESTIVAL == [file.path for file in result.files]
    assert place.parent.name == "exports"
    assert place.name.startswith("festival_")
    assert [path.name for path in place.parent.iterdir()] == [place.name], "nothing hidden is left beside it"
    assert result.verdict


def test_what_is_told_of_each_file_is_what_it_is(festival):
    result, _, _ = festival
    place = Path(result.delivery_path)
    assert {(it.path, it.checksum, it.size_bytes) for it in result.files} == {
        (name, f"sha256:{sha256(place / name)}", (place / name).stat().st_size) for name in FESTIVAL
    }
    assert result.total_size_bytes == sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    assert {(it.path, it.checksum) for it in result.outputs} < {(it.path, it.checksum) for it in result.files}
    assert [part.state for part in result.parts] == ["made"] * 8
    assert {artifact.path for artifact in result.artifacts()} == {str(place / name) for name in FESTIVAL}


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_sha256sum_accepts_the_list_from_outside_and_the_one_in_the_package(festival, tmp_path):
    place = Path(festival[0].delivery_path)
    with zipfile.ZipFile(place / "Package/Sounding.zip") as package:
        inner = package.read("Sounding/data/storycore/delivery/checksums-sha256.txt")
    (tmp_path / "inner.txt").write_bytes(inner)
    for listed in ("checksums-sha256.txt", tmp_path / "inner.txt"):
        command = ["sha256sum", "--strict", "-c", str(listed)]
        run = subprocess.run(command, cwd=place, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
    apart = {"checksums-sha256.txt", "Package/Sounding.zip"}
    assert sorted(line[66:] for line in inner.decode().splitlines()) == [it for it in FESTIVAL if it not in apart]


def test_the_package_is_a_bag_that_holds_the_report(festival, tmp_path):
    place = Path(festival[0].delivery_path)
    with zipfile.ZipFile(place / "Package/Sounding.zip") as package:
        package.extractall(tmp_path)
    assert bagit.Bag(str(tmp_path / "Sounding")).is_valid()
    held = tmp_path / "Sounding/data/storycore/delivery/Sounding_report.pdf"
    assert held.read_bytes() == (place / "Documents/Sounding_report.pdf").read_bytes()
    crate = json.loads((tmp_path / "Sounding/data/ro-crate-metadata.json").read_text())
    kinds = {it["@id"]: it.get("encodingFormat") for it in crate["@graph"]}
    assert kinds["storycore/delivery/Sounding_report.pdf"] == "application/pdf"
    assert kinds["storycore/delivery/checksums-sha256.txt"] == "text/plain"


def test_the_report_tells_of_every_file_that_was_made_before_it(festival):
    place = Path(festival[0].delivery_path)
    pages = pypdf.PdfReader(place / "Documents/Sounding_report.pdf").pages
    text = "".join("".join(page.extract_text() for page in pages).split())
    for name in FESTIVAL:
        if name.startswith(("Master", "Screener", "Sound", "Captions", "Stills")):
            assert name in text
            assert sha256(place / name) in text
    assert "Thenumberofframesis24frames:withintarget✓passed" in text


def test_the_films_are_the_film(festival):
    place = Path(festival[0].delivery_path)
    master, screener = see(place / "Master/Sounding_master.mov"), see(place / "Screener/Sounding_screener.mp4")
    assert (len(master.frames), master.codec, master.pixels) == (24, "prores", "yuv422p10le")
    assert (len(screener.frames), screener.codec, screener.pixels) == (24, "h264", "yuv420p")
    assert [line.text for line in pysubs2.load(str(place / "Captions/Sounding.srt"))] == ["Who is there?"]


def test_each_frame_is_rendered_once_and_each_part_is_told_by_its_number(festival):
    _, steps, _ = festival
    names = list(dict.fromkeys(step for step, _ in steps))
    assert "2 films: rendering" in names
    assert [name for name in names if name.startswith(("Master", "Screener")) and "rendering" in name] == []
    assert "Screener (2 of 8): joining" in names
    assert "Package (8 of 8): checking" in names
    shares = [share for _, share in steps]
    assert shares == sorted(shares)
    assert steps[-1] == ("done", 1.0)


def test_a_delivery_is_told_as_a_pipeline_with_its_gates(festival):
    result, _, told = festival
    kinds = [kind for kind, _ in told]
    assert kinds[:2] == ["pipeline.started", "pipeline.completed"]
    assert set(kinds[2:]) == {"qa.completed"}
    started, completed = told[0][1], told[1][1]
    names = ["master", "screener", "stems", "captions", "storyboard", "stills", "report", "package"]
    assert (started["pipeline"], started["steps"]) == ("deliver festival", names)
    assert (completed["pipeline"], completed["steps"]) == ("deliver festival", names)
    assert [it["checksum"] for it in completed["outputs"]] == [it.checksum for it in result.outputs]
    assert {data["subject"] for _, data in told[2:]} == {it.output_path for it in result.outputs if it.quality_gates}


def test_a_dry_run_names_what_is_made_then(festival):
    result, _, _ = festival
    folder = str(Path(result.delivery_path).parents[1])
    with StoryCore() as sc:
        plan = sc.run(PlanRequest(project_path=folder, template="festival", conversion_options=TINY))
        with pytest.raises(InvalidInput, match="can't be given beside it"):
            sc.run(PlanRequest(project_path=folder, template="festival", preset="web"))
    assert [(it.part, it.file_name) for it in plan.outputs] == [(it.part, it.path) for it in result.outputs]
    assert [it.frames for it in plan.outputs[:2]] == [24, 24]


def test_a_failed_gate_is_told_in_words_and_exits_with_one(tmp_path):
    folder = make(tmp_path / "film")
    gate = '[{ figure = "integrated_loudness", at_least = -5.0 }]'
    write_template(folder, part("sound", "wav", gates=gate) + part("data", "json"))
    run = storycore("export", "deliver", "film", "-t", "mine", "-o", "out", cwd=tmp_path)
    assert run.returncode == 1, run.stderr
    assert "✗ Delivered, but not as the template asks · mine" in run.stdout
    assert "loudness is -" in " ".join(run.stdout.split())
    assert "and must be at least -5 LUFS" in " ".join(run.stdout.split())
    assert max(map(len, run.stdout.splitlines()[:-2])) <= 80
    assert files_in(tmp_path / "out") == ["Sounding.json", "Sounding.wav", "checksums-sha256.txt"]
    kinds = [kind for kind, _ in events()]
    assert kinds == ["pipeline.started", "pipeline.completed", "qa.failed"]


def test_a_part_that_fails_is_named_and_nothing_of_the_delivery_is_left(tmp_path):
    folder = make(tmp_path / "film")
    write_template(folder, part("data", "json") + part("board", "pdf", options='{ template = "missing.typ" }'))
    with StoryCore() as sc, pytest.raises(StoryCoreError) as fault:
        sc.run(DeliverRequest(project_path=str(folder), template="mine", output_path=str(tmp_path / "new/out")))
    assert fault.value.message.startswith("Board: ")
    assert not (tmp_path / "new").exists()
    (started, failed) = events()
    assert (started[0], failed[0]) == ("pipeline.started", "pipeline.failed")
    assert (failed[1]["step"], failed[1]["error"]["reason"]) == ("board", fault.value.reason)


def test_a_key_that_can_not_sign_is_told_before_anything_is_rendered(tmp_path):
    folder, steps = make(tmp_path / "film"), []
    write_template(folder, part("film", "mp4", options='{ credentials = "always" }'))
    none = tmp_path / "none.pem"
    with (
        StoryCore(Settings.read(signing_certificate=none, signing_key_file=none)) as sc,
        pytest.raises(StoryCoreError, match=r"^Film: none\.pem can't be read") as fault,
    ):
        sc.run(DeliverRequest(project_path=str(folder), template="mine"), progress=lambda it: steps.append(it.step))
    assert fault.value.details["part"] == "film"
    assert not any("rendering" in step for step in steps)


@pytest.mark.parametrize("there", ["file", "folder", "exports"])
def test_nothing_is_written_over(tmp_path, there):
    folder = make(tmp_path / "film")
    target = folder / "exports" if there == "exports" else tmp_path / "out"
    if there == "folder":
        target.mkdir()
    elif there == "file":
        target.write_text("mine")
    with StoryCore() as sc, pytest.raises((Conflict, InvalidInput)) as fault:
        sc.run(DeliverRequest(project_path=str(folder), template="festival", output_path=str(target)))
    assert fault.value.reason is (Reason.PATH_INVALID if there == "exports" else Reason.OUTPUT_EXISTS)
    assert there != "file" or target.read_text() == "mine"
    assert there != "folder" or not list(target.iterdir())
    assert events() == [], "it is refused before it is accepted"


def test_what_is_asked_for_wrongly_is_refused_before_it_is_accepted(tmp_path):
    folder = str(make(tmp_path / "film"))
    with StoryCore() as sc:
        for error, request in (
            (NotFound, {"project_path": str(tmp_path / "none"), "template": "nope"}),
            (NotFound, {"project_path": folder, "template": "nope"}),
            (InvalidInput, {"project_path": folder, "template": "festival", "conversion_options": {"colour": 1}}),
            (InvalidInput, {"project_path": folder, "template": "../festival"}),
            (InvalidInput, {"project_path": folder, "template": "festival", "output_path": f"{folder}/assets/x"}),
        ):
            with pytest.raises(error):
                sc.run(DeliverRequest(**request))
    assert events() == []
    assert not (tmp_path / "film/exports").exists()


def test_who_stops_it_finds_nothing_of_it(tmp_path):
    folder = make(tmp_path / "film")
    with StoryCore() as sc:
        progress = Progress(interval_seconds=0)
        progress.listen(lambda report: progress.cancel() if report.step.startswith("Screener") else None)
        with pytest.raises(Conflict) as fault:
            sc.run(
                DeliverRequest(project_path=str(folder), template="festival", conversion_options=TINY),
                progress=progress,
            )
    assert fault.value.reason is Reason.CANCELLED
    assert not (folder / "exports").exists()
    assert fault.value.message.startswith("Stopped on request; no file was made")
    (started, failed) = events()
    assert (started[0], failed[0]) == ("pipeline.started", "pipeline.failed")
    assert (failed[1]["step"], failed[1]["error"]["reason"]) == ("", "cancelled")


def test_a_film_without_words_or_sound_is_delivered_without_them_and_that_is_told(tmp_path):
    folder = make_sound_project(tmp_path / "film", {"duration": 0.25})
    optional = (part(name, name, optional="true") for name in ("srt", "stems"))
    write_template(folder, "".join(optional) + part("data", "csv"))
    run = storycore("export", "deliver", "film", "-t", "mine", "-o", "out", "--json", cwd=tmp_path)
    data = json.loads(run.stdout)["data"]
    assert (run.returncode, files_in(tmp_path / "out")) == (0, ["Sounding.csv", "checksums-sha256.txt"])
    assert [(part["name"], part["state"], part["messages"]) for part in data["parts"]] == [
        ("srt", "left_out", ["The film has no words to caption."]),
        ("stems", "left_out", ["The film has no sound."]),
        ("data", "made", []),
    ]
    assert [it["reason"] for it in data["warnings"]] == ["part_left_out"] * 2


def test_two_deliveries_of_one_moment_have_places_of_their_own(tmp_path, monkeypatch):
    folder = make(tmp_path / "film")
    write_template(folder, part("data", "json"))
    monkeypatch.setattr("storycore.operations.film_delivery.stamp", lambda _instant: "now")
    with StoryCore() as sc:
        made = [sc.run(DeliverRequest(project_path=str(folder), template="mine")) for _ in range(2)]
    assert [Path(it.delivery_path).name for it in made] == ["mine_now", "mine_now_2"]


def test_it_is_made_over_http_and_fetched_whole(films, tmp_path):
    folder = make(films / "film")
    write_template(
        folder, part("data", "json", "csv", folder='"Lists/All"') + part("words", "srt", folder='"Captions"')
    )
    expected = ["Captions/Sounding.srt", "Lists/All/Sounding.csv", "Lists/All/Sounding.json", "checksums-sha256.txt"]
    with serving(films) as url:
        body = {"project_path": "film", "template": "mine"}
        told = httpx.post(f"{url}/v1/storycore.export.deliver", json=body, timeout=60).json()
        assert told["status"] == "success", told
        assert files_in(Path(told["data"]["delivery_path"])) == expected
        with StoryCore(server=url) as sc:
            request = DeliverRequest(project_path=str(folder), template="mine", output_path=str(tmp_path / "here"))
            result = sc.run(request)
            with pytest.raises(Conflict):
                sc.run(request)
    assert (result.delivery_path, files_in(tmp_path / "here")) == (str(tmp_path / "here"), expected)
    assert {it.output_path: it.checksum for it in result.outputs} == {
        str(tmp_path / "here" / name): f"sha256:{sha256(tmp_path / 'here' / name)}" for name in expected[:3]
    }
    assert result.checksums_path == str(tmp_path / "here/checksums-sha256.txt")


def test_an_editor_is_handed_one_set_of_clips_for_all_timelines(tmp_path):
    folder = make(tmp_path / "film")
    with StoryCore() as sc:
        small = {"width": 160, "height": 90}
        request = DeliverRequest(project_path=str(folder), template="editor", conversion_options=small)
        made = sc.run(request)
        with pytest.raises(InvalidInput) as fault:
            options = {**small, "links": "absolute"}
            sc.run(DeliverRequest(project_path=str(folder), template="editor", conversion_options=options))
    assert fault.value.details["part"] == "edit"
    place = Path(made.delivery_path)
    names = files_in(place / "Edit")
    media = ["media/001_Shot_1.mov", "media/002_Shot_2.mov", "media/sound_sfx.wav"]
    assert [name for name in names if "/" in name] == media
    assert {Path(name).suffix for name in names} == {".xml", ".fcpxml", ".edl", ".otio", ".mov", ".wav"}
    assert {it.path: it.checksum for it in made.files} == {
        name: f"sha256:{sha256(place / name)}" for name in files_in(place)
    }
    timeline = otio.adapters.read_from_file(str(place / "Edit/Sounding.otio"))
    clips = [clip for track in timeline.video_tracks() for clip in track.find_clips()]
    links = [clip.media_reference.target_url for clip in clips]
    assert [(place / "Edit" / link).is_file() for link in links] == [True, True]


def test_templates_are_listed_with_what_they_make(tmp_path):
    folder = make(tmp_path / "film")
    write_template(folder, part("data", "json"))
    with StoryCore() as sc:
        found = {it.name: it for it in sc.run(PresetsRequest(project_path=str(folder))).templates}
    assert sorted(found) == ["archive", "editor", "festival", "mine", "social"]
    assert (found["mine"].origin, found["mine"].parts[0].formats) == ("project", ["json"])
    assert [part.preset for part in found["festival"].parts][:2] == ["prores-master", ""]
    run = storycore("export", "presets", cwd=tmp_path)
    assert "storycore export deliver film/ --template NAME" in run.stdout


@pytest.mark.slow
def test_the_sample_is_delivered_to_a_festival(samples, tmp_path):
    options = [word for name, value in TINY.items() for word in ("-O", f"{name}={value}")]
    sample = str(samples / "compare-demo")
    run = storycore("export", "deliver", sample, "--template", "festival", "-o", "out", *options, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "✓ Delivered · festival" in run.stdout
    assert "! Captions" in run.stdout
    place = tmp_path / "out"
    assert len(see(place / "Screener/compare-demo_screener.mp4").frames) == 432
    for line in (place / "checksums-sha256.txt").read_text().splitlines():
        assert sha256(place / line[66:]) == line[:64]
