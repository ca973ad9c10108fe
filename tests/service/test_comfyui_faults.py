"""Each fault that was seen on real ComfyUI servers, done by the scripted one; named after its row in the facts, §7."""

import asyncio
import threading

import pytest

from fixtures.comfyui import World, picture
from fixtures.comfyui_nodes import png
from fixtures.comfyui_server import ScriptedComfyUI
from fixtures.waiting import until
from storycore.comfyui.verdict import Failure, Verdict
from storycore.database.connect import Database
from storycore.errors import Cancelled, DependencyFailed, InvalidInput, Unavailable


@pytest.fixture
def comfy(tmp_path):
    with ScriptedComfyUI(tmp_path / "comfy") as server:
        yield server


@pytest.fixture
def world(comfy, tmp_path, database_file):
    database = Database.open(database_file)
    world = World(database, tmp_path / "home", comfy)
    world.backend_id = world.connect(comfy.url)
    yield world
    world.close()
    database.close()


@pytest.fixture
def database_file(empty_database, tmp_path):
    path = tmp_path / "runs.db"
    path.write_bytes(empty_database.read_bytes())
    return f"sqlite:///{path}"


def executed(comfy):
    return comfy.do(lambda: list(comfy.server.executed))


def posts(comfy):
    return comfy.do(lambda: [post["prompt_id"] for post in comfy.server.posts])


def running(comfy):
    return comfy.do(lambda: comfy.server.running is not None)


def known_to_run(world, comfy, run):
    """Whether it runs, and ours knows: a server that dies before anybody saw it run looks like one that was emptied."""
    record = world.runs.find(run.order.workflow.id)
    return running(comfy) and record is not None and record.seen == "running"


def verdict(finished):
    return finished.judgement.verdict


def test_a_run_that_nothing_happens_to_brings_its_picture_home(world, comfy):
    finished = world.run(picture(color=5))
    assert verdict(finished) is Verdict.COMPLETED
    assert [(it.kind, it.media_type, it.path.read_bytes()[:4]) for it in finished.files] == [
        ("image", "image/png", b"\x89PNG")
    ]
    assert len(posts(comfy)) == len(executed(comfy)) == 1


@pytest.mark.parametrize("socket", [True, False])
def test_01_the_history_lags_behind_the_end(world, comfy, socket):
    comfy.faults.history_lag, comfy.faults.no_socket = 0.4, not socket
    assert verdict(world.run(picture(color=5))) is Verdict.COMPLETED


@pytest.mark.parametrize("socket", [True, False])
def test_02_a_run_is_in_neither_queue_nor_history_for_a_moment(world, comfy, socket):
    comfy.faults.in_neither, comfy.faults.no_socket = 0.15, not socket
    finished = [verdict(world.run(picture(color=number))) for number in range(5)]
    assert (finished, len(executed(comfy))) == ([Verdict.COMPLETED] * 5, 5)


def test_03_a_server_that_is_killed_in_mid_run_is_given_it_once_more(world, comfy):
    run = world.start(picture(steps=60))
    until(lambda: known_to_run(world, comfy, run))
    comfy.crash()
    comfy.start()
    finished = run.wait()
    assert (verdict(finished), finished.record.submissions) == (Verdict.COMPLETED, 2)
    assert posts(comfy) == executed(comfy) == [finished.record.prompt_id] * 2


def test_03_by_policy_it_is_lost_instead_and_never_a_success(world, comfy):
    run = world.start(picture(steps=60), resubmit=False)
    until(lambda: known_to_run(world, comfy, run))
    comfy.crash()
    comfy.start()
    finished = run.wait()
    assert (verdict(finished), finished.files, len(executed(comfy))) == (Verdict.LOST, [], 1)


def test_04_a_server_that_stays_away_ends_the_run_as_lost(world, comfy):
    run = world.start(picture(steps=60), timeout_seconds=4)
    until(lambda: known_to_run(world, comfy, run))
    comfy.crash()
    assert verdict(run.wait()) is Verdict.LOST


def test_05_a_workflow_that_kills_its_server_is_given_to_it_twice_at_most(world, comfy):
    run = world.start(picture(steps=60))
    for _ in range(2):
        until(lambda: known_to_run(world, comfy, run))
        comfy.crash()
        comfy.start()
    finished = run.wait()
    backend = next(it for it in world.records.backends() if it.id == world.backend_id)
    assert (verdict(finished), len(executed(comfy))) == (Verdict.LOST, 2)
    assert backend.quarantined_until is not None
    assert world.connect(comfy.url) == world.backend_id  # a person lifts it
    assert world.records.backends()[0].quarantined_until is None


