"""Many rows by one statement are the same rows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, select, update

from fixtures.databases import postgres
from storycore.database.bulk import (
    execute_spelled,
    insert_rows,
    numbers_in,
    stored_json,
    stored_texts,
    texts_in,
)
from storycore.database.connect import Database
from storycore.database.tables import events

NAMES = ("id", "type", "occurred_at", "body", "key", "listed")


@given(st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), st.text(), max_size=5))
def test_texts_by_text_are_stored_as_any_json_is(texts):
    assert json.loads(stored_texts(texts)) == json.loads(stored_json(texts)) == texts
    assert stored_texts(texts).isascii()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request, tmp_path_factory):
    if request.param == "sqlite":
        opened = Database.open(f"sqlite:///{tmp_path_factory.mktemp('bulk') / 'bulk.db'}")
        yield opened
        opened.close()
        return
    with postgres() as url:
        opened = Database.open(url)
        yield opened
        opened.close()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 127, 128, 129, 300])
def test_as_many_rows_are_there_as_were_given_in_their_order(database, count):
    rows = [(f"evt_{count}_{number}", "qa.failed", number, "{}", None, True) for number in range(count)]
    with database.write() as connection:
        insert_rows(connection, events, NAMES, rows)
        query = select(events.c.id).where(events.c.id.like(f"evt\\_{count}\\_%", escape="\\")).order_by(events.c.number)
        found = connection.execute(query).scalars().all()
    assert found == [row[0] for row in rows]


def test_a_statement_that_is_spelled_once_takes_any_number_of_numbers_and_texts(database):
    rows = [(f"one {number}", "qa.failed", number, "{}", None, True) for number in range(5)]
    dialect = database.dialect
    named = select(events.c.number).where(events.c.id.in_(texts_in("ids", dialect))).order_by(events.c.number)
    change = update(events).where(events.c.number.in_(numbers_in("numbers", dialect))).values(
        body=bindparam("body"), key=None, listed=False
    )  # fmt: skip
    with database.write() as connection:
        insert_rows(connection, events, NAMES, rows)
        for count in (0, 1, 4):
            ids = stored_json([row[0] for row in rows[:count]])
            numbers = [row[0] for row in execute_spelled(connection, named, {"ids": ids}).all()]
            assert len(numbers) == count
            changed = execute_spelled(connection, change, {"numbers": stored_json(numbers), "body": f"{count}"})
            assert changed.rowcount == count
        kept = connection.execute(select(events.c.body, events.c.listed).where(events.c.id.like("one %"))).all()
    assert sorted(map(tuple, kept)) == [("4", False)] * 4 + [("{}", True)]
