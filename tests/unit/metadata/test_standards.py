"""The film in the words of field standards."""

from fractions import Fraction
from pathlib import Path

import pytest

from fixtures.model_projects import film_project
from storycore.metadata.disclosure import disclose
from storycore.metadata.omc import omc
from storycore.metadata.standards import dublin_core, iptc, iso_duration, schema_org
from storycore.metadata.stated import Stated, stated

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


def test_omc_entities_have_identifiers_of_their_own_and_refer_to_what_is_there():
    entities = omc(PROJECT, (), creative=True)
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
