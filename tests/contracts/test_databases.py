"""What holds of every database that StoryCore uses."""

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

import storycore.database
from fixtures.databases import postgres
from storycore.database.connect import Database
from storycore.database.indexes import metadata
from storycore.database.migrate import REVISIONS, migrate
from storycore.database.shares import kind_of_mount
from storycore.errors import InvalidInput, Unavailable
from storycore.tasks.records import TaskRecords

MIGRATIONS = Path(storycore.database.__file__).parent / "migrations"


@pytest.fixture
def database(database_url):
    opened = Database.open(database_url)
    yield opened
    opened.close()


def test_migrations_make_the_tables_that_the_code_uses(database):
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert [change for change in compare_metadata(context, metadata) if "procrastinate" not in str(change)] == []


def test_the_newest_migration_is_the_form_that_is_asked_for():
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert (scripts.get_heads(), [step.revision for step in scripts.walk_revisions()][::-1]) == (
        [REVISIONS[-1]], list(REVISIONS),
    )  # fmt: skip


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(database, database_url):
    with database.accept() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="newer version") as told:
        Database.open(database_url)
    assert told.value.reason == "database_newer"


def test_a_transaction_that_breaks_leaves_nothing(database):
    insert = text("INSERT INTO answers (caller, operation, key, fingerprint, owner, created_at) VALUES "
                  "('', 'x', 'k', 'f', 'o', 1)")  # fmt: skip
    for writing in (database.accept, database.write):
        with pytest.raises(ZeroDivisionError), writing() as connection:
            connection.execute(insert)
            _ = 1 / 0
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM answers")).scalar() == 0


def test_several_who_open_a_new_database_at_once_make_its_tables_once(tmp_path):
    url, faults = f"sqlite:///{tmp_path / 'new.db'}", []

    def open_it():
        try:
            Database.open(url).close()
        except Exception as fault:  # noqa: BLE001 - whatever it is, it fails the test
            faults.append(fault)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []


def test_sqlite_waits_for_the_disk_where_it_was_promised(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'new.db'}")
    with database.accept() as one:
        accepting = [one.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    with database.write() as other:
        writing = [other.execute(text(f"PRAGMA {name}")).scalar() for name in ("synchronous", "foreign_keys")]
    database.close()
    assert (accepting, writing) == (["wal", 2], [1, 1])


@pytest.mark.parametrize(
    "url", ["", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense", "http://x", "postgresql://x:port/y"]
)
def test_urls_of_other_kinds_are_refused_in_words(url):
    with pytest.raises(InvalidInput) as told:
        Database.open(url)
    assert told.value.reason == "setting_invalid"


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path):
    path = tmp_path / "x.db"
    path.write_bytes(b"this is no database, but a letter of some length" * 100)
    with pytest.raises(Unavailable) as told:
        Database.open(f"sqlite:///{path}")
    assert told.value.reason == "database_unavailable"
    assert "STORYCORE_DATABASE_URL=sqlite:" in told.value.remediation
    assert path.read_bytes().startswith(b"this is no database")


def test_a_place_where_no_file_can_be_is_told_with_the_setting_for_another(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable) as told:
        Database.open(f"sqlite:///{tmp_path}/file/x.db")
    assert (told.value.reason, "Start the database" in told.value.remediation) == ("database_unavailable", False)
    assert "STORYCORE_DATABASE_URL=sqlite:" in told.value.remediation


def test_a_postgres_that_is_not_there_is_told_without_its_password():
    with pytest.raises(Unavailable) as told:
        Database.open("postgresql://user:very-secret@127.0.0.1:9/none")
    assert told.value.reason == "database_unavailable"
    assert "very-secret" not in str(told.value.as_dict())


def test_an_option_that_postgres_does_not_know_is_told():
    with pytest.raises(Unavailable, match="sslmood") as told:
        Database.open("postgresql://127.0.0.1:9/none?sslmood=require")
    assert told.value.reason == "database_unavailable"


def test_where_a_postgres_is_can_be_told_without_its_password():
    with postgres() as url:
        database = Database.open(f"{url}&password=very-secret")
        database.close()
    assert ("very-secret" in database.url, "very-secret" in database.conninfo) == (False, True)


def test_what_a_mount_table_says_decides_which_disk_is_far_away():
    mounts = "/dev/a / ext4 rw 0 0\nnas:/x /mnt/nas nfs4 rw 0 0\n/dev/b /mnt/nas/local\\040disk xfs rw 0 0\n"
    kinds = [kind_of_mount(Path(path), mounts) for path in ("/home/x.db", "/mnt/nas/x.db", "/mnt/nas/local disk/x.db")]
    assert kinds == ["ext4", "nfs4", "xfs"]


def test_the_database_of_a_person_is_for_that_person_alone(tmp_path):
    path = tmp_path / "own" / "storycore.db"
    Database.open(f"sqlite:///{path}").close()
    assert path.parent.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_two_postgres_databases_do_not_know_each_other():
    with postgres() as one, postgres() as other:
        assert one != other


def test_films_of_tasks_that_an_older_version_kept_are_named_as_far_as_their_requests_tell(tmp_path):
    path, large = tmp_path / "old.db", "x" * 70_000
    paths = ["/films/dream", "dream", "C:\\films\\dream", "/a\0b", None, f"/{large}"]
    requests = [*(json.dumps({"project_path": it}) for it in paths), "[]"]
    facts = {
        "kind": "x", "priority": 1, "status": "failed", "progress": 0, "step": "", "attempt": 1, "most_attempts": 1,
        "beat": 0, "cancel_requested": False, "files": "[]", "caller": "", "request_id": "", "traceparent": "",
        "created_at": 1, "updated_at": 1,
    }  # fmt: skip
    columns = ("id", "request", *facts)
    row = text(f"INSERT INTO tasks ({', '.join(columns)}) VALUES ({', '.join(f':{it}' for it in columns)})")
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection, to="0005")
        for number, request in enumerate(requests):
            connection.execute(row, {**facts, "id": f"task_{number}", "request": request})
    engine.dispose()
    database = Database.open(f"sqlite:///{path}")
    with database.read() as connection:
        found = connection.execute(text("SELECT project_path FROM tasks ORDER BY number")).scalars().all()
    assert found == ["/films/dream", None, "C:\\films\\dream", None, None, None, None]
    assert {it.subject for it in TaskRecords(database).page(before=None, limit=9)} == {""}
    database.close()
