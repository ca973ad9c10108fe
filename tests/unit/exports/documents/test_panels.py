from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from fixtures.model_projects import film_project
from storycore.exports.documents.letters import Letters
from storycore.exports.documents.pages import page
from storycore.exports.documents.panels import Line, Panel, panels
from storycore.exports.documents.report import Deliverable, report
from storycore.exports.documents.shot_list import shot_list


def film(**changes):
    return film_project(Path("film"), **changes)


def test_a_shot_is_told_in_words():
    first, second = panels(film())
    assert first == Panel(
        id="shot_01",
        number=1,
        title="Tower",
        scene="Tower · Coast, DUSK",
        scene_title="Tower",
        start="00:00:00:00",
        end="00:00:03:00",
        duration="00:00:03:00",
        frames=72,
        seconds=Fraction(3),
        dialogue=(Line(who="Ada", text="Not tonight."),),
        action="The tower at dusk",
        camera="Static",
        notes="",
        transition="Dissolve, 0.5\u00a0s",
        prompt="a tower, dusk",
        picture="assets/images/promoted/panel_01.png",
        missing=False,
    )
    assert (second.scene, second.scene_title, second.action, second.transition) == ("", "Tower", "", "")
    assert first.alt == "Shot 1, Tower: The tower at dusk"


def test_notes_and_actions_are_found_under_the_names_in_use_and_never_cut():
    shot = replace(
        film().shots[0],
        original={"notes": " Warm. ", "visual_notes": ["Haze", 7, "Haze"], "action": "She climbs.", "lens": "35 mm",
                  "comment": "x" * 50_000, "audio_notes": {"odd": 1}},
    )  # fmt: skip
    found = panels(film(shots=(shot,)))[0]
    assert found.notes == "Warm.\nHaze\n" + "x" * 50_000
    assert (found.action, found.camera) == ("The tower at dusk\nShe climbs.", "Static, 35 mm")


def test_a_shot_without_a_picture_says_so():
    lost = replace(film().shots[0].image, found=False)
    named = replace(film().shots[0], image=lost)
    bare = replace(named, image=None)
    told = [(it.picture, it.missing, it.alt) for it in panels(film(shots=(named, bare)))]
    assert told == [("", True, "Shot 1 has no picture yet"), ("", False, "Shot 1 has no picture yet")]


def test_a_shot_list_has_columns_for_what_is_said_in_them_and_more_room_for_more():
    found = shot_list(panels(film()), {0: "pictures/0.svg"}, page("a4", "landscape"), ("number", "action", "notes",
                      "camera"), Letters())  # fmt: skip
    assert [(it["name"], it["label"], it["share"]) for it in found["columns"]] == [
        ("action", "Action", 4), ("camera", "Camera", 4),
    ]  # fmt: skip
    assert [(row["picture"], row["absent"], row["cells"]) for row in found["rows"]] == [
        ("pictures/0.svg", "none yet", ["The tower at dusk", "Static"]), (None, "none yet", ["", "Static"]),
    ]  # fmt: skip
    assert (found["numbered"], found["timed"]) == (True, False)


def test_a_report_tells_quality_and_results_in_words():
    made = Deliverable(
        name="film.mp4", format="mp4", size_bytes=1_234_567, sha256="ab" * 32,
        metrics={
            "resolution": "1920x1080",
            "fps": 24,
            "loudness": {"value": -16.04, "unit": "LUFS", "method": "m", "target": -16, "verdict": "within target"},
            "tagged": True,
            "stretches": [[0.0, 1.0]],
            "fonts": ["A", "B"],
            "dpi": None,
        },
    )  # fmt: skip
    found = report(film(missing=("a.png",)), [made], Letters())
    assert found["deliverables"] == [
        {
            "name": "film.mp4", "format": "mp4", "size": "1.2 MB", "exact": "1,234,567 bytes", "sha256": "ab" * 32,
            "results": [
                ["Resolution", "1920x1080", ""],
                ["Fps", "24", ""],
                ["Loudness", "-16.04 LUFS (target -16)", "within target"],
                ["Tagged", "yes", ""],
                ["Fonts", "A, B", ""],
            ],
        }
    ]  # fmt: skip
    assert (found["missing"], found["quality"]["verdict"]) == (["a.png"], "passed, 90% (4.5 of 5)")
    assert found["quality"]["issues"] == [["high", "visual", "Drift. Style drifts."]]
    assert ["Changed", "2026-01-08 12:19 UTC"] in found["about"]
