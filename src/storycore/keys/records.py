"""Keys in the database: every statement about them stands here."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, or_, select, update

from storycore.database.connect import Database
from storycore.database.tables import keys
from storycore.errors import NotFound, Reason
from storycore.keys.key import Key, hash_of, id_of, new_secret
from storycore.units import now

_USE_NOTED_EVERY = timedelta(minutes=1)


class KeyRecords:
    """All keys.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, scopes: Sequence[str], expires_at: datetime | None) -> tuple[Key, str]:
        """A new key as stored, and the key itself, which is kept nowhere."""
        secret = new_secret()
        key = Key(
            id=id_of(secret) or "",
            name=name,
            sha256=hash_of(secret),
            scopes=list(scopes),
            created_at=now(),
            expires_at=expires_at,
        )
        values = {
            "id": key.id, "name": key.name, "sha256": key.sha256, "scopes": key.scopes, "created_at": key.created_at,
            "expires_at": key.expires_at, "revoked_at": None, "last_used_at": None,
        }  # fmt: skip
        with self._database.accept() as connection:
            connection.execute(insert(keys), values)
        return key, secret

    def all(self) -> list[Key]:
        """Every key there was, the newest first."""
        with self._database.read() as connection:
            return [_key(row) for row in connection.execute(select(keys).order_by(keys.c.number.desc()))]

    def find(self, key_id: str) -> Key | None:
        """The key of that id."""
        with self._database.read() as connection:
            row = connection.execute(select(keys).where(keys.c.id == key_id)).first()
        return None if row is None else _key(row)

    def any_usable(self) -> bool:
        """Whether there is a key that opens anything now."""
        instant = now()
        usable = select(keys.c.id).where(
            keys.c.revoked_at.is_(None), or_(keys.c.expires_at.is_(None), keys.c.expires_at > instant)
        )
        with self._database.read() as connection:
            return connection.execute(usable.limit(1)).first() is not None

    def revoke(self, key_id: str) -> Key:
        """Ends a key for good; one that was revoked before stays as it is.

        Raises:
            NotFound: key_not_found.
        """
        with self._database.accept() as connection:
            connection.execute(
                update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None)).values(revoked_at=now())
            )
            row = connection.execute(select(keys).where(keys.c.id == key_id)).first()
        if row is None:
            raise NotFound("There is no such key.", reason=Reason.KEY_NOT_FOUND)
        return _key(row)

    def note_use(self, key: Key) -> None:
        """Remembers that it was used now; at most once a minute, so that calls don't wait for it."""
        instant = now()
        if key.last_used_at is None or instant - key.last_used_at >= _USE_NOTED_EVERY:
            with self._database.write() as connection:
                connection.execute(update(keys).where(keys.c.id == key.id).values(last_used_at=instant))


def _key(row: Row[Any]) -> Key:
    return Key(**{name: value for name, value in row._mapping.items() if name != "number"})  # noqa: SLF001 - public
