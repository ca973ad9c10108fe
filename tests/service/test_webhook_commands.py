"""Webhooks on the command line: registered, told by a one-shot command, received by the sink, proved by its ledger."""

import contextlib
import json
import os
import re
import subprocess
import sys

import pytest

from fixtures.programs import storycore
from fixtures.receivers import receiving, sinking
from storycore import StoryCore, WebhookRegisterRequest, WebhookUpdateRequest

SECRET = "a secret of our own making"


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text(SECRET + "\n", encoding="utf-8")
    return path


@contextlib.contextmanager
def sink(*words, cwd):
    command = [sys.executable, "-m", "storycore", "webhook", "sink", "--port", "0", *words]
    with subprocess.Popen(command, cwd=cwd, stderr=subprocess.PIPE, text=True) as started:
        try:
            yield re.search(r"127\.0\.0\.1:\d+", started.stderr.readline())[0]
        finally:
            started.terminate()
            started.wait(30)


def test_a_command_sends_its_own_events_before_it_ends_and_the_ledger_proves_it(film, tmp_path, secret_file):
    ledger = tmp_path / "ledger.jsonl"
    with sink("--secret-file", str(secret_file), "--ledger", str(ledger), cwd=tmp_path) as place:
        environment = {"STORYCORE_WEBHOOK_ALLOW": place}
        register = ("webhook", "register", f"http://{place}/hook", "--event", "export.*,qa.*")
        made = storycore(*register, "--secret-file", str(secret_file), "--json", cwd=tmp_path, **environment)
        assert json.loads(made.stdout)["data"]["secret"] is None
        assert SECRET not in made.stdout + made.stderr
        packed = storycore("export", "package", str(film), cwd=tmp_path, **environment)
        assert (packed.returncode, "wait" in packed.stderr) == (0, False), packed.stderr
        path = next(film.glob("exports/*/*.zip"))
        assert storycore("export", "verify", str(path), cwd=tmp_path, **environment).returncode == 0
    compared = storycore("webhook", "sink", "--compare", str(ledger), cwd=tmp_path)
    assert (compared.returncode, compared.stdout) == (0, "✓ 4 delivered, 4 received\n")
    with ledger.open("a", encoding="utf-8") as file:
        file.write(ledger.read_text(encoding="utf-8").splitlines()[0].replace("evt_", "evt_f") + "\n")
    compared = storycore("webhook", "sink", "--compare", str(ledger), cwd=tmp_path)
    assert (compared.returncode, "never sent: evt_f" in compared.stdout) == (1, True)


def test_recovering_with_dry_run_only_counts(film, tmp_path):
    made = storycore("webhook", "register", "https://hooks.invalid/x", "--event", "export.*", "--no-active", "--json",
                     cwd=tmp_path)  # fmt: skip
    assert storycore("export", "package", str(film), cwd=tmp_path).returncode == 0
    webhook = json.loads(made.stdout)["data"]["webhook_id"]
    storycore("webhook", "update", webhook, "--active", cwd=tmp_path)
    recover = ("webhook", "recover", webhook, "--since", "2020-01-01T00:00:00+00:00", "--dry-run", "--json")
    told = [json.loads(storycore(*recover, cwd=tmp_path).stdout)["data"] for _ in range(2)]
    assert told == [{"webhook_id": webhook, "given_up": 0, "missed": 2, "dry_run": True}] * 2
    waiting = storycore("webhook", "deliveries", "--json", cwd=tmp_path)
    assert json.loads(waiting.stdout)["data"]["items"] == []


def test_a_command_whose_webhook_does_not_answer_says_what_waits(film, tmp_path):
    with receiving() as receiver:
        receiver.status = 500
        environment = {"STORYCORE_WEBHOOK_ALLOW": receiver.opening}
        storycore("webhook", "register", receiver.url, "-e", "export.completed", cwd=tmp_path, **environment)
        packed = storycore("export", "package", str(film), cwd=tmp_path, **environment)
        quiet = storycore("export", "package", str(film), "-q", cwd=tmp_path, **environment)
        assert len(receiver.got) >= 2
    assert packed.returncode == 0
    assert "1 message to a webhook waits; `storycore serve` or `storycore worker` sends them." in packed.stderr
    assert (quiet.returncode, quiet.stderr) == (0, "")


def test_a_failed_export_is_told_too(film, tmp_path):
    (film / "project.json").write_text("{")
    with receiving() as receiver:
        environment = {"STORYCORE_WEBHOOK_ALLOW": receiver.opening}
        storycore("webhook", "register", receiver.url, "-e", "export.failed", cwd=tmp_path, **environment)
        packed = storycore("export", "package", str(film), cwd=tmp_path, **environment)
        (got,) = receiver.wait(1)
    assert packed.returncode == 2
    assert json.loads(got.body)["data"]["error"]["reason"] == "project_invalid"


def test_a_secret_comes_from_a_file_or_the_standard_input_never_from_the_command_line(tmp_path, secret_file):
    refused = storycore("webhook", "register", "https://a.invalid/", "-e", "*", "--secret", SECRET, cwd=tmp_path)
    assert refused.returncode == 2
    command = [sys.executable, "-m", "storycore", "webhook", "register", "https://a.invalid/", "-e", "*"]
    given = subprocess.run(
        [*command, "--secret-file", "-", "--json"], cwd=tmp_path, input=SECRET, capture_output=True, text=True,
        timeout=60, env=dict(os.environ),
    )  # fmt: skip
    assert json.loads(given.stdout)["data"]["secret"] is None
    short = tmp_path / "short.txt"
    short.write_text("short", encoding="utf-8")
    for name in (str(short), str(tmp_path / "none.txt")):
        told = storycore("webhook", "register", "https://a.invalid/", "-e", "*", "--secret-file", name, cwd=tmp_path)
        assert (told.returncode, "secret" in told.stderr) == (2, True)


