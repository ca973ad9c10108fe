"""Packages and files in object stores, through every surface; the stores are real servers on this machine."""

import io
import json
import zipfile
from pathlib import Path

import av
import httpx
import pytest

from fixtures.packages import noise
from fixtures.programs import storycore
from fixtures.servers import serving
from fixtures.stores import sha256
from storycore import (
    ArtifactDownloadRequest,
    ArtifactListRequest,
    DeliverRequest,
    FormatRequest,
    MetadataRequest,
    PackageRequest,
    Settings,
    StoryCore,
    StoryCoreError,
    VerifyRequest,
)
from storycore.database.connect import Database

PACKAGE = "/v1/storycore.export.package"


@pytest.fixture
def sc(store):
    with StoryCore() as core:
        yield core


@pytest.fixture
def large(film):
    """The film with a take that needs several parts."""
    (film / "take.mp4").write_bytes(b"\0\0\0\x18ftypisom" + noise(20_000_000))
    return film


def package(core, film, out, **more):
    return core.run(PackageRequest(project_path=str(film), output_path=out, **more))


def refused(core, request):
    with pytest.raises(StoryCoreError) as fault:
        core.run(request)
    return fault.value.code.value, fault.value.reason.value


def rows():
    """Everything that the database holds, as text."""
    from sqlalchemy import text

    database = Database.open(Settings.read().database)
    try:
        with database.read() as connection:
            names = [row[0] for row in connection.execute(text("SELECT name FROM sqlite_master WHERE type='table'"))]
            return "".join(repr(connection.execute(text(f'SELECT * FROM "{name}"')).all()) for name in names)
    finally:
        database.close()


def test_a_package_in_a_store_is_what_a_streamed_one_is_and_its_figures_are_those_of_the_object(sc, store, large):
    streamed = io.BytesIO()
    sc.stream(PackageRequest(project_path=str(large)), streamed)
    told = package(sc, large, f"{store.url}/deliveries")
    assert told.export_path == f"{store.url}/deliveries/Little film.zip"
    objects = store.objects()
    assert list(objects) == ["deliveries/Little film.zip"]
    data = objects["deliveries/Little film.zip"]
    assert (len(data), sha256(data)) == (told.package_size_bytes, told.checksum)
    assert data == streamed.getvalue()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
    assert store.unfinished() == []


