"""The index of takes."""

import threading

import pytest

from fixtures.projects import write_json
from storycore.comfyui.takes import add, pick, takes_of
from storycore.errors import InvalidInput, NotFound
from storycore.project.lookup import INDEX


def take(name):
    return {"id": name, "path": f"assets/generated/{name}.png", "status": "completed"}


def test_takes_are_added_picked_and_given_back(tmp_path):
    add(tmp_path, "s1", [take("a")])
    add(tmp_path, "s1", [take("b")])
    pick(tmp_path, "s1", "a")
    add(tmp_path, "s1", [take("a"), take("c")])  # the same again, as after a crash
    assert [(it["id"], it["picked"]) for it in takes_of(tmp_path, "s1")] == [("b", False), ("a", True), ("c", False)]
    assert [it["picked"] for it in pick(tmp_path, "s1", None)] == [False, False, False]


def test_a_take_that_is_not_there_is_told_and_changes_nothing(tmp_path):
    add(tmp_path, "s1", [take("a")])
    before = (tmp_path / INDEX).read_bytes()
    with pytest.raises(NotFound) as told:
        pick(tmp_path, "s1", "z")
    assert (told.value.details["takes"], (tmp_path / INDEX).read_bytes()) == (["a"], before)


def test_what_others_wrote_into_the_index_stays(tmp_path):
    write_json(tmp_path / INDEX, {"s2": [{"id": "x", "mine": 1}], "strange": 7})
    add(tmp_path, "s1", [take("a")])
    assert takes_of(tmp_path, "s2") == [{"id": "x", "mine": 1}]


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_a_broken_index_is_told_and_left_alone(tmp_path, text):
    path = tmp_path / INDEX
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(InvalidInput) as told:
        add(tmp_path, "s1", [take("a")])
    assert (told.value.reason, path.read_text()) == ("project_invalid", text)


def test_a_folder_that_leads_out_of_the_project_is_refused(tmp_path):
    elsewhere, project = tmp_path / "elsewhere", tmp_path / "film"
    elsewhere.mkdir()
    (project / "assets").mkdir(parents=True)
    (project / "assets/generated").symlink_to(elsewhere)
    with pytest.raises(InvalidInput):
        add(project, "s1", [take("a")])
    assert list(elsewhere.iterdir()) == []


def test_many_who_add_at_once_all_stand_in_it(tmp_path):
    threads = [threading.Thread(target=add, args=(tmp_path, "s1", [take(f"t{n}")])) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(takes_of(tmp_path, "s1")) == 8
