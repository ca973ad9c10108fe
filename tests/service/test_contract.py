"""What existing callers of StoryCore rely on, by HTTP: names, defaults and words that must stay as they are."""

import httpx
import pikepdf
import pytest
import standardwebhooks

from fixtures.projects import write_json
from fixtures.receivers import receiving
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


def test_24_metadata_then_a_package_then_a_pdf_of_a_project_without_anything(call):
    answers = [call("metadata"), call("package"), call("format", target_format="pdf")]
    assert [answer["status"] for answer in answers] == ["success"] * 3
    data = answers[2]["data"]
    assert (data["target_format"], data["media_type"]) == ("pdf", "application/pdf")
    assert {"pages": 1, "dpi": None, "color_space": "RGB"}.items() <= data["quality_metrics"].items()
    assert "nothing_to_show" in {warning["reason"] for warning in data["warnings"]}
    with pikepdf.open(data["output_path"]) as pdf:
        assert (len(pdf.pages), pdf.docinfo.Title) == (1, "test · Storyboard")


def test_a_pdf_of_nothing_is_refused_where_that_is_wanted(call):
    error = call("format", target_format="pdf", conversion_options={"strict": True})["error"]
    assert (error["code"], error["details"]["reason"]) == ("NOT_FOUND", "nothing_to_export")


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


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


@pytest.fixture
def hook(films, receiver):
    """Calls a webhook operation; the local receiver is opened by an entry of the settings."""
    with serving(films, webhook_allow=(receiver.opening,)) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield lambda name, **body: http.post(f"/v1/storycore.integration.webhook.{name}", json=body).json()


def test_17_a_webhook_for_two_events(hook):
    told = {"url": "https://example.com/webhook", "event_types": ["export.completed", "qa.failed"], "active": True}
    data = hook("register", **told)["data"]
    assert {name: data[name] for name in told} == told
    assert data["webhook_id"].startswith("webhook_")
    assert len(data["webhook_id"]) == len("webhook_") + 12
    assert {"created_at", "registration_time_ms", "metadata"} <= set(data)
    assert "retry_policy" not in data


@pytest.mark.parametrize("url", ["not-a-valid-url", "ftp://example.com", "https://example.com:99999/", ""])
def test_18_a_url_that_is_none(hook, url):
    error = hook("register", url=url, event_types=["export.completed"])["error"]
    assert (error["code"], "url" in error["message"].lower()) == ("VALIDATION_ERROR", True)
    assert error["details"]["reason"] == "url_invalid"


def test_19_events_that_there_are_not(hook):
    for events in (["invalid.event", "another.invalid"], []):
        error = hook("register", url="https://example.com/webhook", event_types=events)["error"]
        assert (error["code"], "event" in error["message"].lower()) == ("VALIDATION_ERROR", True)


def test_20_a_webhook_that_is_triggered(hook, receiver):
    made = hook("register", url=receiver.url, event_types=["export.completed"])["data"]
    payload = {"project": "test", "status": "success"}
    data = hook("trigger", webhook_id=made["webhook_id"], event_type="export.completed", payload=payload)["data"]
    assert (data["webhook_id"], data["event_type"]) == (made["webhook_id"], "export.completed")
    assert (data["success"], data["response_status"], data["error_message"]) == (True, 204, None)
    assert data["response_time_ms"] > 0
    (got,) = receiver.got
    body = standardwebhooks.Webhook(made["secret"]).verify(got.body, got.headers)
    assert (body["type"], body["data"]) == ("export.completed", payload)


def test_21_an_inactive_webhook_in_test_mode(hook, receiver):
    made = hook("register", url=receiver.url, event_types=["export.completed"], active=False)["data"]
    ask = {"webhook_id": made["webhook_id"], "event_type": "export.completed", "payload": {"test": True}}
    data = hook("trigger", **ask, test_mode=True)["data"]
    assert (data["success"], data["response_status"]) == (True, None)
    shown = data["request"]
    standardwebhooks.Webhook(made["secret"]).verify(shown["body"], shown["headers"])
    assert receiver.got == []
    assert hook("trigger", **ask)["error"]["details"]["reason"] == "webhook_inactive"


def test_22_a_webhook_that_there_is_not(hook):
    error = hook("trigger", webhook_id="nonexistent_webhook", event_type="export.completed", payload={})["error"]
    assert (error["code"], "not found" in error["message"].lower()) == ("NOT_FOUND", True)


def test_23_an_event_that_it_is_not_registered_for(hook, receiver):
    made = hook("register", url=receiver.url, event_types=["export.completed"])["data"]
    error = hook("trigger", webhook_id=made["webhook_id"], event_type="qa.failed", payload={})["error"]
    assert (error["code"], "event" in error["message"].lower()) == ("VALIDATION_ERROR", True)
    assert receiver.got == []


def test_what_is_wrong_with_a_trigger_is_told_in_the_order_that_callers_know(hook, receiver):
    made = hook("register", url=receiver.url, event_types=["export.completed"], active=False)["data"]["webhook_id"]
    everything = {"webhook_id": "webhook_000000000000", "event_type": "nothing", "payload": 1}
    reasons = []
    for better in (
        {}, {"webhook_id": made}, {"test_mode": True}, {"event_type": "qa.failed"}, {"event_type": "export.completed"},
        {"payload": {}},
    ):  # fmt: skip
        everything |= better
        answer = hook("trigger", **everything)
        reasons.append(answer.get("error", {}).get("details", {}).get("reason", "none"))
    assert reasons == [
        "webhook_not_found", "webhook_inactive", "unknown_value", "event_not_registered", "wrong_type", "none",
    ]  # fmt: skip


@pytest.mark.parametrize("missing", ["webhook_id", "event_type", "payload"])
def test_a_trigger_without_what_it_needs_names_it(hook, missing):
    whole = {"webhook_id": "webhook_0", "event_type": "export.completed", "payload": {}}
    for body in ({name: value for name, value in whole.items() if name != missing}, {**whole, missing: None}):
        assert hook("trigger", **body)["error"]["details"]["missing_fields"] == [missing]


def test_a_first_attempt_that_fails_is_told_and_further_ones_follow(hook, receiver):
    receiver.status = 503
    made = hook(
        "register", url=receiver.url, event_types=["export.completed"],
        retry_policy={"max_retries": 2, "retry_delay_seconds": 0.2},
    )["data"]  # fmt: skip
    data = hook("trigger", webhook_id=made["webhook_id"], event_type="export.completed", payload={})["data"]
    assert (data["success"], data["response_status"], data["code"]) == (False, 503, "http_5xx")
    assert "503" in data["error_message"]
    receiver.status = 200
    got = receiver.wait(2)
    assert got[0].headers["webhook-id"] == got[1].headers["webhook-id"]
    assert got[0].body == got[1].body
