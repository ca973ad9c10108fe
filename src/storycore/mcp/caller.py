"""Who calls, and what that caller may: everything over stdio, what the key allows over HTTP."""

from dataclasses import dataclass
from typing import Any

from storycore.errors import AccessDenied, Reason

CALLER = "storycore.caller"
"""Where whoever lets a call in leaves `(id of the key, its scopes)` in the ASGI scope."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller.

    Attributes:
        key_id: of the API key; "" for one who needs none.
        scopes: what the key allows; None for everything.
    """

    key_id: str = ""
    scopes: frozenset[str] | None = None

    def may(self, scope: str) -> bool:
        """Whether that is allowed."""
        return self.scopes is None or scope in self.scopes or "admin" in self.scopes

    def check(self, scope: str) -> None:
        """Refuses what is not allowed.

        Raises:
            AccessDenied: scope_missing.
        """
        if not self.may(scope):
            raise AccessDenied(
                f"This key does not allow {scope}.", reason=Reason.SCOPE_MISSING, details={"scope": scope}
            )


def caller_of(http: Any) -> Caller:
    """The caller of an HTTP request that was let in; over stdio there is no request, and the user is the caller."""
    if http is None:
        return Caller()
    key_id, scopes = http.scope[CALLER]
    return Caller(key_id, scopes)
