"""What holds of finished segments in every object store: machines share them, and nothing half-made is seen."""

import hashlib
import secrets

import pytest

from storycore.rendering.depot import depot_of, segment_cache, shared_by
from storycore.settings import Settings

KEY = "ab" * 32


def machine(tmp_path, store, name):
    return Settings(cache_folder=tmp_path / name, segment_store=f"{store.url}/segments")


def keep(cache, data):
    part = cache.new(KEY)
    part.write_bytes(data)
    cache.keep(KEY, part)


def sealed(data):
    return {f"segments/ab/{KEY}.segment": data + hashlib.sha256(data).digest()}


def test_what_one_machine_keeps_another_takes(tmp_path, store):
    one, other = (machine(tmp_path, store, name) for name in ("one", "other"))
    assert shared_by(one) == shared_by(other)
    data = secrets.token_bytes(6_000_000)  # more than one part of an upload
    assert not segment_cache(other).take(KEY, tmp_path / "early")
    keep(segment_cache(one), data)
    assert store.objects() == sealed(data)
    assert segment_cache(other).take(KEY, tmp_path / "mine")
    assert (tmp_path / "mine").read_bytes() == data
    assert store.unfinished() == []


def test_a_machine_that_is_late_changes_nothing_and_a_broken_segment_is_removed(tmp_path, store):
    one, other = (segment_cache(machine(tmp_path, store, name)) for name in ("one", "other"))
    keep(one, b"segment")
    keep(other, b"segment")
    assert not other.is_cut_off
    assert store.objects() == sealed(b"segment")
    other.forget(KEY)
    assert store.objects() == {}


@pytest.mark.parametrize("harm", [
    lambda kept: kept[:0],
    lambda kept: kept[:20],
    lambda kept: kept[:-1],
    lambda kept: kept[:3] + bytes([kept[3] ^ 1]) + kept[4:],
])  # fmt: skip
def test_a_segment_that_was_changed_in_the_store_is_painted_anew(tmp_path, harm):
    """A folder that lies on the same disk as the caches, so that links could be made."""
    one, other = (
        segment_cache(Settings(cache_folder=tmp_path / name, segment_store=str(tmp_path / "shared")))
        for name in ("one", "other")
    )
    keep(one, b"segment")
    kept = tmp_path / f"shared/ab/{KEY}.segment"
    assert kept.read_bytes() == sealed(b"segment")[f"segments/ab/{KEY}.segment"]
    kept.write_bytes(harm(kept.read_bytes()))
    assert not other.take(KEY, tmp_path / "mine")
    assert not kept.exists()
    keep(other, b"segment")
    third = segment_cache(Settings(cache_folder=tmp_path / "third", segment_store=str(tmp_path / "shared")))
    assert third.take(KEY, tmp_path / "mine")
    assert (tmp_path / "mine").read_bytes() == b"segment"
    assert kept.read_bytes() == sealed(b"segment")[f"segments/ab/{KEY}.segment"]
    assert list(tmp_path.rglob("*.part")) == []


def test_a_store_that_does_not_answer_cuts_nobody_off_from_what_is_here(tmp_path, s3, monkeypatch):
    cache = segment_cache(machine(tmp_path, s3, "one"))
    keep(cache, b"segment")
    monkeypatch.setattr("storycore.storage.objects.TIMEOUT_SECONDS", 0.5)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    away = segment_cache(machine(tmp_path, s3, "one"))
    assert not away.take("cd" * 32, tmp_path / "other")
    assert away.is_cut_off
    assert away.take(KEY, tmp_path / "mine")
    assert depot_of(machine(tmp_path, s3, "one")) is not None


def test_buckets_of_one_name_on_different_servers_are_different_places(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    settings, found = Settings(cache_folder=tmp_path, segment_store="s3://films/segments"), []
    servers = ("http://a.example:8333", "http://b.example:8333", "", "http://127.0.0.1:8333", "http://LOCALHOST:1")
    for address in servers:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        found.append(shared_by(settings))
    monkeypatch.setattr("socket.gethostname", lambda: "another machine")
    found.append(shared_by(settings))
    assert len(set(found)) == len(found)
    for same in ("http://a.example:8333/", "http://A.example:8333", "http://me:secret@a.example:8333"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", same)
        assert shared_by(settings) == found[0]


def test_accounts_of_azure_have_containers_of_their_own(tmp_path, monkeypatch):
    settings, found = Settings(cache_folder=tmp_path, segment_store="az://films/segments"), []
    for account in ("one", "two"):
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", f"AccountName={account};AccountKey=a2V5")
        found.append(shared_by(settings))
    assert found[0] != found[1]
