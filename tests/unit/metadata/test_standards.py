"""The film in the words of field standards."""

from fractions import Fraction
from pathlib import Path

import pytest

from fixtures.model_projects import film_project, write_media
from storycore.metadata.collect import collect
from storycore.metadata.disclosure import disclose
from storycore.metadata.omc import omc
from storycore.metadata.standards import dublin_core, iptc, iso_duration, schema_org
from storycore.metadata.stated import Stated, stated
from storycore.project.files import walk
from storycore.settings import Settings

PROJECT = film_project(Path("film"))
WORDS = stated(PROJECT)
FOUND = disclose(PROJECT)
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Fraction(0), "PT0S"),
        (Fraction(11, 2), "PT5.5S"),
        (Fraction(1, 3), "PT0.333S"),
        (Fraction(60), "PT1M"),
        (Fraction(3661), "PT1H1M1S"),
        (Fraction(7200), "PT2H"),
        (Fraction(599999, 10000), "PT1M"),
    ],
)
def test_durations_are_written_as_iso_8601(seconds, text):
    assert iso_duration(seconds) == text


def test_iptc_names_the_ai_fields_of_video_metadata_hub():
    (whole,) = iptc(PROJECT, WORDS, FOUND, creative=True)
    fields = whole["photoVideoMetadataIPTC"]
    assert {name: fields[name] for name in fields if name.startswith(("aI", "digital"))} == {
        "aISystemUsed": "wan-2.1",
        "aIPromptInformation": "Tower: a tower, dusk [excludes: people]\nShip: a ship",
        "digitalSourceType": {"cvId": "http://cv.iptc.org/newscodes/digitalsourcetype/", "cvTermId": COMPOSITE},
    }


def test_facts_that_the_project_does_not_state_are_absent():
    silent = film_project(Path("film"), original={})
    (whole,) = iptc(silent, stated(silent), FOUND, creative=True)
    assert {"aIPromptWriterName", "dataMining", "creators", "language", "copyrightNotice"}.isdisjoint(
        whole["photoVideoMetadataIPTC"]
    )
    assert "creator" not in schema_org(silent, stated(silent), FOUND, creative=True)


def test_what_the_project_states_is_passed_on():
    original = {
        "metadata": {
            "prompt_writer": "P. Writer",
            "data_mining": "DMI-PROHIBITED-AIMLTRAINING",
            "license": "CC BY 4.0",
            "genres": ["drama", {"name": "sea"}],
            "language": "not a language!",
        }
    }
    assert stated(film_project(Path("film"), original=original)) == Stated(
        prompt_writer="P. Writer",
        data_mining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING",
        rights="CC BY 4.0",
        genres=("drama", "sea"),
    )


@pytest.mark.parametrize("value", ["yes", "DMI-", "http://elsewhere.example/DMI-ALLOWED", 5, None, ["DMI-ALLOWED"]])
def test_a_data_mining_value_outside_the_vocabulary_is_not_passed_on(value):
    assert stated(film_project(Path("film"), original={"data_mining": value})).data_mining == ""


@pytest.mark.parametrize("odd", [5, [], "text", {"metadata": 5}, {"project": {"metadata": [1]}}, {"author": {"a": 1}}])
def test_a_project_of_odd_types_states_nothing(odd):
    original = odd if isinstance(odd, dict) else {"project": odd, "creators": odd if odd != "text" else None}
    assert stated(film_project(Path("film"), original=original)) == Stated()


def test_schema_org_tells_shots_as_clips():
    movie = schema_org(PROJECT, WORDS, FOUND, creative=True)
    assert movie["digitalSourceType"] == "https://schema.org/CompositeWithTrainedAlgorithmicMediaDigitalSource"
    assert [(clip["position"], clip["startOffset"], clip["endOffset"]) for clip in movie["hasPart"]] == [
        (1, 0.0, 3.0),
        (2, 2.5, 5.5),
    ]


def test_dublin_core_carries_the_disclosure_as_provenance():
    record = dublin_core(PROJECT, WORDS, FOUND, ["image/png"], creative=True)
    assert record["dcterms:provenance"] == FOUND.statement
    assert record["dcterms:type"] == "http://purl.org/dc/dcmitype/MovingImage"


def described(tmp_path, **flags):
    asked = {"technical": True, "creative": True, "qa_reports": False, "measure": "quick", "omc": True} | flags
    folder = write_media(tmp_path / "film")
    listing = walk(folder, max_files=100)
    return collect(film_project(folder), listing, settings=Settings(cache_folder=tmp_path), **asked).document


def test_omc_entities_have_identifiers_of_their_own_and_refer_to_what_is_there(tmp_path):
    document = described(tmp_path, omc=False)
    entities = omc(document, 5.5)
    names = [entity["identifier"][0]["identifierValue"] for entity in entities]
    included = entities[-1]["includes"]["Asset"]
    assert [entity["entityType"] for entity in entities] == [
        "CreativeWork",
        "Character",
        "NarrativeScene",
        "Asset",
        "Asset",
        "Composition",
    ]
    assert len(set(names)) == len(names)
    assert {entry["identifier"][0]["identifierValue"] for entry in included} <= set(names)


def test_omc_tells_of_each_shot_what_was_asked_for_and_what_its_file_measures(tmp_path):
    ship = described(tmp_path)["standards"]["omc"][-2]
    assert (ship["name"], [it["text"] for it in ship["annotation"]]) == ("Ship", ["a ship", "wan-2.1"])
    properties = ship["AssetSC"]["structuralProperties"]
    assert properties["fileDetails"]["mediaType"] == "video/mp4"
    assert (properties["codec"], set(properties["dimensions"])) == ("MPEG-4", {"width", "height"})


def test_omc_without_the_story_is_the_work_alone(tmp_path):
    (work,) = described(tmp_path, creative=False)["standards"]["omc"]
    assert (work["name"], work["approximateLength"], work["creativeWorkCategory"]) == ("Lighthouse", "PT5.5S", "short")
    assert "description" not in work
