import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.exports.documents.faces import FOLDERS, families
from storycore.exports.documents.letters import REPLACEMENT, Letters
from storycore.rendering import fonts


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a tower", "a tower"),
        ("a\r\nb\n\n c  d", "a\nb\n\nc d"),
        ("a\x00b\x07c\x1b[31m", "a b c [31m"),
        ("\u202eevil\u2066", "evil"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्ष برج 灯塔 夕暮れ 등대 Маяк", "क्ष برج 灯塔 夕暮れ 등대 Маяк"),
        ("\ue000 x", f"{REPLACEMENT} x"),
        ("\ud800x", "x"),
    ],
)
def test_words_are_printed_as_they_are_without_what_has_no_shape(text, printed):
    assert Letters().printable(text) == printed


def test_what_was_replaced_is_told_once():
    letters = Letters()
    for _ in range(2):
        letters.printable("\U00013000\ue000")
    assert [it.message for it in letters.warnings] == ["Letters that no font has were replaced: U+13000, U+E000."]
    assert Letters().warnings == ()


def test_endless_words_can_be_broken_and_others_are_left_alone():
    letters = Letters()
    assert letters.printable("W" * 20, longest_word=9) == "\u200b".join(["WWW"] * 6 + ["WW"])
    assert letters.printable("灯" * 200, longest_word=9) == "灯" * 200
    assert letters.printable("a few words here", longest_word=9) == "a few words here"


def test_letters_that_the_typesetter_refuses_are_replaced_in_all_of_its_data():
    letters = Letters()
    data = {"title": "aXb", "rows": [["X", 1, None, True], {"deep": "X"}]}
    assert letters.repaired(data, ["X"]) == {
        "title": f"a{REPLACEMENT}b",
        "rows": [[REPLACEMENT, 1, None, True], {"deep": REPLACEMENT}],
    }
    assert len(letters.warnings) == 1


@given(st.text())
def test_what_is_printed_has_a_shape_in_some_font(text):
    assert fonts.missing(Letters().printable(text)) == []


@pytest.mark.parametrize(
    ("language", "first"),
    [("", "SC"), ("en", "SC"), ("ja", "JP"), ("ko-KR", "KR"), ("zh-Hant", "TC"), ("zh-TW", "TC"), ("zh-HK", "HK")],
)
def test_chinese_characters_look_as_they_do_where_the_language_is_spoken(language, first):
    found = families(language)
    assert found[0] == "Noto Sans"
    assert next(name for name in found if "CJK" in name) == f"Noto Sans CJK {first}"
    assert len(set(found)) == len(found)


def test_families_are_called_as_the_typesetter_calls_them():
    import typst

    known = typst.Fonts(include_system_fonts=False, font_paths=[str(folder) for folder in FOLDERS]).fonts()
    assert set(families("")) <= {font.family for font in known}
    assert set(families("")) == {font.family for font in known if font.family.startswith("Noto ")}
