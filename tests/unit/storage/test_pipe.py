"""A pipe between who writes and who sends."""

import hashlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.storage.pipe import Broken, Pipe


def pipe(part_bytes=10, check=lambda: None, begun=lambda: None):
    return Pipe(part_bytes, check=check, begun=begun)


def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@given(st.lists(st.binary(max_size=35), max_size=8), st.integers(1, 12))
def test_parts_are_what_was_written_all_of_one_size_but_the_last(pieces, part_bytes):
    made, parts = pipe(part_bytes), []
    data = b"".join(pieces)
    reader = in_thread(lambda: parts.extend(made))
    for piece in pieces:
        made.write(memoryview(piece))
    assert made.size_bytes == len(data)
    made.finish()
    reader.join(10)
    assert b"".join(parts) == data
    assert [len(part) for part in parts[:-1]] == [part_bytes] * (len(parts) - 1)
    assert made.part_digests == [hashlib.md5(part).digest() for part in parts]


def test_who_writes_waits_for_who_reads():
    ahead = threading.Semaphore(0)
    made = pipe(10, check=ahead.release)
    writer = in_thread(lambda: made.write(bytes(100)))
    for _ in range(3):
        assert ahead.acquire(timeout=10), "the writer waits, and looks whether it should stop"
    assert writer.is_alive()
    taken = [next(made) for _ in range(9)]
    writer.join(10)
    assert (len(taken), bytes(made.rest), made.is_finished) == (9, bytes(10), False)


def test_what_ends_the_waiting_is_raised():
    def stop():
        raise KeyboardInterrupt

    made = pipe(10, check=stop)
    with pytest.raises(KeyboardInterrupt):
        made.write(bytes(100))


def test_little_is_never_handed_over_before_the_end():
    begun = []
    made = pipe(10, begun=lambda: begun.append(1))
    made.write(b"0123456789")
    assert (bytes(made.rest), begun, made.part_digests) == (b"0123456789", [], [])


def test_each_side_hears_that_the_other_has_gone():
    made = pipe()
    made.break_off()
    with pytest.raises(Broken):
        next(made)
    made = pipe()
    made.leave()
    with pytest.raises(Broken):
        made.write(bytes(100))
    with pytest.raises(Broken):
        pipe_left = pipe()
        pipe_left.leave()
        pipe_left.finish()


def test_who_breaks_off_at_the_very_end_is_heard_too():
    made = pipe()
    made.write(b"0")
    writer = in_thread(made.finish)
    assert next(made) == b"0"
    writer.join(10)
    made.break_off()
    with pytest.raises(Broken):
        next(made)


def test_memory_is_used_again_once_nobody_holds_it_and_not_before():
    made, held, seen = pipe(10), [], []
    writer = in_thread(lambda: [made.write(bytes([number]) * 10) for number in range(12)])
    for number in range(10):
        view = next(made)
        seen.append(id(view.obj))
        if number in (2, 3):
            held.append(view)
        del view
    writer.join(10)
    assert [bytes(view) for view in held] == [b"\2" * 10, b"\3" * 10], "what is held stays as it is"
    assert len(set(seen)) <= 6, "two that are held, one each that is filled, waits and is read, and one at the turn"
