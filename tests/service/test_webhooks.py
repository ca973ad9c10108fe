"""Webhooks from end to end: registered by HTTP, told of real exports, verified by a library that is not ours."""

import base64
import contextlib
import html
import json
import os
import socket
import threading
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import standardwebhooks

from fixtures.receivers import receiving, sinking
from fixtures.servers import serving
from fixtures.waiting import until
from storycore.webhooks.receiver import verify

WEBHOOK = "/v1/storycore.integration.webhook."


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


@pytest.fixture
def client(films, receiver):
    with serving(films, webhook_allow=(receiver.opening,)) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield http


def register(client, receiver, *events, **more):
    answer = client.post(f"{WEBHOOK}register", json={"url": receiver.url, "event_types": list(events), **more}).json()
    assert answer["status"] == "success", answer
    return answer["data"]


def deliveries(client, **query):
    return client.get(f"{WEBHOOK}deliveries", params=query).json()["data"]["items"]


def test_an_export_is_told_signed_and_its_delivery_is_written_down(client, receiver, film):
    hook = register(client, receiver, "export.*")
    packed = client.post("/v1/storycore.export.package", json={"project_path": film.name}).json()["data"]
    got = receiver.wait(2)
    bodies = [standardwebhooks.Webhook(hook["secret"]).verify(it.body, it.headers) for it in got]
    assert sorted(body["type"] for body in bodies) == ["export.completed", "export.started"]
    done = next(body for body in bodies if body["type"] == "export.completed")
    assert [made["checksum"] for made in done["data"]["outputs"]] == [packed["checksum"]]
    assert done["data"]["outputs"][0]["path"] == packed["export_path"]
    for it in got:
        assert verify(it.body, it.headers, hook["secret"]).data["project_path"] == film.name
    listed = until(
        lambda: deliveries(client, attempts="true"), lambda items: [it["state"] for it in items] == ["delivered"] * 2
    )
    attempt = listed[0]["attempts"][0]
    assert (attempt["code"], attempt["status_code"], attempt["remote_address"]) == ("ok", 204, receiver.opening)
    assert {it["event_id"] for it in listed} == {it.headers["webhook-id"] for it in got}
    polled = client.get("/v1/storycore.event.list").json()["data"]["items"]
    assert {it["event_id"] for it in polled} == {it["event_id"] for it in listed}
    assert json.loads(got[0].body)["data"] in [it["data"] for it in polled]


@pytest.mark.parametrize("form", ["standard", "cloudevents"])
def test_what_is_shown_of_a_message_is_what_was_sent(client, receiver, form):
    secret = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
    own = {"X-Studio-Token": "0123456789-very-own"}
    hook = register(client, receiver, "qa.*", secret=secret, headers=own, body_format=form)
    receiver.status, receiver.body = 500, b'{"why":"<script>0123456789-very-own</script>"}'
    client.post("/v1/storycore.event.publish", json={"event_type": "qa.started", "data": {"subject": "<b>reel</b>"}})
    (got,) = receiver.wait(1)
    (told,) = until(lambda: deliveries(client, bodies="true"), lambda items: items[0]["attempts"])
    sent = told["attempts"][0]["request_headers"]
    assert told["body"].encode() == got.body
    assert told["body_bytes"] == len(got.body)
    assert {name.lower(): value for name, value in sent.items()} == {
        name: value for name, value in got.headers.items() if name != "host"
    } | {"x-studio-token": "[your own]"}
    standardwebhooks.Webhook(secret).verify(told["body"], sent)  # by a library that is not ours
    view = {"id": told["delivery_id"], "event": told["event_id"], "webhook": hook["webhook_id"]}
    page = client.get("/webhooks/deliveries/view", params=view).text
    assert sent["webhook-signature"].split(",")[1] in html.unescape(page)
    assert "&lt;b&gt;reel&lt;/b&gt;" in page
    assert not any(part in page for part in ("<b>reel", "<script>0", "very-own", secret, secret[6:]))


