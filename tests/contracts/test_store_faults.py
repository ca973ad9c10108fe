"""What goes wrong between us and a store: it is tried again or told, and nothing is left."""

import contextlib
import os
import signal
import threading
from urllib.parse import urlsplit

import pytest

from fixtures.archives import bag, zipped
from fixtures.faulty_proxy import faulty
from fixtures.programs import running
from fixtures.stores import KEYS, sha256
from storycore.errors import Cancelled, DependencyFailed, InvalidInput, NotFound, StoryCoreError
from storycore.exports.carried import read_carried
from storycore.exports.verify import verify_package
from storycore.observe.progress import Progress
from storycore.settings import Settings
from storycore.storage import objects, upload
from storycore.storage.objects import Bucket
from storycore.storage.place import read_place

SIZE = 12_000_000


@contextlib.contextmanager
def behind(server, monkeypatch):
    """The server, reached by a way that has faults."""
    with faulty(server.endpoint) as way:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value.replace(f"//{urlsplit(server.endpoint).netloc}", way.url[5:]))
        yield way


@pytest.fixture
def way(s3, monkeypatch):
    with behind(s3, monkeypatch) as found:
        yield found


def send(server, size=SIZE, check=lambda: None, name="film.bin"):
    data = os.urandom(size)
    place = read_place(server.url) / name
    with upload.new_object(place, size_bytes=size, media_type="application/zip", check=check) as sink:
        for start in range(0, size, 1_000_000):
            sink.write(data[start : start + 1_000_000])
    return data


def refused(server, **more):
    with pytest.raises(DependencyFailed) as told:
        send(server, **more)
    assert (told.value.reason, told.value.code) == ("store_unavailable", "DEPENDENCY_ERROR")
    assert told.value.remediation
    assert (server.objects(), server.unfinished()) == ({}, [])
    return told.value


def first(kind, fault, times=1):
    """That fault for the first calls of a kind."""
    return lambda call: fault if getattr(call, kind) and call.number < times else None


@pytest.mark.parametrize(
    ("kind", "fault", "times"),
    [
        ("is_part", "cut", 2),
        ("is_part", "busy", 3),
        ("is_part", "lost", 2),
        ("is_end", "busy", 2),
        ("is_part", "slow", 9),
    ],
)
def test_what_passes_is_overcome_and_nobody_notices(s3, way, kind, fault, times):
    way.rule = first(kind, fault, times)
    data = send(s3)
    assert {name: sha256(found) for name, found in s3.objects().items()} == {"film.bin": sha256(data)}
    assert s3.unfinished() == []


@pytest.mark.parametrize("kind", ["is_end", "is_part"])
def test_with_azure_too(azurite_server, monkeypatch, kind):
    from fixtures.stores import settled

    with settled(monkeypatch, azurite_server) as server, behind(server, monkeypatch) as way:
        way.rule = first(kind, "busy", 2)
        data = send(server)
        assert server.objects() == {"film.bin": data}


@pytest.mark.parametrize("size", [1000, SIZE])
def test_a_lost_word_of_success_is_no_failure(s3, way, size):
    way.rule = first("is_end" if size == SIZE else "is_put", "lost")
    assert s3.objects() == {}
    data = send(s3, size)
    assert s3.objects() == {"film.bin": data}


def test_bytes_that_change_on_the_way_are_refused_by_a_store_that_looks(strict_s3, monkeypatch):
    with behind(strict_s3, monkeypatch) as way:
        way.rule = first("is_part", "bent")
        refused(strict_s3)


@pytest.mark.parametrize("size", [1000, SIZE])
def test_bytes_that_change_on_the_way_are_found_where_the_store_does_not_look(s3, way, size):
    way.rule = lambda call: "bent" if call.method == "PUT" and call.number == 0 else None
    assert "does not hold" in refused(s3, size=size).message


@pytest.mark.parametrize("fault", ["busy", "cut", "mute"])
def test_what_stays_wrong_is_told_and_leaves_nothing(s3, way, monkeypatch, fault):
    monkeypatch.setattr(objects, "TIMEOUT_SECONDS", 1.0)
    way.rule = lambda call: fault if call.is_part else None
    refused(s3)


def test_who_stops_it_is_heard_while_the_store_is_silent(s3, way, monkeypatch):
    monkeypatch.setattr(upload, "_LEAVE_SECONDS", 0.2)
    silent = threading.Event()

    def rule(call):
        silent.set() if call.is_part else None
        return "mute" if call.is_part else None

    def check():
        if silent.is_set():
            raise Cancelled("stop")

    way.rule = rule
    with pytest.raises(Cancelled):
        send(s3, check=check)
    assert (s3.objects(), s3.unfinished()) == ({}, [])


