"""What a sink has received, one line of JSON for each message, and the proof that it is what was sent."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from storycore.units import iso, now


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message that came.

    Attributes:
        received_at: when, ISO 8601.
        id: `webhook-id`.
        sha256: of the body, 64 hex digits.
        verified: whether a signature holds; None if no secret was known.
        status: what was answered; 0 if nothing whole was.
        path: that was called.
    """

    received_at: str
    id: str
    sha256: str
    verified: bool | None
    status: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was sent beside what was received.

    Attributes:
        received: messages that came and were answered with success, each counted once.
        missing: ids that were sent and never came.
        unknown: ids that came and were never sent.
        repeated: id → how often it came with success, if more than once.
        changed: ids that came with different bodies.
        unverified: ids of which a signature did not hold.
    """

    received: int
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    repeated: Mapping[str, int]
    changed: tuple[str, ...]
    unverified: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether everything that was sent came, and nothing else; repeated messages are allowed."""
        return not (self.missing or self.unknown or self.changed or self.unverified)


class Ledger:
    """Entries in a file, appended as they come.

    Args:
        file: open for writing; None keeps nothing.
    """

    def __init__(self, file: TextIO | None) -> None:
        self._file = file
        self.count = 0

    def note(self, *, message_id: str, body: bytes, verified: bool | None, status: int, path: str) -> None:
        """Appends what came."""
        self.count += 1
        if self._file is None:
            return
        entry = Entry(
            received_at=iso(now()),
            id=message_id,
            sha256=hashlib.sha256(body).hexdigest(),
            verified=verified,
            status=status,
            path=path,
        )
        self._file.write(json.dumps(asdict(entry), ensure_ascii=True) + "\n")
        self._file.flush()


def read(path: Path) -> Iterator[Entry]:
    """The entries of a file; a line that was cut off at the end is left out."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield Entry(**json.loads(line))


def compare(sent: Iterable[str], entries: Iterable[Entry], *, tried: Iterable[str] = ()) -> Comparison:
    """Ids that were sent beside what came.

    Args:
        sent: ids that a receiver has taken.
        entries: what came.
        tried: ids that no receiver has taken so far; these may have come too.
    """
    wanted = set(sent)
    all_of_them = list(entries)
    good = [entry for entry in all_of_them if 200 <= entry.status <= 299]
    counts = Counter(entry.id for entry in good)
    bodies: dict[str, set[str]] = {}
    for entry in all_of_them:
        bodies.setdefault(entry.id, set()).add(entry.sha256)
    return Comparison(
        received=len(counts),
        missing=tuple(sorted(wanted - set(counts))),
        unknown=tuple(sorted(set(bodies) - wanted - set(tried))),
        repeated={message_id: count for message_id, count in counts.items() if count > 1},
        changed=tuple(sorted(message_id for message_id, hashes in bodies.items() if len(hashes) > 1)),
        unverified=tuple(sorted({entry.id for entry in all_of_them if entry.verified is False})),
    )
