"""Opens the database, and gives connections for reading and for two kinds of writing.

SQLite runs in WAL mode. Every writing transaction begins with BEGIN IMMEDIATE, because one that begins by reading and
then wants to write fails at once when another wrote meanwhile. `accept` is on the disk when it ends
(synchronous=FULL); `write` survives the end of the process, and after a power cut may be lost (synchronous=NORMAL).
On Postgres both are synchronous transactions.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from storycore.database.line import Line
from storycore.database.migrate import is_current, migrate
from storycore.database.shares import is_network_share
from storycore.errors import InvalidInput, Reason, Unavailable
from storycore.settings import without_passwords

_BUSY_SECONDS = 30
WHERE_TOLD = "`storycore doctor` says where it is. "
"""How the remedies about a file begin: callers elsewhere are not told, and who is at the machine can ask."""

_ABOUT_A_FILE = (
    f"{WHERE_TOLD}Make it writable, move a damaged one away, or name another place with "
    "STORYCORE_DATABASE_URL=sqlite:////a/folder/storycore.db."
)


class Database:
    """An open database of today's form.

    Attributes:
        dialect: "sqlite" or "postgresql".
        url: where it is, without its password.
        conninfo: of a Postgres as libpq takes it, with the password; never shown.
    """

    def __init__(self, url: URL) -> None:
        self.url = without_passwords(url.render_as_string(hide_password=True))
        self.conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.dialect = url.get_backend_name()
        self._line = Line() if self.dialect == "sqlite" else None
        if self._line:
            self._reader = _sqlite(url, synchronous="NORMAL", size=8)
            self._acceptor = _sqlite(url, synchronous="FULL", size=1)
            self._writer = _sqlite(url, synchronous="NORMAL", size=1)
        else:
            self._reader = self._acceptor = self._writer = create_engine(
                url, pool_size=10, max_overflow=10, pool_pre_ping=True, pool_timeout=_BUSY_SECONDS
            )

    @classmethod
    def open(cls, url: str) -> "Database":
        """The database at `url`, made or brought to today's form first if need be.

        Args:
            url: `sqlite:///absolute/path` or `postgresql://user:password@host/name`.

        Raises:
            InvalidInput: setting_invalid: the URL is of no known kind, or names a network share, which SQLite's
                locks do not hold on.
            Unavailable: database_unavailable, database_newer.
        """
        checked = _checked(url)
        if checked.get_backend_name() == "sqlite":
            _make_folder(Path(checked.database or ""))
        database = cls(checked)
        try:
            with database.read() as connection:
                current = is_current(connection)
            if not current:
                with database.accept() as connection:
                    migrate(connection)
        except BaseException:
            database.close()
            raise
        return database

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of things and changes nothing.

        Raises:
            Unavailable: database_unavailable.
        """
        with _explained(), self._reader.connect() as connection:
            self._begin(connection, "BEGIN")
            yield connection

    @contextlib.contextmanager
    def accept(self) -> Iterator[Connection]:
        """A writing transaction that is on the disk when the block ends well; undone if it raises.

        Raises:
            Unavailable: database_unavailable, disk_full.
        """
        with _explained(), self._turn(quick=False), self._acceptor.begin() as connection:
            self._begin(connection, "BEGIN IMMEDIATE")
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A writing transaction that the end of this process can't undo any more when the block has ended well.

        Raises:
            Unavailable: database_unavailable, disk_full.
        """
        with _explained(), self._turn(quick=True), self._writer.begin() as connection:
            self._begin(connection, "BEGIN IMMEDIATE")
            yield connection

    def _begin(self, connection: Connection, word: str) -> None:
        """The driver of SQLite begins nothing by itself; a listener for that would slow every statement down."""
        if self._line:
            connection.exec_driver_sql(word)

    def _turn(self, *, quick: bool) -> contextlib.AbstractContextManager[None]:
        return self._line.turn(quick=quick) if self._line else contextlib.nullcontext()

    def close(self) -> None:
        """Closes every connection, those that are in use as soon as they are given back."""
        for engine in {id(one): one for one in (self._reader, self._acceptor, self._writer)}.values():
            event.listen(engine, "checkin", _close)
            engine.dispose()


def _checked(text: str) -> URL:
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):  # the last for a port that is no number
        url, backend = None, ""
    if url is None or backend not in ("sqlite", "postgresql"):
        raise InvalidInput("The database URL is neither sqlite:///… nor postgresql://….", reason=Reason.SETTING_INVALID)
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if not url.database or url.database == ":memory:":
        raise InvalidInput("The database must be a file, or Postgres.", reason=Reason.SETTING_INVALID)
    path = Path(url.database)
    if is_network_share(path):
        raise InvalidInput(
            f"{path} is on a network share, where SQLite's locks do not hold.",
            reason=Reason.SETTING_INVALID,
            remediation="Use a file on a disk of this machine, or Postgres for several machines.",
        )
    return url


def _make_folder(file: Path) -> None:
    """The folder of the database, for this user alone: what is kept there is nobody else's business."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise Unavailable(
            f"The folder of the database can't be made: {fault.strerror}.",
            reason=Reason.DATABASE_UNAVAILABLE,
            remediation=_ABOUT_A_FILE,
        ) from None


def _sqlite(url: URL, *, synchronous: str, size: int) -> Engine:
    engine = create_engine(
        url, poolclass=QueuePool, pool_size=size, max_overflow=0, pool_timeout=_BUSY_SECONDS,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
    )  # fmt: skip

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins no transactions of its own
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


def _close(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.invalidate()


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """What the database or its driver refuses, in our words."""
    try:
        yield
    except DBAPIError as fault:
        unasked = fault.statement is None  # it could not even be reached in the way that the URL says
        plain = isinstance(fault, OperationalError) or type(fault) is DatabaseError
        ours = plain or unasked or fault.connection_invalidated
        if not ours:  # a statement that is wrong, or a rule of the tables that was broken
            raise
        if "full" in str(fault.orig):
            raise Unavailable("No room left for the database.", reason=Reason.DISK_FULL) from fault
        raise Unavailable(
            "The database does not answer: " + str(fault.orig).splitlines()[0][:200],
            reason=Reason.DATABASE_UNAVAILABLE,
            remediation=_ABOUT_A_FILE if isinstance(fault.orig, sqlite3.Error) else None,
        ) from fault
    except PoolTimeout as fault:
        raise Unavailable("The database is too busy.", reason=Reason.DATABASE_UNAVAILABLE) from fault
    except ModuleNotFoundError as fault:
        raise Unavailable(
            "Postgres needs a driver that is not installed: pip install 'storycore[postgres]'.",
            reason=Reason.DATABASE_UNAVAILABLE,
        ) from fault
