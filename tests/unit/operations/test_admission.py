from types import SimpleNamespace

import pytest

from storycore.operations.admission import Admission
from storycore.operations.catalog import GENERATING

FILM, PART = "storycore.export.format", "storycore.render.segments@x"


@pytest.fixture
def admission():
    turns = SimpleNamespace(looking=lambda _tasks: 0)
    app = SimpleNamespace(comfyui=SimpleNamespace(turns=turns))
    return Admission(app, 2, frozenset({PART}))


@pytest.mark.parametrize("running", [{}, {"one": next(iter(GENERATING))}])
def test_who_has_nothing_of_its_own_to_do_here_helps_others(admission, running):
    assert PART in admission(running)


@pytest.mark.parametrize("kind", [FILM, PART])
def test_a_part_begins_only_where_nothing_else_is_done_and_keeps_no_film_from_beginning(admission, kind):
    assert PART not in admission({"one": kind})
    assert FILM in admission({"one": kind})
