"""A project described in one document."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import storycore.metadata
from fixtures.documents import FORBIDDEN, OTHERS, TRAPS, typed
from fixtures.model_projects import film_project, shots, wind, write_media
from fixtures.projects import snapshot
from storycore.metadata.collect import Collected, collect, with_run
from storycore.metadata.write import WRITERS, write
from storycore.project.files import walk
from storycore.project.memory import Memory
from storycore.project.model import Project, ProjectWarning, Prompt, Scene
from storycore.settings import Settings

SCHEMA = json.loads(Path(storycore.metadata.__file__).with_name("metadata.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_media(tmp_path / "film")


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return Settings(cache_folder=tmp_path / "cache")


def describe(project: Project, chosen: Settings, **flags) -> Collected:
    asked = {"technical": True, "creative": True, "qa_reports": True, "measure": "quick", "omc": False} | flags
    return collect(project, walk(project.folder, max_files=1000), settings=chosen, **asked)


def file_entry(document, path):
    return next(entry for entry in document["technical"]["inventory"] if entry["path"] == path)


def test_the_published_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("measure", ["none", "quick", "full"])
@pytest.mark.parametrize("omc", [False, True])
def test_the_published_schema_accepts_what_is_collected(folder, chosen, measure, omc):
    found = describe(film_project(folder), chosen, measure=measure, omc=omc)
    VALIDATOR.validate(found.document)
    run, _ = with_run(found.document, project_path=folder, generated_at=datetime(2026, 11, 24, tzinfo=UTC))
    VALIDATOR.validate(run)


def test_the_published_schema_refuses_what_is_not_collected(folder, chosen):
    document = describe(film_project(folder), chosen).document
    for broken in (document | {"more": 1}, document | {"creative": {}}, {**document, "standards": None}):
        assert not VALIDATOR.is_valid(broken)


@pytest.mark.parametrize(
    ("flags", "sections"),
    [
        ({}, ("technical", "creative", "qa_reports")),
        ({"creative": False, "qa_reports": False}, ("technical",)),
        ({"technical": False}, ("creative", "qa_reports")),
        ({"technical": False, "creative": False, "qa_reports": False}, ()),
    ],
)
def test_a_section_that_is_switched_off_is_absent(folder, chosen, flags, sections):
    found = describe(film_project(folder), chosen, **flags)
    others = {"document_version", "project_id", "project_name", "standards"}
    assert found.sections_included == sections
    assert set(found.document) - others == set(sections)
    VALIDATOR.validate(found.document)


def test_without_creative_the_standards_tell_no_story_but_still_mark_generated_media(folder, chosen):
    found = describe(film_project(folder), chosen, creative=False, omc=True)
    text = json.dumps(found.document)
    assert "a tower, dusk" not in text
    assert "waits for a ship" not in json.dumps(found.document["standards"]["schema_org"])
    assert "compositeWithTrainedAlgorithmicMedia" in text


def test_the_keys_that_callers_know_are_there(folder, chosen):
    found = describe(film_project(folder), chosen)
    document, warnings = with_run(
        found.document, project_path=folder, generated_at=datetime(2026, 11, 24, 2, 1, 35, tzinfo=UTC)
    )
    assert warnings == ()
    assert document["project_name"] == "Lighthouse"
    assert document["project_path"] == str(folder)
    assert document["generated_at"] == "2026-11-24T02:01:35+00:00"
    assert {"schema_version", "python_version", "dependencies"} <= set(document["technical"])
    assert {"description", "style", "duration_seconds"} <= set(document["creative"])
    assert {"overall_quality", "issues_found", "autofix_applied"} <= set(document["qa_reports"])


def test_the_document_knows_no_clock_and_no_place(folder, chosen, tmp_path):
    first = describe(film_project(folder), chosen, measure="full", omc=True)
    other = write_media(tmp_path / "elsewhere" / "copy")
    second = describe(film_project(other), chosen, measure="full", omc=True)
    assert first.document == second.document
    assert str(tmp_path) not in json.dumps(first.document)


def test_files_are_measured_as_deeply_as_asked(folder, chosen):
    project = film_project(folder)
    panel = "assets/images/promoted/panel_01.png"
    none = describe(project, chosen, measure="none").document
    quick = describe(project, chosen, measure="quick").document
    full = describe(project, chosen, measure="full").document
    named = {"path": panel, "role": "media", "size_bytes": (folder / panel).stat().st_size}
    probed = {"media_type": "image/png", "kind": "image", "width": 96, "height": 54, "bit_depth": 8, "color": "rgb"}
    assert file_entry(none, panel) == named
    assert file_entry(quick, panel) == named | probed
    assert file_entry(full, panel) == named | probed | {"sha256": file_entry(full, panel)["sha256"]}
    assert all(len(entry["sha256"]) == 64 for entry in full["technical"]["inventory"])
    assert "sha256" not in json.dumps(describe(project, chosen, measure="quick").document)


def test_what_was_measured_once_is_not_opened_again(folder, chosen):
    project = film_project(folder)
    first = describe(project, chosen, measure="full")
    listing = walk(folder, max_files=1000)
    for path in folder.rglob("*.*"):
        if path.is_file() and path.suffix != ".json":
            facts = path.stat()
            path.write_bytes(bytes(facts.st_size))  # same size, time, inode: only opening it would show
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    again = collect(project, listing, technical=True, creative=True, qa_reports=True, measure="full", settings=chosen)
    assert again.document == first.document


def test_media_are_counted_by_role_format_and_kind(folder, chosen):
    technical = describe(film_project(folder), chosen).document["technical"]
    assert {role: tally["count"] for role, tally in technical["files"]["by_role"].items()} == {
        "media": 4,
        "project": 1,
        "report": 1,
        "source": 1,
    }
    assert technical["formats"]["video/mp4"]["count"] == 1
    assert technical["media"]["audio"] == {
        "count": 1,
        "codecs": ["PCM"],
        "sample_rates_hz": [48000],
        "duration_seconds": 2.0,
    }


def test_a_broken_medium_is_told_and_listed(folder, chosen):
    found = describe(film_project(folder), chosen)
    assert found.warnings == (
        ProjectWarning(
            file="assets/images/broken.png",
            pointer="",
            reason="header_broken",
            message="Its headers can't be read: cut short, or it points outside itself.",
        ),
    )
    assert "header_fault" in file_entry(found.document, "assets/images/broken.png")


def test_a_file_that_changed_since_it_was_listed_has_no_checksum_and_is_not_remembered(folder, chosen):
    project, listing = film_project(folder), walk(folder, max_files=1000)
    (folder / "story.md").write_text("longer than it was when it was listed")
    found = collect(project, listing, technical=True, creative=False, qa_reports=False, measure="full", settings=chosen)
    assert ("story.md", "source_changed") in [(odd.file, odd.reason) for odd in found.warnings]
    assert "sha256" not in file_entry(found.document, "story.md")
    story = next(file for file in listing.files if file.path == "story.md")
    assert Memory.open(folder, chosen).recall(story).sha256 is None


def test_a_file_that_vanished_since_it_was_listed_is_told(folder, chosen):
    project, listing = film_project(folder), walk(folder, max_files=1000)
    (folder / "assets/audio/wind.wav").unlink()
    found = collect(
        project, listing, technical=True, creative=False, qa_reports=False, measure="quick", settings=chosen
    )
    assert ("assets/audio/wind.wav", "unreadable") in [(odd.file, odd.reason) for odd in found.warnings]


def test_describing_changes_nothing_in_the_project(folder, chosen):
    before = snapshot(folder)
    describe(film_project(folder), chosen, measure="full", omc=True)
    assert snapshot(folder) == before


def test_shots_are_told_with_timecodes_and_prompts(folder, chosen):
    first, second = describe(film_project(folder), chosen).document["creative"]["shots"]
    assert (first["start"], first["end"], first["duration_frames"]) == ("00:00:00:00", "00:00:03:00", 72)
    assert (second["start"], second["end"]) == ("00:00:02:12", "00:00:05:12")
    assert first["transition"] == {"kind": "dissolve", "duration_seconds": 0.5, "original": "crossfade"}
    assert first["prompt"] == {
        "text": "a tower, dusk",
        "negative": "people",
        "seed": 42,
        "modules": {"camera": {"lens": 35}},
    }
    assert first["dialogue"] == [{"text": "Not tonight.", "character": "Ada", "start_seconds": 1.0, "end_seconds": 2.0}]


def test_a_report_is_told_on_one_scale_and_corrections_that_were_never_made_do_not_count(folder, chosen):
    section = describe(film_project(folder), chosen).document["qa_reports"]
    (told,) = section["reports"]
    assert (section["overall_quality"], section["issues_found"], section["autofix_applied"]) == (0.9, 1, 1)
    assert (told["score"], told["original_score"], told["original_scale"]) == (0.9, 4.5, 5.0)
    assert told["autofix"] == [
        {"issue_id": "vc_001", "action": "adjust_parameters", "success": True, "details": "done"},
        {"issue_id": "vc_002", "action": "regenerate_content", "success": False},
        {"issue_id": "vc_003", "action": "repair", "success": True, "simulated": True},
    ]


def test_a_project_without_reports_has_no_score(folder, chosen):
    section = describe(film_project(folder, qa_reports=()), chosen).document["qa_reports"]
    assert section == {"overall_quality": None, "passed": None, "issues_found": 0, "autofix_applied": 0, "reports": []}


def test_a_report_that_leads_out_of_the_project_is_not_read(folder, chosen, tmp_path):
    (tmp_path / "secret.json").write_text('{"autofix_results": [{"issue_id": "secret", "success": true}]}')
    report = replace(film_project(folder).qa_reports[0], file="../secret.json")
    found = describe(film_project(folder, qa_reports=(report,)), chosen)
    assert found.document["qa_reports"]["autofix_applied"] == 0


def test_an_empty_project_is_described_too(tmp_path, chosen):
    (tmp_path / "empty").mkdir()
    empty = film_project(
        tmp_path / "empty",
        shots=(),
        scenes=(),
        characters=(),
        audio=(),
        qa_reports=(),
        original={},
        duration=Fraction(0),
        created=None,
        updated=None,
        logline="",
        schema_version="",
    )
    found = describe(empty, chosen, omc=True)
    assert len(found.sections_included) == 3
    VALIDATOR.validate(found.document)


texts = st.one_of(st.sampled_from(TRAPS + FORBIDDEN), st.text(max_size=10))


@st.composite
def projects(draw):
    first, second = shots()
    prompt = Prompt(
        text=draw(texts),
        negative=draw(texts),
        seed=draw(st.none() | st.integers() | st.just(10**400)),
        model=draw(texts),
        modules=draw(st.dictionaries(texts, st.lists(texts, max_size=2), max_size=3)),
    )
    rate = draw(st.sampled_from([Fraction(24), Fraction(24000, 1001), Fraction(50), Fraction(1, 3)]))
    return {
        "title": draw(texts),
        "logline": draw(texts),
        "frame_rate": rate,
        "shots": (
            replace(first, id=draw(texts), title=draw(texts), prompt=prompt, duration=draw(_lengths())),
            replace(second, start=draw(_lengths()), description=draw(texts)),
        ),
        "scenes": (Scene(id=draw(texts), title=draw(texts), duration=draw(st.none() | _lengths())),),
        "audio": draw(st.sampled_from([(), (wind(),)])),
        "original": draw(
            st.dictionaries(st.sampled_from(["author", "language", "description", "data_mining", "genre"]), texts)
        ),
    }


def _lengths():
    return st.fractions(min_value=Fraction(1, 100), max_value=10_000, max_denominator=1001)


@pytest.mark.slow
@given(changes=projects())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_project_is_described_alike_in_every_format_and_as_the_schema_says(folder, chosen, changes):
    found = describe(film_project(folder, **changes), chosen, omc=True)
    VALIDATOR.validate(found.document)
    for form, reader in OTHERS.values():
        assert typed(reader(write(found.document, form))) == typed(found.document)


def test_characters_that_no_format_carries_are_told(folder, chosen):
    found = describe(film_project(folder, logline="bell\x07"), chosen, qa_reports=False)
    odd = [warning for warning in found.warnings if warning.reason == "text_repaired"]
    assert "/creative/logline" in [warning.pointer for warning in odd]
    assert "\\u0007" not in json.dumps(found.document)


def test_every_format_can_be_written(folder, chosen):
    document = describe(film_project(folder), chosen, omc=True).document
    assert all(write(document, form).endswith("\n") for form in WRITERS)
