"""Who writes next."""

import threading
import time

import pytest

from storycore.database.line import Line


def waiting(line, count):
    end = time.monotonic() + 30
    while len(line._quick) + len(line._others) < count:
        assert time.monotonic() < end


def test_quick_ones_go_first_and_each_kind_in_the_order_of_its_coming():
    line, order, threads = Line(), [], []

    def write(name, *, quick):
        with line.turn(quick=quick):
            order.append(name)

    with line.turn(quick=False):
        for name in ("a", "b", "quick c", "d", "quick e"):
            thread = threading.Thread(target=write, args=(name,), kwargs={"quick": name.startswith("quick")})
            thread.start()
            threads.append(thread)
            waiting(line, len(threads))
    for thread in threads:
        thread.join(30)
    assert order == ["quick c", "quick e", "a", "b", "d"]
    assert not line._busy


def test_never_two_at_a_time():
    line, inside, most = Line(), [], []

    def write(number):
        for _ in range(200):
            with line.turn(quick=bool(number % 2)):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (set(most), len(most)) == ({1}, 1600)


class Interrupted:
    """A lock whose waiting is interrupted, as Ctrl-C does it; before that, `meanwhile` happens."""

    def __init__(self, meanwhile):
        self._taken, self._meanwhile = False, meanwhile

    def acquire(self):
        if self._taken:
            self._meanwhile()
            raise KeyboardInterrupt
        self._taken = True

    def release(self):
        """Its turn has come."""


@pytest.mark.parametrize("turn_comes", [False, True])
def test_who_is_interrupted_while_waiting_holds_up_nobody(monkeypatch, turn_comes):
    line = Line()
    first = line.turn(quick=True)
    first.__enter__()
    meanwhile = (lambda: first.__exit__(None, None, None)) if turn_comes else (lambda: None)
    monkeypatch.setattr("storycore.database.line.threading.Lock", lambda: Interrupted(meanwhile))
    with pytest.raises(KeyboardInterrupt), line.turn(quick=False):
        pass
    if not turn_comes:
        first.__exit__(None, None, None)
    with line.turn(quick=False):
        pass
    assert not line._busy
