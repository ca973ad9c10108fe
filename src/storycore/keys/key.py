"""An API key: how it is made, how it is told from others, what it allows. Pure.

A key has 256 random bits, so that its SHA-256 can be stored as it is: there is nothing to guess, and no slow hash is
needed. The key itself is shown once and kept nowhere.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LETTERS = 43  # 62 ** 43 > 2 ** 256
_SHAPE = re.compile(r"sck_([0-9a-f]{8})_[0-9A-Za-z]{43}")


class Scope(StrEnum):
    """What a key can allow."""

    PROJECTS_READ = "projects:read"
    EXPORTS_READ = "exports:read"
    EXPORTS_WRITE = "exports:write"
    TASKS_READ = "tasks:read"
    TASKS_CANCEL = "tasks:cancel"
    ARTIFACTS_READ = "artifacts:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"
    METRICS_READ = "metrics:read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as it is stored.

    Attributes:
        id: its public part.
        name: what a person called it.
        sha256: of the whole key, 64 hex digits.
        scopes: what it allows; `admin` allows everything.
        created_at: when it was made.
        expires_at: when it ends by itself; None for never.
        revoked_at: when it was revoked; None if it was not.
        last_used_at: about when it was used last; None for never.
    """

    id: str
    name: str
    sha256: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_usable(self, instant: datetime) -> bool:
        """Whether it opens anything at that time."""
        return self.revoked_at is None and (self.expires_at is None or instant < self.expires_at)

    def allows(self, scope: str) -> bool:
        """Whether it allows what needs that scope."""
        return scope in self.scopes or Scope.ADMIN.value in self.scopes


def new_secret() -> str:
    """A key that nobody has seen."""
    number = secrets.randbits(256)
    letters = []
    for _ in range(_SECRET_LETTERS):
        number, digit = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[digit])
    return f"sck_{secrets.token_hex(4)}_{''.join(letters)}"


def id_of(secret: str) -> str | None:
    """The public part of a key; None if the text is none."""
    found = _SHAPE.fullmatch(secret)
    return found[1] if found else None


def hash_of(secret: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def opens(secret: str, key: Key | None, instant: datetime) -> bool:
    """Whether `secret` is that key and may be used now.

    It takes the same time for a key that is unknown, wrong, revoked or expired.
    """
    stored = key.sha256 if key else hash_of("no key has this text")
    same = hmac.compare_digest(hash_of(secret), stored)
    return same and key is not None and key.is_usable(instant)
