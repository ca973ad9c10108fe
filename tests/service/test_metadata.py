"""storycore.export.metadata on projects as they stand on a disk."""

import json

import pytest

from fixtures.documents import OTHERS, typed
from fixtures.projects import snapshot
from storycore import MetadataRequest, StoryCore, StoryCoreError

pytest.importorskip("storycore.project.reader")


@pytest.mark.parametrize("form", ["json", "xml", "yaml"])
def test_the_text_says_what_the_content_says(film, form):
    with StoryCore() as sc:
        result = sc.run(MetadataRequest(project_path=str(film), metadata_format=form, measure="full", omc=True))
    readers = [reader for name, reader in OTHERS.values() if name == form]
    assert all(typed(reader(result.metadata_text)) == typed(result.metadata_content) for reader in readers)
    assert result.metadata_size_bytes == len(result.metadata_text.encode())
    assert result.sections_included == ["technical", "creative", "qa_reports"]


def test_one_section_alone(film):
    with StoryCore() as sc:
        result = sc.run(MetadataRequest(project_path=str(film), include_creative=False, include_qa_reports=False))
    assert result.sections_included == ["technical"]
    assert {"creative", "qa_reports"}.isdisjoint(result.metadata_content)


def test_nothing_in_the_project_changes(film):
    before = snapshot(film)
    with StoryCore() as sc:
        sc.run(MetadataRequest(project_path=str(film), measure="full"))
    assert snapshot(film) == before


def test_a_project_that_is_not_there_is_told(films):
    with StoryCore() as sc, pytest.raises(StoryCoreError, match="not found"):
        sc.run(MetadataRequest(project_path=str(films / "none")))


def test_the_samples_are_described(samples):
    with StoryCore() as sc:
        for name in ("compare-demo", "complete_pipeline_test"):
            result = sc.run(MetadataRequest(project_path=str(samples / name), measure="full"))
            assert json.loads(result.metadata_text) == result.metadata_content
            assert len(result.sections_included) == 3
