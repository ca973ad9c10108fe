"""`export verify` on films, sounds and pictures: who signed, what is claimed, and what was changed."""

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from fixtures.films import make_film
from fixtures.marks import deliver_marked, make_generated_film, signed_picture
from fixtures.programs import storycore
from storycore import FormatRequest, StoryCore, VerifyRequest
from storycore.metadata.evidence import GENERATED, SCHEME
from storycore.settings import Settings


def verify(path, **flags):
    return StoryCore(Settings.read(**flags)).run(VerifyRequest(package_path=str(path)))


@pytest.fixture
def poster(tmp_path):
    """A signed picture of a generated shot."""
    folder = make_generated_film(tmp_path / "film")
    return deliver_marked(folder, "poster", tmp_path / "out", at_seconds=0.5)["poster"].path


def test_the_chain_of_a_signed_file_is_told(poster):
    found = verify(poster)
    assert (found.valid, found.kind, found.faults, found.warnings) == (True, "file", [], [])
    said = found.credentials
    assert (said.state, said.place, said.signed_here, said.generated) == ("trusted", "embedded", True, True)
    assert (said.digital_source_type, said.claim) == (GENERATED, "made with generative AI")
    assert said.signer.startswith("StoryCore installation ")
    assert [(it.title, it.software, it.state) for it in said.ingredients] == [("colour_1.png", "ComfyUI", None)]
    assert said.ingredients[0].words == "Made with generative AI: ComfyUI with sdxl.safetensors"


def test_another_installation_finds_it_unchanged_and_the_signer_unknown(poster, tmp_path):
    other = {"database_url": f"sqlite:///{tmp_path / 'other.db'}"}
    found = verify(poster, **other)
    assert (found.valid, found.credentials.state, found.credentials.signed_here) == (True, "valid", False)
    assert [it.reason for it in found.warnings] == ["signingCredential.untrusted"]
    ours = Settings.read().signing_place
    known = verify(poster, **other, trusted_certificates=str(ours))
    assert (known.credentials.state, known.credentials.signed_here) == ("trusted", False)


def test_a_changed_file_is_told_in_words_and_ends_with_1(poster):
    data = bytearray(poster.read_bytes())
    data[-30] ^= 1
    poster.write_bytes(data)
    run = storycore("export", "verify", poster.name, cwd=poster.parent)
    assert run.returncode == 1
    assert "✗ The file was changed after it was signed." in run.stdout


def test_a_file_without_credentials_says_so_and_ends_with_1(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "#228"})
    run = storycore("export", "verify", "colour_1.png", "--json", cwd=folder / "assets")
    told = json.loads(run.stdout)["data"]
    assert (run.returncode, told["valid"], told["credentials"]) == (1, False, None)
    assert [it["reason"] for it in told["faults"]] == ["no_credentials"]
    assert "not signed" in storycore("export", "verify", "colour_1.png", cwd=folder / "assets").stdout


