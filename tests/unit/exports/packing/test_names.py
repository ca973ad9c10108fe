"""Names in packages can be unpacked everywhere."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storycore.errors import InvalidInput, Reason
from storycore.exports.packing.names import is_clean, portable, title_name
from storycore.project.paths import check_text, fold, is_portable

odd = st.sampled_from(
    ["a", "A", "é", "e\u0301", ".", " ", "%", ":", "\n", "con", "CON.", "ß", "ss", "\u202e", "_2", "\u3000"]
)
name = (
    st.lists(odd | st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=6)
    .map("".join)
    .filter(lambda name: name not in (".", ".."))
)
paths = st.lists(st.lists(name, min_size=1, max_size=3).map("/".join), max_size=12, unique=True).filter(
    lambda paths: not any(path.startswith(other + "/") for path in paths for other in paths)
)


def renamed(files, **options):
    new = portable(files, **options)
    return [new.get(path, path) for path in files]


@given(paths)
@example(["A/x", "a/x"])
@example(["é/1", "e\u0301/1", "É"])
@example(["a:", "a?", "a_", "A_"])
@example(["a_2", "A", "a", "a_3"])
def test_no_two_files_meet_on_any_system(files):
    new = renamed(files)
    assert len({"/".join(fold(path.split("/"))) for path in new}) == len(files)


@given(paths)
def test_names_that_come_out_stay_as_they_are(files):
    assert portable(renamed(files)) == {}


@given(paths)
def test_everything_that_comes_out_is_portable(files):
    parts = {part for path in renamed(files) for part in path.split("/")}
    assert {part for part in parts if not is_portable(part) or "%" in part or part[-1].isspace()} == set()
    assert {c for part in parts for c in part if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")} == set()


@given(paths, st.randoms())
def test_names_do_not_depend_on_the_order_of_files(files, random):
    shuffled = list(files)
    random.shuffle(shuffled)
    assert portable(shuffled) == portable(files)


@given(paths)
def test_folders_that_are_twins_are_kept_apart(files):
    new = renamed(files)
    whole = dict(zip(files, new, strict=True))
    for one in files:
        for other in files:
            same = one.split("/")[0] == other.split("/")[0]
            assert (fold([whole[one].split("/")[0]]) == fold([whole[other].split("/")[0]])) == same


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("50%.png", "50_.png"),
        ("a\rb\nc.txt", "a_b_c.txt"),
        ("C:film.mp4", "C_film.mp4"),
        ("a\\b.png", "a_b.png"),
        ("aux.txt", "_aux.txt"),
        ("COM¹", "_COM¹"),
        ("end.", "end_"),
        ("end ", "end_"),
        ("end\u00a0", "end_"),
        ('<>:"|?*.png', "_______.png"),
        ("right\u202eleft", "right_left"),
        ("line\u2028line", "line_line"),
        ("x" * 250 + "%.png", "x" * 250 + "_.png"),
    ],
)
def test_a_name_that_some_system_can_not_have_gets_another(path, new):
    assert portable([path]) == {path: new}


@pytest.mark.parametrize(
    "path", ["Ünïcode 日本.png", "a b.png", ".hidden", "-r.png", "نام\u200cها.txt", "a.b.c", "x" * 255]
)
def test_a_name_that_every_system_can_have_stays(path):
    assert portable([path]) == {}


def test_of_twins_the_first_keeps_its_name():
    assert portable(["Shot.png", "shot.png", "SHOT.png"]) == {"Shot.png": "Shot_2.png", "shot.png": "shot_3.png"}


def test_a_file_and_a_folder_can_be_twins():
    assert portable(["Cut/1.png", "cut"]) == {"cut": "cut_2"}


def test_names_are_found_that_nothing_else_has():
    assert portable(["a%", "a_", "A__2"])["a%"] == "a__3"


def test_reserved_names_are_taken_at_the_top_only():
    assert portable(["storycore/x", "a/storycore"], reserved=["storycore"]) == {"storycore/x": "storycore_2/x"}


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a//b", "", "a/", "./a", "..", "/"])
def test_a_path_that_leads_elsewhere_is_refused(path):
    with pytest.raises(InvalidInput) as fault:
        portable([path])
    assert fault.value.reason is Reason.PATH_INVALID


@pytest.mark.parametrize("levels", [199, 100_000])
def test_a_path_too_deep_for_those_who_check_packages_is_refused(levels):
    with pytest.raises(InvalidInput, match="lies too deep") as fault:
        portable(["d/" * (levels - 1) + "x"])
    assert (fault.value.reason, len(fault.value.message) < 200) == (Reason.PATH_INVALID, True)


def test_hundreds_of_levels_and_twins_are_no_trouble():
    assert portable(["d/" * 197 + "x"]) == {}
    assert len(set(renamed(["a" + "%?:*|"[number % 5] * (1 + number // 5) for number in range(500)]))) == 500


@given(st.text(max_size=120))
@example("\U0001f3ac" * 90)
@example("電影" * 60)
@example("CON")
@example("")
def test_a_title_becomes_a_name_that_every_surface_takes(title):
    name = title_name(title)
    assert check_text(name) == name
    assert is_clean(name)
    assert len(name.encode()) <= 121
    assert re.search(r"^[.~]|[$%/]", name) is None
