"""Every format that shows or sounds is signed, says how it was made, and shows when it was changed."""

import json
import re
import shutil
import subprocess
from dataclasses import replace

import c2pa
import pytest

from fixtures.films import film_in, make_film
from fixtures.marks import (
    BESIDE,
    EMBEDDED,
    active,
    deliver_marked,
    judged,
    make_generated_film,
    places_outside,
    self_signed,
    signed_picture,
)
from storycore.errors import Cancelled, InvalidInput, Reason, Unavailable
from storycore.exports.export import export, wanted
from storycore.exports.formats import registry
from storycore.metadata import signing_key
from storycore.metadata.evidence import COMPOSITE, GENERATED, SCHEME
from storycore.observe.progress import Progress
from storycore.settings import Settings

HOSTILE = 'A "film"</rdf:li><script>\u202e\x07\n' + "é" * 1500
FIRST = {"poster": {"at_seconds": 0.5}, "html": {}}
TEXTS = ("json", "csv", "srt", "vtt", "ass")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a film, a key and every format of the film, made once for all tests."""
    root = tmp_path_factory.mktemp("marks")
    make_generated_film(
        root / "film", title=HOSTILE, description="What it & is", author="Ada <a@b>", language="fr",
        created_at="2026-01-02T03:04:05Z",
    )  # fmt: skip
    flags = {"database_url": f"sqlite:///{root / 'st.db'}", "cache_folder": str(root / "cache")}
    made = deliver_marked(
        root / "film", ",".join((*EMBEDDED, *BESIDE, *TEXTS)), root / "out", flags=flags, at_seconds=0.5
    )
    return root, made, Settings.read(**flags)


@pytest.mark.parametrize("name", [*EMBEDDED, *BESIDE])
def test_a_signed_file_is_trusted_by_a_reader_that_is_not_ours(place, name):
    _, made, settings = place
    path = made[name].path
    told = judged(path, anchors=signing_key.anchors(settings))
    assert (told["validation_state"], path.with_name(path.name + ".c2pa").exists()) == ("Trusted", name in BESIDE)
    figure = made[name].made.metrics["content_credentials"]
    assert (figure["value"], figure["manifest"]) == ("trusted", told["active_manifest"])
    assert figure["place"] == ("sidecar" if name in BESIDE else "embedded")
    assert figure["ingredients"] == len(active(told)["ingredients"])


@pytest.mark.parametrize("name", [*EMBEDDED, *BESIDE])
def test_who_does_not_know_our_root_finds_it_unchanged_but_not_trusted(place, name):
    told = judged(place[1][name].path)
    assert told["validation_state"] == "Valid"
    failures = told["validation_results"]["activeManifest"]["failure"]
    assert [it["code"] for it in failures] == ["signingCredential.untrusted"]


@pytest.mark.parametrize("name", [*EMBEDDED, *BESIDE])
def test_a_file_with_one_byte_changed_is_not_valid(place, name):
    _, made, settings = place
    data = made[name].path.read_bytes()
    for at in places_outside(data):
        changed = bytearray(data)
        changed[at] ^= 1
        try:
            state = judged(made[name].path, anchors=signing_key.anchors(settings), data=bytes(changed))[
                "validation_state"
            ]
        except c2pa.C2paError:
            state = "Invalid"  # so much so that it can't be read
        assert state == "Invalid", f"byte {at} of {len(data)}"


@pytest.mark.parametrize("name", [*EMBEDDED, *BESIDE])
def test_it_says_what_was_generated_and_by_what(place, name):
    told = active(judged(place[1][name].path))
    actions = next(it["data"]["actions"] for it in told["assertions"] if it["label"].startswith("c2pa.actions"))
    heard_only = name in ("wav", "mp3", "flac", "m4a", "ogg", "opus", "stems")
    assert (actions[0]["action"], actions[0]["digitalSourceType"]) == (
        "c2pa.created", GENERATED if heard_only or name == "poster" else COMPOSITE,
    )  # fmt: skip
    titles = {it["title"] for it in told["ingredients"]}
    seen = set() if heard_only else {"colour_1.png"}
    heard = {"bed.wav"} if heard_only or name in ("mp4", "mov", "avi", "webm", "mkv", "hls", "zip") else set()
    assert titles == seen | heard
    by = [it.get("softwareAgent", {}).get("name") for it in actions[1:]]
    assert by.count("ComfyUI") == len(seen)
    assert not seen or "ComfyUI with sdxl.safetensors" in json.dumps(told["ingredients"])


@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_not_marked(place, name):
    made = place[1][name]
    assert "content_credentials" not in made.made.metrics
    assert not made.path.with_name(made.path.name + ".c2pa").exists()


@pytest.mark.parametrize("name", ["mp4", "mov", "m4a", "gif", "poster", "wav", "mp3", "avi"])
def test_the_source_type_stands_in_xmp_too(place, name):
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    run = subprocess.run(
        ["exiftool", "-j", "-G1", "-XMP:all", str(place[1][name].path)], capture_output=True, check=True, timeout=60
    )
    told = json.loads(run.stdout)[0]
    expected = GENERATED if name in ("m4a", "wav", "mp3", "poster") else COMPOSITE
    assert told["XMP-iptcExt:DigitalSourceType"] == expected
    assert told["XMP-dc:Description"] == "What it & is"


@pytest.mark.parametrize("name", [*EMBEDDED, *BESIDE])
def test_a_hostile_title_stays_a_title(place, name):
    title = active(judged(place[1][name].path))["title"]
    assert title.startswith('A "film"</rdf:li><script> é')
    assert len(title) <= 1000
    assert not re.search(r"[\u202e\x00-\x1f]", title)


def test_the_same_film_has_the_same_bytes_before_it_is_signed(place, tmp_path):
    root, made, settings = place
    film = film_in(root / "film", database_url=settings.database_url, cache_folder=str(settings.cache_folder))
    for name in ("mp4", "wav", "poster"):
        first, second = (
            registry.find(name).write(film, tmp_path / place_ / made[name].path.name, made_options(name), Progress())
            for place_ in "ab"
        )
        assert first.sha256 == second.sha256


def made_options(name):
    found = registry.find(name).options
    known = {"width": 64, "height": 36, "fps": 12, "effort": "fast"}
    return found(**{key: value for key, value in known.items() if key in found.model_fields})


def test_marks_of_inputs_are_carried_on(tmp_path):
    """What somebody else signed is an ingredient with its own credentials, and what is wrong with them is told."""
    theirs = Settings.read(database_url=f"sqlite:///{tmp_path / 'theirs/st.db'}")
    folder = make_film(tmp_path / "film", {"colour": "#228"}, {"colour": "#a22"}, {"colour": "#2a2"})
    signed_picture(folder / "assets/colour_1.png", theirs, source_type=SCHEME + "digitalCapture")
    data = bytearray(signed_picture(folder / "assets/colour_2.png", theirs, source_type=GENERATED).read_bytes())
    data[-30] ^= 1
    (folder / "assets/colour_2.png").write_bytes(bytes(data))
    made = deliver_marked(folder, "poster,sheet", tmp_path / "out", at_seconds=0.5)
    told = judged(made["sheet"].path)
    ingredients = {it["title"]: it for it in active(told)["ingredients"]}
    assert {*ingredients} == {"colour_1.png", "colour_2.png"}
    assert {it["active_manifest"] for it in ingredients.values()} < {*told["manifests"]}
    broken = ingredients["colour_2.png"]["validation_results"]["activeManifest"]["failure"]
    assert "assertion.dataHash.mismatch" in [it["code"] for it in broken]
    assert made["sheet"].made.metrics["content_credentials"]["digital_source_type"] == COMPOSITE
    poster = judged(made["poster"].path)
    assert [it["title"] for it in active(poster)["ingredients"]] == ["colour_1.png"], "a poster shows one shot"
    assert made["poster"].made.metrics["content_credentials"]["digital_source_type"] == ""


@pytest.mark.parametrize(
    ("options", "reasons", "source_type"),
    [
        ({}, ["origin_unsaid"], None),
        ({"ai_made": "none"}, [], None),
        ({"ai_made": "all"}, [], GENERATED),
        ({"ai_made": "some"}, [], COMPOSITE),
        ({"credentials": "always"}, ["origin_unsaid"], ""),
        ({"ai_made": "all", "credentials": "never"}, ["credentials_left_out"], None),
    ],
)
def test_of_what_nothing_is_known_nothing_is_claimed(tmp_path, options, reasons, source_type):
    folder = make_film(tmp_path / "film", {"colour": "#228"})
    made = deliver_marked(folder, "poster", tmp_path / "out", **options)["poster"].made
    told = [it.reason for it in made.warnings if it.reason in ("origin_unsaid", "credentials_left_out")]
    assert told == reasons
    assert made.metrics.get("content_credentials", {}).get("digital_source_type") == source_type


@pytest.mark.parametrize("name", ["poster", "html"])
def test_a_cancelled_signing_leaves_nothing(tmp_path, name):
    folder = make_generated_film(tmp_path / "film")
    progress = Progress(lambda report: report.step == "signing" and progress.cancel(), interval_seconds=0)
    with pytest.raises(Cancelled):
        deliver_marked(folder, name, tmp_path / "out", progress=progress, **FIRST[name])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["poster", "html"])
def test_a_key_that_can_not_sign_leaves_nothing(tmp_path, name):
    folder = make_generated_film(tmp_path / "film")
    (tmp_path / "other.pem").write_text("nothing")
    flags = {"signing_certificate": str(tmp_path / "other.pem"), "signing_key_file": str(tmp_path / "other.pem")}
    with pytest.raises(InvalidInput) as fault:
        deliver_marked(folder, name, tmp_path / "out", flags=flags, **FIRST[name])
    assert fault.value.reason == Reason.SETTING_INVALID
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["mp4", "otio", "pdf"])
def test_a_key_of_ones_own_that_is_not_there_is_told_before_anything_is_rendered(tmp_path, name):
    folder, steps = make_generated_film(tmp_path / "film"), []
    flags = {"signing_certificate": str(tmp_path / "none.pem"), "signing_key_file": str(tmp_path / "none.key")}
    with pytest.raises(Unavailable, match=r"none\.pem can't be read"):
        deliver_marked(folder, name, tmp_path / "out", progress=Progress(steps.append), flags=flags)
    assert not steps
    made = deliver_marked(folder, "csv", tmp_path / "out", flags=flags)  # nobody signs it
    assert made["csv"].path.is_file()


def test_a_certificate_that_may_not_sign_is_told_before_anything_is_rendered(tmp_path):
    folder, steps = make_generated_film(tmp_path / "film"), []
    flags = self_signed(tmp_path)
    with pytest.raises(InvalidInput, match="can be signed with: Signature: the certificate is invalid") as fault:
        deliver_marked(folder, "mp4", tmp_path / "out", progress=Progress(steps.append), flags=flags)
    assert (fault.value.reason, steps) == (Reason.SETTING_INVALID, [])


def test_credentials_beside_a_file_never_replace_others(tmp_path):
    folder = make_generated_film(tmp_path / "film")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/Small.html.c2pa").write_text("theirs")
    with pytest.raises(Exception, match=r"already a file: Small\.html\.c2pa"):
        deliver_marked(folder, "html", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Small.html.c2pa"]


@pytest.mark.parametrize(("project", "setting", "use"), [
    ({}, "unsaid", None), ({}, "not_allowed", "notAllowed"), ({}, "allowed", "allowed"),
    ({"data_mining": "DMI-PROHIBITED"}, "allowed", "notAllowed"),
])  # fmt: skip
def test_what_is_said_of_training(tmp_path, project, setting, use):
    folder = make_generated_film(tmp_path / "film", **project)
    made = deliver_marked(folder, "poster", tmp_path / "out", flags={"training_mining": setting}, at_seconds=0.5)
    found = [it["data"] for it in active(judged(made["poster"].path))["assertions"] if "training" in it["label"]]
    entries = {entry["use"] for it in found for entry in it["entries"].values()}
    assert entries == ({use} if use else set())


def test_several_formats_are_rendered_in_one_go_and_signed_again_when_nothing_changed(tmp_path):
    """Signing needs no segment anew."""
    folder = make_generated_film(tmp_path / "film")
    film = replace(film_in(folder), marked=True)
    for number in range(2):
        steps = []
        export(film, wanted("mp4,webm", {"width": 64, "height": 36}), tmp_path / f"out{number}",
               Progress(steps.append, interval_seconds=0))  # fmt: skip
        painted = [report for report in steps if report.step == "rendering" and report.total]
        assert bool(painted) == (number == 0)
        assert "signing" in {report.step for report in steps}
