"""Films by every surface: rows 6, 7 and 24 of the existing contract, presets, gates, tasks."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from fixtures.films import cached_segments, make_film, see
from fixtures.media_files import film_bytes
from fixtures.programs import storycore
from storycore import FormatRequest, PresetsRequest, StoryCore, TaskListRequest
from storycore.errors import Cancelled, InvalidInput, NotFound, Reason, StoryCoreError
from storycore.observe.progress import Progress
from storycore.operations.conversion import ShotPart

TINY = {"width": 64, "height": 36}


def post(server, name, **fields):
    return httpx.post(f"{server}/v1/{name}", json=fields, timeout=120).json()


def bare(films):
    folder = films / "bare"
    folder.mkdir()
    (folder / "project.json").write_text('{"name": "test"}')
    return folder


def test_a_project_without_media_becomes_an_mp4_with_measured_facts(server, films):
    bare(films)
    told = post(server, "storycore.export.format", project_path="bare", target_format="MP4", conversion_options=TINY)
    assert told["status"] == "success", told
    data = told["data"]
    assert (data["target_format"], data["source_format"]) == ("mp4", "storycore_project")
    assert data["quality_metrics"]["resolution"] == "64x36"
    assert data["quality_metrics"]["fps"] == 24
    assert data["quality_metrics"]["codec"] == "h264"
    assert data["quality_metrics"]["bitrate"].endswith("kbps")
    assert [entry["reason"] for entry in data["warnings"] if entry["reason"] == "nothing_to_show"]
    assert len(see(data["output_path"]).frames) == 48


@pytest.mark.parametrize("name", ["wav", "mp3"])
def test_a_project_without_media_becomes_sound_with_measured_facts(server, films, name):
    bare(films)
    data = post(server, "storycore.export.format", project_path="bare", target_format=name)["data"]
    assert data["quality_metrics"]["sample_rate"] == "48000Hz"
    assert data["quality_metrics"]["channels"] == "stereo"


def test_strict_refuses_it(server, films):
    bare(films)
    told = post(server, "storycore.export.format", project_path="bare", target_format="mp4",
                conversion_options={"strict": True})  # fmt: skip
    assert (told["status"], told["error"]["code"]) == ("error", "NOT_FOUND")


def test_neither_a_format_nor_a_preset_is_a_missing_field(server, film):
    told = post(server, "storycore.export.format", project_path="little")
    assert told["error"]["code"] == "VALIDATION_ERROR"
    assert told["error"]["details"]["missing_fields"] == ["target_format"]


def test_named_shots_are_shown_instead_of_the_projects_own(tmp_path):
    clip = film_bytes("mp4", video="libx264", frames=48)
    folder = make_film(tmp_path / "film", {"colour": "red"}, {"clip": clip})
    shots = [{"path": "assets/clip_2.mp4", "in_point": 0.5, "out_point": 1.0},
             {"path": "assets/colour_1.png", "out_point": 0.25}, {"path": "assets/clip_2.mp4"}]  # fmt: skip
    with StoryCore() as sc:
        made = sc.run(
            FormatRequest(project_path=str(folder), target_format="mp4", shots=shots, conversion_options=TINY)
        )
    assert len(see(made.output_path).frames) == 12 + 6 + 48


def test_a_shot_that_is_shorter_than_a_frame_is_told(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"}, {"colour": "blue", "duration": 0.001})
    with StoryCore() as sc:
        made = sc.run(FormatRequest(project_path=str(folder), target_format="mp4", conversion_options=TINY))
    told = [warning.message for warning in made.warnings if warning.reason == "shot_too_short"]
    assert len(told) == 1
    assert told[0].startswith("A shot is shorter than a frame (0.0417 s) and not seen: ")


def test_an_option_that_is_misspelled_is_told_with_the_nearest(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    asked = FormatRequest(project_path=str(folder), target_format="mp4", conversion_options={"wdith": 3})
    with StoryCore() as sc, pytest.raises(InvalidInput, match="'wdith'; did you mean width"):
        sc.run(asked)


@pytest.mark.parametrize(
    ("name", "option", "why"),
    [
        ("mov", {"crf": 20}, "ProRes 422 HQ has no crf: its quality is fixed."),
        ("mkv", {"bitrate_bps": 5_000_000}, "FFV1 takes no bitrate_bps: its rate follows from the picture."),
    ],
)
def test_an_option_that_the_codec_does_not_know_is_refused_alike_by_http_and_on_the_command_line(
    server, films, name, option, why
):
    ((key, value),) = option.items()
    folder = bare(films)
    told = post(server, "storycore.export.format", project_path="bare", target_format=name, conversion_options=option)
    message = f"conversion_options.{key}: {why}"
    assert (told["error"]["message"], told["error"]["details"]["reason"]) == (message, "out_of_range")
    run = storycore("export", "format", "bare", "-t", name, "-O", f"{key}={value}", "--json", cwd=films)
    assert run.returncode == 2
    assert json.loads(run.stdout)["error"]["message"] == message
    assert not (folder / "exports").exists()
    with StoryCore() as core:
        assert core.run(TaskListRequest()).items == [], "it is refused before it is accepted"


def test_what_is_odd_about_shots_that_are_not_shown_is_not_told(tmp_path):
    folder = make_film(
        tmp_path / "film", {"colour": "red"}, {"image": "assets/lost.png", "transition": "melt"}, schema_version="odd"
    )
    asked = FormatRequest(project_path=str(folder), target_format="mp4", conversion_options=TINY)
    named = asked.model_copy(update={"shots": [ShotPart(path="assets/colour_1.png", out_point=0.25)]})
    with StoryCore() as sc:
        whole, part = (
            [warning.reason for warning in sc.run(request).warnings]
            for request in (asked, named.model_copy(update={"output_path": str(tmp_path / "part")}))
        )
    assert {"media_missing", "transition_unknown", "version_odd"} <= set(whole)
    assert "version_odd" in part
    assert {"media_missing", "transition_unknown"}.isdisjoint(part)


@pytest.mark.parametrize(
    ("shot", "reason"),
    [({"path": "../x.png"}, "path_invalid"), ({"path": "none.mp4"}, "file_not_found"),
     ({"path": "project.json"}, "media_invalid"),
     ({"path": "assets/colour_1.png", "in_point": 3, "out_point": 1}, "out_of_range")],
)  # fmt: skip
def test_shots_that_can_not_be_shown_are_refused(tmp_path, shot, reason):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    with StoryCore() as sc, pytest.raises(StoryCoreError) as fault:
        sc.run(FormatRequest(project_path=str(folder), target_format="mp4", shots=[shot]))
    assert fault.value.reason == reason
    assert not (folder / "exports").exists()


def test_a_part_that_begins_behind_the_end_of_its_clip_is_refused_with_the_length_of_that(tmp_path):
    clip = film_bytes("mp4", video="libx264", frames=48)
    folder = make_film(tmp_path / "film", {"colour": "red"}, {"clip": clip})
    asked = FormatRequest(
        project_path=str(folder), target_format="mp4", shots=[{"path": "assets/clip_2.mp4", "in_point": 90}]
    )
    with StoryCore() as sc, pytest.raises(InvalidInput) as fault:
        sc.run(asked)
    assert fault.value.message == "assets/clip_2.mp4 lasts 2.0 s; its part can't begin at 90 s."
    assert [it.pointer for it in fault.value.errors] == ["/shots/0/in_point"]


def test_a_picture_lasts_five_seconds_from_any_in_point(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    shots = [{"path": "assets/colour_1.png", "in_point": 7}]
    with StoryCore() as sc:
        told = sc.run(
            FormatRequest(project_path=str(folder), target_format="mp4", shots=shots, conversion_options=TINY)
        )
    assert len(see(told.output_path).frames) == 5 * 24


def test_a_preset_makes_what_it_says_and_its_gates_hold(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    run = storycore("export", "format", "film", "--preset", "draft", "-o", "out", "--json", cwd=tmp_path)
    data = json.loads(run.stdout)["data"]
    assert (run.returncode, data["target_format"]) == (0, "mp4"), run.stderr
    assert data["quality_metrics"]["resolution"] == "854x480"
    assert [gate["passed"] for gate in data["quality_gates"]] == [True, True]
    assert folder.is_dir()


def test_a_gate_that_fails_is_told_and_is_no_success(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    (folder / "presets").mkdir()
    (folder / "presets/tall.toml").write_text(
        'title = "Tall"\nformats = ["mp4"]\ndate = 2026-01-01\n[options]\nwidth = 64\nheight = 36\n'
        '[[gates]]\nfigure = "height"\nequals = 99\n'
    )
    run = storycore("export", "format", "film", "--preset", "tall", "-o", "out", cwd=tmp_path)
    assert run.returncode == 1
    assert "the height of the picture is 36 px, and must be 99 px" in run.stdout


def test_a_silent_film_misses_no_loudness(tmp_path):
    make_film(tmp_path / "film", {"colour": "red"})
    run = storycore("export", "format", "film", "--preset", "youtube-720p", "-o", "out", "--json", cwd=tmp_path)
    gates = {gate["figure"]: gate["message"] for gate in json.loads(run.stdout)["data"]["quality_gates"]}
    assert run.returncode == 0, gates
    assert gates["integrated_loudness"] == "the loudness: there is none, nothing is heard"
    assert gates["edit_lists"] == "the number of edit list entries is 0 entries"


def test_presets_of_the_project_go_before_ours(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    (folder / "presets").mkdir()
    (folder / "presets/draft.toml").write_text('title = "Mine"\nformats = ["webm"]\ndate = 2026-01-01\n')
    with StoryCore() as sc:
        ours = {item.name: item for item in sc.run(PresetsRequest()).items}
        found = {item.name: item for item in sc.run(PresetsRequest(project_path=str(folder))).items}
    assert (ours["draft"].origin, found["draft"].origin, found["draft"].title) == ("storycore", "project", "Mine")
    assert set(ours) == set(found)
    assert {item.date for item in ours.values()} != {""}


@pytest.mark.parametrize("text", ["title = ", 'title = "x"\nformats = []\ndate = 2026-01-01', "a = 1", "\xff"])
def test_a_preset_that_is_none_is_told_by_name(tmp_path, text):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    (folder / "presets").mkdir()
    (folder / "presets/odd.toml").write_bytes(text.encode("latin-1"))
    with StoryCore() as sc, pytest.raises(InvalidInput, match=r"odd\.toml") as fault:
        sc.run(FormatRequest(project_path=str(folder), preset="odd"))
    assert fault.value.reason is Reason.PRESET_INVALID


PRESET = 'title = "x"\nformats = ["mp4"]\ndate = 2026-01-01\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'{PRESET}[[gates]]\nfigure = "hight"\nequals = 9',
         "gate 1: there is no figure 'hight'; did you mean height?"),
        (f'{PRESET}[[gates]]\nfigure = "height"\nat_lest = 9',
         "gate 1: there is no key 'at_lest'; did you mean at_least?"),
        (f"{PRESET}[[gate]]\nx = 1", "there is no key 'gate'; did you mean gates?"),
        (f"{PRESET}[options]\nwidht = 64", "options: there is no option 'widht'; did you mean width?"),
        (f"{PRESET}[options_of.mp4]\nwidht = 64", "options_of.mp4: there is no option 'widht'; did you mean width?"),
        (f"{PRESET}[options_of.webm]\nwidth = 64", "options_of: there is no format here 'webm'"),
        (PRESET.replace("mp4", "mp5"), "formats: there is no format 'mp5'; did you mean mp4?"),
        (f'{PRESET}[[gates]]\nfigure = "ssim"\nat_least = 0.9', 'ssim is measured only with measure = "full"'),
        ("a = " + "[" * 30_000, "can't be read"),
    ],
)  # fmt: skip
def test_a_misspelt_preset_is_refused_with_what_was_meant(tmp_path, text, message):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    (folder / "presets").mkdir()
    (folder / "presets/odd.toml").write_text(text)
    for request in (
        FormatRequest(project_path=str(folder), preset="odd"),
        PresetsRequest(project_path=str(folder)),
    ):
        with StoryCore() as sc, pytest.raises(InvalidInput) as fault:
            sc.run(request)
        assert message in fault.value.message
        assert fault.value.reason is Reason.PRESET_INVALID
    assert not (folder / "exports").exists()


def test_a_broken_preset_does_not_stand_in_the_way_of_others(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 0.2})
    (folder / "presets").mkdir()
    (folder / "presets/odd.toml").write_text("a =")
    with StoryCore() as sc:
        assert sc.run(FormatRequest(project_path=str(folder), preset="draft")).verdict


def test_a_preset_that_is_not_there_is_refused_with_those_there_are(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    with StoryCore() as sc, pytest.raises(NotFound, match="youtube-1080p"):
        sc.run(FormatRequest(project_path=str(folder), preset="vhs"))


def test_a_cancelled_film_stops_at_once_and_leaves_nothing(tmp_path):
    folder = make_film(tmp_path / "film", *({"colour": (n, 90, 20), "camera": "pan", "duration": 4} for n in range(30)))
    others = _children()  # servers and browsers of other tests
    progress = Progress(interval_seconds=0)
    drawn = threading.Event()
    progress.listen(lambda _: drawn.set() if cached_segments() else None)
    request = FormatRequest(project_path=str(folder), target_format="mp4", output_path=str(tmp_path / "out"))
    with StoryCore() as sc, ThreadPoolExecutor() as pool:
        future = pool.submit(sc.run, request, progress=progress)
        assert drawn.wait(60)
        begun = time.monotonic()
        progress.cancel()
        with pytest.raises(Cancelled, match="no file was made, and the next try goes on with the parts"):
            future.result(60)
    assert time.monotonic() - begun < 20
    assert not (tmp_path / "out").exists()
    assert _children() <= others


def _children():
    return {child for child in psutil.Process().children(recursive=True) if child.status() != "zombie"}