def test_headers_come_from_a_file_since_others_can_see_a_command_line(tmp_path):
    words = ("webhook", "register", "https://a.invalid/", "-e", "*")
    assert storycore(*words, "--headers", "Authorization=Bearer x", cwd=tmp_path).returncode == 2
    file = tmp_path / "headers.txt"
    file.write_text("Authorization=Bearer a=b\nX-Studio=north\n", encoding="utf-8")
    made = storycore(*words, "--headers-file", str(file), "--json", cwd=tmp_path)
    name = json.loads(made.stdout)["data"]["webhook_id"]
    shown = json.loads(storycore("webhook", "get", name, "--json", cwd=tmp_path).stdout)["data"]
    assert shown["headers"] == ["Authorization", "X-Studio"]
    file.write_text("Bearer of-the-receiver", encoding="utf-8")
    told = storycore(*words, "--headers-file", str(file), cwd=tmp_path)
    assert (told.returncode, "of-the-receiver" in told.stderr) == (2, False)


def test_lists_are_for_people_and_help_tells_what_each_option_is(tmp_path):
    helped = storycore("webhook", "register", "--help", cwd=tmp_path).stdout
    assert "None" not in helped
    assert "max_retries" in helped
    assert "No webhooks yet" in storycore("webhook", "list", cwd=tmp_path).stdout
    with receiving() as receiver:
        receiver.status, receiver.body = 500, b"\x1b[2Jno"
        environment = {"STORYCORE_WEBHOOK_ALLOW": receiver.opening}
        made = storycore("webhook", "register", receiver.url, "-e", "*", "--json", cwd=tmp_path, **environment)
        name = json.loads(made.stdout)["data"]["webhook_id"]
        assert storycore("webhook", "ping", name, cwd=tmp_path, **environment).returncode == 1
    listed = storycore("webhook", "list", cwd=tmp_path).stdout
    brief = storycore("webhook", "deliveries", cwd=tmp_path).stdout
    whole = storycore("webhook", "deliveries", "--bodies", cwd=tmp_path).stdout
    assert (name in listed, "failing" in listed, "{" in listed) == (True, True, False)
    assert ("webhook.ping" in brief, "http_5xx" in brief, "{" in brief) == (True, True, False)
    assert ("http_5xx 500" in whole, "no" in whole, "\x1b" in whole) == (True, True, False)


def test_a_message_that_came_is_checked_from_its_files(tmp_path, secret_file):
    with receiving() as receiver:
        environment = {"STORYCORE_WEBHOOK_ALLOW": receiver.opening}
        register = ("webhook", "register", receiver.url, "-e", "qa.failed", "--secret-file", str(secret_file))
        made = storycore(*register, "--json", cwd=tmp_path, **environment)
        name = json.loads(made.stdout)["data"]["webhook_id"]
        sent = storycore(
            "webhook", "trigger", name, "-e", "qa.failed", "--payload", "subject=reel 1", cwd=tmp_path, **environment
        )
        assert sent.returncode == 0, sent.stderr
        (got,) = receiver.wait(1)
    (tmp_path / "body.json").write_bytes(got.body)
    (tmp_path / "headers.txt").write_text("\n".join(f"{name}: {value}" for name, value in got.headers.items()))
    check = ("webhook", "verify", "body.json", "--headers", "headers.txt", "--secret-file", str(secret_file))
    good = storycore(*check, cwd=tmp_path)
    assert (good.returncode, "✓ genuine" in good.stdout) == (0, True)
    (tmp_path / "body.json").write_bytes(got.body + b" ")
    bad = storycore(*check, cwd=tmp_path)
    assert (bad.returncode, "signature_wrong" in bad.stdout) == (1, True)


def test_the_library_sends_first_attempts_when_it_is_asked_to(film):
    from storycore import PackageRequest, Settings

    with receiving() as receiver, StoryCore(Settings.read(webhook_allow=(receiver.opening,))) as core:
        hook = core.run(WebhookRegisterRequest(url=receiver.url, event_types=["export.*"]))
        core.run(PackageRequest(project_path=str(film)))
        assert receiver.got == []
        assert core.send_first(seconds=30) == 0
        assert len(receiver.got) == 2
        core.run(WebhookUpdateRequest(webhook_id=hook.webhook_id, active=False))
        core.run(PackageRequest(project_path=str(film)))
        assert core.send_first(seconds=30) == 0
    assert len(receiver.got) == 2


def test_an_attempt_that_is_cut_off_is_written_down_and_goes_again(film):
    from storycore import PackageRequest, Settings, WebhookDeliveriesRequest, WebhookGetRequest

    with sinking() as port, StoryCore(Settings.read(webhook_allow=("127.0.0.1:*",))) as core:
        hook = core.run(WebhookRegisterRequest(url=f"http://127.0.0.1:{port}/never", event_types=["export.completed"]))
        core.run(PackageRequest(project_path=str(film)))
        assert core.send_first(seconds=4) == 1
        (delivery,) = core.run(WebhookDeliveriesRequest(attempts=True)).items
        (attempt,) = delivery.attempts
        assert (attempt.code, attempt.status_code, attempt.total_ms > 0) == ("cancelled", None, True)
        assert (delivery.state, delivery.attempt_count, delivery.code) == ("retry", 1, "cancelled")
        assert core.run(WebhookGetRequest(webhook_id=hook.webhook_id)).failures == 0
