"""Who calls, and whether that caller may: API keys and rates."""

import hashlib
import time

import anyio.to_thread
from starlette.requests import Request as HttpRequest

from storycore.api.limits import RateLimiter
from storycore.errors import AccessDenied, NotAuthenticated, Reason
from storycore.library import StoryCore
from storycore.observe import logging

REMEMBERED_SECONDS = 2.0
"""How long a key that was revoked may still open."""

_MOST_REMEMBERED = 1000

log = logging.get(__name__)


class Access:
    """The door keeper of the HTTP surface.

    Callers without a key are let in only where nobody but this machine can call, and unless `require_key` is set. A
    key that is sent is always checked.

    Args:
        core: knows the keys.
    """

    def __init__(self, core: StoryCore) -> None:
        self._core = core
        self._rate = RateLimiter(core.settings.rate_limit_per_minute)
        self._known: dict[str, tuple[float, str, frozenset[str]]] = {}

    async def admit(self, http: HttpRequest, scope: str) -> str:
        """Id of the caller's key, or "" for a caller who needs none.

        Raises:
            NotAuthenticated: key_missing, key_invalid.
            AccessDenied: scope_missing.
            RateLimited: too many calls with this key.
        """
        key_id, scopes = await self._caller(http)
        if scopes is not None and scope not in scopes and "admin" not in scopes:
            raise AccessDenied(
                f"This key does not allow {scope}.", reason=Reason.SCOPE_MISSING, details={"scope": scope}
            )
        if key_id:
            self._rate.check(key_id)
        return key_id

    async def recognise(self, secret: str) -> tuple[str, frozenset[str]]:
        """Id and scopes of the usable key that `secret` is; counts as a call with it.

        Raises:
            NotAuthenticated: key_invalid.
            RateLimited: too many calls with this key.
        """
        key_id, scopes = await self._identify(secret)
        self._rate.check(key_id)
        return key_id, scopes

    async def let_in(self, http: HttpRequest) -> tuple[str, frozenset[str] | None]:
        """Id of the caller's key and its scopes, for a surface that checks those itself; "" and None as in `admit`.

        Raises:
            NotAuthenticated: key_missing, key_invalid.
            RateLimited: too many calls with this key.
        """
        key_id, scopes = await self._caller(http)
        if key_id:
            self._rate.check(key_id)
        return key_id, scopes

    async def _caller(self, http: HttpRequest) -> tuple[str, frozenset[str] | None]:
        sent = http.headers.getlist("authorization")
        if sent:
            kind, _, secret = (sent[0] if len(sent) == 1 else "").partition(" ")
            return await self._identify(secret.strip() if kind.lower() == "bearer" else "")
        if self._core.settings.is_open:
            return "", None
        raise NotAuthenticated("A key is needed to call this server.", reason=Reason.KEY_MISSING)

    async def _identify(self, text: str) -> tuple[str, frozenset[str]]:
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()  # no key stays in memory for this
        until, key_id, scopes = self._known.get(digest, (0.0, "", frozenset()))
        if time.monotonic() < until:
            return key_id, scopes
        key = await anyio.to_thread.run_sync(self._core.authenticate, text)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[digest] = (time.monotonic() + REMEMBERED_SECONDS, key.id, frozenset(key.scopes))
        return key.id, frozenset(key.scopes)
