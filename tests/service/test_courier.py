"""What one process sends: at once what is new, nothing to what was deleted, and whatever else goes wrong."""

import threading

import pytest

from fixtures.receivers import receiving, sinking
from fixtures.waiting import until
from storycore import (
    EventPublishRequest,
    Settings,
    StoryCore,
    WebhookDeleteRequest,
    WebhookDeliveriesRequest,
    WebhookRegisterRequest,
)
from storycore.database.connect import Database
from storycore.events import make
from storycore.units import now
from storycore.webhooks.address import Guard
from storycore.webhooks.courier import Courier
from storycore.webhooks.deliveries.records import DeliveryRecords
from storycore.webhooks.endpoint import Options, SealedSecret, new_webhook_id
from storycore.webhooks.endpoints.records import EndpointRecords
from storycore.webhooks.gate import Gate
from storycore.webhooks.outbox.records import EventRecords
from storycore.webhooks.post import Post
from storycore.webhooks.queue.records import QueueRecords
from storycore.webhooks.sealing import Vault


def publish(core, name="x"):
    return core.run(EventPublishRequest(event_type="pipeline.completed", data={"pipeline": name}))


@pytest.fixture
def core():
    with StoryCore(Settings.read(webhook_allow=("127.0.0.1:*",), webhook_slots=4)) as made:
        yield made


def test_what_was_published_while_nothing_waits_is_sent_at_once_and_each_once(core):
    with receiving() as receiver:
        core.run(WebhookRegisterRequest(url=receiver.url, event_types=["*"]))
        core.work()
        wanted = [publish(core, str(number)).event_id for number in range(40)]
        got = receiver.wait(40)
        until(lambda: core.run(WebhookDeliveriesRequest(state="delivered", limit=200)).items, lambda it: len(it) == 40)
        assert sorted(it.headers["webhook-id"] for it in got) == sorted(wanted)
        assert len(receiver.got) == 40


def test_nothing_is_sent_to_a_webhook_after_the_answer_that_it_is_deleted(core):
    with receiving() as receiver:
        made = core.run(WebhookRegisterRequest(url=receiver.url, event_types=["*"], most_at_once=1))
        core.work()
        for number in range(60):
            publish(core, str(number))
        receiver.wait(5)
        core.run(WebhookDeleteRequest(webhook_id=made.webhook_id))
        deleted = now()
        items = until(
            lambda: core.run(WebhookDeliveriesRequest(limit=200, attempts=True)).items,
            lambda items: not any(it.state in ("pending", "leased", "retry") for it in items),
        )
        threading.Event().wait(0.5)
        begun = [attempt.started_at for item in items for attempt in item.attempts]
        assert len(items) == 60
        assert all(it <= deleted.isoformat() for it in begun)
        assert len(receiver.got) <= len(begun) + 1  # one was on its way, and its row follows


class Poisoned(QueueRecords):
    """Records that can't take one certain result."""

    poison = 0

    def turn(self, owner, outcomes, **more):
        self.refuse(outcomes)
        return super().turn(owner, outcomes, **more)

    def settle(self, outcomes):
        self.refuse(outcomes)
        super().settle(outcomes)

    def refuse(self, outcomes):
        if any(it.leased.number == self.poison for it in outcomes):
            raise ArithmeticError("a result that nobody foresaw")


def test_a_result_that_cannot_be_written_takes_no_other_with_it(database_url):
    database = Database.open(database_url)
    events, shown = EventRecords(database), DeliveryRecords(database)
    records = Poisoned(database, events)
    vault = Vault(lambda _new: bytes(32))
    with sinking() as port:
        name = new_webhook_id()
        sealed = SealedSecret(sealed=vault.seal("a secret of twenty-four letters", name))
        EndpointRecords(database).create(
            webhook_id=name, url=f"http://127.0.0.1:{port}/ok", event_types=["*"], active=True, options=Options(),
            secrets=[sealed], facts={},
        )  # fmt: skip
        for _ in range(8):
            events.publish(make("pipeline.completed", {"pipeline": "x"}))
        everything = {"before": None, "limit": 50, "webhook": None, "state": None, "event_id": None}
        records.poison = shown.page(**everything)[3].number
        post = Post(vault, Guard(["127.0.0.1:*"]), Gate(), timeout_seconds=10)
        courier = Courier(records, post, slots=8, retention=now() - now())
        courier.start()
        try:
            states = until(
                lambda: [it.state for it in shown.page(**everything)],
                lambda states: states.count("delivered") == 7,
            )
        finally:
            courier.stop(seconds=10)
    database.close()
    assert (states.count("delivered"), states[3]) == (7, "leased")
