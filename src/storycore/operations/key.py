"""storycore.key.*: keys that callers of the server show."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from storycore.app import App
from storycore.errors import NotAuthenticated, Reason
from storycore.keys.key import Key, id_of, opens
from storycore.operations.request import Request, Result, Spelling, Whole
from storycore.units import iso, now

ScopeName = Literal[
    "projects:read", "exports:read", "exports:write", "tasks:read", "tasks:cancel", "artifacts:read", "webhooks:read",
    "webhooks:write", "events:read", "events:write", "metrics:read", "admin",
]  # fmt: skip

_USUAL: tuple[ScopeName, ...] = (
    "projects:read", "exports:read", "exports:write", "tasks:read", "tasks:cancel", "artifacts:read",
    "webhooks:read", "webhooks:write", "events:read", "events:write",
)  # fmt: skip


class KeyEntry(Result):
    """A key without the part that opens."""

    key_id: str
    name: str
    scopes: list[str]
    state: Literal["usable", "expired", "revoked"]
    created_at: str
    expires_at: str | None
    last_used_at: str | None = Field(description="To the minute.")


class KeyCreateResult(KeyEntry):
    """A new key; this is the only time that it is shown."""

    key: str = Field(description="What callers send as `Authorization: Bearer …`. It is kept nowhere.")


class KeyCreateRequest(Request[KeyCreateResult]):
    """Make a key for callers of the server."""

    name: Annotated[str, Spelling()] = Field(
        min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", description="Whose key it is."
    )
    scopes: Annotated[list[ScopeName], Spelling(("--scope",))] = Field(
        default=list(_USUAL),
        min_length=1,
        max_length=16,
        description="What it allows; all but metrics and keys if left out.",
    )
    expires_days: Whole = Field(default=0, ge=0, le=3650, description="Days until it ends by itself; 0 for never.")


class KeyListResult(Result):
    """Every key there was, the newest first."""

    items: list[KeyEntry]


class KeyListRequest(Request[KeyListResult]):
    """List the keys."""


class KeyRevokeResult(KeyEntry):
    """The key that opens nothing any more."""


class KeyRevokeRequest(Request[KeyRevokeResult]):
    """End a key for good."""

    key_id: Annotated[str, Spelling()] = Field(pattern=r"^[0-9a-f]{8}$", description="Id of the key.")


def create(app: App, request: KeyCreateRequest) -> KeyCreateResult:
    """A new key, shown this once."""
    ends = None if request.expires_days == 0 else now() + timedelta(days=request.expires_days)
    key, secret = app.keys.create(request.name, request.scopes, ends)
    return KeyCreateResult(**_entry(key).model_dump(), key=secret)


def list_keys(app: App, _request: KeyListRequest) -> KeyListResult:
    """Every key there was."""
    return KeyListResult(items=[_entry(key) for key in app.keys.all()])


def revoke(app: App, request: KeyRevokeRequest) -> KeyRevokeResult:
    """Ends a key; calls with it are refused within seconds on every server.

    Raises:
        NotFound: key_not_found.
    """
    return KeyRevokeResult(**_entry(app.keys.revoke(request.key_id)).model_dump())


def authenticate(app: App, secret: str) -> Key:
    """The usable key that `secret` is.

    Raises:
        NotAuthenticated: key_invalid, the same for a key that is unknown, wrong, revoked or expired.
    """
    found = app.keys.find(id_of(secret) or "")
    if not opens(secret, found, now()) or found is None:
        raise NotAuthenticated("This key does not open anything.", reason=Reason.KEY_INVALID)
    app.keys.note_use(found)
    return found


def _entry(key: Key) -> KeyEntry:
    state: Literal["usable", "expired", "revoked"] = "usable"
    if key.revoked_at is not None:
        state = "revoked"
    elif not key.is_usable(now()):
        state = "expired"
    return KeyEntry(
        key_id=key.id,
        name=key.name,
        scopes=list(key.scopes),
        state=state,
        created_at=iso(key.created_at),
        expires_at=_maybe(key.expires_at),
        last_used_at=_maybe(key.last_used_at),
    )


def _maybe(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
