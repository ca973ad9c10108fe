"""Keys and settings: who may call the server, and what was chosen."""

from typing import get_args

from storycore.dashboard.page import Answer, Go, Page
from storycore.dashboard.visit import Visit
from storycore.operations.key import KeyCreateRequest, KeyListRequest, KeyRevokeRequest, ScopeName
from storycore.settings import Settings, sources

_USUAL = KeyCreateRequest.model_fields["scopes"].default


def settings(visit: Visit) -> Answer:
    """Keys, and every setting with where it is from."""
    keys = visit.run(KeyListRequest()).items
    origins: dict[str, str] = {}
    for place, values in sources():
        origins |= dict.fromkeys(values, place)
    usual = Settings().shown()
    rows = [
        {
            "name": name,
            "value": value,
            "origin": origins.get(name, "" if value == usual[name] else "flags"),
            "about": Settings.model_fields[name].description,
        }
        for name, value in visit.core.settings.shown().items()
    ]
    return Page(
        template="settings.html",
        title="Keys and settings",
        data={"keys": keys, "settings": rows},
        more={"scopes": get_args(ScopeName), "usual": _USUAL, "chosen": visit.core.settings},
    )


def create_key(visit: Visit) -> Answer:
    """A new key, shown this once."""
    days = visit.sent("days")
    made = visit.run(
        KeyCreateRequest(
            name=visit.sent("name"), scopes=visit.form.get("scopes", []),
            expires_days=int(days) if days.isascii() and days.isdigit() else 0,
        )
    )  # fmt: skip
    return Page(template="key.html", title="New key", data={"made": made})


def revoke_key(visit: Visit) -> Answer:
    """Ends a key for good."""
    visit.run(KeyRevokeRequest(key_id=visit.names["key_id"]))
    return Go(to="/settings", said="revoked")
