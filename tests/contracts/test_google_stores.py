"""Google Cloud Storage, against a double of ours: what we send is what its API takes. Experimental."""

import os
from pathlib import Path

import pytest

from fixtures.google_double import google
from fixtures.stores import settled
from storycore import (
    ArtifactDownloadRequest,
    ArtifactListRequest,
    MetadataRequest,
    PackageRequest,
    StoryCore,
    StoryCoreError,
    VerifyRequest,
)
from storycore.errors import Conflict
from storycore.storage import upload
from storycore.storage.place import read_place


@pytest.fixture
def gs(monkeypatch):
    with google() as double, settled(monkeypatch, double) as server:
        yield server


def test_a_package_is_written_checked_described_and_fetched(gs, film, tmp_path):
    with StoryCore() as core:
        told = core.run(PackageRequest(project_path=str(film), output_path=f"{gs.url}/"))
        assert core.run(VerifyRequest(package_path=told.export_path)).valid
        described = core.run(MetadataRequest(project_path=told.export_path))
        assert described.metadata_content["project_name"] == "Little film"
        artifact = core.run(ArtifactListRequest()).items[0]
        fetched = core.download(artifact.artifact_id, tmp_path)
        assert Path(fetched.path).read_bytes() == gs.objects()["Little film.zip"]
        with pytest.raises(StoryCoreError) as fault:  # it would take a call to Google's own servers
            core.run(ArtifactDownloadRequest(artifact_id=artifact.artifact_id))
    assert fault.value.reason == "store_unavailable"


@pytest.mark.parametrize("size", [10, 12_000_000])
def test_objects_appear_whole_or_not_at_all(gs, size):
    data, place = os.urandom(size), read_place(gs.url) / "film.bin"
    with pytest.raises(RuntimeError), upload.new_object(place, size_bytes=size, media_type="video/mp4") as sink:
        sink.write(data)
        raise RuntimeError
    assert (gs.objects(), gs.unfinished()) == ({}, [])
    with upload.new_object(place, size_bytes=size, media_type="video/mp4") as sink:
        sink.write(data)
    assert gs.objects() == {"film.bin": data}
    with pytest.raises(Conflict), upload.new_object(place, size_bytes=size, media_type="video/mp4") as sink:
        sink.write(data)