@pytest.mark.parametrize("name", ["film.mp4", "board.PDF", "sound.wav"])
@pytest.mark.parametrize("data", [b"", b"junk"])
def test_what_only_its_name_calls_a_film_is_not_judged_as_a_package(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    found = verify(tmp_path / name)
    assert (found.valid, found.kind, [it.reason for it in found.faults]) == (False, "file", ["no_credentials"])


def test_credentials_beside_a_file_are_found(tmp_path):
    folder = make_generated_film(tmp_path / "film")
    path = deliver_marked(folder, "html", tmp_path / "out")["html"].path
    found = verify(path)
    assert (found.valid, found.credentials.place) == (True, "sidecar")
    assert found.credentials.beside == f"{path}.c2pa"
    path.write_text(path.read_text(encoding="utf-8").replace("Small", "Smell"), encoding="utf-8")
    assert [it.reason for it in verify(path).faults] == ["assertion.dataHash.mismatch"]
    Path(f"{path}.c2pa").write_bytes(b"nothing")
    assert [it.reason for it in verify(path).faults] == ["credentials_unreadable"]


def test_the_verdict_on_a_package_stands_whatever_lies_beside_it(tmp_path):
    folder = make_generated_film(tmp_path / "film")
    path = deliver_marked(folder, "zip", tmp_path / "out")["zip"].path
    found = verify(path)
    assert (found.valid, found.kind, found.credentials.state, found.warnings) == (True, "zip", "trusted", [])
    Path(f"{path}.c2pa").write_bytes(b"nothing")
    found = verify(path)
    assert (found.valid, found.credentials, [it.reason for it in found.warnings]) == (
        True, None, ["credentials_unreadable"],
    )  # fmt: skip


@pytest.mark.parametrize("source_type", [SCHEME + "digitalCapture", "http://x/\u202enew\x07"])
def test_what_a_stranger_says_can_not_steer_a_terminal(tmp_path, source_type):
    theirs = Settings.read(database_url=f"sqlite:///{tmp_path / 'theirs.db'}")
    signed_picture(tmp_path / "theirs.png", theirs, source_type=source_type)
    run = storycore("export", "verify", "theirs.png", cwd=tmp_path)
    assert run.returncode == 0
    assert "not known here" in run.stdout
    odd = {letter for letter in run.stdout if unicodedata.category(letter) in ("Cc", "Cf") and letter != "\n"}
    assert odd == set()
    assert max(map(len, run.stdout.splitlines())) <= 80


@pytest.mark.parametrize("cut", [0, 8, 200, -1])
def test_a_file_that_was_cut_off_is_not_valid(poster, cut):
    poster.write_bytes(poster.read_bytes()[:cut])
    assert not verify(poster).valid


def test_without_what_signs_files_are_written_and_it_is_told(tmp_path):
    """A machine on which the library is not installed."""
    make_generated_film(tmp_path / "film")
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow/c2pa.py").write_text("raise ImportError('not for this machine')\n")
    shadow = {"PYTHONPATH": os.pathsep.join((str(tmp_path / "shadow"), str(Path(__file__).parents[2] / "src")))}
    words = ("export", "format", "film", "-t", "poster", "-O", "at_seconds=0.5", "-O", "width=64", "-O", "height=36")
    run = storycore(*words, "-o", "out", "--json", cwd=tmp_path, **shadow)
    told = json.loads(run.stdout)["data"]
    assert "credentials_missing" in [it["reason"] for it in told["warnings"]]
    assert GENERATED.encode() in Path(told["output_path"]).read_bytes(), "XMP says it all the same"
    run = storycore(*words, "-O", "credentials=always", "-o", "more", "--json", cwd=tmp_path, **shadow)
    assert json.loads(run.stdout)["error"]["details"]["reason"] == "library_missing"
    assert not (tmp_path / "more").exists()


def test_checking_a_package_loads_nothing_that_signs(tmp_path):
    code = (
        "import sys; from storycore import StoryCore, VerifyRequest; from storycore.settings import Settings;"
        f"(r := StoryCore(Settings.read()).run(VerifyRequest(package_path={str(tmp_path)!r}))); "
        "assert 'c2pa' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_an_export_says_that_it_signed(tmp_path):
    folder = make_generated_film(tmp_path / "film")
    result = StoryCore(Settings.read()).run(
        FormatRequest(
            project_path=str(folder), target_format="poster", output_path=str(tmp_path / "out"),
            conversion_options={"at_seconds": 0.5, "width": 64, "height": 36},
        )
    )  # fmt: skip
    assert result.quality_metrics["content_credentials"]["value"] == "trusted"


@pytest.mark.parametrize("target", ["here", "here/mine.html"])
def test_credentials_beside_a_file_come_along_from_a_server(films, server, tmp_path, target):
    make_generated_film(films / "film")
    run = storycore(
        "export", "format", "films/film", "-t", "html", "-o", target, "--server", server, "--json", cwd=tmp_path
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    (tmp_path / "here").mkdir(exist_ok=True)
    name = "mine.html" if target.endswith("html") else "Small.html"
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [name, f"{name}.c2pa"]
    assert verify(tmp_path / "here" / name).valid