def test_an_export_by_preset_alone_is_told_with_the_formats_that_it_made(client, receiver, film):
    register(client, receiver, "export.*")
    body = {"project_path": film.name, "preset": "podcast"}
    assert client.post("/v1/storycore.export.format", json=body).json()["status"] == "success"
    told = {body["type"]: body["data"]["formats"] for body in (json.loads(it.body) for it in receiver.wait(2))}
    assert told == {"export.started": ["mp3"], "export.completed": ["mp3"]}


def test_gates_of_a_preset_are_told_with_the_export_that_they_judge(client, receiver, film):
    register(client, receiver, "qa.*")
    (film / "presets").mkdir()
    text = 'title = "Odd"\nformats = ["wav"]\ndate = 2026-01-01\n'
    gates = {"good": 'figure = "audio_duration"\non_target = true', "bad": 'figure = "audio_duration"\nat_least = 1e6'}
    for name, gate in gates.items():
        (film / f"presets/{name}.toml").write_text(f"{text}[[gates]]\n{gate}\n")
        body = {"project_path": film.name, "preset": name, "metadata": {"night": 4}}
        told = client.post("/v1/storycore.export.format", json=body).json()
        assert told["status"] == "success", told
    bodies = {body["type"]: body["data"] for body in (json.loads(it.body) for it in receiver.wait(2))}
    assert set(bodies) == {"qa.completed", "qa.failed"}
    assert bodies["qa.completed"]["checked"] == 1
    failed = bodies["qa.failed"]
    assert (failed["subject"], failed["fault_count"]) == (told["data"]["output_path"], 1)
    assert (failed["project_path"], failed["metadata"]) == (film.name, {"night": 4})
    assert [fault["reason"] for fault in failed["faults"]] == ["gate_failed"]
    assert failed["faults"][0]["message"].startswith("the length of the sound is ")
    assert "must be at least 1000000 s" in failed["faults"][0]["message"]


def publish(client, kind="pipeline.completed", **more):
    body = {"event_type": kind, "data": {"pipeline": "nightly"}, **more}
    return client.post("/v1/storycore.event.publish", json=body).json()


def ask(client, name, **body):
    answer = client.post(f"{WEBHOOK}{name}", json=body).json()
    return answer.get("data") or answer["error"]["details"]["reason"]


def settled(client, count, **query):
    return until(
        lambda: deliveries(client, **query),
        lambda items: len(items) >= count and not {it["state"] for it in items} & {"pending", "leased"},
    )


def test_a_check_that_finds_faults_is_told_as_failed(client, receiver, film, films):
    register(client, receiver, "qa.*")
    with zipfile.ZipFile(films / "broken.zip", "w") as package:
        package.writestr("film/bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
        package.writestr("film/manifest-sha256.txt", f"{'0' * 64}  data/project.json\n")
        package.writestr("film/data/project.json", "{}")
    told = client.post("/v1/storycore.export.verify", json={"package_path": "broken.zip"}).json()["data"]
    bodies = {json.loads(it.body)["type"]: json.loads(it.body)["data"] for it in receiver.wait(2)}
    assert set(bodies) == {"qa.started", "qa.failed"}
    failed = bodies["qa.failed"]
    assert (failed["subject"], failed["fault_count"]) == ("broken.zip", len(told["faults"]))
    assert failed["faults"][0]["reason"] == told["faults"][0]["reason"]


def test_secrets_are_shown_once_and_lie_sealed(client, receiver):
    made = register(client, receiver, "*", headers={"Authorization": "Bearer of-the-receiver"})
    own = register(client, receiver, "*", secret="a secret of the caller's own")
    shown = client.get(f"{WEBHOOK}get", params={"webhook_id": made["webhook_id"]}).text
    listed = client.get(f"{WEBHOOK}list").text
    assert own["secret"] is None
    for secret in (made["secret"], "a secret of the caller's own", "of-the-receiver"):
        assert secret not in shown + listed
    path = os.environ["STORYCORE_DATABASE_URL"].removeprefix("sqlite:///")
    stored = b"".join(it.read_bytes() for it in Path(path).parent.glob("storycore.db*"))
    assert made["webhook_id"].encode() in stored
    for secret in (made["secret"][6:], "a secret of the caller's own", "of-the-receiver"):
        assert secret.encode() not in stored
    key = Path(path).with_suffix(".key")
    assert key.stat().st_mode & 0o077 == 0


def test_headers_that_a_receiver_sends_back_are_not_kept(client, receiver):
    receiver.status, receiver.body = 500, b"who is Bearer of-the-receiver? or of-the-receiver?"
    receiver.answer_headers = {"X-Echo": "Bearer of-the-receiver"}
    made = register(client, receiver, "*", headers={"Authorization": "Bearer of-the-receiver"})
    ask(client, "ping", webhook_id=made["webhook_id"])
    (listed,) = deliveries(client, bodies="true")
    attempt = listed["attempts"][0]
    assert attempt["response_body"] == "who is [your own]? or [your own]?"
    assert attempt["response_headers"]["X-Echo"] == "[your own]"


def test_while_a_secret_rotates_both_sign(client, receiver):
    made = register(client, receiver, "*")
    other = ask(client, "rotate_secret", webhook_id=made["webhook_id"], signature="v1a")
    assert other["public_key"].startswith("whpk_")
    ask(client, "trigger", webhook_id=made["webhook_id"], event_type="qa.failed", payload={})
    (got,) = receiver.wait(1)
    for check in (made["secret"], other["public_key"]):
        assert verify(got.body, got.headers, check).type == "qa.failed"
    last = ask(client, "rotate_secret", webhook_id=made["webhook_id"], overlap_hours=0)
    ask(client, "trigger", webhook_id=made["webhook_id"], event_type="qa.failed", payload={})
    got = receiver.wait(2)[1]
    assert got.headers["webhook-signature"].count(",") == 1
    assert verify(got.body, got.headers, last["secret"]).id


def test_headers_of_the_callers_own_and_cloudevents_are_sent(client, receiver):
    made = register(client, receiver, "*", headers={"X-Studio": "north"}, body_format="cloudevents")
    event = publish(client)["data"]
    (got,) = receiver.wait(1)
    assert (got.headers["x-studio"], got.headers["content-type"]) == (
        "north", "application/cloudevents+json; charset=utf-8",
    )  # fmt: skip
    verify(got.body, got.headers, made["secret"])
    body = json.loads(got.body)
    assert (body["specversion"], body["id"], body["type"], body["source"]) == (
        "1.0", event["event_id"], "storycore.pipeline.completed", "/storycore",
    )  # fmt: skip
    assert body["data"] == {"pipeline": "nightly", "metadata": {}, "steps": [], "outputs": []}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": "http://127.0.0.1:1/"}, "address_forbidden"),
        ({"url": "http://localhost/"}, "address_forbidden"),
        ({"url": "http://169.254.169.254/latest/"}, "address_forbidden"),
        ({"url": "http://[::1]/"}, "address_forbidden"),
        ({"url": "http://[::ffff:127.0.0.1]/"}, "address_forbidden"),
        ({"url": "http://2130706433/"}, "url_invalid"),
        ({"url": "https://a@example.com/"}, "url_invalid"),
        ({"secret": "short"}, "secret_invalid"),
        ({"headers": {"Host": "evil"}}, "header_invalid"),
        ({"headers": {"X": "a\r\nY: b"}}, "header_invalid"),
        ({"headers": {"X": 1}}, "header_invalid"),
        ({"retry_policy": {"max_retries": -1}}, "out_of_range"),
        ({"retry_policy": {"retries": 1}}, "unknown_field"),
        ({"retry_policy": {"delays_seconds": [0]}}, "out_of_range"),
        ({"most_at_once": 0}, "out_of_range"),
        ({"colour": "red"}, "unknown_field"),
    ],
)
def test_what_is_not_acceptable_is_refused_and_registers_nothing(client, receiver, change, reason):
    answer = client.post(f"{WEBHOOK}register", json={"url": receiver.url, "event_types": ["*"], **change}).json()
    assert answer["error"]["details"]["reason"] == reason
    assert client.get(f"{WEBHOOK}list").json()["data"]["items"] == []
    if reason in ("address_forbidden", "url_invalid"):
        made = register(client, receiver, "*")
        updated = client.post(f"{WEBHOOK}update", json={"webhook_id": made["webhook_id"], **change}).json()
        assert updated["error"]["details"]["reason"] == reason
        shown = client.get(f"{WEBHOOK}get", params={"webhook_id": made["webhook_id"]}).json()["data"]
        assert shown["url"] == receiver.url


