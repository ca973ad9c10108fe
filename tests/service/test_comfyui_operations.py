"""ComfyUI by HTTP, by the library and on the command line, on a server that speaks its protocol."""

import base64
import gc
import json
import shlex
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fixtures.comfyui import picture
from fixtures.comfyui_server import ScriptedComfyUI
from fixtures.programs import storycore
from fixtures.projects import write_json
from fixtures.servers import serving
from fixtures.waiting import until
from storycore import (
    BackendsRequest,
    BatchRequest,
    CheckRequest,
    ConnectRequest,
    EventListRequest,
    GenerateVideoRequest,
    GetStatusRequest,
    InspectRequest,
    PickRequest,
    StoryCore,
    StoryCoreError,
    WorkflowRequest,
)

CONNECT = "/v1/storycore.integration.comfyui.connect"
WORKFLOW = "/v1/storycore.integration.comfyui.workflow"
BACKENDS = "/v1/storycore.integration.comfyui.backends"
DISCONNECT = "/v1/storycore.integration.comfyui.disconnect"
STATUS = "/v1/storycore.task.status"
SAVED_BY_PAGE = {
    "nodes": [
        {"id": 4, "type": "CLIPTextEncode", "mode": 0, "inputs": [], "widgets_values": ["{{prompt}}"],
         "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING", "links": [1]}]},
        {"id": 5, "type": "KSampler", "mode": 0, "widgets_values": [1, "fixed"],
         "inputs": [{"name": "positive", "type": "CONDITIONING", "link": 1}],
         "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [2]}]},
        {"id": 3, "type": "SaveImage", "mode": 0, "widgets_values": ["shot"], "outputs": [],
         "inputs": [{"name": "images", "type": "IMAGE", "link": 2}]},
    ],
    "links": [[1, 4, 0, 5, 0, "CONDITIONING"], [2, 5, 0, 3, 0, "IMAGE"]],
    "version": 0.4,
}  # fmt: skip
NOBODY = 9  # the discard port: nothing listens there


@pytest.fixture
def comfy(tmp_path):
    with ScriptedComfyUI(tmp_path / "comfy") as server:
        yield server


@pytest.fixture
def client(films, tmp_path, monkeypatch):
    monkeypatch.setenv("STORYCORE_GENERATED_FOLDER", str(tmp_path / "generated"))
    with serving(films) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield http


@pytest.fixture
def core(comfy, tmp_path, monkeypatch):
    monkeypatch.setenv("STORYCORE_GENERATED_FOLDER", str(tmp_path / "generated"))
    with StoryCore() as sc:
        sc.run(ConnectRequest(host="127.0.0.1", port=comfy.port))
        yield sc


def reason(answer):
    return answer.json()["error"]["details"]["reason"]


def ended(client, task_id):
    return until(
        lambda: client.get(STATUS, params={"task_id": task_id}).json()["data"],
        lambda task: task["status"] not in ("pending", "running"),
        seconds=60,
    )


def ask(text="{{prompt}}"):
    """A graph with a prompt, a seed and a picture."""
    return {
        "4": {"class_type": "CLIPTextEncode", "inputs": {"text": text}},
        "5": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["4", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "shot"}},
    }


def test_row_12_connecting_tells_the_version_and_the_models(client, comfy):
    answer = client.post(CONNECT, json={"host": "localhost", "port": comfy.port})
    data = answer.json()["data"]
    assert (answer.status_code, data["connected"], data["host"], data["port"]) == (200, True, "localhost", comfy.port)
    assert (data["server_version"], data["available_models"], data["error_message"]) == (
        "0.33.0", ["film.safetensors"], None,
    )  # fmt: skip


