"""What existing callers of StoryCore rely on, by HTTP: names, defaults and words that must stay as they are."""

import httpx
import pytest

from fixtures.projects import write_json
from fixtures.servers import serving

EXPORT = "/v1/storycore.export."


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "deliveries"
    folder.mkdir()
    return folder


@pytest.fixture
def call(films, outside):
    """Calls an operation on the smallest project there is."""
    write_json(films / "test/project.json", {"name": "test"})
    (films / "test/assets").mkdir()
    (films / "test/outputs").mkdir()
    with serving(films, output_roots=(outside,)) as url, httpx.Client(base_url=url, timeout=30) as http:
        yield lambda name, **body: http.post(EXPORT + name, json={"project_path": "test", **body}).json()


def test_1_a_package_at_level_6(call):
    data = call("package", compression_level=6)["data"]
    names = "export_path package_size_bytes files_included export_time_ms format checksum manifest metadata"
    assert set(names.split()) <= set(data)
    assert (data["format"], type(data["manifest"]), len(data["checksum"])) == ("zip", list, 71)


def test_2_a_project_that_is_not_there(call):
    error = call("package", project_path="missing")["error"]
    assert (error["code"], "not found" in error["message"].lower()) == ("NOT_FOUND", True)


def test_3_a_level_that_is_too_high(call):
    error = call("package", compression_level=15)["error"]
    assert (error["code"], "compression" in error["message"]) == ("VALIDATION_ERROR", True)


def test_4_an_output_folder_that_is_not_there_yet(call, outside):
    answer = call("package", output_path=str(outside / "new/place"))
    assert answer["status"] == "success"
    assert str(outside / "new/place") in answer["data"]["export_path"]


def test_5_the_zip_format(call):
    data = call("format", target_format="zip")["data"]
    assert {"output_path", "conversion_time_ms", "output_size_bytes"} <= set(data)
    assert data["target_format"] == "zip"


@pytest.mark.parametrize("target", ["xyz", "ZIPP", ""])
def test_8_a_format_that_there_is_not(call, target):
    error = call("format", target_format=target)["error"]
    assert (error["code"], "unsupported" in error["message"].lower()) == ("VALIDATION_ERROR", True)
    assert set(error["details"]["supported_formats"]) >= {"zip", "json"}


def test_9_metadata_with_everything(call):
    data = call("metadata", metadata_format="json")["data"]
    assert {"technical", "creative", "qa_reports"} <= set(data["metadata_content"])
    assert len(data["sections_included"]) == 3


def test_10_metadata_with_the_technical_part_only(call):
    data = call("metadata", include_creative=False, include_qa_reports=False)["data"]
    assert data["sections_included"] == ["technical"]
    assert {"creative", "qa_reports"} & set(data["metadata_content"]) == set()


def test_11_a_metadata_format_that_there_is_not(call):
    assert call("metadata", metadata_format="invalid")["error"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("target", ["ZIP", "Json", ["json", "ZIP"]])
def test_formats_are_named_in_any_case(call, target):
    data = call("format", target_format=target)["data"]
    names = [target] if isinstance(target, str) else target
    assert [entry["target_format"] for entry in data["outputs"]] == [name.lower() for name in names]


@pytest.mark.parametrize("metadata_format", ["xml", "yaml"])
def test_metadata_content_is_an_object_for_every_format(call, metadata_format):
    data = call("metadata", metadata_format=metadata_format)["data"]
    assert isinstance(data["metadata_content"], dict)
    assert data["metadata_size_bytes"] == len(data["metadata_text"].encode())
