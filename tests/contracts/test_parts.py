"""What holds of parts of tasks in both databases: each is done once, by whoever begins it or by their parent."""

import threading

import pytest

from storycore.app import App
from storycore.settings import Settings
from storycore.tasks.parts.records import PartRecords
from storycore.tasks.task import Order, Outcome, Status

KIND, FILM = "storycore.render.segments@x", "storycore.export.format"


@pytest.fixture
def app(database_url):
    made = App(Settings.read(database_url=database_url))
    yield made
    made.close()


@pytest.fixture
def parent(app):
    return app.tasks.records.accept_running(Order(kind=FILM, request={}), "director")


@pytest.fixture
def parts(app):
    return PartRecords(app.database, app.tasks.records)


def offer(app, parent, *names, kind=KIND):
    return app.tasks.submit_many([Order(kind=kind, request={"name": name}, parent=parent.id) for name in names])


def test_parts_are_in_no_list_and_no_figure(app, parent):
    offer(app, parent, "a", "b")
    records = app.tasks.records
    assert [task.id for task in records.page(before=None, limit=10)] == [parent.id]
    assert (records.counts()["running"], records.counts()["pending"]) == (1, 0)
    assert records.waiting_since() is None
    assert records.waits(), "but workers are told of them"


def test_a_helper_goes_on_from_the_first_and_the_parent_takes_back_from_the_last(app, parts, parent):
    offer(app, parent, "a", "b", "c", "d")
    first = app.tasks.records.claim("helper", {KIND})
    second = parts.claim("helper", first, ())
    back = parts.take_back(parent.id)
    assert [task.request["name"] for task in (first, second, back)] == ["a", "b", "d"]
    assert (second.status, second.owner, second.attempt) == (Status.RUNNING, "helper", 1)
    assert {part.status for part in parts.standing(parent.id)} == {Status.RUNNING, Status.PENDING}


def test_a_part_has_one_taker_however_many_ask(app, parts, parent):
    offer(app, parent, *map(str, range(30)))
    first = app.tasks.records.claim("helper", {KIND})
    taken = [first.request["name"]]

    def take(get):
        while part := get():
            taken.append(part.request["name"])

    asking = [lambda: parts.claim("helper", first, ()), lambda: parts.take_back(parent.id)] * 2
    threads = [threading.Thread(target=take, args=(get,)) for get in asking]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken, key=int) == [str(number) for number in range(30)]


def test_a_task_of_its_own_goes_before_the_next_part(app, parts, parent):
    offer(app, parent, "a", "b")
    first = app.tasks.records.claim("helper", {KIND})
    app.tasks.records.accept(Order(kind="other", request={}))
    assert parts.claim("helper", first, {"other"}) is None
    assert parts.claim("helper", first, {"not done here"}) is not None


def test_parts_of_other_films_and_of_other_kinds_are_left_alone(app, parts, parent):
    offer(app, parent, "a")
    other = app.tasks.records.accept_running(Order(kind=FILM, request={}), "director")
    offer(app, other, "b")
    offer(app, parent, "c", kind="storycore.render.segments@another make")
    first = app.tasks.records.claim("helper", {KIND})
    assert parts.claim("helper", first, ()) is None


def test_what_a_dead_helper_had_is_the_parents_again(app, parts, parent):
    offer(app, parent, "a")
    task = app.tasks.records.claim("helper", {KIND})
    assert parts.take_back(parent.id) is None
    [seen] = [lease for lease in app.tasks.records.running() if lease[0] == task.id]
    app.tasks.records.lapse(seen, {})
    assert parts.take_back(parent.id).request == {"name": "a"}
    assert parts.standing(parent.id) == []


def test_a_new_attempt_finds_what_others_do_and_does_away_with_the_rest(app, parts, parent):
    offer(app, parent, "a", "b", "c")
    running, ended = (app.tasks.records.claim("helper", {KIND}) for _ in range(2))
    parts.finish(ended, Outcome(result={}))
    assert [part.id for part in parts.left(parent.id)] == [running.id]
    assert [part.id for part in parts.standing(parent.id)] == [running.id]


def test_dismissed_parts_are_gone_or_told_to_stop(app, parts, parent):
    offer(app, parent, "a", "b")
    running = app.tasks.records.claim("helper", {KIND})
    parts.dismiss(parent.id)
    assert [(part.id, part.status) for part in parts.standing(parent.id)] == [(running.id, Status.RUNNING)]
    assert app.tasks.records.beat("helper") == {(running.id, 1): True}
    assert parts.left(parent.id) == [], "what is to stop is not relied on"


@pytest.mark.parametrize("hand_in", [PartRecords.give_back, lambda parts, part: parts.finish(part, Outcome(result={}))])
def test_a_part_that_was_told_to_stop_has_ended_when_its_helper_lets_go(app, parts, parent, hand_in):
    offer(app, parent, "a")
    running = app.tasks.records.claim("helper", {KIND})
    parts.dismiss(parent.id)
    hand_in(parts, running)
    assert [(part.id, part.status) for part in parts.standing(parent.id)] == [(running.id, Status.CANCELLED)]
    assert [lease[0] for lease in app.tasks.records.running()] == [parent.id]


def test_a_parent_that_has_ended_or_is_to_stop_wants_nothing(app, parts, parent):
    assert parts.is_wanted(parent.id)
    app.tasks.records.cancel(parent.id, {})
    assert not parts.is_wanted(parent.id)
    assert not parts.is_wanted("task_of_another_time")


def test_ended_parts_are_forgotten_and_others_never(app, parts, parent):
    offer(app, parent, "a", "b")
    ended = app.tasks.records.claim("helper", {KIND})
    parts.finish(ended, Outcome(result={"figures": {}}))
    assert [part.result for part in parts.standing(parent.id)] == [{"figures": {}}, None]
    parts.forget([part.id for part in parts.standing(parent.id)] + [parent.id])
    assert [part.status for part in parts.standing(parent.id)] == [Status.PENDING]
    assert app.tasks.records.find(parent.id).status is Status.RUNNING
