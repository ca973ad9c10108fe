"""Which folders a caller may read from and write to."""

import os
from pathlib import Path

import pytest

from storycore.errors import AccessDenied, InvalidInput, NotFound, Reason
from storycore.project.paths import Places, inside, is_portable, is_text, relative_inside


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "films"
    (folder / "little").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    return folder


@pytest.mark.parametrize("roots", [None, True])
@pytest.mark.parametrize("path", ["little", "little/assets/x", "little/../little/exports2"])
def test_results_among_the_projects_own_files_are_refused_for_the_same_reason_everywhere(root, roots, path):
    with pytest.raises(InvalidInput) as fault:
        Places((root,) if roots else None, base=root).output(path, root / "little")
    assert (fault.value.reason, "exports/" in fault.value.remediation) == (Reason.PATH_INVALID, True)


def test_a_refused_place_for_results_is_told_with_the_setting_that_allows_one(root):
    with pytest.raises(AccessDenied) as fault:
        Places((root,), base=root).output("elsewhere", root / "little")
    assert fault.value.reason is Reason.PATH_OUTSIDE_ROOT
    assert "STORYCORE_OUTPUT_ROOTS" in fault.value.remediation


def test_without_roots_any_folder_is_fine(root):
    assert Places(None).project(str(root / "little")) == root / "little"


def test_a_relative_path_is_taken_from_the_base_or_the_current_folder(root, monkeypatch):
    assert Places((root,), base=root).project("little") == root / "little"
    monkeypatch.chdir(root / "little")
    assert Places((root,)).project(".") == root / "little"


@pytest.mark.parametrize("path", ["../other", "../nowhere", "little/../../other", "/etc", "/nowhere"])
def test_a_path_outside_is_refused_whether_or_not_it_exists(root, path):
    with pytest.raises(AccessDenied) as fault:
        Places((root,), base=root).project(path)
    assert fault.value.reason is Reason.PATH_OUTSIDE_ROOT


def test_a_link_out_of_the_root_is_refused(root, tmp_path):
    (root / "link").symlink_to(tmp_path / "other")
    with pytest.raises(AccessDenied):
        Places((root,), base=root).project("link")


def test_a_folder_that_only_begins_like_the_root_is_outside(root, tmp_path):
    (tmp_path / "films2").mkdir()
    with pytest.raises(AccessDenied):
        Places((root,), base=root).project("../films2")


def test_a_missing_project_inside_the_root_is_not_found(root):
    with pytest.raises(NotFound) as fault:
        Places((root,), base=root).project("nowhere")
    assert fault.value.reason is Reason.PROJECT_NOT_FOUND


def test_a_loop_of_links_is_not_found(root):
    (root / "loop").symlink_to(root / "loop")
    with pytest.raises(NotFound):
        Places((root,), base=root).project("loop")


def test_results_go_to_exports_or_to_an_output_root(root, tmp_path):
    places = Places((root,), (tmp_path / "out",), base=root)
    project = root / "little"
    assert places.output("little/exports/x", project) == project / "exports/x"
    assert places.output(str(tmp_path / "out/x"), project) == tmp_path / "out/x"


@pytest.mark.parametrize("path", ["elsewhere", "../other", "/etc/x", "other-film/exports"])
def test_results_go_nowhere_else(root, path):
    with pytest.raises(AccessDenied):
        Places((root,), base=root).output(path, root / "little")


@pytest.mark.parametrize("path", ["assets", ".", "project.json", "exports/../assets"])
def test_results_never_go_among_the_projects_own_files(root, path):
    project = root / "little"
    with pytest.raises(InvalidInput):
        Places(None).output(str(project / path), project)


def test_without_roots_results_go_wherever_the_user_says(root, tmp_path):
    assert Places(None).output(str(tmp_path / "other/x"), root / "little") == tmp_path / "other/x"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("assets/a.png", "assets/a.png"), ("assets\\images\\a.png", "assets/images/a.png"), ("./a.png", "a.png"),
        ("a/../b.png", "b.png"), ("50% $5.png", "50% $5.png"), ("../a.png", None), ("a/../../b", None),
        ("/etc/passwd", None), ("C:\\a.png", None), ("c:a.png", None), ("\\\\srv\\a", None), ("http://x/a.png", None),
        ("file:///etc/passwd", None),
        ("data:image/png;base64,AA", None), ("", None), ("a\0b", None), (".", None),
    ],
)  # fmt: skip
def test_a_name_inside_a_project_becomes_relative_or_nothing(text, found):
    assert relative_inside(text) == (None if found is None else Path(found))


def test_only_regular_files_inside_are_found(root, tmp_path):
    (root / "a.png").write_bytes(b"x")
    (tmp_path / "secret").write_bytes(b"x")
    (root / "link.png").symlink_to(tmp_path / "secret")
    (root / "in.png").symlink_to(root / "a.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(root / "pipe.png")
    names = ["a.png", str(root / "a.png"), "in.png", "link.png", str(tmp_path / "secret"), "pipe.png", "little", "gone"]
    assert [inside(root, name) is not None for name in names] == [True, True, True, False, False, False, False, False]


@pytest.mark.parametrize("name", ["a.png", "Été 日本.json", "con.txt.d", "a b", "COM0", "x" * 255])
def test_most_names_are_portable(name):
    assert is_portable(name) == (name != "con.txt.d")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a:b", "a\\b", "a/b", "a?", "CON", "nul.txt", "LPT1", "a.", "a ", "x" * 256, "a\n"]
)
def test_some_names_are_not_portable(name):
    assert not is_portable(name)


def test_a_name_that_is_not_valid_unicode_is_no_text():
    assert [is_text(name) for name in ("a.png", "é.png", "", b"\xff.png".decode(errors="surrogateescape"))] == [
        True, True, True, False,
    ]  # fmt: skip
