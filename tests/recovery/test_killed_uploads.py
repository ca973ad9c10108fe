"""Processes that are killed while they send to a store: the object appears once, whole, and nothing else stays."""

import os

import pytest

from fixtures.faulty_proxy import faulty
from fixtures.packages import noise
from fixtures.programs import running
from fixtures.stores import sha256
from fixtures.waiting import until
from storycore import (
    ArtifactListRequest,
    PackageRequest,
    StoryCore,
    StoryCoreError,
    TaskListRequest,
    TaskStatusRequest,
    VerifyRequest,
)
from storycore.storage import traces, upload
from storycore.storage.place import read_place

ENDED = ("completed", "failed", "cancelled")

no_kill = pytest.mark.skipif(os.name == "nt", reason="Windows has no kill that can't be heard")


@pytest.fixture
def stuck(s3, film, monkeypatch):
    """A film of three parts, and a way to the store on which only the first one passes."""
    (film / "take.mp4").write_bytes(b"\0\0\0\x18ftypisom" + noise(20_000_000))
    with faulty(s3.endpoint) as way:
        monkeypatch.setenv("AWS_ENDPOINT_URL", way.url)
        way.rule = lambda call: "mute" if call.is_part and call.number else None
        yield way


def sending(way):
    return [call for call in way.calls if call.is_part and call.number]


@no_kill
def test_what_a_killed_process_was_sending_is_taken_back_and_the_package_made_anew(s3, film, films, stuck):
    url = f"{s3.url}/film.zip"
    with running("export", "package", film.name, "-o", url, cwd=films) as (_, command):
        until(lambda: sending(stuck))
        command.kill()
        command.wait()
    assert (len(s3.unfinished()), s3.objects()) == (1, {})
    stuck.rule = lambda _call: None
    with StoryCore() as core:
        task_id = core.run(TaskListRequest()).items[0].task_id
        core.work()
        task = until(lambda: core.run(TaskStatusRequest(task_id=task_id)), lambda told: told.status in ENDED)
        assert (task.status, task.error["details"]["reason"]) == ("failed", "interrupted")
        assert s3.unfinished() == []
        told = core.run(PackageRequest(project_path=str(film), output_path=url))
    assert {name: sha256(data) for name, data in s3.objects().items()} == {"film.zip": told.checksum}


@no_kill
@pytest.mark.slow
def test_a_server_that_was_killed_while_it_sent_does_it_again_and_leaves_one_object(s3, film, films, stuck):
    import httpx

    from fixtures.programs import address

    url = f"{s3.url}/film.zip"
    serve = ("serve", "--port", "0", "--root", str(films))
    with running(*serve, cwd=films) as (line, server):
        body = {"project_path": film.name, "output_path": url}
        answer = httpx.post(
            f"{address(line)}/v1/storycore.export.package", json=body, headers={"Prefer": "wait=0"}, timeout=30
        )
        task_id = answer.json()["data"]["task_id"]
        until(lambda: sending(stuck))
        server.kill()
        server.wait()
    assert len(s3.unfinished()) == 1
    stuck.rule = lambda _call: None
    with running(*serve, cwd=films) as (line, _), StoryCore() as core:
        task = until(lambda: core.run(TaskStatusRequest(task_id=task_id)), lambda told: told.status in ENDED)
        assert (task.status, task.attempt) == ("completed", 2)
        artifacts = core.run(ArtifactListRequest(task_id=task_id)).items
        assert core.run(VerifyRequest(package_path=artifacts[0].path)).valid
    assert [sha256(data) for data in s3.objects().values()] == [item.checksum for item in artifacts]
    assert s3.unfinished() == []


def test_a_finished_object_that_nobody_was_told_of_is_taken_back_and_that_of_others_is_not(store):
    place, noted = read_place(store.url) / "film.bin", []
    with (
        traces.tracing("task_1.1", lambda *trace: noted.append(trace)),
        upload.new_object(place, size_bytes=10, media_type="application/zip") as sink,
    ):
        sink.write(b"0123456789")
    assert store.objects() == {"film.bin": b"0123456789"}
    traces.take_back(noted)
    assert store.objects() == {}
    store.put("film.bin", b"theirs")
    traces.take_back(noted)
    assert store.objects() == {"film.bin": b"theirs"}


def test_who_has_lost_the_work_to_another_process_finishes_nothing(store):
    place, notes = read_place(store.url) / "film.bin", []

    def note(*trace):
        notes.append(trace)
        if len(notes) == 2:
            raise StoryCoreError("lost")

    with pytest.raises(StoryCoreError, match=r"^lost$"), traces.tracing("task_1.1", note):  # noqa: SIM117 - told apart
        with upload.new_object(place, size_bytes=20_000_000, media_type="application/zip") as sink:
            sink.write(bytes(20_000_000))
    assert (store.objects(), store.unfinished()) == ({}, [])


def test_a_store_that_is_away_does_not_hold_up_what_must_be_done(s3, monkeypatch):
    from storycore.storage import objects

    monkeypatch.setattr(objects, "TIMEOUT_SECONDS", 0.5)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    traces.take_back([(traces.UPLOAD, f"{s3.url}/film.bin", "task_1.1.0011")])