def test_a_name_that_leads_nowhere_now_is_taken_with_a_warning(client):
    answer = client.post(f"{WEBHOOK}register", json={"url": "https://nothing.invalid/x", "event_types": ["*"]}).json()[
        "data"
    ]
    assert len(answer["warnings"]) == 1


def test_an_event_that_breaks_its_schema_is_refused_and_a_key_makes_one_event_of_many_calls(client, receiver):
    register(client, receiver, "*")
    refused = [
        publish(client, "pipeline.exploded"),
        publish(client, data={}),
        publish(client, data={"pipeline": 1}),
        publish(client, data={"pipeline": "x", "colour": "red"}),
        publish(client, "webhook.disabled", data={}),
    ]
    assert [answer["error"]["details"]["reason"] for answer in refused] == [
        "unknown_value", "event_invalid", "event_invalid", "event_invalid", "unknown_value",
    ]  # fmt: skip
    first, second = publish(client, key="run-7")["data"], publish(client, key="run-7")["data"]
    assert (first["new"], second["new"], second["event_id"]) == (True, False, first["event_id"])
    assert len(settled(client, 1)) == 1


def test_events_are_polled_by_cursor_without_gap_or_double(client):
    ids = [publish(client)["data"]["event_id"] for _ in range(5)]
    publish(client, "qa.started", data={"subject": "reel"})
    seen, after = [], "c0"
    while True:
        query = {"after": after, "limit": 2, "event_types": "pipeline.*"}
        page = client.get("/v1/storycore.event.list", params=query).json()["data"]
        seen += [item["event_id"] for item in page["items"]]
        if not page["items"]:
            break
        after = page["next_cursor"]
    assert seen == ids
    again = publish(client)["data"]["event_id"]
    query = {"after": after, "event_types": ["pipeline.*", "qa.*"]}
    page = client.get("/v1/storycore.event.list", params=query).json()["data"]
    assert [item["event_id"] for item in page["items"]][-1] == again


def test_what_changes_while_messages_wait_holds_for_them(client, receiver):
    """A new URL is called, with the new secret; what is deleted is not sent any more."""
    receiver.status = 500
    made = register(client, receiver, "*", retry_policy={"delays_seconds": [2, 2, 2]})
    publish(client)
    receiver.wait(1)
    with receiving() as other:
        refused = ask(client, "update", webhook_id=made["webhook_id"], url=other.url)
        assert refused == "address_forbidden"
    fresh = ask(client, "rotate_secret", webhook_id=made["webhook_id"], overlap_hours=0)["secret"]
    ask(client, "update", webhook_id=made["webhook_id"], url=receiver.url.replace("/hook", "/new"))
    receiver.status = 200
    got = receiver.wait(2)[1]
    assert got.path == "/new"
    assert verify(got.body, got.headers, fresh).id == receiver.got[0].headers["webhook-id"]
    receiver.status = 500
    publish(client)
    receiver.wait(3)
    until(lambda: deliveries(client, state="retry"))
    ended = ask(client, "delete", webhook_id=made["webhook_id"])
    assert ended["cancelled"] == 1
    threading.Event().wait(3)
    assert len(receiver.got) == 3
    assert ask(client, "ping", webhook_id=made["webhook_id"]) == "webhook_not_found"
    assert [it["state"] for it in deliveries(client)] == ["cancelled", "delivered"]
    assert deliveries(client, webhook_id=made["webhook_id"]) == deliveries(client)


def test_gone_disables_a_webhook_and_another_is_told(client, receiver):
    register(client, receiver, "webhook.*")
    receiver.status = 410
    dying = register(client, receiver, "pipeline.*")
    publish(client)
    bodies = [json.loads(it.body) for it in receiver.wait(2)]
    told = next(body for body in bodies if body["type"] == "webhook.disabled")
    assert (told["data"]["webhook_id"], told["data"]["reason"]) == (dying["webhook_id"], "gone")
    shown = client.get(f"{WEBHOOK}get", params={"webhook_id": dying["webhook_id"]}).json()["data"]
    assert (shown["active"], shown["state"], shown["disabled_reason"]) == (False, "disabled", "gone")
    given_up = next(it for it in deliveries(client) if it["webhook_id"] == dying["webhook_id"])
    assert (given_up["state"], given_up["code"]) == ("exhausted", "gone")
    assert ask(client, "redeliver", delivery_id=given_up["delivery_id"]) == "webhook_inactive"


