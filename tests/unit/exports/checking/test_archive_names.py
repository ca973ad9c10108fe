import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.exports.checking.archive_names import Twins, is_storable, unsafe

SAFE = [
    "film/data/project.json", "film/", "film/é 日本/shot 1.png", "a~b/~c", "film/.hidden", "..a/b..c", "what?",
    "a<b>.txt",    "100% done", "CONSOLE.txt",
    "com10", "x" * 255, "👩\u200d🎤.png",
]  # fmt: skip
UNSAFE = [
    "", "/", "/a", "a//b", "./a", "a/..", "..", "a\\b", "C:", "c:/x", "a/z:b", "NUL", "a/con.txt", "LPT9 .x", "COM¹",
    "a.", "a /b", "a\0b", "a\nb", "a\x7f", "a\x85b", "\u202ea", "a\u2028b", "\ud800", "x" * 256, "é" * 128,
    "CONIN$", "a//",
]  # fmt: skip


@pytest.mark.parametrize("name", SAFE)
def test_ordinary_names_are_safe(name: str) -> None:
    assert unsafe(name) is None


@pytest.mark.parametrize("name", UNSAFE)
def test_names_that_lead_elsewhere_on_any_system_are_not(name: str) -> None:
    assert unsafe(name)


@given(st.text())
def test_a_safe_name_never_leads_out(name: str) -> None:
    parts = name.removesuffix("/").split("/")
    if unsafe(name) is None:
        assert not {"", ".", ".."} & set(parts)
        assert not any(character in name for character in "\\\0\n\r")


def test_names_that_windows_can_not_store_are_known() -> None:
    assert [name for name in SAFE if not is_storable(name)] == ["what?", "a<b>.txt"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a", "b", "c/a", "c/b", "c/"], []),
        (["a", "a"], ["duplicate_name"]),
        (["c/", "c/"], ["duplicate_name"]),
        (["a", "A"], ["colliding_name"]),
        (["é", "e\u0301"], ["colliding_name"]),
        (["straße", "STRASSE"], ["colliding_name"]),
        (["a", "a/b"], ["colliding_name"]),
        (["a/b", "A"], ["colliding_name"]),
        (["a/b", "a"], ["colliding_name"]),
        (["x/a", "X/b"], ["colliding_name"]),
        (["x/y/a", "x/y/b", "x/Y/c"], ["colliding_name"]),
    ],
)
def test_names_that_can_not_stand_beside_each_other_are_told(names: list[str], told: list[str]) -> None:
    twins = Twins()
    assert [reason.value for name in names for reason, _ in twins.add(name)] == told
