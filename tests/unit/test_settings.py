"""Settings and their precedence."""

import os
from pathlib import Path

import pytest

from storycore.errors import InvalidInput, Reason
from storycore.settings import Settings, user_folder, without_passwords


def test_flags_win_over_environment_over_project_file_over_user_file(monkeypatch):
    user = user_folder()
    user.mkdir(parents=True)
    ports = []
    ports.append(Settings.read().port)
    (user / "storycore.toml").write_text("port = 1001")
    ports.append(Settings.read().port)
    Path("storycore.toml").write_text("port = 1002")
    ports.append(Settings.read().port)
    monkeypatch.setenv("STORYCORE_PORT", "1003")
    ports.append(Settings.read().port)
    ports.append(Settings.read(port=1004).port)
    assert ports == [8765, 1001, 1002, 1003, 1004]


def test_roots_are_a_list_with_the_systems_path_separator(tmp_path, monkeypatch):
    monkeypatch.setenv("STORYCORE_ROOTS", os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]))
    assert Settings.read().roots == (tmp_path / "a", tmp_path / "b")


def test_names_are_a_list_with_commas(monkeypatch):
    monkeypatch.setenv("STORYCORE_ALLOWED_HOSTS", "studio.local, films")
    assert Settings.read().allowed_hosts == ("studio.local", "films")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "99999"),
        ("PORT", "x"),
        ("LOG_LEVEL", "loud"),
        ("RETENTION_DAYS", "1000000"),
        ("RETENTION_DAYS", "inf"),
        ("RETENTION_DAYS", "0.5"),
    ],
)
def test_a_value_that_is_not_acceptable_is_named(name, value, monkeypatch):
    monkeypatch.setenv(f"STORYCORE_{name}", value)
    with pytest.raises(InvalidInput, match=name.lower()) as fault:
        Settings.read()
    assert fault.value.reason is Reason.SETTING_INVALID


def test_a_settings_file_that_is_not_toml_is_told():
    Path("storycore.toml").write_text("port = = 1")
    with pytest.raises(InvalidInput, match="settings file"):
        Settings.read()


def test_a_name_that_is_no_setting_is_told_with_the_nearest_one():
    Path("storycore.toml").write_text("prot = 1")
    with pytest.raises(InvalidInput, match="did you mean port"):
        Settings.read()


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Settings.read().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:secret@db/films", "postgresql://ann:***@db/films"),
        ("postgresql://ann:sec/ret?s@cret@db/films", "postgresql://ann:***@db/films"),
        (
            "postgresql:///films?user=ann&password=secret&host=/run",
            "postgresql:///films?user=ann&password=***&host=/run",
        ),
        ("postgresql://db/films?sslpassword=secret", "postgresql://db/films?sslpassword=***"),
        ("host=db password=secret dbname=films", "host=db password=*** dbname=films"),
        ("sqlite:////films/a:b@c.db", "sqlite:////films/a:b@c.db"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
    ],
)
def test_a_url_is_shown_without_its_passwords_wherever_they_stand(url, shown):
    assert without_passwords(url) == shown