def test_redelivering_and_recovering_send_again_under_the_same_id(client, receiver):
    since = "2026-01-01T00:00:00+00:00"
    before = publish(client)["data"]["event_id"]  # nobody hears of it yet
    receiver.status = 404
    made = register(client, receiver, "pipeline.*", retry_policy={"max_retries": 0})
    event = publish(client)["data"]["event_id"]
    (given_up,) = settled(client, 1)
    assert (given_up["state"], given_up["code"], given_up["status_code"]) == ("exhausted", "http_4xx", 404)
    receiver.status = 200
    ask(client, "redeliver", delivery_id=given_up["delivery_id"])
    receiver.wait(2)
    assert settled(client, 1)[0]["state"] == "delivered"
    receiver.status = 404
    publish(client)
    receiver.wait(3)
    until(lambda: deliveries(client, state="exhausted"))
    receiver.status = 200
    counted = ask(client, "recover", webhook_id=made["webhook_id"], since=since, dry_run=True)
    assert (counted["given_up"], counted["missed"], counted["dry_run"]) == (1, 1, True)
    assert len(receiver.got) == 3
    done = ask(client, "recover", webhook_id=made["webhook_id"], since=since)
    assert (done["given_up"], done["missed"]) == (1, 1)
    ids = [it.headers["webhook-id"] for it in receiver.wait(5)]
    assert ids[0] == ids[1] == event
    assert before in ids[3:]
    assert ask(client, "recover", webhook_id=made["webhook_id"], since="yesterday") == "out_of_range"


def test_a_webhook_that_takes_messages_in_order_gets_them_in_order(client, receiver):
    made = register(client, receiver, "*", ordered=True, retry_policy={"delays_seconds": [0.3, 0.3, 0.3]})
    fails = iter([500, 200, 500, 200])

    def alternate(_got):
        receiver.status = next(fails, 200)

    receiver.before = alternate
    ids = [publish(client)["data"]["event_id"] for _ in range(5)]
    settled(client, 5)
    until(lambda: {it["state"] for it in deliveries(client)}, lambda found: found == {"delivered"})
    arrived = list(dict.fromkeys(it.headers["webhook-id"] for it in receiver.got))
    assert arrived == ids
    assert made["webhook_id"]


def test_a_rate_limit_spreads_messages(client, receiver):
    register(client, receiver, "*", per_minute=120)
    began = time.monotonic()
    for _ in range(4):
        publish(client)
    receiver.wait(4)
    assert time.monotonic() - began >= 1.0  # one at once, then one every half second


def test_retry_after_moves_the_next_attempt_and_pauses_the_webhook(client, receiver):
    receiver.status, receiver.answer_headers = 503, {"Retry-After": "120"}
    made = register(client, receiver, "*")
    publish(client)
    receiver.wait(1)
    (waiting,) = until(lambda: deliveries(client, state="retry"))
    due = (datetime.fromisoformat(waiting["due_at"]) - datetime.now(UTC)).total_seconds()
    assert 90 <= due <= 121
    shown = client.get(f"{WEBHOOK}get", params={"webhook_id": made["webhook_id"]}).json()["data"]
    assert (shown["state"], shown["failures"], shown["waiting"]) == ("failing", 1, 1)
    publish(client)
    threading.Event().wait(2)
    assert len(receiver.got) == 1


def test_a_ping_is_a_real_attempt_that_is_not_repeated_nor_listed(client, receiver):
    made = register(client, receiver, "qa.failed", active=False)
    well = ask(client, "ping", webhook_id=made["webhook_id"])
    assert (well["success"], well["code"], well["response_status"]) == (True, "ok", 204)
    (got,) = receiver.got
    assert verify(got.body, got.headers, made["secret"]).type == "webhook.ping"
    receiver.status = 500
    ill = ask(client, "ping", webhook_id=made["webhook_id"])
    assert (ill["success"], ill["code"]) == (False, "http_5xx")
    assert [it["state"] for it in deliveries(client)] == ["exhausted", "delivered"]
    assert client.get("/v1/storycore.event.list").json()["data"]["items"] == []


