"""Senders that are killed at each step: what was accepted arrives, and what comes twice has the same webhook-id."""

import contextlib
import os
import random
import re
import subprocess
import sys
import threading

import pytest
import standardwebhooks

from fixtures.receivers import receiving, sinking
from fixtures.waiting import until
from storycore import (
    EventPublishRequest,
    Settings,
    StoryCore,
    WebhookDeliveriesRequest,
    WebhookRegisterRequest,
)
from storycore.sink.ledger import compare, read

WAIT = 90.0
MANY = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.name == "nt", reason="Windows has no kill that can't be heard"),
]


@contextlib.contextmanager
def sender(url, films, allow):
    """A server on the database `url`; it is killed at the end if it still lives."""
    command = [sys.executable, "-m", "storycore", "serve", "--port", "0", "--root", str(films)]
    environment = {**os.environ, "STORYCORE_DATABASE_URL": url, "STORYCORE_WEBHOOK_ALLOW": allow}
    with subprocess.Popen(command, cwd=films, env=environment, stderr=subprocess.PIPE, text=True) as started:
        try:
            assert any(re.search(r"http://\S+", line) for line in started.stderr)  # after lines of the log
            threading.Thread(target=started.stderr.read, daemon=True).start()
            yield started
        finally:
            started.kill()


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


@pytest.fixture
def core(database_url, receiver, monkeypatch, tmp_path):
    """A process that tells of events and sends nothing itself."""
    monkeypatch.setenv("STORYCORE_SECRET_KEY_FILE", str(tmp_path / "webhook.key"))
    settings = Settings.read(database_url=database_url, webhook_allow=(receiver.opening, "127.0.0.1:*"))
    with StoryCore(settings) as made:
        yield made


def publish(core, number):
    request = EventPublishRequest(event_type="pipeline.completed", data={"pipeline": f"nightly {number}"})
    return core.run(request).event_id


def states(core):
    return [item.state for item in core.run(WebhookDeliveriesRequest(limit=200)).items]


def test_what_was_accepted_is_sent_by_whoever_comes_next(core, database_url, receiver, films, tmp_path):
    """Accepted: the process that took the event dies before anybody has sent it."""
    secret = core.run(WebhookRegisterRequest(url=receiver.url, event_types=["pipeline.*"])).secret
    program = (
        "import os\n"
        "from storycore import EventPublishRequest, StoryCore\n"
        "sc = StoryCore()\n"
        "data = {'pipeline': 'nightly'}\n"
        "print(sc.run(EventPublishRequest(event_type='pipeline.failed', data={**data, 'error': "
        "{'code': 'X', 'reason': 'x', 'message': 'x'}})).event_id, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    environment = {**os.environ, "STORYCORE_DATABASE_URL": database_url}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == -9, run.stderr
    with sender(database_url, films, receiver.opening):
        (got,) = receiver.wait(1, WAIT)
        assert got.headers["webhook-id"] == run.stdout.strip()
        standardwebhooks.Webhook(secret).verify(got.body, got.headers)
        assert until(lambda: states(core), lambda found: found == ["delivered"])


@pytest.mark.parametrize("step", ["sent", "answered"])
def test_a_sender_that_is_killed_over_a_message_leaves_it_to_the_next(core, database_url, receiver, films, step):
    """Sent: it has gone out and is not answered. Answered: the result is not written down yet."""
    core.run(WebhookRegisterRequest(url=receiver.url, event_types=["*"]))
    with sender(database_url, films, receiver.opening) as first:

        def kill(_got):
            if first.poll() is None:
                first.kill()
                first.wait(30)

        setattr(receiver, "before" if step == "sent" else "after", kill)
        event_id = publish(core, 1)
        receiver.wait(1, WAIT)
        first.wait(WAIT)
    assert states(core) in (["leased"], ["delivered"])  # the second if the result was quicker than the kill
    was = states(core)
    with sender(database_url, films, receiver.opening):
        assert until(lambda: states(core), lambda found: found == ["delivered"])
    if was == ["leased"]:
        got = receiver.wait(2, WAIT)
        assert got[0].body == got[1].body
    assert {it.headers["webhook-id"] for it in receiver.got} == {event_id}


def test_a_lease_of_a_dead_sender_is_given_back_before_anything_was_sent(core, database_url, receiver, films):
    """Leased: the row is held by a process that is no more, as after a kill between lease and first byte."""
    core.run(WebhookRegisterRequest(url=receiver.url, event_types=["*"]))
    event_id = publish(core, 1)
    program = (
        "import os\n"
        "from storycore.database.connect import Database\n"
        "from storycore.database.owner import new_owner\n"
        "from storycore.webhooks.queue.records import QueueRecords\n"
        "from storycore.webhooks.outbox.records import EventRecords\n"
        f"database = Database.open({database_url!r})\n"
        "records = QueueRecords(database, EventRecords(database))\n"
        "assert len(records.turn(new_owner(), (), room=5)) == 1\n"
        "os.kill(os.getpid(), 9)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert run.returncode == -9, run.stderr
    assert states(core) == ["leased"]
    with sender(database_url, films, receiver.opening):
        (got,) = receiver.wait(1, WAIT)
        assert until(lambda: states(core), lambda found: found == ["delivered"])
    assert got.headers["webhook-id"] == event_id


def test_kills_at_any_moment_lose_nothing(core, database_url, films, tmp_path):
    """The ledger of the sink shows every accepted event, and repeated ones only under their own id."""
    ledger = tmp_path / "ledger.jsonl"
    secret = "a secret that the sink knows too"
    chance = random.Random(7)
    with sinking(secret, ledger=ledger) as port:
        url = f"http://127.0.0.1:{port}/slow/0.05"
        core.run(WebhookRegisterRequest(url=url, event_types=["*"], secret=secret, most_at_once=4))
        accepted = []
        for _ in range(3):
            with sender(database_url, films, f"127.0.0.1:{port}"):
                for number in range(MANY // 3):
                    accepted.append(publish(core, number))
                    threading.Event().wait(chance.random() * 0.05)
        with sender(database_url, films, f"127.0.0.1:{port}"):
            until(lambda: states(core), lambda found: found == ["delivered"] * MANY)
    found = compare(accepted, read(ledger))
    assert found.agrees, found
    assert found.received == MANY


def test_two_senders_on_one_database_send_each_message_once(core, database_url, films, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    secret = "a secret that the sink knows too"
    with sinking(secret, ledger=ledger) as port, contextlib.ExitStack() as stack:
        core.run(
            WebhookRegisterRequest(url=f"http://127.0.0.1:{port}/ok", event_types=["*"], secret=secret, most_at_once=8)
        )
        for _ in range(2):
            stack.enter_context(sender(database_url, films, f"127.0.0.1:{port}"))
        accepted = [publish(core, number) for number in range(MANY)]
        until(lambda: states(core), lambda found: found == ["delivered"] * MANY)
    found = compare(accepted, read(ledger))
    assert (found.agrees, dict(found.repeated), found.received) == (True, {}, MANY)
