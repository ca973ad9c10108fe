"""The package of a project is described as the project is, from a few of its files; what is odd is refused."""

import json
from collections import Counter
from itertools import product
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import storycore.metadata
from fixtures import archives
from fixtures.archives import HOSTILE, bag, parts_of, sealed, write, zipped
from fixtures.model_projects import film_project, write_media
from fixtures.packages import contents_of, noise
from storycore.errors import StoryCoreError
from storycore.exports.carried import read_carried
from storycore.exports.package import write_package
from storycore.exports.packing.contents import documented
from storycore.exports.packing.selection import Selection, select
from storycore.metadata.collect import collect
from storycore.metadata.recorded import is_description, recorded
from storycore.metadata.write import write as written
from storycore.observe.progress import Progress
from storycore.project.files import walk
from storycore.settings import Settings

VALIDATOR = jsonschema.Draft202012Validator(
    json.loads(Path(storycore.metadata.__file__).with_name("metadata.schema.json").read_text(encoding="utf-8"))
)
SWITCHES = [
    dict(zip(("technical", "creative", "qa_reports", "omc"), flags, strict=True)) | {"measure": measure}
    for flags, measure in product(product((True, False), repeat=4), ("none", "quick", "full"))
]
DESCRIPTION = {
    "document_version": "1.0", "project_id": "film_1", "project_name": "Film", "technical": {}, "creative": {},
    "qa_reports": {}, "standards": {"schema_org": {}, "iptc_video_metadata_hub": [], "dublin_core": {}},
}  # fmt: skip
NAME = "storycore/metadata.json"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The films' folder, its memory, and a name that has to be changed in packages."""
    folder = tmp_path_factory.mktemp("described")
    write_media(folder / "film")
    (folder / "film/assets/images/con.png").write_bytes((folder / "film/assets/images/broken.png").read_bytes())
    return folder


def packed(place: Path, target: Path, **changes) -> Path:
    project = film_project(place / "film", **changes)
    contents = contents_of(place / "film", selection=Selection())
    write_package(documented(contents, project, chosen(place)), target, level=1, progress=Progress())
    return target


def chosen(place: Path) -> Settings:
    return Settings(cache_folder=place / "cache")


def described(place: Path, flags, **changes):
    """The project itself described, without the files that a package leaves out."""
    project = film_project(place / "film", **changes)
    listing = select(walk(project.folder, max_files=1000), project, Selection())
    return collect(project, listing, settings=chosen(place), **flags)


def carried(path: Path):
    return read_carried(path, settings=Settings(), progress=Progress())


def test_a_package_is_described_to_the_letter_as_its_project(place: Path) -> None:
    found = carried(packed(place, place / "a.zip"))
    assert is_description(found.description)
    assert "assets/images/con.png" in found.sha256
    for flags in SWITCHES:
        of_package, of_project = recorded(found.description, found.sha256, **flags), described(place, flags)
        assert of_package == of_project, flags
        assert written(of_package.document, "json") == written(of_project.document, "json"), flags
        VALIDATOR.validate(of_package.document)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)  # a reader leaves no halves of letters
texts = texts | st.sampled_from(["bell\x07", "no", "12:30", "a\u2028b", "é"])


@given(
    changes=st.fixed_dictionaries(
        {"title": texts, "name": texts.filter(str.strip), "logline": texts, "original": st.dictionaries(
            st.sampled_from(["description", "author", "language", "genre", "rights", "data_mining", "style"]), texts)}
    ),
    flags=st.sampled_from(SWITCHES),
)  # fmt: skip
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_project_is_described_alike_from_its_folder_and_from_its_package(place: Path, changes, flags) -> None:
    project = film_project(place / "film", **changes)
    contents = documented(contents_of(place / "film", selection=Selection()), project, chosen(place))
    description = json.loads(contents.documents["metadata.json"])
    flags = flags | ({"measure": "quick"} if flags["measure"] == "full" else {})
    of_package = recorded(description, {}, **flags).document
    assert written(of_package, "json") == written(described(place, flags, **changes).document, "json")


def test_of_a_large_package_little_is_read(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = write_media(tmp_path / "film")
    (film / "assets/take.mp4").write_bytes(b"\0\0\0\x18ftypisom" + noise(3_000_000))
    path = tmp_path / "a.zip"
    write_package(
        documented(contents_of(film), film_project(film), chosen(tmp_path)), path, level=1, progress=Progress()
    )
    told: list[int] = []
    progress = Progress(lambda it: told.append(it.total))
    assert is_description(read_carried(path, settings=Settings(), progress=progress).description)
    assert 0 < max(told) < 100_000


def with_description(**changes: bytes) -> dict[str, bytes]:
    return bag({**archives.PAYLOAD, NAME: json.dumps(DESCRIPTION).encode()} | changes)


def refusal(path: Path) -> StoryCoreError:
    with pytest.raises(StoryCoreError) as fault:
        carried(path)
    assert fault.value.reason == "package_invalid"
    return fault.value


UNSEEN = {"header_mismatch", "hidden_data", "size_mismatch", "crc_mismatch", "data_damaged"}
"""What is wrong with entries that nobody reads here, and between them: `verify` tells it."""


def test_a_hostile_archive_is_refused_or_what_is_hostile_in_it_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "PAYLOAD", {**archives.PAYLOAD, NAME: json.dumps(DESCRIPTION).encode()})
    path, accepted, told = tmp_path / "evil.zip", set(), set()
    for make, reason in HOSTILE.values():
        path.write_bytes(make())
        try:
            assert carried(path).description == DESCRIPTION
        except StoryCoreError as fault:
            told.add((fault.reason.value, "storycore export verify" in fault.remediation))
        else:
            accepted.add(reason)
    assert (accepted <= UNSEEN, told) == (True, {("package_invalid", True)})
    assert [it.name for it in tmp_path.iterdir()] == ["evil.zip"]