ASKED = {
    "verify": lambda place, progress: verify_package(place, settings=Settings(), progress=progress),
    "describe": lambda place, progress: read_carried(place, settings=Settings(), progress=progress),
    "write": lambda place, progress: upload.new_object(
        place, size_bytes=SIZE, media_type="application/zip", check=progress.check
    ).__enter__(),
}


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("silent_from", [0, 1])
def test_who_stops_it_is_heard_before_the_store_has_said_a_word(s3, way, what, silent_from):
    s3.put("a.zip", zipped(bag()))
    progress, asked = Progress(), []

    def rule(call):
        asked.append(call)
        if len(asked) <= silent_from:
            return None
        progress.cancel()
        return "mute"

    way.rule = rule
    with pytest.raises(Cancelled):
        ASKED[what](read_place(s3.url) / ("new.zip" if what == "write" else "a.zip"), progress)
    assert list(s3.objects()) == ["a.zip"]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal")
def test_a_second_ctrl_c_ends_a_command_whose_small_file_is_never_answered(s3, way, film, films):
    sending = threading.Event()

    def rule(call):
        sending.set() if call.is_put else None
        return "mute" if call.is_put else None

    way.rule = rule
    with running("export", "package", film.name, "-o", f"{s3.url}/a.zip", cwd=films) as (_, command):
        assert sending.wait(60)
        command.send_signal(signal.SIGINT)
        threading.Event().wait(0.5)
        command.send_signal(signal.SIGINT)
        assert command.wait(60) == 130
    assert s3.objects() == {}


def test_a_bucket_that_is_not_there_is_told(s3):
    missing = read_place(f"{s3.scheme}://nowhere/film.bin")
    for size in (1000, SIZE):
        with (
            pytest.raises(DependencyFailed) as told,
            upload.new_object(missing, size_bytes=size, media_type="application/zip") as sink,
        ):
            sink.write(bytes(size))
        assert (told.value.details["store_code"], told.value.details["retryable"]) == ("NoSuchBucket", False)
        assert "no such bucket" in told.value.message


def test_a_bucket_that_is_not_there_is_told_to_who_reads(store):
    missing = read_place(f"{store.scheme}://nowhere/a.zip")
    for read in (verify_package, read_carried):
        with pytest.raises(StoryCoreError) as told:
            read(missing, settings=Settings(), progress=Progress())
        if store.name != "seaweedfs":  # it makes a bucket of whatever is asked for
            assert ("no such bucket" in told.value.message, told.value.reason) == (True, "store_unavailable")
        with pytest.raises(NotFound):
            read(read_place(f"{store.url}/a.zip"), settings=Settings(), progress=Progress())


def test_what_the_library_breaks_on_is_told_as_what_it_is(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    monkeypatch.setenv("AWS_REGION", "no region")
    with pytest.raises(DependencyFailed) as told:
        Bucket(read_place(s3.url)).look("")
    assert told.value.reason == "store_unavailable"


@pytest.mark.parametrize("size", [1000, SIZE])
def test_who_may_only_read_is_told_so(strict_s3, monkeypatch, size):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["reader"][0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["reader"][1])
    told = refused(strict_s3, size=size)
    assert ("does not let us" in told.message, told.details["retryable"]) == (True, False)


def test_a_name_that_is_too_long_together_is_told_before_anything(s3, way):
    place = read_place(f"{s3.url}/{'a/' * 500}")
    with (
        pytest.raises(InvalidInput, match="longer than 1024 bytes"),
        upload.new_object(place / "a long film.bin", size_bytes=1, media_type="application/zip"),
    ):
        pass
    assert way.calls == []


def test_a_wrong_key_is_told_and_not_shown(strict_s3, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nonsense-0123456789")
    told = refused(strict_s3)
    assert "nonsense" not in str(told.as_dict())


def test_uploads_of_others_to_the_same_place_are_left_alone(strict_s3):
    client, key = strict_s3.client, f"{strict_s3.place}/film.bin"
    theirs = client.create_multipart_upload(Bucket=strict_s3.bucket, Key=key)["UploadId"]
    with pytest.raises(RuntimeError):
        _broken_off(strict_s3)
    found = client.list_multipart_uploads(Bucket=strict_s3.bucket, Prefix=key)["Uploads"]
    assert [item["UploadId"] for item in found] == [theirs]
    client.abort_multipart_upload(Bucket=strict_s3.bucket, Key=key, UploadId=theirs)


def _broken_off(server):
    place = read_place(server.url) / "film.bin"
    with upload.new_object(place, size_bytes=SIZE, media_type="application/zip") as sink:
        sink.write(bytes(SIZE))
        raise RuntimeError


def test_unfinished_uploads_are_listed_with_our_own_signature(strict_s3):
    client, key = strict_s3.client, f"{strict_s3.place}/ein Film (ä).bin"
    begun = client.create_multipart_upload(Bucket=strict_s3.bucket, Key=key)["UploadId"]
    bucket = Bucket(read_place(strict_s3.url))
    assert bucket.unfinished(key) == [begun]
    bucket.forget(key, begun)
    bucket.forget(key, begun)
    assert (bucket.unfinished(key), strict_s3.unfinished()) == ([], [])
