"""Calls that nobody may ever answer: whoever stops the work is heard meanwhile."""

import threading
from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")

_LOOK_SECONDS = 0.1


def heard(call: Callable[[], R], check: Callable[[], None] | None) -> R:
    """What a call gives. While it waits, signals arrive, and `check` can end the waiting.

    The library behind a call waits outside Python, where a signal is not heard, for minutes if a server is silent.
    So another thread makes it, and is left alone with it when the work ends.

    Args:
        call: may go on when nobody waits for it any more.
        check: called before, and while it waits; what it raises is raised. None: nothing can end the waiting.
    """
    if check is None:
        return call()
    check()
    given: list[R] = []
    fault: list[BaseException] = []

    def make() -> None:
        try:
            given.append(call())
        except BaseException as raised:  # noqa: BLE001 - raised again by who waits
            fault.append(raised)

    thread = threading.Thread(target=make, name="asking", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_LOOK_SECONDS)
        if thread.is_alive():
            check()
    if fault:
        raise fault[0]
    return given[0]
