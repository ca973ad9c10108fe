"""Words of every script in the pictures of finished films."""

import itertools

import numpy as np
import pytest

from fixtures.films import deliver, make_film, see

SCRIPTS = {
    "Latin": "Über den Dächern",
    "Cyrillic": "Свет маяка",
    "Arabic": "ضوء المنارة",
    "Devanagari": "प्रकाशस्तंभ की रोशनी",
    "Chinese": "灯塔的光",
    "Japanese": "灯台の光",
    "Korean": "등대의 빛",
}


def test_titles_and_captions_of_every_script_are_written_into_the_picture(tmp_path):
    shots = [
        {"duration": 0.5, "colour": (20, 60, 90), "dialogue": [{"character": "a", "text": words}]}
        for words in SCRIPTS.values()
    ]
    shots += [{"duration": 0.5, "title": words} for words in SCRIPTS.values()]
    folder = make_film(tmp_path / "film", *shots)
    path, made = deliver(folder, "mp4", tmp_path, width=640, height=360, fps=8, captions="burn")
    pictures = see(path).frames[1::4]
    assert [warning for warning in made.warnings if warning.reason.startswith("letters")] == []
    captions, slates = pictures[:7], pictures[7:]
    for name, picture in zip(SCRIPTS, captions, strict=True):
        assert np.count_nonzero(picture[250:] > 200) > 500, name
    for one, other in itertools.combinations(captions + slates, 2):
        assert np.count_nonzero(np.abs(one.astype(int) - other) > 60) > 500, "each is written in its own letters"


@pytest.mark.parametrize("target", ["mp4", "gif"])
def test_letters_that_no_font_has_are_boxes_and_said(tmp_path, target):
    folder = make_film(
        tmp_path / "film", {"title": "A \U00012000 \U00013000"}, {"colour": "red", "title": "\U00014400"}
    )
    _, made = deliver(folder, target, tmp_path)
    told = {warning.reason: warning.message for warning in made.warnings}
    assert "\U00012000 (U+12000) \U00013000 (U+13000); boxes stand for them" in told["letters_missing"]
    assert "14400" not in told["letters_missing"], "titles that nobody sees are none"
