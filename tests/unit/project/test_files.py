"""What a project folder holds, and what each file is for."""

import os
import shutil
import subprocess

import pytest

from fixtures.projects import make_project
from storycore.errors import AccessDenied, InvalidInput, Reason
from storycore.project.files import Role, is_left_out, role_of, walk

ROLES = {
    "project.json": Role.PROJECT,
    "PROJECT.JSON": Role.PROJECT,
    "copy/project.json": Role.SOURCE,
    "storyboard.json": Role.STORYBOARD,
    "video_plan.json": Role.STORYBOARD,
    "mon_scenario_v2.json": Role.STORYBOARD,
    "sequences/sequence_001.json": Role.STORYBOARD,
    "shots/shot_01.json": Role.STORYBOARD,
    "lieux/café.json": Role.STORYBOARD,
    "assets/generated/index.json": Role.STORYBOARD,
    "assets/workflows/wan.json": Role.SOURCE,
    "assets/images/a.PNG": Role.MEDIA,
    "sound/a.wav": Role.MEDIA,
    "subtitles.srt": Role.MEDIA,
    "qa_report.json": Role.REPORT,
    "sub/qa_report_2.json": Role.REPORT,
    "qa_output/frame.png": Role.REPORT,
    "QA_Reports/x.txt": Role.REPORT,
    "assets/metadata/x.json": Role.REPORT,
    "workflows/a.json": Role.SOURCE,
    "script.fountain": Role.SOURCE,
    "no_suffix": Role.SOURCE,
    "odd.json": Role.SOURCE,
}
LEFT_OUT = [
    "exports/export_1/film.zip", "Exports/x", ".git/config", "a/.cache/x", "cache/a.png", "a/Temp/b",
    "__pycache__/a.pyc", "node_modules/a.js", "a.tmp", "b.part", "film.mp4.crdownload", "~$notes.docx", "notes.txt~",
    "Thumbs.db", ".DS_Store", ".env", "a.lock", "a.swp",
]  # fmt: skip
SECRETS = [
    "id_rsa", "server.pem", "private.key", "vault.kdbx", "credentials.json", "my_credentials.json",
    "client_secret.json", "secrets.yaml", "openai_api_key.txt", "apikey.txt", "api-keys.json", "token.json",
    "hf_token.txt", "access_token_prod.json", "passwords.txt", "db_password.txt", "service_account_1.json",
    "storycore.toml", "prod.env", "config/secret", "settings_secret.py", "assets/credentials.json",
    "audio_output/api_key.json", "assets/generated/client_secret_1.json",
]  # fmt: skip
NO_SECRETS = [
    "secret_garden.md", "scripts/secret_garden.txt", "scenes/secret.json", "characters/the_token.json", "secret.png",
    "tokenizer.json", "keyframes.json", "monkey.txt", "assets/private.key.png", "password_scene.mp4", "keynote.txt",
]  # fmt: skip


@pytest.mark.parametrize(("path", "role"), ROLES.items())
def test_a_file_is_for_what_its_place_and_name_say(path, role):
    assert (role_of(path), is_left_out(path)) == (role, False)


@pytest.mark.parametrize("path", [*LEFT_OUT, *SECRETS])
def test_exports_caches_temporaries_and_secrets_are_left_out(path):
    assert is_left_out(path)


@pytest.mark.parametrize("path", NO_SECRETS)
def test_a_title_may_speak_of_secrets(path):
    assert not is_left_out(path)


def touch(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_walk_lists_what_is_not_left_out_sorted_by_path(tmp_path):
    touch(tmp_path / "film", [*ROLES, *LEFT_OUT, *NO_SECRETS])
    shutil.rmtree(tmp_path / "film/exports", ignore_errors=True)
    listing = walk(tmp_path / "film", max_files=1000)
    assert [file.path for file in listing.files] == sorted({*ROLES, *NO_SECRETS})
    assert {file.path: file.role for file in listing.files if file.path in ROLES} == ROLES
    assert listing.skipped == ()


def test_secrets_are_told_and_what_nobody_misses_is_not(tmp_path):
    touch(tmp_path, [*SECRETS, *LEFT_OUT])
    listing = walk(tmp_path, max_files=1000)
    assert listing.files == ()
    assert [(odd.file, odd.reason) for odd in listing.skipped] == [(name, "secret") for name in sorted(SECRETS)]


def test_a_python_environment_is_left_out_by_what_it_holds(tmp_path):
    touch(tmp_path, ["env/forest.png", "my-tools/pyvenv.cfg", "my-tools/lib/a.py"])
    assert [file.path for file in walk(tmp_path, max_files=9).files] == ["env/forest.png"]


def test_sizes_and_times_are_those_of_the_file_system(tmp_path):
    (tmp_path / "a.txt").write_text("film")
    facts = (tmp_path / "a.txt").stat()
    (file,) = walk(tmp_path, max_files=9).files
    assert file == ("a.txt", Role.SOURCE, 4, facts.st_mtime_ns, facts.st_ino, facts.st_dev)


def test_links_pipes_and_names_that_are_no_text_are_told(tmp_path):
    touch(tmp_path, ["a.txt"])
    (tmp_path / "link").symlink_to("a.txt")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff.png", os.O_CREAT))
    listing = walk(tmp_path, max_files=9)
    assert [file.path for file in listing.files] == ["a.txt"]
    assert {odd.file: odd.reason for odd in listing.skipped} == {
        "link": "link", "loop": "link", "pipe": "not_a_file", "?.png": "name_not_text",
    }  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="this system has no folders that deep")
def test_folders_a_thousand_deep_are_walked(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("a.txt", os.O_CREAT, dir_fd=here))
    os.close(here)
    listing = walk(tmp_path, max_files=9000)
    assert [file.path for file in listing.files] == ["d/" * 1500 + "a.txt"]
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # too deep for shutil


@pytest.mark.parametrize("names", [[f"{number}.txt" for number in range(11)], [f"{number}/" for number in range(11)]])
def test_too_many_files_or_folders_are_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).touch()
    with pytest.raises(InvalidInput) as fault:
        walk(tmp_path, max_files=10)
    assert fault.value.reason is Reason.PROJECT_TOO_LARGE


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(AccessDenied):
        walk(tmp_path / "nowhere", max_files=9)


def test_no_more_of_a_crowded_folder_is_listed_than_a_project_may_hold(tmp_path):
    for number in range(1_003):
        (tmp_path / f"{number}.tmp").touch()
    assert walk(tmp_path, max_files=2).files == ()
    with pytest.raises(InvalidInput) as refused:
        walk(tmp_path, max_files=1)
    assert refused.value.reason is Reason.PROJECT_TOO_LARGE


def test_the_same_folder_gives_the_same_listing(tmp_path):
    folder = make_project(tmp_path / "film", shots=9)
    assert walk(folder, max_files=99) == walk(folder, max_files=99)
