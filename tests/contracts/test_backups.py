"""A backup holds everything, and any database of ours can be made from it again."""

import io
import json
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from fixtures.databases import sqlite
from fixtures.projects import make_project
from storycore import PackageRequest, Settings, StoryCore
from storycore.database.backup import read
from storycore.database.connect import Database
from storycore.database.tables import metadata
from storycore.errors import StoryCoreError
from storycore.operations.delivery import WebhookTriggerRequest
from storycore.operations.key import KeyCreateRequest, KeyListRequest
from storycore.operations.task import TaskListRequest
from storycore.operations.webhook import WebhookRegisterRequest


@pytest.fixture
def filled(database_url, tmp_path):
    """A database, of each kind, in which something happened."""
    film = make_project(tmp_path / "film")
    with StoryCore(Settings.read(database_url=database_url)) as core:
        core.run(PackageRequest(project_path=str(film), output_path=str(tmp_path / "out")))
        core.run(KeyCreateRequest(name="Ünal's suite"))
        core.submit(PackageRequest(project_path=str(film)))
    return database_url


def rows(url):
    """Every row of every table, as the code reads it."""
    database = Database.open(url)
    with database.read() as connection:
        found = {table.name: sorted(map(tuple, connection.execute(table.select()))) for table in metadata.sorted_tables}
    database.close()
    return found


def core_of(url):
    return StoryCore(Settings.read(database_url=url))


def back_up(url, target):
    with core_of(url) as core:
        return core.back_up(target)


def test_what_was_restored_is_what_was_there(filled, tmp_path, empty_database):
    made = back_up(filled, tmp_path / "all.backup")
    with sqlite(empty_database, tmp_path) as other:
        with core_of(other) as core:
            core.restore(made.path)
        assert rows(other) == rows(filled)
    assert made.rows == sum(map(len, rows(filled).values())) > 5


def test_a_backup_of_sqlite_becomes_a_postgres_that_counts_on(database_url, tmp_path, empty_database):
    film = make_project(tmp_path / "film")
    with sqlite(empty_database, tmp_path) as source:
        with core_of(source) as core:
            core.run(KeyCreateRequest(name="first"))
            core.run(PackageRequest(project_path=str(film), output_path=str(tmp_path / "out")))
        made = back_up(source, tmp_path)
    with core_of(database_url) as core:
        core.restore(made.path)
        core.run(KeyCreateRequest(name="second"))
        assert [key.name for key in core.run(KeyListRequest()).items] == ["second", "first"]
        assert [task.status for task in core.run(TaskListRequest()).items] == ["completed"]


def test_nothing_is_restored_over_something(filled, tmp_path):
    made = back_up(filled, tmp_path / "all.backup")
    before = rows(filled)
    with core_of(filled) as core, pytest.raises(StoryCoreError) as refused:
        core.restore(made.path)
    assert (refused.value.reason, rows(filled)) == ("database_not_empty", before)


@pytest.mark.parametrize("damage", ["a flipped byte", "a missing table", "another form", "no ZIP", "a lie about rows"])
def test_a_damaged_backup_is_refused_and_changes_nothing(filled, tmp_path, empty_database, damage):
    made = back_up(filled, tmp_path / "all.backup")
    harm(made.path, damage)
    with sqlite(empty_database, tmp_path) as other:
        before = rows(other)
        with core_of(other) as core, pytest.raises(StoryCoreError) as refused:
            core.restore(made.path)
        assert (refused.value.reason, rows(other)) == ("backup_invalid", before)


def test_whatever_bit_of_its_directory_is_flipped_a_backup_is_whole_or_refused(database_url, tmp_path):
    with core_of(database_url) as core:
        core.run(KeyCreateRequest(name="suite"))
    whole = back_up(database_url, tmp_path / "all.backup").path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        begin = archive.start_dir
    met = set()
    for place in range(begin, len(whole)):
        for bit in range(8):
            harmed = bytearray(whole)
            harmed[place] ^= 1 << bit
            try:
                read(io.BytesIO(harmed))
            except StoryCoreError as fault:
                met.add(fault.reason.value)
    assert met == {"backup_invalid"}


def harm(path: Path, damage: str) -> None:
    if damage == "no ZIP":
        path.write_text("no")
        return
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    index = json.loads(members["backup.json"])
    if damage == "a flipped byte":
        members["tables/tasks.jsonl"] = members["tables/tasks.jsonl"].replace(b"export", b"axport", 1)
    if damage == "a missing table":
        del members["tables/keys.jsonl"]
    if damage == "another form":
        index["form"] = "storycore-backup/9"
    if damage == "a lie about rows":
        index["rows"]["others"] = 1
    members["backup.json"] = json.dumps(index).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_backup_replaces_no_file_and_is_for_its_owner_alone(database_url, tmp_path):
    made = back_up(database_url, tmp_path / "a.backup")
    if sys.platform != "win32":
        assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    with pytest.raises(StoryCoreError) as refused:
        back_up(database_url, made.path)
    assert refused.value.reason == "output_exists"


def test_the_key_for_secrets_goes_with_the_database_and_never_over_another(tmp_path, empty_database):
    def settings(name):
        return Settings.read(database_url=f"sqlite:///{tmp_path / name}.db", secret_key_file=tmp_path / f"{name}.key")

    with StoryCore(settings("old")) as core:
        webhook = core.run(
            WebhookRegisterRequest(url="https://receiver.invalid/hook", event_types=["export.completed"])
        )
        made = core.back_up(tmp_path / "all.backup")
    (tmp_path / "other.key").write_text("another")
    with StoryCore(settings("other")) as core, pytest.raises(StoryCoreError) as refused:
        core.restore(made.path)
    with StoryCore(settings("new")) as core:
        core.restore(made.path)
        tried = core.run(
            WebhookTriggerRequest(
                webhook_id=webhook.webhook_id, event_type="export.completed", payload={}, test_mode=True
            )
        )
    assert (refused.value.reason, (tmp_path / "other.key").read_text()) == ("output_exists", "another")
    assert (made.has_secret, tried.success) == (True, True)
    assert (tmp_path / "new.key").read_bytes() == (tmp_path / "old.key").read_bytes()
