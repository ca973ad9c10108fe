"""Where new folders may be made."""

from pathlib import Path

import pytest

from storycore.errors import AccessDenied, InvalidInput
from storycore.project.paths import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name in ("films/little/exports", "out", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    return Places(roots=(tmp_path / "films",), output_roots=(tmp_path / "out",), base=tmp_path / "films")


@pytest.mark.parametrize("path", ["little/exports/copy", "little/exports/a/b", "exports/copy", "{}/out/copy"])
def test_results_may_go_to_exports_and_output_roots(path: str, places: Places, tmp_path: Path) -> None:
    expected = Path(tmp_path, "films", path.format(tmp_path)).resolve()
    assert places.new_folder(path.format(tmp_path)) == expected


@pytest.mark.parametrize(
    "path",
    ["copy", "little/copy", "little/exports", "little/exports/../copy", "../elsewhere/exports/copy", "{}/elsewhere/x",
     "{}/out", "/tmp/x", "../out/../elsewhere/x"],
)  # fmt: skip
def test_nothing_is_made_among_the_projects_or_outside(path: str, places: Places, tmp_path: Path) -> None:
    with pytest.raises(AccessDenied):
        places.new_folder(path.format(tmp_path))


def test_a_link_does_not_lead_out(places: Places, tmp_path: Path) -> None:
    (tmp_path / "films" / "little" / "exports" / "door").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AccessDenied):
        places.new_folder("little/exports/door/copy")


def test_without_roots_any_path_that_the_user_names_will_do(tmp_path: Path) -> None:
    assert Places(roots=None).new_folder(str(tmp_path / "anywhere")) == tmp_path / "anywhere"


@pytest.mark.parametrize("path", ["~/copy", "a\0b", "$HOME/x", "https://example.org/x", " "])
def test_text_that_is_no_plain_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        Places(roots=None).new_folder(path)
