"""Commands that look after an installation."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import update

from fixtures.programs import storycore
from storycore import PackageRequest, Settings, StoryCore, TaskListRequest
from storycore.app import App
from storycore.database.connect import Database
from storycore.database.tables import tasks
from storycore.errors import Reason, Unavailable
from storycore.operations.upkeep import expire
from storycore.units import now


def told(*words, cwd, **environment):
    run = storycore(*words, "--json", cwd=cwd, **environment)
    return run.returncode, json.loads(run.stdout)["data"]


def test_config_tells_every_setting_and_where_it_comes_from(tmp_path):
    (tmp_path / "storycore.toml").write_text('port = 9000\nhost = "::1"\n')
    code, data = told("config", cwd=tmp_path, STORYCORE_PORT="9001")
    assert (code, set(data["settings"])) == (0, set(Settings.model_fields))
    assert data["settings"]["port"] == {"value": 9001, "origin": "environment"}
    assert data["settings"]["host"] == {"value": "::1", "origin": "storycore.toml"}
    assert data["settings"]["workers"]["origin"] == "default"
    assert str(tmp_path / "storycore.toml") in data["files"]


def test_config_tells_no_secret(tmp_path):
    url = "postgresql://ann:pass@word@127.0.0.1/films"
    for form in ((), ("--json",)):
        run = storycore("config", *form, cwd=tmp_path, STORYCORE_KEY="sck_secret", STORYCORE_DATABASE_URL=url)
        assert (run.returncode, "sck_secret" in run.stdout, "pass" in run.stdout) == (0, False, False)
    assert json.loads(run.stdout)["data"]["settings"]["database_url"]["value"] == "postgresql://ann:***@127.0.0.1/films"


def test_a_setting_that_is_not_acceptable_is_told(tmp_path):
    run = storycore("config", cwd=tmp_path, STORYCORE_PORT="many")
    assert (run.returncode, "port" in run.stderr, "Traceback" in run.stderr) == (2, True, False)


def test_doctor_finds_nothing_wrong_where_nothing_is(tmp_path):
    code, data = told("doctor", cwd=tmp_path)
    assert (code, data["healthy"]) == (0, True)
    assert {"program", "settings", "cache", "data", "database"} <= {finding["name"] for finding in data["findings"]}


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"STORYCORE_DATABASE_URL": "postgresql://ann:secret@127.0.0.1:1/none"}, "database"),
        ({"STORYCORE_DATABASE_URL": "postgresql://127.0.0.1:1/none?user=ann&password=secret"}, "database"),
        ({"STORYCORE_ROOTS": "/there/is/none"}, "root_1"),
        ({"STORYCORE_SERVER": "http://127.0.0.1:1"}, "server"),
        ({"STORYCORE_HOST": "0.0.0.0"}, "keys"),
        ({"STORYCORE_SIGNING_KEY_FILE": "/there/is/none"}, "credentials"),
        ({"STORYCORE_SIGNING_CERTIFICATE": "/none.pem", "STORYCORE_SIGNING_KEY_FILE": "/none.key"}, "credentials"),
    ],
)
def test_doctor_says_what_is_broken_and_what_to_do(tmp_path, environment, name):
    run = storycore("doctor", "--json", cwd=tmp_path, **environment)
    findings = {finding["name"]: finding for finding in json.loads(run.stdout)["data"]["findings"]}
    assert (run.returncode, findings[name]["state"], bool(findings[name]["remedy"])) == (1, "broken", True)
    assert "secret" not in run.stdout


def test_a_backup_is_made_and_restored_by_command(film, tmp_path):
    storycore("export", "package", film.name, cwd=film.parent)
    made = storycore("backup", "-o", str(tmp_path / "all.backup"), cwd=tmp_path)
    again = storycore("restore", str(tmp_path / "all.backup"), cwd=tmp_path)
    other = {"STORYCORE_DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}"}
    back = storycore("restore", str(tmp_path / "all.backup"), cwd=tmp_path, **other)
    listed = storycore("task", "list", "--json", cwd=tmp_path, **other)
    assert (made.returncode, again.returncode, back.returncode) == (0, 5, 0)
    assert [task["status"] for task in json.loads(listed.stdout)["data"]["items"]] == ["completed"]


def test_finished_tasks_are_forgotten_when_their_time_has_come_and_their_files_stay(film):
    settings = Settings.read(retention_days=30)
    with StoryCore(settings) as core:
        old = core.run(PackageRequest(project_path=str(film)))
        age(settings, days=31)
        core.run(PackageRequest(project_path=str(film)))  # whoever never runs a server forgets too
        assert len(core.run(TaskListRequest()).items) == 1
    assert (film / "exports").joinpath(old.export_path).is_file()


def test_what_is_not_finished_is_never_forgotten(film):
    settings = Settings.read(retention_days=1)
    with StoryCore(settings) as core:
        core.submit(PackageRequest(project_path=str(film)))
        age(settings, days=400)
        app = App(settings)
        assert (expire(app), len(core.run(TaskListRequest()).items)) == (0, 1)
        app.close()


def age(settings, *, days):
    """All that was finished was so long ago."""
    database = Database.open(settings.database)
    with database.write() as connection:
        ago = now() - timedelta(days=days)
        connection.execute(update(tasks).where(tasks.c.finished_at.is_not(None)).values(finished_at=ago))
    database.close()


@pytest.mark.parametrize("place", ["gone/film.backup", "gone/"])
def test_a_backup_goes_only_where_a_folder_is(tmp_path, place):
    """A folder that is not there may be a disk that is not there; beside its place nobody looks for a backup."""
    run = storycore("backup", "-o", str(tmp_path) + "/" + place, cwd=tmp_path)
    assert (run.returncode, "There is no folder" in run.stderr, list(tmp_path.iterdir())) == (3, True, [])


START = "from storycore.__main__ import main; main()"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the folder that a process is in")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("config",), 0), (("config", "--json"), 0), (("doctor",), 0), (("backup",), 3), (("project", "list"), 3),
        (("export", "package", "film"), 3), (("serve",), 3), (("worker",), 3), (("demo",), 3),
    ],
)  # fmt: skip
def test_a_current_folder_that_is_gone_is_borne_or_told(tmp_path, words, code):
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os, sys; os.rmdir({str(gone)!r}); sys.argv[1:] = {words!r}; {START}"
    run = subprocess.run([sys.executable, "-P", "-c", program], cwd=gone, capture_output=True, text=True, timeout=60)
    told = "The current folder is gone." in run.stderr
    assert (run.returncode, told, "Traceback" in run.stderr) == (code, code != 0, False)


def test_a_door_that_was_closed_opens_no_database_any_more():
    """A thread that nobody waits for would open one that nobody closes."""
    with StoryCore() as core:
        core.run(TaskListRequest())
    with pytest.raises(Unavailable) as fault:
        core.run(TaskListRequest())
    assert fault.value.reason is Reason.DRAINING


def test_what_still_runs_when_the_door_is_closed_keeps_its_database_to_its_end():
    core = StoryCore()
    with core._running(None):
        core.close()
        assert core._app.tasks.records.counts()["pending"] == 0
    with pytest.raises(Unavailable):
        core._app.database  # noqa: B018