def test_metrics_count_attempts_by_event_and_outcome(client, receiver):
    register(client, receiver, "*")
    publish(client)
    settled(client, 1)
    text = client.get("/metrics").text
    assert 'storycore_webhook_deliveries_total{event="pipeline.completed",outcome="ok"} 1.0' in text
    assert "storycore_webhook_attempt_duration_seconds_count 1.0" in text
    assert "storycore_webhook_pending 0.0" in text


@pytest.fixture
def saying():
    """Receivers that say the given bytes once, whatever comes; each by its URL."""
    with contextlib.ExitStack() as stack:

        def start(said):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def say():
                with contextlib.suppress(OSError), listener.accept()[0] as connection:
                    connection.recv(65_536)
                    connection.sendall(said)
                    connection.recv(1)

            thread = threading.Thread(target=say)
            thread.start()
            stack.callback(thread.join, 10)
            return f"http://127.0.0.1:{listener.getsockname()[1]}/"

        yield start


def test_a_length_that_no_database_holds_harms_nobody(films, saying):
    url = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n" + bytes(70_000))
    with (
        serving(films, webhook_allow=("127.0.0.1:*",)) as server,
        httpx.Client(base_url=server, timeout=60) as client,
    ):
        client.post(f"{WEBHOOK}register", json={"url": url, "event_types": ["*"]}).raise_for_status()
        publish(client)
        (listed,) = until(lambda: deliveries(client, attempts="true"), lambda items: items[0]["state"] == "delivered")
    assert (listed["attempts"][0]["code"], listed["attempts"][0]["response_bytes"]) == ("ok", None)


def test_headers_that_are_no_text_are_kept_and_shown(films, saying):
    url = saying(b"HTTP/1.1 200 OK\r\nX-Odd: caf\xe9 \xff\r\nX-Even: caf\xc3\xa9\r\nContent-Length: 0\r\n\r\n")
    with (
        serving(films, webhook_allow=("127.0.0.1:*",)) as server,
        httpx.Client(base_url=server, timeout=60) as client,
    ):
        client.post(f"{WEBHOOK}register", json={"url": url, "event_types": ["*"]}).raise_for_status()
        publish(client)
        (listed,) = until(lambda: deliveries(client, attempts="true"), lambda items: items[0]["state"] == "delivered")
    headers = listed["attempts"][0]["response_headers"]
    assert (headers["X-Odd"], headers["X-Even"]) == ("caf\\xe9 \\xff", "café")


@pytest.mark.parametrize("ending", ["deleted", "switched off", "moved"])
def test_what_was_leased_ahead_is_not_sent_after_its_webhook_has_changed(films, receiver, ending):
    allowed = "127.0.0.1:*"
    with (
        sinking() as slow,
        serving(films, webhook_allow=(allowed,), webhook_slots=1, webhook_timeout_seconds=3) as server,
        httpx.Client(base_url=server, timeout=60) as client,
    ):
        once = {"retry_policy": {"max_retries": 0}}
        client.post(
            f"{WEBHOOK}register",
            json={"url": f"http://127.0.0.1:{slow}/never", "event_types": ["pipeline.*"], **once},
        ).raise_for_status()
        made = register(client, receiver, "pipeline.*")
        publish(client)
        until(lambda: deliveries(client, state="leased"), lambda items: len(items) == 2)
        if ending == "deleted":
            ask(client, "delete", webhook_id=made["webhook_id"])
        elif ending == "switched off":
            ask(client, "update", webhook_id=made["webhook_id"], active=False)
        else:
            ask(client, "update", webhook_id=made["webhook_id"], url=receiver.url.replace("/hook", "/new"))
        if ending == "moved":
            assert [got.path for got in receiver.wait(1)] == ["/new"]
            return
        threading.Event().wait(5)
        assert receiver.got == []
        state = "cancelled" if ending == "deleted" else "pending"
        assert [it["state"] for it in deliveries(client) if it["webhook_id"] == made["webhook_id"]] == [state]