def test_an_entry_that_reaches_into_the_next_is_refused_though_its_header_is_not_read(tmp_path: Path) -> None:
    parts = parts_of(with_description())
    parts[0] = archives.Part(name=parts[0].name, data=parts[0].data, central={"packed_bytes": 5000, "size": 5000})
    assert "reaches into" in refusal(write(tmp_path / "a.zip", archives.archive(parts))).message


@pytest.mark.parametrize("name", ["data/" + NAME, "manifest-sha256.txt", "bagit.txt"])
def test_a_damaged_record_is_told_with_what_finds_the_rest(name: str, tmp_path: Path) -> None:
    files = with_description()
    data = bytearray(archives.archive(parts_of(files)))
    place = data.index(b"film/" + name.encode()) + len(f"film/{name}")
    data[place + 3] ^= 1
    fault = refusal(write(tmp_path / "a.zip", bytes(data)))
    assert name in fault.message
    assert "storycore export verify" in fault.remediation


FORGED = {
    "another description than the manifest lists": lambda it: it | {f"data/{NAME}": b"{}"},
    "no manifest": lambda it: sealed(it, **{"manifest-sha256.txt": None}),
    "no declaration": lambda it: sealed(it, **{"bagit.txt": None}),
    "a manifest that is none": lambda it: sealed(it, **{"manifest-sha256.txt": b"abc data/x\n"}),
    "a bag to come": lambda it: sealed(
        it, **{"bagit.txt": b"BagIt-Version: 9.0\nTag-File-Character-Encoding: UTF-8\n"}
    ),
    "no JSON": lambda _: with_description(**{NAME: b"{"}),
    "no object": lambda _: with_description(**{NAME: b"[]"}),
    "deep JSON": lambda _: with_description(**{NAME: b"[" * 100_000}),
    "renames that are no object": lambda _: with_description(**{"storycore/renames.json": b"5"}),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_record_that_is_not_what_it_should_be_is_refused(name: str, tmp_path: Path) -> None:
    refusal(write(tmp_path / "a.zip", zipped(FORGED[name](with_description()))))


def test_a_record_larger_than_its_bound_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "storycore.exports.carried._MOST_BYTES", {f"data/{NAME}": 10, "bagit.txt": 99, "manifest-sha256.txt": 9999}
    )
    assert "larger than the 10 bytes" in refusal(write(tmp_path / "a.zip", zipped(with_description()))).message


def test_a_description_of_more_values_than_a_project_can_have_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = json.dumps(DESCRIPTION | {"creative": {"seeds": [[]] * 41}}).encode()
    path = write(tmp_path / "a.zip", zipped(with_description(**{NAME: long})))
    assert len(carried(path).description["creative"]["seeds"]) == 41
    monkeypatch.setattr("storycore.exports.carried._MOST_VALUES", 40)
    fault = refusal(path)
    assert ("holds more than 40 values" in fault.message, "--unpack-to" in fault.remediation) == (True, True)


def test_of_a_description_in_which_all_is_odd_so_much_is_told_and_no_more() -> None:
    odd = {"path": "a", "header_fault": "x", "name": "bell\x07"}
    found = recorded(DESCRIPTION | {"technical": {"inventory": [odd] * 1100}}, {}, **SWITCHES[1])
    assert Counter(it.reason for it in found.warnings) == {"header_broken": 1000, "text_repaired": 1000}


def test_a_bag_of_others_is_told_how_to_be_described_all_the_same(tmp_path: Path) -> None:
    fault = refusal(write(tmp_path / "a.zip", zipped(bag())))
    assert ("no description" in fault.message, "--unpack-to" in fault.remediation) == (True, True)


def test_a_description_of_another_form_is_none() -> None:
    changes = ({"document_version": "2.0"}, {"technical": []}, {"standards": {}}, {"project_id": ""})
    odd = [{}, *(DESCRIPTION | change for change in changes)]
    assert [is_description(it) for it in [DESCRIPTION, *odd]] == [True, *[False] * len(odd)]


PLACES = ("inventory", "film", "formats", "shots", "scenes", "characters", "associatedMedia", "photoVideoMetadataIPTC")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["inventory", "path", "kind", "width", "height", "found", "clip", "seed", "contentUrl", "x"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    inside=st.fixed_dictionaries({}, optional=dict.fromkeys(PLACES, values)),
    flags=st.sampled_from(SWITCHES),
)
def test_whatever_a_stranger_wrote_becomes_a_document_that_can_be_written(inside, flags) -> None:
    standards = {"schema_org": inside, "iptc_video_metadata_hub": [inside], "dublin_core": inside}
    whole = DESCRIPTION | {"technical": inside, "creative": inside, "qa_reports": inside, "standards": standards}
    found = recorded(whole, {"": "0" * 64}, **flags)
    assert all(written(found.document, form) for form in ("json", "xml", "yaml"))