def test_06_a_socket_that_drops_is_opened_again_and_nothing_is_lost(world, comfy):
    run = world.start(picture(steps=20))
    until(lambda: any(step.startswith("LabSleep") for step, _ in run.voice.said))
    comfy.drop_sockets()
    said = len(run.voice.said)
    assert verdict(run.wait()) is Verdict.COMPLETED
    assert len(run.voice.said) > said + 3  # it was heard again
    assert len(executed(comfy)) == 1


def test_06_a_socket_that_opens_late_still_says_which_node_runs(world, comfy):
    comfy.faults.slow_socket = 0.3
    run = world.start(picture(steps=20))
    assert verdict(run.wait()) is Verdict.COMPLETED
    assert any(step.startswith("LabSleep") for step, _ in run.voice.said)


def test_07_a_socket_that_has_gone_silent_is_found_out(world, comfy):
    run = world.start(picture(steps=30))
    until(lambda: any(step.startswith("LabSleep") for step, _ in run.voice.said))
    comfy.faults.deaf = True
    opened = len([line for line in comfy.server.log if line.endswith("/ws")])
    finished = run.wait()
    assert verdict(finished) is Verdict.COMPLETED
    assert len([line for line in comfy.server.log if line.endswith("/ws")]) > opened


@pytest.mark.parametrize("fault", ["hang_posts", "break_posts"])
def test_08_a_post_that_is_not_answered_is_looked_for_before_another(world, comfy, fault):
    setattr(comfy.faults, fault, 1)
    finished = world.run(picture(color=5))
    assert (verdict(finished), len(posts(comfy)), len(executed(comfy))) == (Verdict.COMPLETED, 1, 1)


def test_08_a_post_that_never_arrived_is_made_again(world, comfy):
    comfy.faults.lose_posts = 1
    finished = world.run(picture(color=5))
    assert (verdict(finished), len(posts(comfy)), len(executed(comfy))) == (Verdict.COMPLETED, 1, 1)


def test_09_a_post_that_broke_the_server_may_be_queued_all_the_same(world, comfy):
    comfy.faults.refuse_posts = 1
    assert verdict(world.run(picture(color=5))) is Verdict.COMPLETED
    for number in range(3):
        world.run(picture(color=number))
    numbers = comfy.do(lambda: [post["number"] for post in comfy.server.posts])
    assert (len(numbers), len(set(numbers))) == (4, 4)


def test_10_a_graph_that_is_half_valid_fails_and_is_stopped(world, comfy):
    graph = picture(steps=50)
    graph["7"] = {"class_type": "LoadImage", "inputs": {"image": "gone/away.png"}}
    graph["8"] = {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "lab"}}
    with pytest.raises(DependencyFailed, match="Invalid image file") as told:
        world.run(graph)
    assert (told.value.reason, told.value.details["class"]) == ("comfyui_rejected", "bad_input")
    assert not running(comfy)


@pytest.mark.parametrize("socket", [True, False])
@pytest.mark.parametrize("kind", ["block", "silent"])
def test_11_nodes_that_were_blocked_are_told(world, comfy, kind, socket):
    comfy.faults.no_socket = not socket
    finished = world.run(picture(fail=kind))
    assert (verdict(finished), finished.judgement.blocked, finished.files) == (
        Verdict.COMPLETED_WITH_BLOCKED, ("3",), [],
    )  # fmt: skip


def test_12_a_run_whose_results_are_all_kept_brings_them_home_too(world, comfy):
    graph = {"1": picture()["1"], "4": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}}
    first, again = world.start(graph), world.start(graph)
    files = [run.wait().files for run in (first, again)]
    assert [[it.remote for it in found] for found in files] == [[files[0][0].remote]] * 2
    assert all(found[0].path.is_file() for found in files)


def test_13_a_kept_file_that_was_deleted_is_made_again(world, comfy):
    graph = {"1": picture()["1"], "4": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}}
    made = world.run(graph).files[0].remote
    (comfy.server.folder / "temp" / made).unlink()
    finished = world.run(graph)
    assert (verdict(finished), finished.files[0].remote != made, finished.record.submissions) == (
        Verdict.COMPLETED, True, 2,
    )  # fmt: skip


def test_13_a_file_that_is_never_there_is_a_failure(world, comfy):
    comfy.faults.blind = True
    with pytest.raises(DependencyFailed, match="does not have") as told:
        world.run(picture())
    assert (told.value.reason, len(executed(comfy))) == ("comfyui_failed", 2)


@pytest.mark.parametrize("socket", [True, False])
def test_14_a_waiting_run_that_somebody_deletes_was_stopped_externally(world, comfy, socket):
    comfy.faults.no_socket = not socket
    first = world.start(picture(steps=100))
    until(lambda: running(comfy))
    second = world.start(picture(color=9))
    until(lambda: comfy.do(lambda: len(comfy.server.queue)) == 1)
    until(lambda: world.runs.find(second.order.workflow.id).seen == "queued")
    comfy.do(lambda: comfy.server._delete(world.runs.find(second.order.workflow.id).prompt_id))
    assert verdict(second.wait()) is Verdict.CANCELLED_EXTERNALLY
    first.voice.stopped = True
    with pytest.raises(Cancelled):
        first.wait()


def test_15_an_interrupt_of_somebody_else_is_told_apart_from_ours(world, comfy):
    run = world.start(picture(steps=100))
    until(lambda: running(comfy))
    comfy.do(lambda: setattr(comfy.server.running, "stop", True))
    assert verdict(run.wait()) is Verdict.CANCELLED_EXTERNALLY
    assert verdict(world.run(picture(color=3))) is Verdict.COMPLETED


@pytest.mark.parametrize("old", ["", "no_jobs", "no_cancel"])
def test_15_our_own_cancel_stops_it_at_the_server(world, comfy, old):
    if old:
        setattr(comfy.faults, old, True)
    run = world.start(picture(steps=200))
    until(lambda: running(comfy))
    run.voice.stopped = True
    with pytest.raises(Cancelled):
        run.wait()
    assert not running(comfy)


def test_15_our_own_cancel_stops_it_although_the_server_stumbled_just_then(world, comfy):
    run = world.start(picture(steps=400))
    until(lambda: any(step.startswith("LabSleep") for step, _ in run.voice.said))
    comfy.faults.stumbles = True
    comfy.drop_sockets()
    asked = len(comfy.server.log)
    until(lambda: len(comfy.server.log) > asked + 2)
    run.voice.stopped = True
    threading.Timer(1, setattr, (comfy.faults, "stumbles", False)).start()
    with pytest.raises(Cancelled):
        run.wait()
    assert not running(comfy)


def test_15_our_own_cancel_stops_what_a_post_without_an_answer_began(world, comfy):
    comfy.faults.hang_posts = 1
    run = world.start(picture(steps=400))
    until(lambda: running(comfy))
    run.voice.stopped = True
    with pytest.raises(Cancelled):
        run.wait()
    assert not running(comfy)


def test_16_a_node_that_ignores_the_interrupt_is_waited_for(world, comfy):
    run = world.start(picture(steps=12, seconds=0.1, check_interrupt=False))
    until(lambda: running(comfy))
    run.voice.stopped = True
    with pytest.raises(Cancelled):
        run.wait()
    assert not running(comfy)
    assert world.runs.find(run.order.workflow.id).verdict == "cancelled"


def test_16_a_timeout_stops_it_at_the_server(world, comfy):
    run = world.start(picture(steps=200), timeout_seconds=1)
    assert (verdict(run.wait()), running(comfy)) == (Verdict.TIMED_OUT, False)


def test_17_out_of_memory_is_tried_once_more_with_memory_freed(world, comfy):
    finished = world.run(picture(fail="oom"))
    assert (verdict(finished), finished.judgement.failure) == (Verdict.FAILED, Failure.OOM)
    assert (len(executed(comfy)), comfy.server.log.count("POST /free")) == (2, 1)


def test_people_are_told_why_a_run_begins_once_more(world):
    run = world.start(picture(fail="oom"))
    run.wait()
    assert [step for step, _ in run.voice.said].count("once more, memory ran out") == 1


def test_17_out_of_memory_moves_to_a_larger_server(world, comfy, tmp_path):
    comfy.faults.oom_below = 2**50
    with ScriptedComfyUI(tmp_path / "large") as large:
        large.faults.vram, large.faults.oom_below = 2**51, 2**50
        world.connect(comfy.url)
        first = world.start(picture(steps=5, fail="oom"))
        until(lambda: running(comfy))
        world.connect(large.url)
        finished, there = first.wait(), executed(large)
    assert (verdict(finished), len(executed(comfy)), len(there)) == (Verdict.COMPLETED, 1, 1)


def test_18_nodes_that_cost_money_need_a_key_and_are_never_tried_again(world, comfy):
    graph = picture()
    graph["6"] = {"class_type": "PaidNode", "inputs": {"image": ["1", 0]}}
    graph["3"]["inputs"]["images"] = ["6", 0]
    with pytest.raises(InvalidInput, match="paid service"):
        world.run(graph)
    finished = world.run(graph, has_partner_key=True)
    assert (verdict(finished), finished.judgement.failure, len(executed(comfy))) == (
        Verdict.FAILED, Failure.PARTNER_NODE, 1,
    )  # fmt: skip


def test_18_a_run_that_costs_money_is_not_tried_again_when_its_server_dies(world, comfy):
    graph = picture(steps=50)
    graph["6"] = {"class_type": "PaidNode", "inputs": {"image": ["2", 0]}}
    graph["3"]["inputs"]["images"] = ["6", 0]
    run = world.start(graph, has_partner_key=True)
    until(lambda: running(comfy))
    comfy.crash()
    comfy.start()
    assert (verdict(run.wait()), len(executed(comfy))) == (Verdict.LOST, 1)


def test_19_what_was_made_before_a_failure_is_brought_home(world):
    graph = picture()
    graph["4"] = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "first"}}
    graph["9"] = {"class_type": "LabFail", "inputs": {"image": ["1", 0], "kind": "error"}}
    graph["z"] = {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": "never"}}
    finished = world.run(graph)
    assert (verdict(finished), finished.judgement.fault.node_id) == (Verdict.FAILED, "9")
    assert len(finished.files) == 2


def test_20_foreign_and_odd_words_change_nothing(world, comfy):
    comfy.faults.odd_words = True
    run = world.start(picture(steps=5, preview=True))
    assert verdict(run.wait()) is Verdict.COMPLETED
    told = [fraction for _, fraction in run.voice.said]
    assert told == sorted(told)
    assert run.voice.previews[0].media_type == "image/png"


def test_21_uploads_are_named_by_content_and_their_limit_is_told(world, comfy, tmp_path):
    files = []
    for number, content in enumerate((b"one", b"two", b"one")):
        path = tmp_path / f"{number}" / "still.png"
        path.parent.mkdir()
        path.write_bytes(content)
        files.append(path)
    for path in files:
        graph = {"1": {"class_type": "LoadImage", "inputs": {"image": str(path)}}, "3": picture()["3"]}
        assert verdict(world.run(graph, find_file=lambda _text, path=path: path)) is Verdict.COMPLETED
    kept = sorted(path.read_bytes() for path in (comfy.server.folder / "input/storycore").iterdir())
    assert kept == [b"one", b"two"]
    comfy.faults.max_upload = 100
    with pytest.raises(InvalidInput, match="larger than 100 bytes"):
        world.run(graph, find_file=lambda _text: files[0])


def test_22_an_input_is_named_by_its_content_so_none_is_overwritten(world, comfy, tmp_path):
    path, names = tmp_path / "still.png", []
    for content in (b"one", b"two"):
        path.write_bytes(content)
        graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "still"}}, "3": picture()["3"]}
        names.append(world.run(graph, find_file=lambda _text: path).record.graph["1"]["inputs"]["image"])
    assert len(set(names)) == 2


def test_23_each_run_saves_into_a_folder_of_its_own(world):
    finished = [world.run(picture(color=number)) for number in range(2)]
    assert [it.files[0].remote.rpartition("/")[0] for it in finished] == [
        f"storycore/{it.record.id}" for it in finished
    ]


def test_24_without_any_socket_the_verdicts_are_the_same(world, comfy):
    comfy.faults.no_socket = True
    finished = [world.run(picture(color=5)), world.run(picture(fail="error")), world.run(picture(fail="block"))]
    assert [verdict(it) for it in finished] == [Verdict.COMPLETED, Verdict.FAILED, Verdict.COMPLETED_WITH_BLOCKED]


@pytest.mark.parametrize("fault", ["no_jobs", "no_cancel", "own_ids"])
def test_25_older_servers_are_driven_by_the_routes_that_they_have(world, comfy, fault):
    setattr(comfy.faults, fault, True)
    assert verdict(world.run(picture(steps=5))) is Verdict.COMPLETED


def test_26_slow_routes_are_left_alone(world, comfy):
    comfy.faults.slow_info = 0.05
    for number in range(3):
        world.run(picture(color=number))
    asked = [line.removeprefix("GET ") for line in comfy.server.log]
    assert [line for line in asked if line in ("/object_info", "/history", "/api/jobs")] == []
    assert [asked.count(f"/object_info/{name}") for name in ("EmptyImage", "SaveImage")] == [1, 1]


def test_26_a_workflow_of_very_many_classes_asks_once(world, comfy):
    graph = {str(number): {"class_type": f"Odd{number}", "inputs": {}} for number in range(1000)}
    with pytest.raises(InvalidInput, match="Odd"):
        world.run({**picture(), **graph})
    assert len([line for line in comfy.server.log if "/object_info" in line]) == 1


def test_26_what_is_known_of_nodes_may_be_forgotten_while_it_is_asked_for(world, comfy):
    client = Asked(lambda: world.backends.forget_nodes(world.backend_id))
    for _ in range(2):
        found = asyncio.run(world.backends.node_facts(world.backend_id, client, ["A", "B"]))
        assert found == {"A": {"name": "A"}, "B": {"name": "B"}}


class Asked:
    """A client that others do something behind the back of, each time it is asked."""

    def __init__(self, behind):
        self._behind = behind

    async def node_info(self, name):
        await asyncio.sleep(0.05 if name == "B" else 0)
        self._behind()
        return {"name": name}


def test_27_every_node_that_the_server_lacks_is_told_before_anything_is_posted(world, comfy):
    graph = picture()
    graph["6"] = {"class_type": "NoSuchNode", "inputs": {}}
    graph["7"] = {"class_type": "NorThisOne", "inputs": {}}
    with pytest.raises(InvalidInput) as told:
        world.run(graph)
    assert (told.value.reason, posts(comfy)) == ("workflow_invalid", [])
    assert all(name in str(told.value.as_dict()) for name in ("NoSuchNode", "NorThisOne"))


def test_a_download_that_breaks_off_is_made_again(world, comfy):
    comfy.faults.cut_views = 1
    finished = world.run(picture())
    assert (verdict(finished), finished.files[0].path.stat().st_size) == (
        Verdict.COMPLETED, finished.files[0].size_bytes,
    )  # fmt: skip


def test_a_download_that_takes_long_can_be_cancelled(world, comfy):
    comfy.faults.slow_view = 0.2
    run = world.start(picture())
    until(lambda: any(step.startswith("bringing home") for step, _ in run.voice.said))
    run.voice.stopped = True
    with pytest.raises(Cancelled):
        run.wait(10)  # the whole would take twenty seconds
    assert not run.order.folder.exists()


@pytest.mark.parametrize("errors", [5, "no", [5], {"a": 1}, None])
def test_faults_of_nodes_in_any_shape_are_a_refusal(world, comfy, errors):
    comfy.faults.says["/prompt"] = {"node_errors": {"1": {"class_type": "EmptyImage", "errors": errors}}}
    with pytest.raises(DependencyFailed, match="refuses"):
        world.run(picture())


@pytest.mark.parametrize("told", [5, {"a": 1}, "../../free", "a?b#c", "x" * 1000, "\ud800"])
def test_an_id_that_no_server_gives_is_not_believed(world, comfy, told):
    comfy.faults.says["/prompt"] = {"prompt_id": told, "node_errors": {}}
    run = world.start(picture(), timeout_seconds=10)
    until(lambda: any("/jobs/" in line for line in comfy.server.log))
    assert verdict(run.wait()) is not Verdict.COMPLETED
    record = run.wait().record
    assert {line for line in comfy.server.log if "/history/" in line} == {f"GET /history/{record.prompt_id}"}


def test_an_upload_without_a_good_answer_is_a_refusal(world, comfy, tmp_path):
    path = tmp_path / "still.png"
    path.write_bytes(b"one")
    comfy.faults.broken_uploads = True
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "still"}}, "3": picture()["3"]}
    with pytest.raises(DependencyFailed, match=r"does not take still\.png"):
        world.run(graph, find_file=lambda _text: path)


def test_two_at_a_time_are_given_to_a_server(world, comfy):
    runs = [world.start(picture(color=number, steps=2)) for number in range(6)]
    assert [verdict(run.wait()) for run in runs] == [Verdict.COMPLETED] * 6
    assert comfy.server.max_waiting <= 2


def test_a_pool_shares_the_work_by_who_has_the_nodes(world, comfy, tmp_path):
    with ScriptedComfyUI(tmp_path / "other") as other:
        comfy.faults.lacks = ["ImageInvert"]
        world.connect(other.url)
        graph = picture()
        graph["6"] = {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}}
        graph["3"]["inputs"]["images"] = ["6", 0]
        assert [verdict(world.run(graph)) for _ in range(3)] == [Verdict.COMPLETED] * 3
        assert (len(executed(comfy)), len(executed(other))) == (0, 3)


def test_another_server_takes_over_when_one_stays_away(world, comfy, tmp_path):
    with ScriptedComfyUI(tmp_path / "other") as other:
        run = world.start(picture(steps=60))
        until(lambda: running(comfy))
        world.connect(other.url)
        comfy.crash()
        finished, there = run.wait(), executed(other)
    assert (verdict(finished), len(there)) == (Verdict.COMPLETED, 1)


@pytest.mark.parametrize("moment", ["queued", "running", "done"])
def test_a_run_that_begins_anew_goes_on_where_it_was(world, comfy, moment):
    blocker = world.start(picture(color=8, steps=30)) if moment == "queued" else None
    if blocker:
        until(lambda: running(comfy))
    order = world.order(picture(steps=10))
    first = world.begin(order)
    until(lambda: len(posts(comfy)) == (2 if blocker else 1))
    first.voice.left = True
    with pytest.raises(Cancelled):
        first.wait()
    if moment == "done":
        until(lambda: not running(comfy))
    finished = world.begin(order).wait()
    assert (verdict(finished), finished.record.submissions) == (Verdict.COMPLETED, 1)
    assert posts(comfy).count(finished.record.prompt_id) == 1
    if blocker:
        blocker.wait()


def test_many_threads_at_once_change_nothing(world, comfy):
    gate = threading.Barrier(4)

    def begin(number):
        gate.wait()
        return world.start(picture(color=number))

    runs = [begin_thread(begin, number) for number in range(4)]
    assert [verdict(run().wait()) for run in runs] == [Verdict.COMPLETED] * 4


def begin_thread(begin, number):
    found = []
    thread = threading.Thread(target=lambda: found.append(begin(number)))
    thread.start()

    def result():
        thread.join(30)
        return found[0]

    return result


def spoken(**more):
    graph = {**picture(**more), "9": {"class_type": "SaveImageWebsocket", "inputs": {"images": ["1", 0]}}}
    del graph["3"]
    return graph


@pytest.mark.parametrize("plain", [True, False])
def test_pictures_that_come_over_the_socket_come_home(world, comfy, plain):
    comfy.faults.plain_frames = plain
    finished = world.run({**spoken(), **picture(steps=5, preview=True)})
    assert verdict(finished) is Verdict.COMPLETED
    made = [(it.node, it.path.name, it.path.read_bytes()) for it in finished.files if it.node == "9"]
    assert made == [("9", f"picture_9_0000{count + 1}.png", png(4, 4, count, {})) for count in range(2)]
    assert finished.files[-1].path.with_name("picture_9_00001.png.storycore.json").is_file()


def test_pictures_that_a_broken_socket_swallowed_are_made_again(world, comfy):
    comfy.faults.cut_pictures = 1
    finished = world.run(spoken())
    assert (verdict(finished), len(finished.files), finished.record.submissions) == (Verdict.COMPLETED, 2, 2)


def test_pictures_that_never_come_over_the_socket_are_a_failure(world, comfy):
    comfy.faults.cut_pictures = 9
    with pytest.raises(DependencyFailed, match="pictures of node 9") as told:
        world.run(spoken())
    assert (told.value.reason, len(executed(comfy))) == ("comfyui_failed", 2)


def test_a_workflow_that_speaks_over_the_socket_is_not_posted_where_there_is_none(world, comfy):
    comfy.faults.no_socket = True
    with pytest.raises(DependencyFailed, match="does not open"):
        world.run(spoken())
    assert posts(comfy) == []


def test_more_than_may_come_home_does_not(world, comfy):
    with pytest.raises(DependencyFailed, match="more than 10 B") as told:
        world.run(picture(), most_bytes=10)
    assert (told.value.reason, list(world.folder.glob("*"))) == ("generated_too_large", [])


def test_the_disk_is_not_filled_to_the_brim(world, comfy):
    with pytest.raises(Unavailable, match="would stay free") as told:
        world.run(picture(), min_free_bytes=2**60)
    assert (told.value.reason, list(world.folder.glob("*"))) == ("disk_full", [])
