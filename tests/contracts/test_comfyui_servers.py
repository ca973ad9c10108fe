"""What must hold of every ComfyUI server that is driven, with nodes that need no model.

The scripted one, and a real one where its address is given by `STORYCORE_TEST_COMFYUI_URL`.
"""

import contextlib
import itertools
import json
import os
import struct
import threading
from urllib.request import urlopen

import pytest

from fixtures.comfyui import QUICK, REAL_URL, World, picture
from fixtures.comfyui_nodes import png
from fixtures.comfyui_server import ScriptedComfyUI
from fixtures.waiting import until
from storycore.comfyui.backends import Backends
from storycore.comfyui.client import Unreachable
from storycore.comfyui.verdict import Verdict
from storycore.database.connect import Database
from storycore.errors import Cancelled, DependencyFailed, InvalidInput

SERVERS = ["scripted", pytest.param("real", marks=pytest.mark.skipif(not REAL_URL, reason="no real server is given"))]


@pytest.fixture(params=SERVERS)
def world(request, tmp_path, empty_database):
    path = tmp_path / "runs.db"
    path.write_bytes(empty_database.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    try:
        with contextlib.ExitStack() as stack:
            comfy = None if request.param == "real" else stack.enter_context(ScriptedComfyUI(tmp_path / "comfy"))
            world = connected(database, tmp_path, comfy, comfy.url if comfy else REAL_URL)
            stack.callback(world.close)
            yield world
    finally:
        database.close()


def connected(database, folder, comfy, url):
    world = World(database, folder / "home", comfy, QUICK)
    world.backend_id, world.url = world.connect(url), url
    return world


_NUMBERS = itertools.count()


def colour():
    """One that no run before had, so that nothing is kept from it."""
    return (os.getpid() * 7919 + next(_NUMBERS) * 104_729 + threading.get_native_id()) % 2**24


def slow():
    """A graph that takes a while on any server: large pictures, written as PNG."""
    graph = {"1": _node("EmptyImage", width=4096, height=4096, batch_size=1, color=colour())}
    for number in range(2, 12):
        graph[str(number)] = _node("ImageInvert", image=[str(number - 1), 0])
        graph[f"{number}s"] = _node("SaveImage", images=[str(number), 0], filename_prefix="slow")
    return graph


def _node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


def verdict(finished):
    return finished.judgement.verdict


def test_a_picture_comes_home_with_its_graph_in_it(world):
    run = world.start(picture(color=colour()), extra_data={"extra_pnginfo": {"storycore": {"shot": "S01"}}})
    finished = run.wait()
    data = finished.files[0].path.read_bytes()
    assert (verdict(finished), finished.files[0].media_type) == (Verdict.COMPLETED, "image/png")
    assert (b"EmptyImage" in data, b"S01" in data) == (True, True)
    assert [fraction for _, fraction in run.voice.said] == sorted(fraction for _, fraction in run.voice.said)


def test_a_blend_of_two_saved_twice_is_two_pictures(world):
    graph = picture(color=colour())
    graph["2"] = _node("EmptyImage", width=8, height=8, batch_size=1, color=colour())
    graph["4"] = _node("ImageInvert", image=["2", 0])
    graph["5"] = _node("SaveImage", images=["4", 0], filename_prefix="two/other")
    finished = world.run(graph)
    assert sorted(it.node for it in finished.files) == ["3", "5"]


def test_what_is_kept_comes_home_again(world):
    graph = {"1": picture(color=colour())["1"], "4": _node("PreviewImage", images=["1", 0])}
    first, again = world.run(graph), world.run(graph)
    assert [it.sha256 for it in first.files] == [it.sha256 for it in again.files]


def test_texts_come_home(world):
    graph = {"1": picture(color=colour())["1"], "2": _node("PreviewAny", source=f"words {colour()}")}
    graph["3"] = picture()["3"]
    finished = world.run(graph)
    assert {it.kind for it in finished.files} == {"image", "text"}


def test_a_local_picture_is_sent_and_used(world, tmp_path):
    still = tmp_path / "still.png"
    still.write_bytes(png(16, 16, colour(), {}))
    graph = {"1": _node("LoadImage", image="mine.png"), "3": picture()["3"]}
    finished = world.run(
        graph, parameters={"1.image": "here"}, find_file=lambda text: still if text == "here" else None
    )
    assert verdict(finished) is Verdict.COMPLETED


def test_a_film_comes_home_as_a_film_whatever_its_node_calls_it(world):
    if world.comfy is None:
        graph = {
            "1": _node("EmptyImage", width=64, height=64, batch_size=8, color=colour()),
            "2": _node("CreateVideo", images=["1", 0], fps=8.0),
            "3": _node("SaveVideo", video=["2", 0], filename_prefix="film", format="mp4", codec="h264"),
        }
    else:
        graph = {"1": picture()["1"], "3": _node("SaveVideo", video=["1", 0], filename_prefix="film")}
    finished = world.run(graph, timeout_seconds=120)
    assert [(it.kind, it.media_type) for it in finished.files] == [("video", "video/mp4")]


def test_parameters_go_where_they_belong(world):
    graph = picture()
    graph["3"]["inputs"]["filename_prefix"] = "{{name}}"
    finished = world.run(graph, parameters={"name": "hero", "1": {"width": 24, "color": colour()}})
    head = finished.files[0].path.read_bytes()
    assert finished.files[0].path.name.startswith("hero")
    assert struct.unpack(">I", head[16:20])[0] == (8 if world.comfy else 24)  # the scripted one draws one size


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda graph: graph.update({"9": _node("NoSuchNodeAtAll")}), "NoSuchNodeAtAll"),
        (lambda graph: graph["1"]["inputs"].update(width=10**9), "width"),
        (lambda graph: graph["1"]["inputs"].pop("width"), "width"),
        (lambda graph: graph["3"]["inputs"].update(images=["77", 0]), "77"),
        (lambda graph: graph.pop("3"), "keeps nothing"),
    ],
)
def test_what_a_server_would_refuse_is_told_before(world, change, words):
    graph = picture(color=colour())
    change(graph)
    with pytest.raises(InvalidInput, match=words) as told:
        world.run(graph)
    assert told.value.reason == "workflow_invalid"


