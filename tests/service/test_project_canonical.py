"""The canonical form keeps its promise, whatever the project is made of."""

import json
import tempfile
from pathlib import Path

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures.reading import SAMPLES, needs_samples, promised, read, read_again, write_json
from fixtures.shapes import SHAPES, write_project
from fixtures.validators import VALIDATORS, faults
from fixtures.wild import wild_project, wild_value
from storycore.errors import StoryCoreError
from storycore.json_text import write
from storycore.project.canonical import canonical, schema
from storycore.project.canonical_original import DEEPEST, beyond
from storycore.project.model import Shape

SCHEMA = jsonschema.Draft202012Validator(schema())
SAMPLE_FILES = ("data_project", "data_demo_scenario_v2", "data_video_timeline_metadata", "timeline_test")


def check(project, folder):
    """All six validators and the schema accept it, and reading it gives the same model."""
    text = write(canonical(project))
    assert faults(json.loads(text)) == {}
    assert [fault.message for fault in SCHEMA.iter_errors(json.loads(text))] == []
    again = read_again(project, folder)
    assert promised(again) == promised(project)
    assert again.shape is Shape.INTERFACE
    assert json.dumps(beyond(again.original), sort_keys=True) == json.dumps(beyond(project.original), sort_keys=True)
    assert write(canonical(project)) == text


def test_the_published_schema_is_a_json_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_reads_the_same_after_it_was_written_in_canonical_form(shape, tmp_path):
    check(read(write_project(tmp_path / "film", SHAPES[shape]())), tmp_path / "again")


@needs_samples
@pytest.mark.parametrize("name", ["compare-demo", "complete_pipeline_test"])
def test_real_projects_read_the_same_after_they_were_written_in_canonical_form(name, tmp_path):
    check(read(SAMPLES / name), tmp_path / "again")


@needs_samples
@pytest.mark.parametrize("name", SAMPLE_FILES)
def test_real_project_files_read_the_same_after_they_were_written_in_canonical_form(name, tmp_path):
    folder = tmp_path / "film"
    folder.mkdir()
    (folder / "project.json").write_bytes((SAMPLES / "shapes" / f"{name}.json").read_bytes())
    check(read(folder), tmp_path / "again")


def test_the_canonical_form_knows_no_absolute_path_and_no_clock(tmp_path):
    project = read(write_project(tmp_path / "film", SHAPES["interface"]()))
    first = write(canonical(project))
    assert str(tmp_path) not in first
    other = tmp_path / "elsewhere" / "film"
    assert write(canonical(read(write_project(other, SHAPES["interface"]())))) == first


def test_keys_that_the_form_does_not_know_stand_in_their_own_place_word_for_word(tmp_path):
    own = {"worlds": [{"id": "w", "é": [1, None]}], "casting": {"lead": "/home/zoé/a.png"}, "x-mine": "  y "}
    form = canonical(read(write_json(tmp_path / "film", {**own, "metadata": {"mood": 1}, "config": {"style": [2]}})))
    assert {name: form[name] for name in own} == own
    assert (form["metadata"]["mood"], form["config"]["style"]) == (1, [2])
    assert form["metadata"]["storycore_export"]["original"] == {}


def test_keys_that_would_mislead_stand_below_as_they_were_arranged(tmp_path):
    film = {"owner_id": "u", "worlds": "none", "metadata": {"titre": 3, "audioTracks": 4}, "config": {"fps": 25}}
    project = read(write_json(tmp_path / "film", film))
    assert canonical(project)["metadata"]["storycore_export"]["original"] == film
    check(project, tmp_path / "again")


def test_a_canonical_form_that_is_written_again_is_the_same_but_for_where_it_came_from(tmp_path):
    project = read(write_json(tmp_path / "film", {"owner_id": "u", "x": 1, "metadata": {"title": "t", "y": 2}}))
    first, second = canonical(project), canonical(read_again(project, tmp_path / "again"))
    for form in (first, second):
        for name in ("source_shape", "source_schema_version", "warnings"):
            del form["metadata"]["storycore_export"][name]
    assert second == first


def test_a_value_so_deep_that_it_might_not_be_read_again_is_left_out_below(tmp_path):
    deep: object = 1
    for _ in range(DEEPEST):
        deep = [deep]
    film = {"owner_id": deep, "timeline": [deep], "mine": [deep]}
    form = canonical(read(write_json(tmp_path / "film", film)))
    assert (form["metadata"]["storycore_export"]["original"], form["mine"]) == ({"owner_id": deep}, [deep])


def test_a_number_that_was_changed_by_hand_counts_more_than_the_ratio_beside_it(tmp_path):
    form = canonical(read(write_project(tmp_path / "film", SHAPES["wizard"]())))
    assert form["shots"][0]["duration_exact"] == "103/24"
    form["shots"][0]["duration"] = 2
    form["storyboard"] = []
    assert read(write_json(tmp_path / "again", form)).shots[0].duration == 2


def test_a_status_that_was_changed_by_hand_counts_more_than_the_one_of_the_source(tmp_path):
    form = canonical(read(write_project(tmp_path / "film", SHAPES["interface"]())))
    assert form["generation_status"]["promotion"] == "pending"
    form["generation_status"]["promotion"] = "done"
    assert read(write_json(tmp_path / "again", form)).generation_status == {"grid": "pending", "promotion": "done"}


@pytest.mark.parametrize("name", VALIDATORS)
def test_the_rules_told_again_here_do_refuse_what_the_tools_refuse(name):
    assert VALIDATORS[name]({"name": "test"})


@given(st.integers(0, 2**32))
@settings(max_examples=120, deadline=None)
@example(0)
def test_arbitrary_projects_read_or_are_refused_by_name_and_what_reads_keeps_the_promise(seed):
    with tempfile.TemporaryDirectory() as folder:
        try:
            project = read(write_json(Path(folder) / "film", wild_project(seed)))
        except StoryCoreError:
            return
        check(project, Path(folder) / "again")


@pytest.mark.parametrize(
    "value",
    [
        {"shots": [{"duration": 1e-7, "transition": "dissolve"}, {"duration": 0.3}]},
        {
            "shots": [{"dialogue": [{"text": "x", "character": "a"}]}],
            "characters": [{"id": "a", "name": "b"}, {"id": "b"}],
        },
        {"shots": [{"id": "a"}, {"id": "a"}, {"id": "a_2"}]},
        {"shots": [{"image": "data:image/png;base64,iVBORw0KGgo=", "audio": "data:audio/wav;base64,AAAA"}]},
        {"shots": [{"transitionOut": {"type": "spiral", "duration": 2, "easing": "ease-in"}}, {"transition": " "}]},
        {"shots": [{"audioTracks": [{"url": "a.wav", "volume": 7, "pan": 0.1}, {"url": "x.ogg"}]}]},
    ],
)
def test_what_is_hard_to_write_down_exactly_reads_the_same(value, tmp_path):
    check(read(write_json(tmp_path / "film", value)), tmp_path / "again")


SIDE_FILES = (
    "storyboard.json", "video_plan.json", "x_timeline.json", "characters.json", "qa_report.json", "qa_output/qa.json",
    "assets/generated/index.json", "audio_output/metadata/audio_project.json", "sequences/sequence_1.json",
)  # fmt: skip


@given(st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_arbitrary_side_files_never_stop_a_project_from_being_read(seed):
    with tempfile.TemporaryDirectory() as folder:
        files = {path: wild_value(seed + place) for place, path in enumerate(SIDE_FILES)}
        project = read(write_project(Path(folder) / "film", {"project.json": {"name": "n"}, **files}))
        check(project, Path(folder) / "again")
