"""What a film says about itself stands in its files, where programs that are not ours look for it."""

import json
import shutil
import subprocess

import av
import mutagen
import pytest
from PIL import Image

from fixtures.films import film_in, make_film, middle, see
from storycore.exports.export import export, wanted
from storycore.observe.progress import Progress

TITLE, NAME, WHAT = "Nuit d'été — 夜", "Ada Löve", 'What it is; a "film" = more'
FILMS = ("mp4", "mov", "webm", "mkv", "avi")
SOUNDS = ("m4a", "wav", "mp3", "flac", "ogg", "opus")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every format with tags of one film, made once: name → path."""
    root = tmp_path_factory.mktemp("tags")
    folder = make_film(
        root / "film", {"colour": "#228"}, title=TITLE, description=WHAT, author=NAME, language="fr",
        copyright="(c) Ada", created_at="2026-01-02T03:04:05Z",
    )  # fmt: skip
    film = film_in(folder, cache_folder=str(root / "cache"))
    formats = wanted(",".join((*FILMS, *SOUNDS, "gif", "poster", "sheet")), {"width": 64, "height": 36, "fps": 12})
    return {it.format: it.path for it in export(film, formats, root / "out", Progress())}


@pytest.mark.parametrize("name", [*FILMS, *SOUNDS])
def test_ffmpeg_reads_them(made, name):
    with av.open(str(made[name])) as file:
        told = {**file.metadata, **(file.streams[0].metadata if name in ("ogg", "opus") else {})}
    told = {key.lower(): value for key, value in told.items()}
    assert told["title"] == TITLE
    assert told["artist"] == NAME
    assert WHAT in (told.get("comment"), told.get("description"))
    assert told["copyright"] == "(c) Ada"
    assert told.get("date", told.get("creation_time", ""))[:10] == "2026-01-02"


@pytest.mark.parametrize("name", ["m4a", "mp3", "flac", "ogg", "opus", "mp4"])
def test_mutagen_reads_them(made, name):
    tags = mutagen.File(made[name]).tags
    title, artist = {"m4a": ("©nam", "©ART"), "mp4": ("©nam", "©ART"), "mp3": ("TIT2", "TPE1")}.get(
        name, ("title", "artist")
    )
    assert str(tags[title][0]) == TITLE
    assert str(tags[artist][0]) == NAME


@pytest.mark.parametrize("name", ["mp4", "mov", "webm", "mkv"])
def test_the_language_of_the_sound_is_told(made, name):
    with av.open(str(made[name])) as file:
        assert file.streams.audio[0].language == "fra"


def test_the_moment_of_a_reproducible_build_goes_before_that_of_the_project(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "946684800")
    folder = make_film(tmp_path / "film", {"colour": "#228"}, created_at="2026-01-02T03:04:05Z")
    made = export(film_in(folder), wanted("poster", {"width": 64, "height": 36}), tmp_path / "out", Progress())
    with Image.open(made[0].path) as image:
        image.load()
        assert image.text["Creation Time"] == "2000-01-01"


@pytest.mark.parametrize("name", ["poster", "sheet"])
def test_pillow_reads_those_of_a_picture(made, name):
    with Image.open(made[name]) as image:
        image.load()
        told = dict(image.text)
    assert told == {
        "Title": TITLE, "Author": NAME, "Description": WHAT, "Copyright": "(c) Ada", "Creation Time": "2026-01-02",
    }  # fmt: skip


def test_pillow_reads_the_comment_of_a_gif(made):
    with Image.open(made["gif"]) as image:
        assert image.info["comment"].decode() == f"{TITLE} - {NAME} - {WHAT} - (c) Ada"
        assert image.n_frames > 1


def test_exiftool_finds_nothing_odd(made):
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    run = subprocess.run(
        ["exiftool", "-j", "-Title", "-Warning", "-Error", *map(str, made.values())],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    for told in json.loads(run.stdout):
        assert not {"Warning", "Error"} & {*told}, told


@pytest.mark.parametrize(("label", "first"), [("slate", True), ("corner", False)])
def test_viewers_are_told_by_a_slate_or_in_a_corner(tmp_path, label, first):
    folder = make_film(tmp_path / "film", {"colour": "white"})
    small = {"width": 320, "height": 180, "fps": 12, "audio_codec": "none", "effort": "fast"}
    film = film_in(folder)
    plain = export(film, wanted("mp4", small), tmp_path / "plain", Progress())[0]
    told = export(film, wanted("mp4", {**small, "ai_label": label}), tmp_path / "told", Progress())[0]
    before, after = see(plain.path), see(told.path)
    lead = len(after.frames) - len(before.frames)
    assert lead == (24 if first else 0)
    if first:
        assert max(middle(after.frames[3])) > max(middle(after.frames[3][:20])), "words in the middle of a dark slate"
        assert abs(after.frames[-1].astype(int) - before.frames[-1]).mean() < 4
    else:
        corner = abs(after.frames[5].astype(int) - before.frames[5])
        assert corner[:30, 160:].max() > 100
        assert corner[40:, :].max() < 40
        assert corner[:, :140].max() < 40


def test_viewers_are_told_in_words_of_one_s_own(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "white"})
    pictures = []
    for words in ("", "Fait avec une IA"):
        out = tmp_path / f"out{len(pictures)}"
        options = {"width": 320, "height": 180, "ai_label": "corner", "ai_words": words}
        with Image.open(export(film_in(folder), wanted("poster", options), out, Progress())[0].path) as image:
            pictures.append(image.convert("RGB").tobytes())
    assert pictures[0] != pictures[1]