def test_a_server_that_does_not_answer_is_a_success_that_says_so(client):
    answer = client.post(CONNECT, json={"port": NOBODY, "timeout_seconds": 2})
    data = answer.json()["data"]
    assert (answer.status_code, data["connected"], data["server_version"]) == (200, False, None)
    assert data["error_message"] == f"It does not answer: nothing listens at port {NOBODY} of localhost"
    assert client.get(BACKENDS).json()["data"]["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"port": 99999}, {"port": 0}, {"port": "8188"}, {"timeout_seconds": 0}, {"headers": {"Origin": "x"}},
        {"token": "a b"}, {"base_path": "no/slash"},
    ],
)  # fmt: skip
def test_row_13_what_can_t_be_is_refused(client, body):
    answer = client.post(CONNECT, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_row_14_a_workflow_is_pending_at_once_and_its_faults_end_its_task(client, comfy):
    client.post(CONNECT, json={"port": comfy.port})
    answer = client.post(WORKFLOW, json={"workflow_definition": {"nodes": [], "connections": []}})
    data = answer.json()["data"]
    assert (answer.status_code, answer.json()["status"], data["status"], data["progress"]) == (
        200, "success", "pending", 0.0,
    )  # fmt: skip
    assert len(data["workflow_id"]) == len("workflow_") + 12
    task = ended(client, data["workflow_id"])
    assert (task["status"], task["error"]["details"]["reason"]) == ("failed", "workflow_invalid")


def test_row_15_without_a_server_a_workflow_is_refused(client):
    answer = client.post(WORKFLOW, json={"workflow_definition": picture()})
    assert (answer.status_code, answer.json()["error"]["code"], reason(answer)) == (
        502, "DEPENDENCY_ERROR", "comfyui_not_connected",
    )  # fmt: skip


def test_row_16_the_priority_is_looked_at_before_the_server(client):
    answer = client.post(WORKFLOW, json={"workflow_definition": picture(), "priority": "invalid"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(("body", "missing"), [({}, True), ({"workflow_definition": None}, True),
                                               ({"workflow_definition": "x"}, False)])  # fmt: skip
def test_the_first_checks_are_missing_and_no_object(client, body, missing):
    error = client.post(WORKFLOW, json={**body, "priority": "invalid"}).json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert (error["details"].get("missing_fields") == ["workflow_definition"]) is missing


def test_row_25_a_workflow_id_is_good_for_the_status_of_its_task(client, comfy, tmp_path):
    client.post(CONNECT, json={"port": comfy.port})
    data = client.post(WORKFLOW, json={"workflow_definition": picture(), "metadata": {"take": 3}}).json()["data"]
    task = ended(client, data["workflow_id"])
    assert (task["task_id"], task["kind"], task["status"], task["progress"], task["priority"]) == (
        data["workflow_id"], "storycore.integration.comfyui.workflow", "completed", 1.0, "NORMAL",
    )  # fmt: skip
    result = task["result"]
    assert (result["outcome"], result["metadata"], len(result["output_paths"])) == ("completed", {"take": 3}, 1)
    assert result["output_paths"][0].startswith(str(tmp_path / "generated"))


def test_who_waits_gets_the_result(client, comfy):
    client.post(CONNECT, json={"port": comfy.port})
    answer = client.post(WORKFLOW, json={"workflow_definition": picture()}, headers={"Prefer": "wait=60"})
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "completed")


def test_a_workflow_that_is_cancelled_stops_at_the_server_too(client, comfy):
    client.post(CONNECT, json={"port": comfy.port})
    data = client.post(WORKFLOW, json={"workflow_definition": picture(steps=500)}).json()["data"]
    until(lambda: comfy.do(lambda: comfy.server.running is not None))
    client.post("/v1/storycore.task.cancel", json={"task_id": data["workflow_id"]})
    assert ended(client, data["workflow_id"])["status"] == "cancelled"
    assert comfy.do(lambda: comfy.server.running) is None


def test_callers_over_the_network_reach_this_machine_only(client, monkeypatch):
    for host in ("10.1.2.3", "169.254.169.254", "192.168.1.1", "[::ffff:10.0.0.1]"):
        answer = client.post(CONNECT, json={"host": host, "timeout_seconds": 2})
        assert (host, answer.status_code, reason(answer)) == (host, 403, "address_forbidden")


def test_servers_are_listed_drained_and_forgotten(client, comfy):
    backend_id = client.post(CONNECT, json={"port": comfy.port}).json()["data"]["backend_id"]
    again = client.post(CONNECT, json={"port": comfy.port}).json()["data"]["backend_id"]
    listed = client.get(BACKENDS).json()["data"]["items"]
    assert (again, [(it["backend_id"], it["status"], it["server_version"]) for it in listed]) == (
        backend_id, [(backend_id, "up", "0.33.0")],
    )  # fmt: skip
    client.post(DISCONNECT, json={"backend_id": backend_id, "drain": True})
    assert client.get(BACKENDS).json()["data"]["items"][0]["status"] == "draining"
    client.post(DISCONNECT, json={"backend_id": backend_id})
    assert client.get(BACKENDS).json()["data"]["items"] == []
    assert reason(client.post(DISCONNECT, json={"backend_id": backend_id})) == "backend_not_found"


def test_a_token_is_sent_and_never_told(client, comfy):
    comfy.faults.token = "open-sesame"
    refused = client.post(CONNECT, json={"port": comfy.port}).json()["data"]
    assert (refused["connected"], "token" in refused["error_message"]) == (False, True)
    for body in ({"token": "open-sesame"}, {"token": "open-sesame", "token_in_query": True}):
        assert client.post(CONNECT, json={"port": comfy.port, **body}).json()["data"]["connected"] is True
        answer = client.post(WORKFLOW, json={"workflow_definition": picture()}, headers={"Prefer": "wait=60"})
        assert answer.json()["data"]["status"] == "completed"
    told = client.get(BACKENDS).text + client.get("/v1/storycore.task.list").text + answer.text
    assert "open-sesame" not in told


def test_the_routes_of_comfy_cloud_are_the_same_under_api(core, comfy):
    """Against the scripted server alone: nothing here was tried on the live service."""
    comfy.faults.token, comfy.faults.signed_views = "cloud-key", True
    told = core.run(ConnectRequest(host="127.0.0.1", port=comfy.port, kind="cloud", token="cloud-key"))
    comfy.server.log.clear()
    result = core.run(WorkflowRequest(workflow_definition=picture()))
    assert (told.connected, result.outcome) == (True, "completed")
    assert {line.split()[1].split("/")[1] for line in comfy.server.log} <= {"api", "ws", "signed"}


def test_pictures_for_a_shot_are_its_takes_and_one_is_picked(core, film):
    results = [
        core.run(WorkflowRequest(workflow_definition=picture(color=number), project_path=str(film), shot_id="shot_01"))
        for number in (1, 2)
    ]
    takes = core.run(PickRequest(project_path=str(film), shot_id="shot_01")).takes
    assert [film / take.path for take in takes] == [film / it.output_paths[0] for it in results]
    assert shown(core, film) == takes[1].path
    picked = core.run(PickRequest(project_path=str(film), shot_id="shot_01", take_id=takes[0].take_id))
    assert (picked.picked, shown(core, film)) == (takes[0].take_id, takes[0].path)
    with pytest.raises(StoryCoreError, match="has no take") as told:
        core.run(PickRequest(project_path=str(film), shot_id="shot_01", take_id="nope"))
    assert told.value.details["takes"] == [take.take_id for take in takes]


def test_what_is_only_shown_on_the_way_is_no_take_unless_nothing_is_saved(core, film):
    preview = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    both, alone = {**picture(), "9": preview}, {"1": picture()["1"], "9": preview}
    results = [
        core.run(WorkflowRequest(workflow_definition=graph, project_path=str(film), shot_id="shot_01"))
        for graph in (both, alone)
    ]
    takes = core.run(PickRequest(project_path=str(film), shot_id="shot_01")).takes
    assert [len(it.output_paths) for it in results] == [2, 1]
    assert [film / take.path for take in takes] == [film / it.output_paths[0] for it in results]


def shown(core, film):
    return core.run(InspectRequest(project_path=str(film))).shots[0].media


def test_a_sidecar_says_how_a_file_came(core, film):
    graph = ask("a {{colour}} car")
    result = core.run(WorkflowRequest(workflow_definition=graph, input_parameters={"colour": "red", "5.seed": 42},
                                      project_path=str(film), shot_id="shot_02"))  # fmt: skip
    sidecar = json.loads(Path(result.output_paths[0] + ".storycore.json").read_text(encoding="utf-8"))
    assert (sidecar["shot_id"], sidecar["seeds"], sidecar["parameters"]) == (
        "shot_02", {"5.seed": 42}, {"colour": "red", "5.seed": 42},
    )  # fmt: skip
    assert sidecar["graph"]["4"]["inputs"]["text"] == "a red car"
    assert f"sha256:{sidecar['file']['sha256']}" == result.outputs[0].checksum
    assert sidecar["backend"]["version"] == "0.33.0"


def test_every_kind_of_output_comes_home(core):
    odd = {"result": ["thing.glb", None], "write": ["thing.glb", "odd.bin"], "strange": [{"filename": "odd.bin"}]}
    graph = {
        "1": picture()["1"],
        "2": {"class_type": "EmptyAudio", "inputs": {"duration": 0.1}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}},
        "4": {"class_type": "SaveVideo", "inputs": {"video": ["1", 0], "filename_prefix": "b"}},
        "5": {"class_type": "SaveAudio", "inputs": {"audio": ["2", 0], "filename_prefix": "c"}},
        "6": {"class_type": "SaveText", "inputs": {"text": "words", "filename_prefix": "d"}},
        "7": {"class_type": "PreviewAny", "inputs": {"source": "only told"}},
        "8": {"class_type": "LabOut", "inputs": {"image": ["1", 0], "told": json.dumps(odd)}},
    }  # fmt: skip
    result = core.run(WorkflowRequest(workflow_definition=graph))
    assert sorted(it.kind for it in result.outputs) == ["audio", "file", "image", "model", "text", "text", "video"]


def test_a_batch_makes_a_take_of_every_shot(core, film):
    told = []
    result = core.run(
        BatchRequest(workflow_definition=ask(), project_path=str(film), seed=100),
        progress=lambda report: told.append(report.fraction),
    )
    assert [(it.shot_id, it.status, it.seed) for it in result.items] == [
        ("shot_01", "completed", 100), ("shot_02", "completed", 101), ("shot_03", "completed", 102),
    ]  # fmt: skip
    assert [it.parameters["prompt"] for it in result.items] == [f"shot {n}, warm light" for n in (1, 2, 3)]
    assert (told == sorted(told), told[-1]) == (True, 1.0)
    with pytest.raises(StoryCoreError, match="no rows"):
        core.run(BatchRequest(workflow_definition=ask(), project_path=str(film), missing=True))


def test_a_shot_fills_in_what_it_knows(core, film):
    graph = ask("{{title}} in {{duration_seconds}} seconds")
    graph["3"]["inputs"]["filename_prefix"] = "{{shot_id}}"
    result = core.run(BatchRequest(workflow_definition=graph, project_path=str(film), shots=["shot_02"]))
    assert result.items[0].parameters == {"title": "Shot 2", "duration_seconds": 2.0, "shot_id": "shot_02"}
    assert Path(result.items[0].output_paths[0]).name.startswith("shot_02")


@pytest.mark.parametrize("saved_by_page", [True, False])
def test_each_row_has_its_seed_whatever_format_the_workflow_is_in(core, comfy, saved_by_page):
    definition = SAVED_BY_PAGE if saved_by_page else ask()
    rows = [{"prompt": "a car"}, {"prompt": "a house"}, {"prompt": "a tree", "5.seed": 7}]
    result = core.run(BatchRequest(workflow_definition=definition, rows=rows, seed=100))
    assert [(it.status, it.seed) for it in result.items] == [("completed", 100), ("completed", 101), ("completed", 102)]
    sidecars = [json.loads(Path(f"{it.output_paths[0]}.storycore.json").read_text()) for it in result.items]
    assert [it["seeds"] for it in sidecars] == [{"5.seed": 100}, {"5.seed": 101}, {"5.seed": 7}]
    assert {post["prompt"]["5"]["inputs"]["seed"] for post in comfy.server.posts} == {100, 101, 7}


def test_cells_are_what_the_inputs_take_that_they_go_to(core, comfy, tmp_path):
    table, written = tmp_path / "prompts.csv", ["1984", "true", "007", "1_000", "1" + "0" * 400, "a, b", "1e999"]
    table.write_text("prompt,5.seed\n" + "".join(f'"{text}",7\n' for text in written), encoding="utf-8")
    result = core.run(BatchRequest(workflow_definition=ask(), csv_path=str(table)))
    assert [(it.status, it.parameters) for it in result.items] == [
        ("completed", {"prompt": text, "5.seed": "7"}) for text in written
    ]
    sent = {json.dumps(post["prompt"]) for post in comfy.server.posts}
    assert all(any(json.dumps(text) in it and '"seed": 7' in it for it in sent) for text in written)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_is_read_as_programs_of_every_country_save_it(core, tmp_path, mark):
    table = tmp_path / "prompts.csv"
    table.write_text(f'prompt{mark}5.seed\n"a car, red; fast"{mark}7\n', encoding="utf-8-sig")
    result = core.run(BatchRequest(workflow_definition=ask(), csv_path=str(table)))
    assert [it.parameters for it in result.items] == [{"prompt": "a car, red; fast", "5.seed": "7"}]


@pytest.mark.parametrize("text", [b'prompt,5.seed\n"a car,7\na house,8\n', b"prompt,5.seed\ncaf\xe9,7\n"])
def test_a_table_that_would_lose_rows_or_letters_is_refused(core, comfy, tmp_path, text):
    table = tmp_path / "prompts.csv"
    table.write_bytes(text)
    with pytest.raises(StoryCoreError, match="can't be read as a table") as told:
        core.run(BatchRequest(workflow_definition=ask(), csv_path=str(table)))
    assert ("UTF-8" in told.value.remediation, comfy.server.posts) == (True, [])


def test_rows_that_name_shots_need_the_project_that_has_them(core, comfy, tmp_path):
    table = tmp_path / "prompts.csv"
    table.write_text("shot_id,1.color\nshot_01,5\n", encoding="utf-8")
    with pytest.raises(StoryCoreError, match="name shots") as told:
        core.run(BatchRequest(workflow_definition=picture(), csv_path=str(table)))
    assert (told.value.reason, told.value.details["missing_fields"]) == ("missing_field", ["project_path"])
    assert comfy.server.posts == []


def test_a_prompt_of_many_lines_can_stand_in_a_file_name(core, comfy):
    graph = ask()
    graph["3"]["inputs"]["filename_prefix"] = "shot/{{prompt}}"
    result = core.run(WorkflowRequest(workflow_definition=graph, input_parameters={"prompt": "a car\nat night" * 50}))
    sent = comfy.server.posts[0]["prompt"]["3"]["inputs"]["filename_prefix"]
    assert (result.outcome, sent.endswith("shot/" + ("a car at night" * 50)[:160])) == ("completed", True)


def test_what_failed_in_a_batch_is_run_again_alone(core, comfy, tmp_path):
    table = tmp_path / "prompts.csv"
    table.write_text('prompt,5.seed\n"a car, red",7\na house,wrong\na tree,9\n', encoding="utf-8")
    first = core.run(BatchRequest(workflow_definition=ask(), csv_path=str(table)))
    assert [(it.status, it.parameters["5.seed"]) for it in first.items] == [
        ("completed", "7"), ("failed", "wrong"), ("completed", "9"),
    ]  # fmt: skip
    table.write_text('prompt,5.seed\n"a car, red",7\na house,8\na tree,9\n', encoding="utf-8")
    again = core.run(BatchRequest(workflow_definition=ask(), csv_path=str(table), again=first.task_id))
    assert [(it.row, it.status) for it in again.items] == [(2, "completed")]
    assert len(comfy.server.executed) == 3


def test_a_clip_is_made_from_the_picture_of_its_shot(core, film, comfy):
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
        "4": {"class_type": "SaveVideo", "inputs": {"video": ["1", 0], "filename_prefix": "clip"}},
    }
    result = core.run(GenerateVideoRequest(project_path=str(film), shot_id="shot_01", workflow_definition=graph))
    own = (film / "assets/images/promoted/panel_01_promoted.png").read_bytes()
    assert [path.read_bytes() for path in (comfy.server.folder / "input/storycore").iterdir()] == [own]
    assert (result.result_path.endswith(".mp4"), result.task_id) == (True, result.workflow_id)
    status = core.run(GetStatusRequest(task_id=result.task_id))
    assert (status.status, status.shot_id, status.result_path) == ("completed", "shot_01", result.result_path)
    assert shown(core, film).endswith(".mp4")


def test_a_clip_begins_with_the_picture_that_was_sent(core, film, comfy):
    own = (film / "assets/images/promoted/panel_02_promoted.png").read_bytes()
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "{{reference_image}}"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
        "4": {"class_type": "SaveVideo", "inputs": {"video": ["1", 0], "filename_prefix": "clip"}},
    }
    request = GenerateVideoRequest(
        project_path=str(film), shot_id="shot_01", workflow_definition=graph,
        reference_image=base64.b64encode(own).decode(),
    )  # fmt: skip
    core.run(request)
    assert [path.read_bytes() for path in (comfy.server.folder / "input/storycore").iterdir()] == [own]
    with pytest.raises(StoryCoreError, match="no picture"):
        core.run(request.model_copy(update={"reference_image": "bm8gcGljdHVyZQ=="}))


def test_only_files_that_parameters_name_are_sent(core, comfy, tmp_path):
    """A workflow of a stranger does not get to name files of this machine."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"mine")
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": str(secret)}}, "3": picture()["3"]}
    with pytest.raises(StoryCoreError) as told:
        core.run(WorkflowRequest(workflow_definition=graph))
    assert told.value.reason == "comfyui_rejected"
    assert not (comfy.server.folder / "input/storycore").exists()
    result = core.run(WorkflowRequest(workflow_definition=graph, input_parameters={"1.image": str(secret)}))
    assert result.outcome == "completed"


def test_a_failed_workflow_says_which_node_and_keeps_what_was_made(core):
    graph = picture()
    graph["4"] = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "first"}}
    graph["9"] = {"class_type": "LabFail", "inputs": {"image": ["1", 0], "kind": "error"}}
    graph["z"] = {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": "never"}}
    with pytest.raises(StoryCoreError, match="Node 9") as told:
        core.run(WorkflowRequest(workflow_definition=graph))
    details = told.value.details
    assert (told.value.reason, details["class"], details["node"], len(details["output_paths"])) == (
        "comfyui_failed", "node_error", "9", 2,
    )  # fmt: skip


def test_high_goes_before_normal_before_low(client, comfy):
    client.post(CONNECT, json={"port": comfy.port})
    blockers = [
        client.post(WORKFLOW, json={"workflow_definition": picture(color=n, steps=8, seconds=0.2)}).json()["data"]
        for n in (1, 2)
    ]
    until(lambda: comfy.do(lambda: len(comfy.server.posts)) == 2)
    ids = {}
    for number, priority in enumerate(("low", "normal", "high", "low", "high"), 10):
        body = {"workflow_definition": picture(color=number), "priority": priority, "workflow_name": str(number)}
        ids[client.post(WORKFLOW, json=body).json()["data"]["workflow_id"]] = number
    for task_id in (*(it["workflow_id"] for it in blockers), *ids):
        assert ended(client, task_id)["status"] == "completed"
    order = comfy.do(lambda: [post["prompt"]["1"]["inputs"]["color"] for post in comfy.server.posts])
    assert (sorted(order[:2]), order[2:]) == ([1, 2], [12, 14, 11, 10, 13])  # two begin at the same time
    assert comfy.server.max_waiting <= 2


def test_one_task_more_than_there_are_places_is_made_ready_and_the_rest_stay_in_our_order(client, comfy):
    client.post(CONNECT, json={"port": comfy.port})
    for color in range(5):
        client.post(WORKFLOW, json={"workflow_definition": picture(color=color, steps=9_999)})

    def standing():
        items = client.get("/v1/storycore.task.list").json()["data"]["items"]
        return sorted(it["status"] for it in items), len(comfy.server.posts)

    wanted = ["pending"] * 2 + ["running"] * 3, 2
    until(standing, lambda it: it == wanted)
    assert standing() == wanted


def test_on_the_command_line_from_storyboard_to_shots(film, comfy):
    graph = write_json(film.parent / "shot.json", ask())
    connected = storycore("comfyui", "connect", "127.0.0.1", "--port", str(comfy.port), cwd=film.parent)
    made = storycore("comfyui", "batch", graph.name, "--project", film.name, "--json", cwd=film.parent)
    assert (connected.returncode, made.returncode) == (0, 0), made.stderr
    assert json.loads(made.stdout)["data"]["completed"] == 3
    assert "row 1" in made.stderr
    picked = storycore("project", "pick", film.name, "shot_01", "--json", cwd=film.parent)
    assert len(json.loads(picked.stdout)["data"]["takes"]) == 1


def test_off_a_terminal_a_batch_tells_a_line_for_each_row(tmp_path, comfy):
    (tmp_path / "shot.json").write_text(json.dumps(picture()))
    (tmp_path / "rows.csv").write_text("1.color\n5\n6\nred\n")
    storycore("comfyui", "connect", "127.0.0.1", "--port", str(comfy.port), cwd=tmp_path)
    done = storycore("comfyui", "batch", "shot.json", "--csv", "rows.csv", cwd=tmp_path)
    rows = sorted(line for line in done.stderr.splitlines() if line.startswith("row "))
    assert [" ".join(line.split()[:3]) for line in rows] == ["row 1 done,", "row 2 done,", "row 3 failed,"]


def test_on_the_command_line_what_failed_in_a_batch_is_run_again_by_the_words_that_it_told(tmp_path, comfy):
    storycore("comfyui", "connect", "127.0.0.1", "--port", str(comfy.port), cwd=tmp_path)
    workflow, rows = write_json(tmp_path / "shot.json", picture()), tmp_path / "rows.csv"
    rows.write_text("1.color\nred\n3\n", encoding="utf-8")
    first = storycore("comfyui", "batch", workflow, "--csv", rows, cwd=tmp_path)
    assert (first.returncode, "--again task_" in first.stdout) == (1, True)
    rows.write_text("1.color\n2\n3\n", encoding="utf-8")
    line = first.stdout.partition("Next: ")[2].splitlines()[0]
    again = subprocess.run(shlex.split(line), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (again.returncode, "1 made, 0 failed" in again.stdout) == (0, True), again.stderr


def test_on_the_command_line_a_clip_is_made_by_the_workflow_in_a_file(core, film, tmp_path):
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
        "4": {"class_type": "SaveVideo", "inputs": {"video": ["1", 0], "filename_prefix": "clip"}},
    }
    workflow = write_json(tmp_path / "clip.json", graph)
    made = storycore("comfyui", "generate-video", film, "shot_01", "--workflow", workflow, "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    assert json.loads(made.stdout)["data"]["result_path"].endswith(".mp4")


def test_a_picture_that_comfyui_made_is_a_workflow_too(core, film, tmp_path):
    result = core.run(WorkflowRequest(workflow_definition=picture(color=77)))
    again = storycore("comfyui", "workflow", result.output_paths[0], "-q", "--json", cwd=tmp_path)
    assert json.loads(again.stdout)["data"]["outcome"] == "completed", again.stderr


def test_what_is_urgent_does_not_wait_for_a_batch(client, comfy):
    client.post(CONNECT, json={"port": comfy.port})
    slow = {**picture(steps=4, seconds=0.1), "1": {**picture()["1"], "inputs": {
        **picture()["1"]["inputs"], "color": "{{colour}}"}}}  # fmt: skip
    rows = [{"colour": number} for number in range(20)]
    body = {"workflow_definition": slow, "rows": rows, "project_path": None}
    batch = client.post("/v1/storycore.integration.comfyui.batch", json=body, headers={"Prefer": "wait=0"})
    until(lambda: comfy.do(lambda: len(comfy.server.posts)) >= 2)
    urgent = client.post(WORKFLOW, json={"workflow_definition": picture(color=99), "priority": "high"}).json()["data"]
    assert ended(client, urgent["workflow_id"])["status"] == "completed"
    assert comfy.do(lambda: len(comfy.server.posts)) < 21
    assert ended(client, batch.json()["data"]["task_id"])["result"]["completed"] == 20


def test_a_workflow_is_checked_against_the_connected_server(core, comfy):
    graph = picture()
    graph["6"] = {"class_type": "NoSuchNode", "inputs": {}}
    told = core.run(CheckRequest(workflow_definition=graph))
    assert (told.valid, told.missing_nodes) == (False, ["NoSuchNode"])
    graph["6"]["class_type"] = "SaveImge"
    assert core.run(CheckRequest(workflow_definition=graph)).findings[0].suggestions[0] == "SaveImage"
    asked = comfy.server.log.count("GET /object_info")
    assert core.run(CheckRequest(workflow_definition=picture())).valid
    assert comfy.server.log.count("GET /object_info") == asked  # all only where something is missing


def test_what_is_generated_is_counted_and_servers_are_told(client, comfy):
    client.post(CONNECT, json={"port": comfy.port})
    client.post(WORKFLOW, json={"workflow_definition": picture()}, headers={"Prefer": "wait=60"})
    client.post(WORKFLOW, json={"workflow_definition": picture(fail="error")}, headers={"Prefer": "wait=60"})
    told = client.get("/metrics").text
    for line in (
        'storycore_comfyui_runs_total{outcome="completed"} 1.0',
        'storycore_comfyui_runs_total{outcome="failed"} 1.0',
        f'storycore_comfyui_up{{backend="localhost:{comfy.port}"}} 1.0',
        f'storycore_comfyui_queue{{backend="localhost:{comfy.port}",state="ours"}} 0.0',
        "storycore_comfyui_run_duration_seconds_count 2.0",
    ):
        assert line in told


def test_each_thing_that_was_made_is_told_as_an_event(core, film):
    graph = {**picture(), "4": {"class_type": "SaveVideo", "inputs": {"video": ["1", 0], "filename_prefix": "b"}}}
    result = core.run(WorkflowRequest(workflow_definition=graph, project_path=str(film), shot_id="shot_01"))
    core.run(BatchRequest(workflow_definition=ask(), project_path=str(film), shots=["shot_02"]))
    told = [(it.event_type, it.data) for it in core.run(EventListRequest()).items]
    assert [(kind, data["shot_id"]) for kind, data in told] == [
        ("image.generated", "shot_01"), ("video.rendered", "shot_01"), ("image.generated", "shot_02"),
    ]  # fmt: skip
    assert [data["output"]["checksum"] for _, data in told[:2]] == [it.checksum for it in result.outputs]
    assert told[0][1]["workflow_id"] == result.workflow_id


def test_what_a_server_lets_us_in_by_is_sealed_in_the_database(core, comfy):
    comfy.faults.token = "open-sesame"
    core.run(ConnectRequest(host="127.0.0.1", port=comfy.port, token="open-sesame", headers={"X-Room": "hidden-room"}))
    path = Path(core._app.database.url.removeprefix("sqlite:///"))
    held = b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))
    assert (b"open-sesame" in held, b"hidden-room" in held) == (False, False)
    assert core.run(WorkflowRequest(workflow_definition=picture())).outcome == "completed"


@pytest.fixture
def tls(tmp_path):
    """A context for a server called localhost, and the file of the certificate that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    instant = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(instant - timedelta(1)).not_valid_after(instant + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain = tmp_path / "chain.pem"
    chain.write_bytes(key.private_bytes(*plain) + made.public_bytes(serialization.Encoding.PEM))
    vouches = tmp_path / "lab.pem"
    vouches.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, vouches


def test_tls_is_checked_unless_a_person_says_otherwise(tls, tmp_path, monkeypatch):
    monkeypatch.setenv("STORYCORE_GENERATED_FOLDER", str(tmp_path / "generated"))
    context, vouches = tls
    with ScriptedComfyUI(tmp_path / "comfy", context) as comfy, StoryCore() as sc:
        unknown = sc.run(ConnectRequest(port=comfy.port, tls=True))
        named = sc.run(ConnectRequest(port=comfy.port, tls=True, ca_file=str(vouches)))
        other_name = sc.run(ConnectRequest(host="127.0.0.1", port=comfy.port, tls=True, ca_file=str(vouches)))
        waved = sc.run(ConnectRequest(host="127.0.0.1", port=comfy.port, tls=True, verify_ssl=False))
        assert [it.connected for it in (unknown, named, other_name, waved)] == [False, True, False, True]
        run = WorkflowRequest(workflow_definition=picture(steps=2))
        assert sc.run(run).outcome == "completed"  # HTTP and socket alike
        assert any(line.endswith("/ws") for line in comfy.server.log)


def test_no_socket_stays_open_behind_a_server_that_does_not_answer_a_farewell(tls, tmp_path, monkeypatch):
    monkeypatch.setenv("STORYCORE_GENERATED_FOLDER", str(tmp_path / "generated"))
    context, vouches = tls
    with ScriptedComfyUI(tmp_path / "comfy", context) as comfy:
        with StoryCore() as sc:
            sc.run(ConnectRequest(port=comfy.port, tls=True, ca_file=str(vouches)))
            assert sc.run(WorkflowRequest(workflow_definition=picture(steps=2))).outcome == "completed"
            closed = threading.Event()
            threading.Thread(target=comfy.do, args=(lambda: closed.wait(10),)).start()
        gc.collect()  # what was left open would be told now, which is an error
        closed.set()


def test_tls_where_there_is_none_and_a_stranger_s_certificate_are_told_in_words(tls, tmp_path, core, comfy):
    context, _ = tls
    plain = core.run(ConnectRequest(host="127.0.0.1", port=comfy.port, tls=True))
    with ScriptedComfyUI(tmp_path / "other", context) as other:
        stranger = core.run(ConnectRequest(port=other.port, tls=True))
    assert "does not speak TLS" in plain.error_message
    assert "certificate is not to be trusted" in stranger.error_message
    assert "_ssl" not in plain.error_message + stranger.error_message


def test_localhost_and_its_address_are_one_server(core, comfy):
    names = ("localhost", "127.0.0.1", "LocalHost")
    ids = [core.run(ConnectRequest(host=it, port=comfy.port)).backend_id for it in names]
    listed = core.run(BackendsRequest(look=False)).items
    assert [it.backend_id for it in listed if it.name.endswith(str(comfy.port))] == ids[:1]
    assert set(ids) == set(ids[:1])


def test_routes_may_stand_below_a_path(core, comfy):
    """As behind a proxy; here /api, under which the server has its routes a second time."""
    told = core.run(ConnectRequest(host="127.0.0.1", port=comfy.port, base_path="/api/"))
    assert (told.connected, all("/api/" in line for line in comfy.server.log[-4:])) == (True, True)


def test_a_server_that_sends_elsewhere_is_not_followed(core, comfy):
    comfy.faults.signed_views = True
    with pytest.raises(StoryCoreError) as told:
        core.run(WorkflowRequest(workflow_definition=picture(), timeout_seconds=5))
    assert told.value.reason == "comfyui_lost"
    assert not any("/signed" in line for line in comfy.server.log)
