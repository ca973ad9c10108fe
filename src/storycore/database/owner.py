"""Names of the processes that hold leases, and whether one of them is surely gone."""

import hashlib
import os
import platform
import secrets
import sys
import uuid
from functools import cache
from pathlib import Path


def new_owner() -> str:
    """A name for this process that none had before: machine, process number and chance."""
    return f"{_machine()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_gone(owner: str) -> bool:
    """Whether the process of that name ran on this machine and is there no more; False where nobody can know."""
    machine, _, rest = owner.partition(":")
    number = rest.partition(":")[0]
    if machine != _machine() or not number.isdecimal() or sys.platform == "win32":
        return False  # on Windows asking a process is no harmless signal; its lease runs out instead
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


@cache
def _machine() -> str:
    """Names this machine since its last start, and the process space inside it; containers differ."""
    parts = [platform.node(), str(uuid.getnode())]
    for source in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(str(source.readlink()) if source.is_symlink() else source.read_text())
        except OSError:
            continue
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
