"""How much one run may bring home: servers are strangers, and a body need not end."""

import shutil
import time
from pathlib import Path
from typing import Final

from storycore.comfyui.client import Unreachable
from storycore.errors import DependencyFailed, Reason, Unavailable
from storycore.units import human_bytes

_LOOK_BYTES: Final = 16 * 1024 * 1024
"""After so many bytes the disk is looked at again."""
_SLOWEST_BYTES_A_SECOND: Final = 1024
_PATIENCE_SECONDS: Final = 300.0


class Room:
    """Counts what comes home of one run.

    Args:
        folder: where it goes; stands there, or one above it does.
        most_bytes: of all its files together.
        min_free_bytes: stay free on the disk.

    Attributes:
        taken_bytes: how much came; what came in vain may be taken back.
    """

    def __init__(self, folder: Path, *, most_bytes: int, min_free_bytes: int) -> None:
        self.taken_bytes = 0
        self._folder, self._most, self._min_free = folder, most_bytes, min_free_bytes
        self._look_at = 0

    def take(self, size: int) -> None:
        """Counts bytes that are about to be written.

        Raises:
            DependencyFailed: generated_too_large.
            Unavailable: disk_full.
        """
        self.taken_bytes += size
        if self.taken_bytes > self._most:
            raise DependencyFailed(
                f"The workflow makes more than {human_bytes(self._most)}.", reason=Reason.GENERATED_TOO_LARGE
            )
        if self.taken_bytes >= self._look_at:
            self._look_at = self.taken_bytes + _LOOK_BYTES
            there = next((it for it in (self._folder, *self._folder.parents) if it.exists()), None)
            if there is not None and shutil.disk_usage(there).free - size < self._min_free:
                raise Unavailable(
                    f"Less than {human_bytes(self._min_free)} would stay free on the disk.", reason=Reason.DISK_FULL
                )


class Flow:
    """One body as it comes: slow is fine, next to nothing for minutes is not."""

    def __init__(self) -> None:
        self._begun, self._came = time.monotonic(), 0

    def count(self, size: int) -> None:
        """Counts bytes that came.

        Raises:
            Unreachable: so few came that the end would never.
        """
        self._came += size
        seconds = time.monotonic() - self._begun
        if seconds > _PATIENCE_SECONDS and self._came < seconds * _SLOWEST_BYTES_A_SECOND:
            raise Unreachable(f"only {self._came} bytes came in {seconds:.0f} seconds")