def test_what_only_the_server_can_know_is_told_by_it(world):
    graph = {"1": _node("LoadImage", image="nowhere/at all.png"), "3": picture()["3"]}
    with pytest.raises(DependencyFailed) as told:
        world.run(graph)
    assert (told.value.reason, told.value.details["class"]) == ("comfyui_rejected", "bad_input")


def test_a_run_that_is_cancelled_stops_at_the_server(world):
    run = world.start(slow(), timeout_seconds=120)
    until(lambda: world.runs.find(run.order.workflow.id) and posted(world, run), seconds=60)
    run.voice.stopped = True
    with pytest.raises(Cancelled):
        run.wait(120)
    until(lambda: remaining(world) == 0, seconds=60)


def posted(world, run):
    return world.runs.find(run.order.workflow.id).submissions == 1


def remaining(world):
    with urlopen(f"{world.url}/prompt", timeout=10) as answer:
        return json.load(answer)["exec_info"]["queue_remaining"]


def test_a_run_that_begins_anew_goes_on_where_it_was(world):
    order = world.order(slow(), timeout_seconds=120)
    first = world.begin(order)
    until(lambda: world.runs.find(order.workflow.id) and posted(world, first), seconds=60)
    first.voice.left = True
    with pytest.raises(Cancelled):
        first.wait()
    finished = world.begin(order).wait(120)
    assert (verdict(finished), finished.record.submissions, len(finished.files)) == (Verdict.COMPLETED, 1, 10)


def test_several_at_once_all_end_well(world):
    runs = [world.start(picture(color=colour())) for _ in range(5)]
    assert [verdict(run.wait()) for run in runs] == [Verdict.COMPLETED] * 5


def test_without_the_socket_the_verdict_is_the_same(world):
    deaf = _Deaf(world.records, world.runs, (), QUICK)
    order = world.order(picture(color=colour()))
    world.backends = deaf
    assert verdict(world.begin(order).wait()) is Verdict.COMPLETED


class _Deaf(Backends):
    """Servers whose sockets can't be opened."""

    def client(self, address, **more):

        client = super().client(address, **more)

        async def listen(_client_id):
            raise Unreachable("no socket here")

        client.listen = listen
        return client