def test_a_package_in_a_store_is_checked_there_and_unpacked_from_there(sc, store, large, tmp_path):
    told = package(sc, large, f"{store.url}/a.zip")
    verdict = sc.run(VerifyRequest(package_path=told.export_path, unpack_to=str(tmp_path / "bag")))
    assert (verdict.valid, verdict.checksum, verdict.path) == (True, told.checksum, told.export_path)
    assert (tmp_path / "bag/data/take.mp4").read_bytes() == (large / "take.mp4").read_bytes()
    data = bytearray(store.objects()["a.zip"])
    data[len(data) // 2] ^= 1
    store.put("bent.zip", bytes(data))
    bent = sc.run(VerifyRequest(package_path=f"{store.url}/bent.zip"))
    assert (bent.valid, {fault.path for fault in bent.faults} >= {"data/take.mp4"}) == (False, True)
    assert refused(sc, VerifyRequest(package_path=f"{store.url}/none.zip")) == ("NOT_FOUND", "file_not_found")


def test_what_stands_in_a_store_is_not_replaced(s3, film):
    with StoryCore() as sc:
        package(sc, film, f"{s3.url}/a.zip")
        before = s3.objects()
        request = PackageRequest(project_path=str(film), output_path=f"{s3.url}/a.zip", compression_level=1)
        assert refused(sc, request) == ("CONFLICT", "output_exists")
        assert s3.objects() == before


def test_files_of_every_format_go_to_a_store_and_only_there(s3, film):
    with StoryCore() as sc:
        wanted = FormatRequest(
            project_path=str(film), target_format=["mp4", "csv", "json"], output_path=f"{s3.url}/cut",
            conversion_options={"width": 64, "height": 36, "fps": 5},
        )  # fmt: skip
        told = sc.run(wanted)
        objects = s3.objects()
        assert {item.output_path: item.checksum for item in told.outputs} == {
            f"{s3.url}/{name}": sha256(data) for name, data in objects.items()
        }
        with av.open(io.BytesIO(objects["cut/Little film.mp4"])) as film_made:
            assert film_made.streams.video[0].width == 64
        assert not (film / "exports").exists()
        assert list(sc.settings.cache_folder.glob("sending/*")) == []


def test_of_several_files_all_or_none_stand_in_a_store(s3, film):
    with StoryCore() as sc:
        s3.put("cut/Little film.json", b"theirs")
        wanted = FormatRequest(project_path=str(film), target_format=["csv", "json"], output_path=f"{s3.url}/cut")
        assert refused(sc, wanted) == ("CONFLICT", "output_exists")
        assert s3.objects() == {"cut/Little film.json": b"theirs"}


def test_an_artifact_in_a_store_is_fetched_by_a_link_that_needs_no_key(sc, store, film, tmp_path):
    told = package(sc, film, f"{store.url}/a.zip")
    artifact = sc.run(ArtifactListRequest()).items[0]
    link = sc.run(ArtifactDownloadRequest(artifact_id=artifact.artifact_id)).link
    answer = httpx.get(link)
    assert (answer.status_code, sha256(answer.content)) == (200, told.checksum)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    fetched = sc.download(artifact.artifact_id, tmp_path)
    assert sha256(Path(fetched.path).read_bytes()) == told.checksum


def test_a_server_writes_to_a_store_and_sends_callers_there(s3, film, films, tmp_path):
    with serving(films) as url, StoryCore(server=url) as there:
        told = there.run(PackageRequest(project_path=str(film), output_path=f"{s3.url}/b.zip"))
        assert sha256(s3.objects()["b.zip"]) == told.checksum
        assert there.run(VerifyRequest(package_path=told.export_path)).valid
        artifact = there.run(ArtifactListRequest()).items[0]
        asked = f"{url}/v1/storycore.artifact.download?artifact_id={artifact.artifact_id}"
        answer = httpx.get(asked)
        assert (answer.status_code, answer.headers["Cache-Control"], answer.content) == (307, "no-store", b"")
        assert httpx.get(asked, follow_redirects=True).content == s3.objects()["b.zip"]
        fetched = there.download(artifact.artifact_id, tmp_path)
    assert sha256(Path(fetched.path).read_bytes()) == told.checksum


ELSEWHERE = [
    ("s3://other/film.zip", "path_outside_root"),
    ("{bucket}/film.zip", "path_outside_root"),
    ("{url}x/film.zip", "path_outside_root"),
    ("gs://films/film.zip", "path_outside_root"),
    ("{url}/../film.zip", "path_invalid"),
    ("{url}//film.zip", "path_invalid"),
    ("{url}/fi%6cm.zip", "path_invalid"),
    ("{url}/film.zip?acl", "path_invalid"),
    ("{url}/a\u202eb.zip", "path_invalid"),
    ("s3://key:secret@films/film.zip", "path_invalid"),
    ("s3://", "path_invalid"),
    ("https://films/film.zip", "path_invalid"),
    ("file:///tmp/film.zip", "path_invalid"),
]


@pytest.mark.parametrize("fields", [{"output_path": "{url}/festival"}, {"project_path": "{url}/film"}])
def test_deliveries_and_projects_in_a_store_are_refused_and_told_why(s3, film, fields):
    asked = {name: value.format(url=s3.url) for name, value in fields.items()}
    with StoryCore() as sc, pytest.raises(StoryCoreError, match="in an object store, and only export package") as told:
        sc.run(DeliverRequest(**{"project_path": str(film), "template": "archive"} | asked))
    assert (told.value.reason, s3.objects()) == ("path_invalid", {})


def test_a_film_in_a_store_is_no_broken_package(s3):
    with StoryCore() as core:
        for name in ("film.mp4", "mix.wav", "board.PDF"):
            asked = VerifyRequest(package_path=f"{s3.url}/{name}")
            assert refused(core, asked) == ("VALIDATION_ERROR", "path_invalid")
            described = MetadataRequest(project_path=f"{s3.url}/{name}")
            assert refused(core, described) == ("VALIDATION_ERROR", "path_invalid")


def test_a_package_in_a_store_is_described_by_little_of_it(sc, store, large, monkeypatch):
    from storycore.storage.objects import Bucket

    read, asked = Bucket.read, []
    monkeypatch.setattr(Bucket, "read", lambda *call: asked.append(call[3] - call[2]) or read(*call))
    told = package(sc, large, f"{store.url}/a.zip")
    here = Path(package(sc, large, None).export_path)
    asked.clear()
    there = sc.run(MetadataRequest(project_path=told.export_path, measure="full"))
    assert (len(asked) < 12, sum(asked) < 2_000_000 < told.package_size_bytes) == (True, True)
    assert there.metadata_content.pop("project_path") == told.export_path
    local = sc.run(MetadataRequest(project_path=str(here), measure="full")).metadata_content
    for document in (local, there.metadata_content):
        document.pop("project_path", None)
        document.pop("generated_at")
    assert there.metadata_content == local
    take = next(it for it in local["technical"]["inventory"] if it["path"] == "take.mp4")
    assert take["sha256"] == sha256((large / "take.mp4").read_bytes()).removeprefix("sha256:")


def test_a_package_in_a_store_that_is_damaged_or_not_there_is_told(s3, film):
    with StoryCore() as core:
        package(core, film, f"{s3.url}/a.zip")
        data = bytearray(s3.objects()["a.zip"])
        data[data.index(b"storycore/metadata.json") + 40] ^= 1
        s3.put("bent.zip", bytes(data))
        fault = refusal(lambda: core.run(MetadataRequest(project_path=f"{s3.url}/bent.zip")))
        assert (fault.reason, "storycore export verify" in fault.remediation) == ("package_invalid", True)
        none = MetadataRequest(project_path=f"{s3.url}/none.zip")
        assert refused(core, none) == ("NOT_FOUND", "file_not_found")
    run = storycore("export", "metadata", f"{s3.url}/a.zip", "--format", "yaml", cwd=film)
    assert (run.returncode, '"project_name": "Little film"' in run.stdout) == (0, True), run.stderr


def wanted_places(s3):
    return [(place.format(url=s3.url, bucket=f"s3://{s3.bucket}"), told) for place, told in ELSEWHERE]


def test_callers_of_a_server_write_and_read_only_at_listed_places(s3, film, films):
    codes, found = {"path_outside_root": 403, "path_invalid": 400}, []
    with serving(films) as url:
        for wanted, _ in wanted_places(s3):
            answers = [
                httpx.post(url + PACKAGE, json={"project_path": str(film), "output_path": wanted}),
                httpx.post(f"{url}/v1/storycore.export.verify", json={"package_path": wanted}),
                httpx.post(f"{url}/v1/storycore.export.metadata", json={"project_path": wanted}),
            ]
            found.append([(it.status_code, it.json()["error"]["details"]["reason"]) for it in answers])
            assert [it.text for it in answers if "secret" in it.text] == []
    assert found == [[(codes[told], told)] * 3 for _, told in wanted_places(s3)]
    assert s3.objects() == {}


def test_whoever_sits_at_the_machine_writes_and_reads_only_at_listed_places(s3, film):
    found = []
    with StoryCore() as core:
        for wanted, _ in wanted_places(s3):
            faults = [
                refusal(lambda to=wanted: package(core, film, to)),
                refusal(
                    lambda to=wanted: core.run(
                        FormatRequest(project_path=str(film), target_format="csv", output_path=to)
                    )
                ),
                refusal(lambda to=wanted: core.run(VerifyRequest(package_path=to))),
                refusal(lambda to=wanted: core.run(MetadataRequest(project_path=to))),
            ]
            assert [it for it in faults if "secret" in json.dumps(it.as_dict())] == []
            found.append({it.reason.value for it in faults})
    assert found == [{told} for _, told in wanted_places(s3)]
    assert s3.objects() == {}


def refusal(call):
    with pytest.raises(StoryCoreError) as fault:
        call()
    return fault.value


def test_a_command_writes_to_a_store_and_tells_where(s3, film, films):
    run = storycore("export", "package", film.name, "-o", f"{s3.url}/new/", "--json", cwd=films)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["data"]["export_path"] == f"{s3.url}/new/Little film.zip"
    run = storycore("export", "verify", f"{s3.url}/new/Little film.zip", cwd=films)
    assert (run.returncode, "valid" in run.stdout, "unzip" in run.stdout) == (0, True, False), run.stderr
    run = storycore("export", "format", film.name, "-t", "csv", "-o", f"{s3.url}/new/list.csv", cwd=films)
    assert (run.returncode, f"{s3.url}/new/list.csv" in run.stdout) == (0, True), run.stdout
    run = storycore("export", "package", film.name, "-o", "s3://elsewhere/", cwd=films)
    assert (run.returncode, "STORYCORE_STORES" in run.stderr) == (4, True), run.stderr


def test_what_opens_a_store_is_kept_nowhere(s3, film, films):
    with StoryCore() as core:
        package(core, film, f"{s3.url}/a.zip")
    run = storycore(
        "export", "package", film.name, "-o", f"{s3.url}/a.zip", cwd=films, AWS_ENDPOINT_URL="http://127.0.0.1:9"
    )
    told = rows() + run.stdout + run.stderr
    assert run.returncode != 0
    assert [value for value in (s3.environment["AWS_SECRET_ACCESS_KEY"], s3.environment["AWS_ACCESS_KEY_ID"],
                                "X-Amz", "Signature") if value in told] == []  # fmt: skip
    assert s3.url in told


def test_without_credentials_it_is_told_which_to_set_and_nobody_is_asked(s3, film, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with StoryCore() as core, pytest.raises(StoryCoreError) as fault:
        package(core, film, f"{s3.url}/a.zip")
    told = fault.value.as_dict()
    assert (told["code"], told["details"]["reason"]) == ("DEPENDENCY_ERROR", "store_unavailable")
    assert "AWS_ACCESS_KEY_ID" in told["remediation"]


def test_a_profile_of_aws_lets_us_in(s3, film, monkeypatch, tmp_path):
    values = s3.environment
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name)
    (tmp_path / "credentials").write_text(
        f"[studio]\naws_access_key_id = {values['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {values['AWS_SECRET_ACCESS_KEY']}\n"
    )
    (tmp_path / "config").write_text(f"[profile studio]\nregion = eu-west-1\nendpoint_url = {s3.endpoint}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "studio")
    with StoryCore() as core:
        package(core, film, f"{s3.url}/a.zip")
    monkeypatch.delenv("AWS_PROFILE")
    assert list(s3.objects()) == ["a.zip"]


def test_words_for_people_show_urls_as_they_are():
    from storycore.cli.words import typed

    assert typed("s3://films/new/Little film.zip") == "s3://films/new/Little film.zip"
    assert typed(str(Path.cwd() / "a" / "film.zip")) == str(Path("a/film.zip"))


def test_settings_list_only_what_can_be_a_place(monkeypatch):
    monkeypatch.setenv("STORYCORE_STORES", "s3://films/cut,s3://key:secret@films")
    with pytest.raises(StoryCoreError) as fault:
        StoryCore()
    assert (fault.value.reason, "secret" in str(fault.value)) == ("setting_invalid", False)


def findings(core):
    from storycore.operations.doctor import examine

    return {it.name: (it.state.value, it.words, it.remedy) for it in examine(core._app) if "store" in it.name}


def test_doctor_says_of_each_store_whether_it_lets_us_in(store, monkeypatch):
    monkeypatch.setenv("STORYCORE_STORES", f"{store.url},{store.scheme}://nowhere")
    with StoryCore() as core:
        told = findings(core)
    assert told["store_1"][0] == "fine"
    if store.name != "seaweedfs":  # it makes a bucket of whatever is asked for
        assert (told["store_2"][0], "no such bucket" in told["store_2"][1]) == ("broken", True)


def test_doctor_says_whether_the_bucket_of_segments_lets_us_in(strict_s3, monkeypatch):
    monkeypatch.setenv("STORYCORE_SEGMENT_STORE", f"{strict_s3.url}/segments")
    with StoryCore() as core:
        assert findings(core)["segment_store"] == ("fine", f"{strict_s3.url}/segments answers", "")
    monkeypatch.setenv("STORYCORE_SEGMENT_STORE", "s3://nowhere/segments")
    with StoryCore() as core:
        state, words, remedy = findings(core)["segment_store"]
    assert (state, "no such bucket" in words, "STORYCORE_SEGMENT_STORE" in remedy) == ("broken", True, True)


def test_doctor_finds_uploads_that_nobody_will_finish(strict_s3, monkeypatch):
    from storycore.operations import doctor

    client, key = strict_s3.client, f"{strict_s3.place}/left.zip"
    begun = client.create_multipart_upload(Bucket=strict_s3.bucket, Key=key)["UploadId"]
    with StoryCore() as core:
        assert findings(core)["store_1"][0] == "fine"  # somebody may be sending it just now
        monkeypatch.setattr(doctor, "_OLD_SECONDS", -3600)
        state, words, remedy = findings(core)["store_1"]
    client.abort_multipart_upload(Bucket=strict_s3.bucket, Key=key, UploadId=begun)
    assert (state, "1 upload" in words, "lifecycle rule" in remedy) == ("odd", True, True)


def test_of_a_store_that_is_down_doctor_says_which_was_asked_and_what_to_do(s3, monkeypatch):
    monkeypatch.setattr("storycore.operations.doctor._STORE_SECONDS", 0.3)
    monkeypatch.setenv("STORYCORE_SEGMENT_STORE", f"{s3.url}/segments")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://owner:secret@127.0.0.1:9/")
    with StoryCore() as core:
        told = findings(core)
    for name in ("store_1", "segment_store"):
        state, words, remedy = told[name]
        assert (state, "asked at http://127.0.0.1:9." in words, "secret" in words) == ("broken", True, False)
        assert remedy.startswith("Start the store's server, or correct its address in AWS_ENDPOINT_URL")
        assert "doctor" not in remedy


def test_callers_are_not_told_at_which_address_a_store_is_asked(s3, film, monkeypatch):
    monkeypatch.setattr("storycore.storage.objects.TIMEOUT_SECONDS", 0.3)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with StoryCore() as core:
        told = json.dumps(refusal(lambda: package(core, film, f"{s3.url}/a.zip")).as_dict())
    assert ("store_unavailable" in told, "AWS_ENDPOINT_URL" in told, "127.0.0.1" in told) == (True, True, False)
