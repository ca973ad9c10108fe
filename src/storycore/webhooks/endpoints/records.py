"""Webhooks in the database: every statement about them stands here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from storycore.database.connect import Database
from storycore.database.tables import deliveries, webhooks
from storycore.errors import NotFound, Reason
from storycore.units import now
from storycore.webhooks.delivery import State
from storycore.webhooks.endpoint import BodyFormat, Endpoint, Options, SealedSecret

_ALIVE = webhooks.c.deleted_at.is_(None)


class EndpointRecords:
    """All webhooks.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(  # noqa: PLR0913 - all that a new one has
        self,
        *,
        webhook_id: str,
        url: str,
        event_types: Sequence[str],
        active: bool,
        options: Options,
        secrets: Sequence[SealedSecret],
        facts: Mapping[str, Any],
    ) -> Endpoint:
        """A new webhook, on the disk when this returns."""
        instant = now()
        values: dict[str, Any] = {
            "id": webhook_id, "url": url, "event_types": list(event_types), "active": active,
            "options": asdict(options), "secrets": _stored(secrets), "facts": dict(facts), "created_at": instant,
            "updated_at": instant, "deleted_at": None, "failures": 0, "failing_since": None, "warned_at": None,
            "disabled_reason": "", "paused_until": None, "paced_at": None,
        }  # fmt: skip
        with self._database.accept() as connection:
            number = connection.execute(insert(webhooks).returning(webhooks.c.number), values).scalar_one()
        return _endpoint({"number": number, **values})

    def find(self, webhook_id: str) -> Endpoint:
        """One webhook.

        Raises:
            NotFound: webhook_not_found.
        """
        with self._database.read() as connection:
            return found(connection, webhook_id)

    def number(self, webhook_id: str) -> int:
        """What deliveries know a webhook by, whether it has ended or not.

        Raises:
            NotFound: webhook_not_found: there never was one.
        """
        with self._database.read() as connection:
            number = connection.execute(select(webhooks.c.number).where(webhooks.c.id == webhook_id)).scalar()
        if number is None:
            raise _unknown()
        return int(number)

    def page(self, *, before: int | None, limit: int, active: bool | None = None) -> list[Endpoint]:
        """Webhooks from the newest on."""
        query = select(webhooks).where(_ALIVE).order_by(webhooks.c.number.desc()).limit(limit)
        query = query if before is None else query.where(webhooks.c.number < before)
        query = query if active is None else query.where(webhooks.c.active == active)
        with self._database.read() as connection:
            return [of_row(row) for row in connection.execute(query)]

    def update(  # noqa: PLR0913 - all that can be changed
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        event_types: Sequence[str] | None = None,
        active: bool | None = None,
        options: Options | None = None,
        secrets: Sequence[SealedSecret] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Endpoint:
        """The webhook with what is given changed; activating it forgets its failures.

        Raises:
            NotFound: webhook_not_found.
        """
        given: dict[str, Any] = {
            "url": url, "event_types": None if event_types is None else list(event_types), "active": active,
            "options": None if options is None else asdict(options),
            "secrets": None if secrets is None else _stored(secrets), "facts": None if facts is None else dict(facts),
        }  # fmt: skip
        values = {name: value for name, value in given.items() if value is not None}
        if active is not None:
            values["disabled_reason"] = ""
        if active or url is not None:
            values |= {"failures": 0, "failing_since": None, "warned_at": None, "paused_until": None}
        with self._database.accept() as connection:
            known = found(connection, webhook_id, lock=True)
            changed = update(webhooks).where(webhooks.c.number == known.number)
            connection.execute(changed.values(**values, updated_at=_after(known)))
            return found(connection, webhook_id)

    def delete(self, webhook_id: str) -> tuple[Endpoint, int]:
        """Ends a webhook, its secrets, and what waits for it; gives it as it ended, and how many were cancelled.

        Senders of other processes see it before they send what they held for longer than a moment.

        Raises:
            NotFound: webhook_not_found.
        """
        with self._database.accept() as connection:
            known = found(connection, webhook_id, lock=True)
            instant = _after(known)
            ended = {"deleted_at": instant, "updated_at": instant, "active": False, "secrets": [],
                     "options": asdict(Options())}  # fmt: skip
            connection.execute(update(webhooks).where(webhooks.c.number == known.number).values(ended))
            waiting = deliveries.c.state.in_([State.PENDING, State.RETRY, State.LEASED])
            cancelled = connection.execute(
                update(deliveries)
                .where(deliveries.c.webhook == known.number, waiting)
                .values(state=State.CANCELLED, owner=None, code="cancelled", finished_at=instant)
            )
        return replace(known, active=False, secrets=(), options=Options(), updated_at=instant), cancelled.rowcount


def found(connection: Connection, webhook_id: str, *, lock: bool = False) -> Endpoint:
    """One webhook.

    Raises:
        NotFound: webhook_not_found.
    """
    query = select(webhooks).where(webhooks.c.id == webhook_id, _ALIVE)
    row: Row[Any] | None = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise _unknown()
    return of_row(row)


def _unknown() -> NotFound:
    return NotFound("Webhook not found.", reason=Reason.WEBHOOK_NOT_FOUND)


def _after(known: Endpoint) -> datetime:
    """Now, and in any case later than the last change, whatever clocks say: senders compare the two."""
    return max(now(), known.updated_at + timedelta(microseconds=1))


def of_row(row: Row[Any]) -> Endpoint:
    """A webhook from its row."""
    return _endpoint(dict(row._mapping))  # noqa: SLF001 - its public name


def _endpoint(values: Mapping[str, Any]) -> Endpoint:
    options = {**values["options"], "body_format": BodyFormat(values["options"]["body_format"])}
    taken = {name: values[name] for name in values if name != "deleted_at"}
    taken |= {"options": Options(**options), "secrets": [_secret(item) for item in values["secrets"]]}
    return Endpoint(**taken)


def _stored(secrets: Sequence[SealedSecret]) -> list[dict[str, Any]]:
    return [
        {"sealed": it.sealed, "public_text": it.public_text, "until": it.until.isoformat() if it.until else None}
        for it in secrets
    ]


def _secret(item: Mapping[str, Any]) -> SealedSecret:
    until = item["until"]
    return SealedSecret(
        sealed=item["sealed"],
        public_text=item["public_text"],
        until=None if until is None else datetime.fromisoformat(until),
    )
