"""What was changed or deleted lets nothing out any more."""

import threading
from datetime import timedelta

import pytest

from fixtures.webhooks import endpoint
from storycore.webhooks.gate import Gate, Withdrawn


def test_what_was_read_before_a_change_does_not_go_and_what_was_read_after_it_does():
    gate, sent = Gate(), []
    before = endpoint(1)
    after = endpoint(1, updated_at=before.updated_at + timedelta(seconds=1))
    gate.pass_through(before, lambda: sent.append("before"))
    gate.shut(1, after.updated_at)
    with pytest.raises(Withdrawn):
        gate.pass_through(before, lambda: sent.append("too late"))
    gate.pass_through(after, lambda: sent.append("after"))
    gate.pass_through(endpoint(2), lambda: sent.append("another"))
    assert sent == ["before", "after", "another"]


def test_after_the_gate_was_shut_nothing_begins_whatever_other_threads_do():
    gate, target, sent = Gate(), endpoint(1), []
    begun = threading.Event()

    def send():
        sent.append(1)
        begun.set()

    def run():
        try:
            while True:
                gate.pass_through(target, send)
        except Withdrawn:
            return

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    begun.wait(30)
    gate.shut(1, target.updated_at + timedelta(seconds=1))
    count = len(sent)
    for thread in threads:
        thread.join(30)
    assert len(sent) == count
