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
from json.encoder import encode_basestring_ascii as quoted
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Executable, Table, Text, bindparam, text
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import TextClause

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
    start = 0
    while start < len(rows):  # by powers of two, so that there are few texts, which databases then know already
        count = min(_MOST_TOGETHER, 1 << (len(rows) - start).bit_length() - 1)
        words = _insertion(table.name, names, count, connection.dialect.paramstyle)
        connection.exec_driver_sql(words, tuple(chain.from_iterable(rows[start : start + count])))
        start += count


def execute_many(connection: Connection, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> None:
    """Executes an insert or update once for each row.

    Args:
        connection: in a transaction.
        statement: made once, not for each call; each value is a bound parameter.
        rows: values by parameter, as `stored` gives them.
    """
    if not rows:
        return
    words, order, _ = _spelled(statement, connection.dialect)
    parameters: Any = [*map(order, rows)] if order else [dict(row) for row in rows]
    connection.exec_driver_sql(words, parameters)


def execute_spelled(connection: Connection, statement: Executable, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Executes a statement that is spelled once, however often it comes; rows hold what is stored.

    Args:
        connection: in a transaction.
        statement: made once, not for each call.
        values: by parameter, as `stored` gives them.
    """
    words, order, fixed = _spelled(statement, connection.dialect)
    given = {**fixed, **values}
    return connection.exec_driver_sql(words, order(given) if order else given)


def numbers_in(name: str, dialect: str) -> TextClause:
    """What follows IN for a parameter that holds numbers as a JSON list: one text, however many there are."""
    return _in(name, "CAST(value AS BIGINT)", dialect)


def texts_in(name: str, dialect: str) -> TextClause:
    """The same for texts."""
    return _in(name, "value", dialect)


def _in(name: str, wanted: str, dialect: str) -> TextClause:
    if dialect == "sqlite":  # which knows the kind of each value itself
        words = f"SELECT value FROM json_each(:{name})"  # noqa: S608 - names of ours
    else:
        words = f"SELECT {wanted} FROM json_array_elements_text(CAST(:{name} AS JSON)) AS value"  # noqa: S608 - the same
    return text(words).bindparams(bindparam(name, type_=Text))


def stored(instant: datetime | None) -> int | None:
    """An instant as it is stored."""
    return None if instant is None else microseconds(instant)


def stored_json(value: Any) -> str:
    """A JSON value as it is stored."""
    return json.dumps(value, separators=(",", ":"))


def stored_texts(value: Mapping[str, str]) -> str:
    """The same as `stored_json`, of texts by text, quicker."""
    return "{" + ",".join([f"{quoted(name)}:{quoted(it)}" for name, it in value.items()]) + "}"


@lru_cache(maxsize=4 * _MOST_TOGETHER)
def _insertion(table: str, names: tuple[str, ...], count: int, style: str) -> str:
    """The text that adds so many rows."""
    row = f"({', '.join(('?' if style == 'qmark' else '%s') for _ in names)})"
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {', '.join([row] * count)}"  # noqa: S608 - names of ours


@lru_cache(maxsize=256)
def _spelled(
    statement: Executable, dialect: Dialect
) -> tuple[str, Callable[[Mapping[str, Any]], Any] | None, Mapping[str, Any]]:
    """The text of a statement, what puts parameters in order where they have no names, and those that are known."""
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]  # every statement has it
    known = {name: value for name, value in compiled.params.items() if not compiled.binds[name].required}
    if not compiled.positional:
        return str(compiled), None, known
    names = tuple(compiled.positiontup)
    return str(compiled), itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],), known
