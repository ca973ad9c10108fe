"""Brings a database to the form that this version of StoryCore uses."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from storycore.errors import Reason, Unavailable

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""Every form there was, oldest first; the last one is today's."""

_LOCK = 0x53746F727943  # a number of our own, for Postgres' advisory locks


def revision(connection: Connection) -> str | None:
    """Form of the database; None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_current(connection: Connection) -> bool:
    """Whether the database has today's form.

    Raises:
        Unavailable: database_newer: it was made by a newer version.
    """
    found = revision(connection)
    if found is not None and found not in REVISIONS:
        raise Unavailable(
            f"The database was made by a newer version of StoryCore (form {found}).", reason=Reason.DATABASE_NEWER
        )
    return found == REVISIONS[-1]


def migrate(connection: Connection, *, to: str = REVISIONS[-1]) -> None:
    """Takes every step that is missing, inside the caller's transaction; several processes may do it at once.

    Args:
        connection: to the database.
        to: the form to end at, of those in `REVISIONS`.

    Raises:
        Unavailable: database_newer.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if is_current(connection):  # another process was quicker
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
