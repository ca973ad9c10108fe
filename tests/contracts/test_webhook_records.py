"""What the records of webhooks hold, on each kind of database."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from storycore.database.connect import Database
from storycore.database.owner import new_owner
from storycore.database.tables import deliveries, webhooks
from storycore.events import make
from storycore.units import now
from storycore.webhooks.deliveries.records import DeliveryRecords
from storycore.webhooks.delivery import Attempt, Code, State, decide
from storycore.webhooks.endpoint import Options, SealedSecret, new_webhook_id
from storycore.webhooks.endpoints.records import EndpointRecords
from storycore.webhooks.leasing.records import Held
from storycore.webhooks.outbox.records import EventRecords
from storycore.webhooks.queue.records import QueueRecords


class Desk:
    def __init__(self, database):
        self.database = database
        self.events, self.endpoints = EventRecords(database), EndpointRecords(database)
        self.deliveries, self.queue = DeliveryRecords(database), QueueRecords(database, self.events)

    def hook(self, *types, **options):
        return self.endpoints.create(
            webhook_id=new_webhook_id(), url="https://hooks.invalid/x", event_types=types or ("*",), active=True,
            options=Options(**options), secrets=[SealedSecret(sealed="x")], facts={},
        )  # fmt: skip

    def publish(self, kind="pipeline.completed", data=None):
        return self.events.publish(make(kind, data or {"pipeline": "x"}))[0]

    def lease(self, room=10, owner=None):
        return self.queue.turn(owner or new_owner(), (), room=room)

    def settle(self, leases, code):
        status = {Code.OK: 200, Code.GONE: 410}.get(code)
        made = Attempt(started_at=now(), url="https://hooks.invalid/x", code=code, status_code=status, total_ms=1.0)
        self.queue.settle([decide(it, made, chance=0.0, instant=now()) for it in leases])

    def set(self, hook, **values):
        with self.database.write() as connection:
            connection.execute(update(webhooks).where(webhooks.c.number == hook.number).values(**values))

    def types(self):
        return [event.type for _, event in self.events.page(after=0, limit=100)]

    def states(self, hook):
        found = self.deliveries.page(before=None, limit=100, webhook=hook.number, state=None, event_id=None)
        return [it.state for it in found]


@pytest.fixture
def desk(database_url):
    database = Database.open(database_url)
    yield Desk(database)
    database.close()


def test_an_event_of_a_change_that_is_undone_was_never_told(desk):
    hook = desk.hook()
    with pytest.raises(ZeroDivisionError), desk.database.accept() as connection:
        desk.events.write(connection, make("pipeline.completed", {"pipeline": "x"}))
        _ = 1 / 0
    assert (desk.types(), desk.states(hook)) == ([], [])


def test_events_are_found_from_the_newest_on_page_by_page(desk):
    for number in range(5):
        desk.publish(
            "qa.started" if number % 2 else "pipeline.completed", {"subject" if number % 2 else "pipeline": "x"}
        )
    first = desk.events.newest(before=None, limit=3)
    rest = desk.events.newest(before=first[-1][0], limit=3)
    assert [event.id for _, event in (*first, *rest)] == [event.id for _, event in desk.events.page(after=0, limit=9)][
        ::-1
    ]
    assert [event.type for _, event in desk.events.newest(before=None, limit=9, types=["qa.started"])] == [
        "qa.started"
    ] * 2


def test_only_who_is_registered_hears_and_inactive_ones_do_not(desk):
    hears, other, group = desk.hook("pipeline.completed"), desk.hook("qa.failed"), desk.hook("pipeline.*")
    idle = desk.hook()
    desk.endpoints.update(idle.id, active=False)
    desk.publish()
    assert [len(desk.states(it)) for it in (hears, other, group, idle)] == [1, 0, 1, 0]


def test_a_delivery_is_leased_to_one_only_and_a_late_result_of_a_lost_lease_changes_nothing(desk):
    hook = desk.hook()
    desk.publish()
    first = desk.lease()
    assert (len(first), desk.lease()) == (1, [])
    (held,) = desk.queue.held()
    assert desk.queue.release([Held(held.number, "somebody else", held.lease)]) == 0
    assert desk.queue.release([held]) == 1
    second = desk.lease()
    assert second[0].lease == first[0].lease + 1
    desk.settle(first, Code.HTTP_5XX)
    assert desk.states(hook) == [State.LEASED]
    desk.settle(second, Code.OK)
    assert desk.states(hook) == [State.DELIVERED]
    made = desk.deliveries.attempts([first[0].number])[first[0].number]
    assert [attempt.code for _, _, attempt in made] == [Code.HTTP_5XX, Code.OK]


def test_no_webhook_has_more_at_a_time_than_it_may_and_each_gets_its_share(desk):
    greedy, modest = desk.hook(most_at_once=8), desk.hook(most_at_once=2)
    for _ in range(20):
        desk.publish()
    leases = desk.lease(room=10)
    counts = [sum(it.endpoint.number == hook.number for it in leases) for hook in (greedy, modest)]
    assert counts == [5, 2]
    more = desk.lease(room=100)
    assert [sum(it.endpoint.number == hook.number for it in more) for hook in (greedy, modest)] == [3, 0]


def test_if_more_webhooks_wait_than_there_is_room_all_have_their_turn(desk):
    hooks = [desk.hook() for _ in range(5)]
    for _ in range(4):
        desk.publish()
    rounds = [desk.lease(room=2) for _ in range(5)]
    assert [[it.endpoint.number for it in leases] for leases in rounds] == [
        [hooks[first].number, hooks[second].number] for first, second in ((0, 1), (2, 3), (4, 0), (1, 2), (3, 4))
    ]


def test_no_sender_waits_for_another_that_counts_the_room_of_a_webhook(desk, database_url):
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has one writer at a time")
    first, second = desk.hook(), desk.hook()
    desk.publish()
    with desk.database.write() as other:
        other.execute(select(webhooks.c.number).where(webhooks.c.number == first.number).with_for_update())
        assert [it.endpoint.number for it in desk.lease()] == [second.number]
    assert [it.endpoint.number for it in desk.lease()] == [first.number]


def test_one_that_fails_is_left_alone_then_probed_by_one_and_recovers_at_once(desk):
    hook = desk.hook(delays=[0.001] * 50, most_at_once=8)
    for _ in range(20):
        desk.publish()
    desk.settle(desk.lease(room=8), Code.REFUSED)
    shown = desk.endpoints.find(hook.id)
    assert (shown.failures, shown.paused_until > now()) == (5, True)
    assert desk.lease() == []
    desk.set(hook, paused_until=now() - timedelta(seconds=1))
    probe = desk.lease()
    assert (len(probe), probe[0].probe, desk.lease()) == (1, True, [])
    desk.settle(probe, Code.REFUSED)
    assert desk.endpoints.find(hook.id).failures == 6
    desk.set(hook, paused_until=now() - timedelta(seconds=1))
    desk.settle(desk.lease(), Code.OK)
    shown = desk.endpoints.find(hook.id)
    assert (shown.failures, shown.failing_since, shown.paused_until) == (0, None, None)
    assert len(desk.lease(room=8)) == 8


def test_days_of_failure_are_told_before_they_disable_and_nothing_is_lost(desk):
    watcher, dying = desk.hook("webhook.*"), desk.hook("pipeline.*", "webhook.*", delays=[0.001] * 50)

    def fail(days):
        desk.set(dying, failing_since=now() - timedelta(days=days), failures=5, paused_until=None)
        desk.publish()
        leases = [it for it in desk.lease(room=50) if it.endpoint.number == dying.number]
        desk.settle(leases[:1], Code.TIMEOUT_CONNECT)
        desk.queue.release(desk.queue.held())

    fail(2)
    assert "webhook.warned" not in desk.types()
    fail(6)
    assert desk.types()[-1] == "webhook.warned"  # first the warning, however long it was
    assert desk.endpoints.find(dying.id).active
    fail(6)
    assert desk.endpoints.find(dying.id).active  # not on the same day
    desk.set(dying, warned_at=now() - timedelta(days=2))
    fail(6)
    shown = desk.endpoints.find(dying.id)
    assert (shown.active, shown.disabled_reason, desk.types()[-1]) == (False, "failing", "webhook.disabled")
    assert len(desk.states(watcher)) == 2  # it hears of the other; the other hears not of itself
    waiting = desk.states(dying)
    assert len(waiting) == 4
    assert dying.number not in {it.endpoint.number for it in desk.lease(room=50)}
    again = desk.endpoints.update(dying.id, active=True)
    assert (again.failures, again.failing_since, again.disabled_reason) == (0, None, "")


def test_gone_disables_at_once(desk):
    hook = desk.hook()
    desk.publish()
    desk.settle(desk.lease(), Code.GONE)
    assert (desk.states(hook), desk.endpoints.find(hook.id).disabled_reason) == ([State.EXHAUSTED], "gone")


def test_what_waits_is_never_forgotten_and_what_has_ended_is_in_time(desk):
    desk.hook()
    kept, gone = desk.publish(), desk.publish()
    leases = desk.lease()
    desk.settle([it for it in leases if it.event_id == gone.id], Code.OK)
    desk.queue.release(desk.queue.held())
    later = now() + timedelta(days=40)
    assert desk.queue.expire(later) == 1
    assert (desk.events.find(gone.id), desk.events.find(kept.id)) == (None, kept)
    with desk.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM attempts")).scalar() == 0


def test_a_command_does_not_overtake_what_waits_for_a_webhook_that_takes_messages_in_order(desk):
    hook = desk.hook(ordered=True)
    desk.publish()
    mine = desk.publish()
    assert desk.queue.turn(new_owner(), (), room=10, only=[mine.id]) == []
    desk.settle(desk.lease(), Code.OK)
    (leased,) = desk.queue.turn(new_owner(), (), room=10, only=[mine.id])
    assert (leased.event_id, leased.endpoint.number) == (mine.id, hook.number)


def test_a_clock_that_was_put_back_silences_nobody_for_long(desk):
    paced, paused, retried = desk.hook("qa.started", per_minute=60), desk.hook("qa.failed"), desk.hook()
    ahead = now() + timedelta(days=400)
    desk.set(paced, paced_at=ahead)
    desk.set(paused, paused_until=ahead)
    desk.publish("qa.started", {"subject": "x"})
    desk.publish("qa.failed", {"subject": "x"})
    with desk.database.write() as connection:
        connection.execute(update(deliveries).where(deliveries.c.webhook == retried.number).values(due_at=ahead))
    assert desk.queue.bring_near() == 2
    leased = [it.endpoint.number for it in desk.lease()]
    assert sorted(leased) == [paced.number, paused.number, retried.number, retried.number]


def test_times_that_are_honestly_far_are_left_as_they_are(desk):
    hook = desk.hook()
    desk.set(hook, paused_until=now() + timedelta(minutes=59))
    desk.publish()
    with desk.database.write() as connection:
        connection.execute(update(deliveries).values(due_at=now() + timedelta(hours=26)))
    assert desk.queue.bring_near() == 0
    assert desk.lease() == []
    assert desk.endpoints.find(hook.id).paused_until is not None


def test_a_webhook_that_said_it_is_gone_is_disabled_though_another_message_was_taken_at_the_same_time(desk):
    hook = desk.hook()
    desk.publish()
    desk.publish()
    first, second = desk.lease()

    def made(code, status):
        return Attempt(started_at=now(), url="https://hooks.invalid/x", code=code, status_code=status, total_ms=1.0)

    outcomes = [
        decide(first, made(Code.GONE, 410), chance=0.0, instant=now()),
        decide(second, made(Code.OK, 200), chance=0.0, instant=now()),
    ]
    desk.queue.settle(outcomes)
    found = desk.endpoints.find(hook.id)
    assert (found.active, found.disabled_reason) == (False, "gone")


def test_an_attempt_is_kept_as_it_was_made(desk):
    desk.hook()
    for _ in range(3):
        desk.publish()
    leases = desk.lease()
    made = [
        Attempt(
            started_at=now(), url="https://hooks.invalid/x", code=code, status_code=status, dns_ms=dns_ms,
            connect_ms=None, headers_ms=2.5, total_ms=3.5, remote_address="[2001:db8::1]:443",
            response_headers={"X-One": "caf\\xe9", "Two": ""}, response_body=bytes(range(256)), response_bytes=2**40,
            response_sha256="0" * 64, message="Wörter", request_headers=sent,
        )
        for code, status, dns_ms, sent in (
            (Code.OK, 204, None, {"webhook-id": "e1", "X-Own": "[your own]"}), (Code.HTTP_5XX, 500, 1.5, {}),
            (Code.OK, 200, None, None),
        )
    ]  # fmt: skip
    desk.queue.settle([decide(it, how, chance=0.0, instant=now()) for it, how in zip(leases, made, strict=True)])
    kept = desk.deliveries.attempts([it.number for it in leases])
    assert [kept[it.number] for it in leases] == [[(1, it.origin, how)] for it, how in zip(leases, made, strict=True)]
    shown = [desk.deliveries.find(it.id) for it in leases]
    assert [(it.state, it.attempts, it.code, it.status_code, it.finished_at is None) for it in shown] == [
        (State.DELIVERED, 1, "ok", 204, False), (State.RETRY, 1, "http_5xx", 500, True),
        (State.DELIVERED, 1, "ok", 200, False),
    ]  # fmt: skip


def test_what_is_cut_off_is_written_down_counts_against_nobody_and_may_go_at_once(desk):
    hook = desk.hook(delays=[3600.0])
    desk.publish()
    desk.settle(desk.lease(), Code.CANCELLED)
    shown = desk.endpoints.find(hook.id)
    assert (shown.failures, shown.failing_since, desk.states(hook)) == (0, None, [State.RETRY])
    assert [it.attempt for it in desk.lease()] == [2]


def test_a_new_event_is_leased_from_the_beginning_to_webhooks_that_are_well_and_idle(desk):
    idle, busy, failing = desk.hook(), desk.hook("qa.*", "pipeline.*"), desk.hook()
    desk.hook(per_minute=60)
    desk.events.publish(make("qa.started", {"subject": "x"}))
    desk.settle([it for it in desk.lease() if it.endpoint.number != busy.number], Code.OK)
    desk.set(failing, failures=1)
    owner = new_owner()
    event, written = desk.events.publish(make("pipeline.completed", {"pipeline": "x"}), owner=owner)
    assert [(it.endpoint.number, it.event_id, it.lease, it.attempt) for it in written.leased] == [
        (idle.number, event.id, 1, 1)
    ]
    assert written.deliveries == 4
    held = [it for it in desk.queue.held() if it.owner == owner]
    assert held == [Held(written.leased[0].number, owner, 1)]
    assert idle.number not in [it.endpoint.number for it in desk.lease(room=50)]
    _, again = desk.events.publish(make("pipeline.completed", {"pipeline": "y"}), owner=owner)
    assert again.leased == []  # something waits for each of them now
    desk.settle(written.leased, Code.OK)
    assert desk.states(idle)[1:] == [State.DELIVERED, State.DELIVERED]


def test_a_change_is_always_later_than_the_one_before_whatever_the_clock_says(desk):
    hook = desk.hook()
    ahead = now() + timedelta(hours=1)
    desk.set(hook, updated_at=ahead)
    changed = desk.endpoints.update(hook.id, facts={"x": 1})
    ended, _ = desk.endpoints.delete(hook.id)
    assert ahead < changed.updated_at < ended.updated_at
