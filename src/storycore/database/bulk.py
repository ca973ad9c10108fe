"""Many rows by one statement, without the cost of looking at each value.

SQLAlchemy asks the type of each column about each value of each row; for rows that are written by the thousand that
is most of their cost. Here a statement is spelled once for a kind of database, and rows are handed to the driver as
they are: instants as microseconds, JSON as text.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import UpdateBase

from storycore.database.tables import microseconds


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


@lru_cache(maxsize=64)
def _spelled(statement: UpdateBase, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any] | None]:
    """The text of a statement, and what puts the parameters of a row in order where they have no names."""
    compiled: Any = statement.compile(dialect=dialect)
    return str(compiled), itemgetter(*compiled.positiontup) if compiled.positional else None
