"""What is leased next is found where it stands, however much waits."""

import pytest

from storycore.database.bulk import _spelled
from storycore.database.connect import Database
from storycore.webhooks.leasing.records import _claim, _next


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    database = Database.open(f"sqlite:///{tmp_path_factory.mktemp('leasing') / 'empty.db'}")
    with database.read() as opened:
        yield opened
    database.close()


def plan(connection, statement):
    words, _, _ = _spelled(statement, connection.dialect)
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", ("[1]",) * words.count("?"))
    return [row[3] for row in rows]


@pytest.mark.parametrize(("ordered", "index"), [(False, "ix_deliveries_due"), (True, "ix_deliveries_open")])
def test_neither_all_that_waits_nor_all_events_are_looked_at(connection, ordered, index):
    steps = plan(connection, _next("sqlite", ordered=ordered, limited=False))
    assert any(index in step for step in steps), steps
    assert not any("SCAN" in step or "TEMP B-TREE" in step for step in steps), steps


def test_what_is_leased_is_found_by_its_number(connection):
    assert plan(connection, _claim("sqlite"))[0] == "SEARCH deliveries USING INTEGER PRIMARY KEY (rowid=?)"
