"""Many rows by one statement, without the cost of looking at each value.

SQLAlchemy asks the type of each column about each value of each row, and drivers begin anew for each row; for rows that
are written by the thousand that is most of their cost. Here a statement is spelled once for a kind of database, and
rows are handed to the driver as they are: instants as microseconds, JSON as text.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import UpdateBase

from storycore.database.tables import microseconds

_MOST_TOGETHER: Final = 128  # of few columns: databases take some ten thousand values in a statement


def insert_rows(connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
    """Adds rows, many by one statement.

    Args:
        connection: in a transaction.
        table: where to.
        names: of its columns, 64 at most.
        rows: values in the order of `names`, as `stored` gives them.
    """
    for start in range(0, len(rows), _MOST_TOGETHER):
        part = rows[start : start + _MOST_TOGETHER]
        text = _insertion(table.name, names, len(part), connection.dialect.paramstyle)
        connection.exec_driver_sql(text, tuple(chain.from_iterable(part)))


def execute_many(connection: Connection, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> None:
    """Executes an insert or update once for each row.

    Args:
        connection: in a transaction.
        statement: made once, not for each call; each value is a bound parameter.
        rows: values by parameter, as `stored` gives them.
    """
    if not rows:
        return
    text, order = _spelled(statement, connection.dialect)
    parameters: Any = [*map(order, rows)] if order else [dict(row) for row in rows]
    connection.exec_driver_sql(text, parameters)


def stored(instant: datetime | None) -> int | None:
    """An instant as it is stored."""
    return None if instant is None else microseconds(instant)


def stored_json(value: Any) -> str:
    """A JSON value as it is stored."""
    return json.dumps(value, separators=(",", ":"))


@lru_cache(maxsize=4 * _MOST_TOGETHER)
def _insertion(table: str, names: tuple[str, ...], count: int, style: str) -> str:
    """The text that adds so many rows."""
    row = f"({', '.join(('?' if style == 'qmark' else '%s') for _ in names)})"
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {', '.join([row] * count)}"  # noqa: S608 - names of ours


@lru_cache(maxsize=64)
def _spelled(statement: UpdateBase, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any] | None]:
    """The text of a statement, and what puts the parameters of a row in order where they have no names."""
    compiled: Any = statement.compile(dialect=dialect)
    return str(compiled), itemgetter(*compiled.positiontup) if compiled.positional else None
