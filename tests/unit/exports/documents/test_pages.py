from fractions import Fraction

import pytest

from storycore.exports.documents.pages import grid, page, pixels

LAYOUTS = [(columns, rows) for columns in range(1, 9) for rows in range(1, 9)]
PAPERS = [(paper, orientation) for paper in ("a4", "letter") for orientation in ("landscape", "portrait")]
WIDE, TALL = Fraction(16, 9), Fraction(9, 16)


@pytest.mark.parametrize(("paper", "orientation"), PAPERS)
@pytest.mark.parametrize(("columns", "rows"), LAYOUTS)
@pytest.mark.parametrize("aspect", [WIDE, TALL, Fraction(1)])
def test_panels_of_every_layout_are_on_the_page_with_room_for_words(paper, orientation, columns, rows, aspect):
    on = page(paper, orientation)
    found = grid(on, columns, rows, aspect, worded=True)
    assert columns * found.column_width + (columns - 1) * found.gap <= on.content_width + 0.01
    assert rows * found.row_height + (rows - 1) * found.gap <= on.content_height
    assert found.picture_width <= found.column_width + 0.01
    assert 0 < found.picture_height < found.row_height - 2 * found.smallest
    assert abs(found.picture_width / found.picture_height - float(aspect)) < 0.001
    assert 5 <= found.smallest <= found.text <= 10


def test_a4_and_letter_are_as_large_as_they_are():
    sizes = {paper: page(paper, "portrait") for paper in ("a4", "letter")}
    assert {name: (round(it.width), round(it.height)) for name, it in sizes.items()} == {
        "a4": (595, 842),
        "letter": (612, 792),
    }
    assert page("a4", "landscape").width == sizes["a4"].height


def test_pictures_are_larger_where_there_is_nothing_to_read():
    on = page("a4", "landscape")
    assert grid(on, 1, 1, WIDE, worded=False).picture_height > grid(on, 1, 1, WIDE, worded=True).picture_height


@pytest.mark.parametrize(("points", "dpi", "wanted"), [(72, 200, 200), (0.1, 36, 16), (100, 300, 416)])
def test_pixels_are_even_and_not_too_few(points, dpi, wanted):
    assert pixels(points, dpi) == wanted
