"""What a conversion would make, told beforehand, against what it then makes."""

import json
from pathlib import Path

import pytest

from fixtures.films import cached_segments, make_film
from fixtures.programs import storycore
from fixtures.projects import snapshot
from storycore import FormatRequest, PlanRequest, StoryCore
from storycore.errors import InvalidInput, Reason

SHOTS = [
    {"colour": (200, 30, 30), "duration": 2, "transition": "dissolve", "transition_duration": 0.5, "title": "Red"},
    {"colour": (30, 160, 30), "duration": 1, "title": "Green"},
]
SMALL = {"width": 160, "height": 90}


@pytest.fixture
def film(tmp_path):
    return make_film(tmp_path / "film", *SHOTS)


@pytest.fixture
def sc():
    with StoryCore() as opened:
        yield opened


def told(sc, film, targets, **options):
    return sc.run(PlanRequest(project_path=str(film), target_format=targets, conversion_options=options)).outputs


def test_a_film_is_as_its_plan_said_and_the_plan_wrote_nothing(sc, film, tmp_path):
    before = snapshot(tmp_path)
    planned = told(sc, film, "mp4,wav,srt", **SMALL)
    assert snapshot(tmp_path) == before
    assert cached_segments() == {}
    assert [item.file_name for item in planned] == ["Small.mp4", "Small.wav", "Small.srt"]
    assert (planned[0].segments, planned[0].segments_found, planned[0].frames_to_render) == (3, 0, 60)
    made = sc.run(
        FormatRequest(
            project_path=str(film), target_format="mp4,wav,srt", output_path=str(tmp_path / "out"),
            conversion_options=SMALL,
        )
    ).outputs  # fmt: skip
    assert [Path(item.output_path).name for item in made] == [item.file_name for item in planned]
    metrics = made[0].quality_metrics
    assert (planned[0].frames, planned[0].duration_seconds) == (
        metrics["frames"]["value"],
        metrics["duration"]["value"],
    )
    assert planned[1].estimated_size_bytes == pytest.approx(made[1].output_size_bytes, rel=0.01)
    after = told(sc, film, "mp4", **SMALL, audio_codec="none")[0]
    assert (after.segments_found, after.frames_to_render) == (3, 0)
    assert after.estimated_from == "what of it was rendered before"
    assert 0.5 < after.estimated_size_bytes / made[0].output_size_bytes < 2


def test_one_changed_shot_is_what_is_left_to_render(sc, film, tmp_path):
    sc.run(FormatRequest(project_path=str(film), target_format="mp4", output_path=str(tmp_path / "out"),
                         conversion_options=SMALL))  # fmt: skip
    make_film(film, SHOTS[0], {**SHOTS[1], "colour": (10, 20, 200)})
    planned = told(sc, film, "mp4", **SMALL)[0]
    assert (planned.segments, planned.segments_found, planned.frames_to_render) == (3, 1, 24)


def test_each_shot_and_each_size_is_counted(sc, film):
    planned = told(sc, film, "mp4", per_shot=True, naming="{number}_{shot}", **SMALL)
    assert [(item.file_name, item.frames) for item in planned] == [("01_Red.mp4", 48), ("02_Green.mp4", 24)]
    (stream,) = told(sc, film, "hls", sizes=[144], width=320, height=180)
    assert (stream.frames, stream.frames_to_render) == (60, 120)


def test_what_a_conversion_refuses_its_plan_refuses(sc, film):
    for options in ({"naming": "{nope}"}, {"width": 161}, {"per_shot": True, "naming": "{title}"}):
        with pytest.raises(InvalidInput) as fault:
            told(sc, film, "mp4", **options)
        assert fault.value.reason is Reason.OUT_OF_RANGE
    with pytest.raises(InvalidInput, match="conversion_options are of formats"):
        sc.run(PlanRequest(project_path=str(film), conversion_options={"crf": 3}))


def test_a_dry_run_of_a_conversion_is_its_plan(film, tmp_path):
    asked = ("film", "--to", "mp4", "-O", "width=160", "-O", "height=90")
    run = storycore("export", "format", *asked, "--dry-run", "--json", cwd=tmp_path)
    assert [item["frames"] for item in json.loads(run.stdout)["data"]["outputs"]] == [60]
    shown = storycore("export", "plan", *asked, cwd=tmp_path)
    assert "Small.mp4" in shown.stdout
    assert "160×90 · 24 fps" in shown.stdout
    assert not (film / "exports").exists()


@pytest.mark.parametrize("switches", [{}, {"include_assets": False, "include_source": True}])
def test_the_plan_of_a_package_among_formats_names_its_files(sc, film, switches):
    (film / "scripts").mkdir()
    (film / "scripts/cut.py").write_text("pass")
    asked = PlanRequest(project_path=str(film), target_format="srt,zip", conversion_options=switches)
    planned, alone = sc.run(asked), sc.run(PlanRequest(project_path=str(film), **switches))
    assert [item.file_name for item in planned.outputs] == ["Small.srt", "Small.zip"]
    assert planned.files == alone.files != []
    assert (planned.files_included, planned.total_size_bytes) == (alone.files_included, alone.total_size_bytes)
    assert told(sc, film, "srt") == planned.outputs[:1]


def test_a_dry_run_of_a_package_as_a_format_shows_what_it_holds(film, tmp_path):
    shown = storycore("export", "format", "film", "--to", "zip", "--dry-run", cwd=tmp_path).stdout
    assert all(word in shown for word in ("Small.zip", "media", "project", "all"))


def test_shots_that_a_request_names_are_planned(sc, film):
    shots = [{"path": "assets/colour_2.png", "out_point": 3}]
    plan = sc.run(PlanRequest(project_path=str(film), target_format="mp4", shots=shots, conversion_options=SMALL))
    assert [item.frames for item in plan.outputs] == [72]
