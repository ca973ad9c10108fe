"""Every known shape of project becomes the one model, in the right units."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from fixtures.reading import hashes, read, reasons
from fixtures.shapes import SHAPES, write_project
from storycore.project.model import (
    AudioTrack,
    DialogueLine,
    Media,
    MediaKind,
    Shape,
    TextLayer,
    TrackKind,
    Transition,
    TransitionKind,
)
from storycore.project.shapes.registry import SHAPES as KNOWN
from storycore.project.timeline import cut_points, subtitles


@pytest.fixture
def made(tmp_path):
    """A function that makes and reads the project of one shape."""
    return lambda name: read(write_project(tmp_path / "film", SHAPES[name]()))


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_recognised_by_its_keys(name, made):
    assert made(name).shape == Shape(name)


@pytest.mark.parametrize("name", SHAPES)
def test_reading_changes_no_byte_and_no_date(name, tmp_path):
    folder = write_project(tmp_path / "film", SHAPES[name]())
    before = hashes(tmp_path)
    read(folder)
    assert hashes(tmp_path) == before


def test_every_shape_but_the_bare_folder_has_a_module_of_its_own():
    assert {shape.SHAPE for shape in KNOWN} == set(Shape) - {Shape.FOLDER}


def test_the_pipeline_takes_shots_from_the_storyboard_and_what_is_missing_there_from_the_plan(made):
    project = made("pipeline")
    assert [(shot.id, shot.title, shot.duration, shot.start, shot.camera) for shot in project.shots] == [
        ("shot_01", "Title 1", 4, 0, "dolly"),
        ("shot_02", "Title 2", 4, Fraction(7, 2), "zoom"),
        ("shot_03", "Title 3", 4, Fraction(15, 2), "zoom"),
    ]
    assert project.duration == Fraction(23, 2)
    assert (project.name, project.width, project.height) == ("film", 1280, 720)
    assert project.shots[0].prompt.seed == 42
    assert project.created == datetime(2026, 1, 7, 16, 57, 55, tzinfo=UTC)
    assert reasons(project) == [("video_plan.json", "/video_entries/2", "shot_unknown")]


def test_a_panel_is_refined_or_as_generated_or_a_cell_of_the_grid(made):
    images = [(shot.image.path, shot.image.source, shot.image.panel) for shot in made("pipeline").shots]
    assert images == [
        ("assets/images/refined/panel_01_refined.png", "refined", None),
        ("assets/images/panels/panel_02.png", "panel", None),
        ("assets/images/grids/grid_1x3.png", "grid", (0, 2, 1, 3)),
    ]


def test_the_interface_counts_seconds_volume_to_100_and_per_cent(made):
    first, second = made("interface").shots
    assert (first.id, second.id) == ("a", "b")
    assert first.transition == Transition(
        kind=TransitionKind.WIPE_UP, duration=Fraction(1), easing="ease-in", original="wipe"
    )
    wind = Media(path="audio/wind.wav", kind=MediaKind.AUDIO, source="track", found=True)
    assert first.audio == (
        AudioTrack(
            id="t", name="Wind", kind=TrackKind.AMBIENT, media=wind, start=Fraction(0), duration=None, volume=0.5,
            pan=-1.0, fade_in=Fraction(1, 4),
        ),
    )  # fmt: skip
    style = {"id": "x", "font": "Inter"}
    assert first.text == (TextLayer(text="Titel", x=0.5, y=0.9, start=Fraction(0), duration=Fraction(2), style=style),)
    assert first.original == {"effects": [{"type": "blur"}]}
    assert second.dialogue == (
        DialogueLine(text="Là", character="Zoé", start=Fraction(5, 2), end=Fraction(3), emotion=""),
    )


def test_recorded_phrases_are_subtitles_with_a_speaker_and_their_sound_is_heard(made):
    project = made("interface")
    assert subtitles(project) == (
        DialogueLine(text="Bonjour", character="Zoé", start=Fraction(1, 2), end=Fraction(3, 2)),
    )
    assert [(track.kind, track.media.path, track.start) for track in project.audio] == [
        (TrackKind.DIALOGUE, "audio/p1.wav", Fraction(1, 2))
    ]


def test_the_desktop_application_keeps_shots_in_sequence_files_in_their_order(made):
    project = made("desktop")
    assert [(shot.id, shot.transition.kind) for shot in project.shots] == [
        ("y", TransitionKind.CUT), ("z", TransitionKind.CUT),
    ]  # fmt: skip
    assert (project.id, project.width, project.height, project.duration) == ("desk-1", 3840, 2160, 6)
    assert project.side_files == ("sequences/sequence_001.json", "sequences/sequence_002.json")


def test_the_assistant_puts_the_shots_of_a_sequence_into_its_scene(made):
    project = made("assistant")
    assert [(shot.id, shot.scene_id, shot.camera) for shot in project.shots] == [
        ("1", "s1", "crane"),
        ("2", "s1", "pan"),
    ]
    assert [(scene.shot_ids, scene.duration, scene.actions) for scene in project.scenes] == [
        (("1", "2"), Fraction(15, 2), ("She jumps",))
    ]


def test_the_sequence_editor_counts_frames_everywhere(made):
    project = made("sequence_editor")
    one, two = project.shots
    assert project.frame_rate == Fraction(30000, 1001)
    assert (one.duration, two.duration) == (Fraction(3003, 1000), Fraction(2002, 1000))
    assert one.transition.duration == Fraction(1001, 1000)
    assert cut_points(project.shots, project.frame_rate) == (0, 60, 120)
    assert [(track.start, track.fade_in, track.volume) for track in one.audio] == [
        (Fraction(1001, 2000), Fraction(1001, 2000), 0.8)
    ]
    assert [(layer.start, layer.x, layer.y) for layer in one.text] == [(Fraction(1001, 1000), 0.5, 0.9)]
    assert (one.image.path, one.title, two.prompt.text) == ("one.png", "One", "rain")


def test_the_wizard_shares_the_minutes_of_a_scene_in_whole_frames_without_losing_one(made):
    project = made("wizard")
    assert project.duration == 30
    assert {shot.duration * 24 for shot in project.shots} == {102, 103}
    assert project.characters[0].personality == "shy, tall"
    assert project.scenes[0].time_of_day == ""


def test_the_builder_keeps_its_parts_in_files_that_it_names(made):
    project = made("components")
    assert [(shot.id, shot.duration, shot.prompt.text) for shot in project.shots] == [("b1", 6, "a hill")]
    assert (project.width, project.height) == (1080, 1920)
    assert [character.name for character in project.characters] == ["Hero"]
    assert [(line.text, line.character, line.start, line.end) for line in subtitles(project)] == [("Up!", "Hero", 2, 6)]
    assert ("project.json", "/components/story_structure", "side_file_missing") in reasons(project)


def test_the_store_keeps_each_shot_in_a_file_named_by_its_id(made):
    project = made("backend")
    assert [(shot.id, shot.title, shot.duration) for shot in project.shots] == [
        ("k1", "Forest", 5),
        ("k2", "Shot 2", 5),
    ]
    assert (project.frame_rate, project.width, project.height) == (25, 1080, 1920)


def test_the_video_editor_takes_its_first_video_track_as_the_film(made):
    project = made("video_editor")
    assert [(shot.id, shot.start, shot.duration, shot.clip_in, shot.clip_out) for shot in project.shots] == [
        ("c1", 0, 4, 1, 5), ("c2", 4, 2, 0, None),
    ]  # fmt: skip
    assert (project.shots[0].clip.path, project.shots[1].image.path) == ("a.mp4", "b.png")
    assert [(layer.text, layer.start, layer.x) for layer in project.shots[1].text] == [("Fin", 1, 0.25)]
    track = project.audio[0]
    assert (track.volume, track.pan, track.offset, track.muted) == (0.25, -1.0, 2, True)
    assert [line.text for line in subtitles(project)] == ["Hello"]


def test_a_template_has_a_name_a_form_and_no_shots(made):
    project = made("template")
    assert (project.name, project.id, project.logline) == ("Short film", "tpl", "Somebody wants something.")
    assert (project.frame_rate, project.width, project.height) == (Fraction(24000, 1001), 2048, 1080)
    assert project.shots == ()


def test_a_french_scenario_speaks_of_the_same_things(made):
    project = made("scenario")
    assert (project.name, project.logline) == ("La Découverte", "Marie cherche.")
    assert [(one.name, one.role, one.personality) for one in project.characters] == [("Marie", "protagoniste", "vive")]
    assert [(one.location, one.time_of_day, one.actions) for one in project.scenes] == [
        ("Labo", "NUIT", ("Elle regarde",))
    ]


def test_a_timeline_file_alone_is_a_film(made):
    project = made("timeline")
    assert [(shot.id, shot.start, shot.duration) for shot in project.shots] == [("t1", 0, 2), ("t2", Fraction(3, 2), 3)]
    assert project.duration == Fraction(9, 2)
    assert reasons(project)[0] == ("", "", "project_file_missing")


def test_a_plan_alone_is_a_film_and_a_guessed_length_is_told(made):
    project = made("folder")
    assert [(shot.title, shot.duration) for shot in project.shots] == [("Alone", 3)]
    assert ("video_plan.json", "/video_entries/0", "duration_guessed") in reasons(project)
