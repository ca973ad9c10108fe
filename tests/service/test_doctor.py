"""What the doctor finds in an installation that has lived."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from fixtures.programs import storycore
from storycore import Settings, WebhookRegisterRequest
from storycore.app import App
from storycore.comfyui.address import Address
from storycore.comfyui.backend import Status
from storycore.database.tables import tasks, webhooks
from storycore.observe.progress import Progress
from storycore.operations.doctor import examine, healthy
from storycore.operations.finding import State
from storycore.operations.run import run
from storycore.tasks.task import Order
from storycore.units import now


@pytest.fixture
def app():
    opened = App(Settings.read())
    yield opened
    opened.close()


def found(app):
    return {it.name: it for it in examine(app)}


@pytest.fixture
def webhook(app, monkeypatch):
    request = WebhookRegisterRequest(url="https://films.example/hook", event_types=["export.*"])
    return run(app, request, Progress()).webhook_id


def change(app, table, **values):
    with app.database.write() as connection:
        connection.execute(update(table).values(**values))


def test_an_encoder_that_lacks_a_codec_is_told(tmp_path):
    """A program that knows two encoders; what it can't make is named."""
    if os.name == "nt":
        pytest.skip("the stand-in is a shell script")
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text("#!/bin/sh\necho ' V....D libx264   H.264'\necho ' A....D aac   AAC'\n")
    ffmpeg.chmod(0o755)
    app = App(Settings.read(ffmpeg=ffmpeg))
    finding = found(app)["encoder"]
    app.close()
    assert (finding.state, bool(finding.remedy)) == (State.ODD, True)
    assert "can't make H.265, VP9, AV1" in finding.words
    assert "aac" not in finding.words


def test_the_encoder_that_comes_with_storycore_lacks_nothing(app):
    assert found(app)["encoder"].state is State.FINE


def test_a_missing_encoder_stands_in_the_way(tmp_path):
    app = App(Settings.read(ffmpeg=tmp_path / "none"))
    finding = found(app)["encoder"]
    app.close()
    assert (finding.state, bool(finding.remedy)) == (State.BROKEN, True)


def test_a_folder_for_segments_that_can_not_be_used_stands_in_the_way(tmp_path):
    shared, file = tmp_path / "shared", tmp_path / "file"
    file.touch()
    for place, state in ((shared, State.FINE), ("segments", State.BROKEN), (file, State.BROKEN), ("", None)):
        app = App(Settings.read(segment_store=str(place)))
        finding = found(app).get("segment_store")
        app.close()
        assert getattr(finding, "state", None) is state
    assert not shared.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_a_secret_key_that_others_can_read_is_told_with_the_command_that_mends_it(app, webhook):
    assert found(app)["sealing key"].state is State.FINE
    app.settings.sealing_key_place.chmod(0o644)
    finding = found(app)["sealing key"]
    assert (finding.state, finding.remedy) == (State.BROKEN, f"chmod 600 '{app.settings.sealing_key_place}'")


def test_a_secret_key_that_opens_nothing_is_told(app, webhook):
    app.settings.sealing_key_place.unlink()
    app.close()
    other = App(Settings.read())
    finding = found(other)["sealing key"]
    other.close()
    assert (finding.state, bool(finding.remedy)) == (State.BROKEN, True)


def test_webhooks_that_were_switched_off_or_fail_are_told(app, webhook):
    assert "1 of 1 are active" in found(app)["webhooks"].words
    change(app, webhooks, failing_since=now() - timedelta(hours=3), failures=7)
    assert "failed for 3 h 00 min, 7 times in a row" in found(app)[webhook].words
    change(app, webhooks, active=False, disabled_reason="failing")
    finding = found(app)[webhook]
    assert (finding.state, f"storycore webhook update {webhook} --active" in finding.remedy) == (State.ODD, True)
    assert "0 of 1 are active" in found(app)["webhooks"].words


def test_a_comfyui_server_that_does_not_answer_now_is_told(app):
    kept = app.comfyui.records.keep(Address(host="127.0.0.1", port=1), {"status": Status.UP, "facts": {}, "error": ""})
    finding = found(app)["comfyui_1"]
    assert (finding.state, "127.0.0.1:1: It does not answer" in finding.words) == (State.ODD, True)
    assert finding.remedy.endswith(f"storycore comfyui disconnect {kept.id}")


def test_a_clock_that_is_behind_the_records_is_told(app):
    app.tasks.records.accept(Order(kind="storycore.export.package", request={}))
    assert found(app)["clock"].state is State.FINE
    change(app, tasks, created_at=now() + timedelta(hours=2))
    assert found(app)["clock"].state is State.ODD


def test_where_the_database_is_away_the_rest_is_still_looked_at(monkeypatch):
    app = App(Settings.read(database_url="postgresql://127.0.0.1:1/none"))
    findings = found(app)
    app.close()
    assert [name for name, it in findings.items() if it.state is State.BROKEN] == ["database"]
    assert {"encoder", "letters", "cache"} <= set(findings)
    assert not healthy(list(findings.values()))


def test_the_verdict_says_how_much_stands_in_the_way(tmp_path):
    shutil.copytree(Path.cwd(), tmp_path / "here")
    run = storycore("doctor", cwd=tmp_path / "here", STORYCORE_FFMPEG=str(tmp_path / "none"))
    assert run.returncode == 1
    assert "✗ encoder" in run.stdout
    assert "1 of 13 stands in the way" in run.stdout


def test_no_remedy_sends_whoever_asked_the_doctor_to_the_doctor(tmp_path):
    (tmp_path / "storycore.db").write_bytes(b"no database" * 100)
    app = App(Settings.read(database_url=f"sqlite:///{tmp_path / 'storycore.db'}"))
    findings = found(app)
    app.close()
    assert findings["database"].state is State.BROKEN
    assert str(tmp_path / "storycore.db") in findings["database"].words
    assert [it for it in findings.values() if "storycore doctor" in it.remedy] == []
