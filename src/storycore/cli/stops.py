"""The signals that ask a command to stop."""

import signal

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, a polite kill, and a terminal that was closed, as far as the system knows them."""


def stops() -> list[int]:
    """Those that are heeded: all but a closed terminal where `nohup`, or who else started us, has it ignored."""
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return [number for number in known if not (_is_closed_terminal(number) and _is_ignored(number))]


def _is_closed_terminal(number: int) -> bool:
    return number == getattr(signal, "SIGHUP", None)


def _is_ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN
