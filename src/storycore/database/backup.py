"""Everything that the database holds, in one file that it can be made from again, on SQLite or Postgres alike.

A backup is a ZIP: `backup.json` says what it is, `tables/<name>.jsonl` holds a row a line, and `secret.key` is the key
that secrets in the tables are locked with. Whoever has it has everything, so it is for its owner alone.
"""

import base64
import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from sqlalchemy import Column, Connection, MetaData, Table, func, select, text, type_coerce
from sqlalchemy.types import TypeDecorator

from storycore.database.connect import Database
from storycore.database.migrate import REVISIONS, migrate
from storycore.database.tables import metadata
from storycore.errors import Conflict, InvalidInput, Reason, Unavailable
from storycore.observe.progress import Progress
from storycore.units import iso, now

_FORM: Final = "storycore-backup/1"
_INDEX: Final = "backup.json"
_SECRET: Final = "secret.key"  # noqa: S105 - a name in the archive
_ROWS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds.

    Attributes:
        form: of the database when it was made.
        rows: how many there are in each table.
        digests: SHA-256 of each member.
    """

    form: str
    rows: Mapping[str, int]
    digests: Mapping[str, str]

    @property
    def has_secret(self) -> bool:
        """Whether the key for secrets is in it."""
        return _SECRET in self.digests


def back_up(database: Database, file: BinaryIO, *, secret: bytes | None, progress: Progress) -> Backup:
    """Writes everything as it stood at one moment; others may go on meanwhile.

    Args:
        database: what to copy.
        file: where to; seekable.
        secret: the key for secrets, if there is one.
        progress: told how far it is; can cancel.

    Raises:
        Unavailable: database_unavailable.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        written = _Members(archive)
        rows = _dump(database, written, progress)
        if secret is not None:
            written.add(_SECRET, [secret])
        facts = {"form": _FORM, "revision": REVISIONS[-1], "made_at": iso(now()), "rows": rows}
        archive.writestr(_INDEX, json.dumps({**facts, "sha256": written.digests}, indent=1))
    return Backup(form=REVISIONS[-1], rows=rows, digests=written.digests)


def read(file: BinaryIO) -> tuple[Backup, bytes | None]:
    """What a backup holds, and the key for secrets in it, after every byte of it was compared.

    Raises:
        InvalidInput: backup_invalid: it is no backup, or is damaged.
        Unavailable: database_newer: it was made by a newer version.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if {member.compress_type for member in archive.infolist()} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise _invalid("it is packed in another way")
            backup = _checked(archive)
            return backup, archive.read(_SECRET) if backup.has_secret else None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as fault:  # the last for a form of ZIP not read
        raise _invalid("it is no ZIP, or is damaged") from fault


def restore(database: Database, file: BinaryIO, backup: Backup, progress: Progress) -> None:
    """Fills an empty database from a backup, also one of an older form or of the other kind of database.

    Guarantee: all or nothing. Tasks that ran when it was made are offered again, as after a crash.

    Args:
        database: must hold no rows.
        file: the backup.
        backup: as `read` gave it.
        progress: told how far it is; can cancel.

    Raises:
        Conflict: database_not_empty.
        Unavailable: database_unavailable, disk_full.
    """
    with zipfile.ZipFile(file) as archive, database.accept() as connection:
        _fill(connection, archive, backup, progress)


class _Members:
    """Writes members of an archive in pieces, and keeps their SHA-256."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.digests: dict[str, str] = {}

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        digest = hashlib.sha256()
        with self._archive.open(name, "w", force_zip64=True) as member:
            for piece in pieces:
                digest.update(piece)
                member.write(piece)
        self.digests[name] = digest.hexdigest()


def _dump(database: Database, written: _Members, progress: Progress) -> dict[str, int]:
    """Rows of every table, all of one moment."""
    rows: dict[str, int] = {}
    with database.read() as opened:
        connection = opened
        if database.dialect == "postgresql":  # SQLite gives one moment to every transaction
            connection = opened.execution_options(isolation_level="REPEATABLE READ")
        tables = metadata.sorted_tables
        for table in tables:
            rows[table.name] = connection.execute(select(func.count()).select_from(table)).scalar_one()
        progress.begin("copying", total=sum(rows.values()), unit="rows", until=0.99)
        for table in tables:
            written.add(_member(table.name), _lines(connection, table, progress))
    return rows


def _lines(connection: Connection, table: Table, progress: Progress) -> Iterator[bytes]:
    query = select(*(_raw(column) for column in table.columns)).order_by(*table.primary_key.columns)
    for row in connection.execute(query.execution_options(yield_per=_ROWS)):
        yield json.dumps([_to_json(value) for value in row], separators=(",", ":")).encode() + b"\n"
        progress.advance(1)


def _raw(column: Column[Any]) -> Any:
    """The value as it is stored, so that it says the same on every database."""
    kind = column.type
    return type_coerce(column, kind.impl_instance).label(column.name) if isinstance(kind, TypeDecorator) else column


def _fill(connection: Connection, archive: zipfile.ZipFile, backup: Backup, progress: Progress) -> None:
    for table in metadata.sorted_tables:
        if connection.execute(select(table).limit(1)).first() is not None:
            raise Conflict("The database holds something already.", reason=Reason.DATABASE_NOT_EMPTY)
    metadata.drop_all(connection)
    connection.execute(text("DROP TABLE alembic_version"))
    migrate(connection, to=backup.form)
    there = MetaData()
    there.reflect(connection, only=list(backup.rows))
    progress.begin("restoring", total=sum(backup.rows.values()), unit="rows", until=0.99)
    for table in there.sorted_tables:
        _load(connection, archive, table, progress)
        if connection.dialect.name == "postgresql":
            _count_on(connection, table)
    migrate(connection)


def _load(connection: Connection, archive: zipfile.ZipFile, table: Table, progress: Progress) -> None:
    names = [column.name for column in table.columns]
    with archive.open(_member(table.name)) as member:
        batch: list[dict[str, Any]] = []
        for line in member:
            batch.append(dict(zip(names, map(_from_json, json.loads(line)), strict=True)))
            if len(batch) == _ROWS:
                connection.execute(table.insert(), batch)
                progress.advance(len(batch))
                batch = []
        if batch:
            connection.execute(table.insert(), batch)
            progress.advance(len(batch))


def _count_on(connection: Connection, table: Table) -> None:
    """Numbers that Postgres gives go on after those that were restored."""
    for column in table.primary_key.columns:
        sequence = connection.execute(select(func.pg_get_serial_sequence(table.name, column.name))).scalar()
        if sequence is not None:
            last = connection.execute(select(func.max(column))).scalar()
            if last is not None:
                connection.execute(select(func.setval(sequence, last)))


def _checked(archive: zipfile.ZipFile) -> Backup:
    try:
        index: dict[str, Any] = json.loads(archive.read(_INDEX))
        known = index["form"] == _FORM
        backup = Backup(form=str(index["revision"]), rows=dict(index["rows"]), digests=dict(index["sha256"]))
    except (KeyError, TypeError, ValueError):
        raise _invalid("it does not say what it is") from None
    if not known:
        raise _invalid(f"its form is not {_FORM}")
    if backup.form not in REVISIONS:
        raise Unavailable("The backup was made by a newer version of StoryCore.", reason=Reason.DATABASE_NEWER)
    if not {_member(name) for name in backup.rows} <= set(backup.digests):
        raise _invalid("a table is missing")
    for name, digest in backup.digests.items():
        if name not in archive.namelist():
            raise _invalid(f"{name} is missing")
        with archive.open(name) as member:
            if hashlib.file_digest(member, "sha256").hexdigest() != digest:  # type: ignore[arg-type]  # a member of a ZIP reads like a file
                raise _invalid(f"{name} was changed")
    return backup


def _member(table: str) -> str:
    return f"tables/{table}.jsonl"


def _to_json(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _from_json(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def _invalid(why: str) -> InvalidInput:
    return InvalidInput(f"This is no backup that can be restored: {why}.", reason=Reason.BACKUP_INVALID)
