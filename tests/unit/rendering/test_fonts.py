"""Which font each letter is set in."""

import pytest

from storycore.rendering import fonts

SCRIPTS = {
    "NotoSans[wght].ttf": "Grüße, Привет, Ελλάδα, Việt",
    "NotoSansArabic[wght].ttf": "مرحبا",
    "NotoSansHebrew[wght].ttf": "שלום",
    "NotoSansDevanagari[wght].ttf": "नमस्ते",
    "NotoSansThai[wght].ttf": "สวัสดี",
    "NotoSansTamil[wght].ttf": "வணக்கம்",
    "NotoSansCJK-VF.otf.ttc": "灯台",
    "NotoEmoji[wght].ttf": "😀",
}


@pytest.mark.parametrize(("file", "text"), SCRIPTS.items())
def test_each_script_is_set_in_the_font_that_has_it(file, text):
    assert [(face.path.name, part) for face, part in fonts.runs(text)] == [(file, text)]
    assert fonts.missing(text) == []


@pytest.mark.parametrize(
    ("text", "language", "index"),
    [
        ("灯台", "", 2),
        ("灯台", "ja", 0),
        ("灯台", "ko-KR", 1),
        ("灯台", "zh-Hant", 3),
        ("灯台", "zh-TW", 3),
        ("灯台", "zh-HK", 4),
        ("灯台の光", "zh", 0),
        ("등대", "en", 1),
        ("ㄅㄆ灯", "", 3),
    ],
)
def test_chinese_characters_look_as_their_readers_write_them(text, language, index):
    assert {face.index for face, _ in fonts.runs(text, language)} == {index}


def test_parts_come_in_order_and_nothing_gets_lost():
    text = "Der Turm 灯台, «Маяк» مرحبا 12 नमस्ते 😀!"
    parts = fonts.runs(text)
    assert "".join(part for _, part in parts) == text
    assert [part for face, part in parts if "CJK" in face.path.name] == ["灯台, "]


def test_marks_stay_with_their_letters():
    family = "👩\u200d🚀"
    assert list(fonts.clusters("e\u0301क्\u200dषa" + family)) == ["e\u0301", "क्\u200d" + "ष", "a", family]


def test_what_no_font_has_is_said_once():
    assert fonts.missing("a\U00012000b\U00012000\u200d\ufe0f\n") == ["\U00012000"]
