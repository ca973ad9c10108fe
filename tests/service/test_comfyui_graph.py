"""storycore.integration.comfyui.convert and .check, by library, command line and HTTP."""

import gzip
import hashlib
import json
import os
import subprocess
import sys

import httpx
import pytest

from fixtures.projects import snapshot
from fixtures.servers import serving
from fixtures.workflows import info, node, subgraph, workflow
from storycore import CheckRequest, ConvertRequest, Settings, StoryCore
from storycore.errors import AccessDenied, Conflict, InvalidInput, NotFound, Reason

UI = workflow({1: node("Image", [64, 32]), 2: node("Save", ["shot"], {"images": (1, 0)})})
API = {
    "1": {"class_type": "Image", "inputs": {"width": 64, "height": 32}, "_meta": {"title": "Image"}},
    "2": {"class_type": "Save", "inputs": {"filename_prefix": "shot", "images": ["1", 0]}, "_meta": {"title": "Save"}},
}
LOOP = workflow({1: node("one")}, [subgraph("one", {1: node("two")}), subgraph("two", {1: node("one")})])
CONVERT, CHECK = "/v1/storycore.integration.comfyui.convert", "/v1/storycore.integration.comfyui.check"


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return str(path)


@pytest.fixture
def object_info(tmp_path):
    path = tmp_path / "object_info.json.gz"
    path.write_bytes(gzip.compress(json.dumps(info()).encode()))
    return str(path)


@pytest.fixture
def core():
    with StoryCore() as core:
        yield core


class TestConvert:
    def test_one_workflow_comes_back_as_a_graph(self, core, object_info, tmp_path):
        path = write(tmp_path / "shot.json", UI)
        result = core.run(ConvertRequest(workflow_path=path, object_info_path=object_info))
        assert result.graph == API
        assert (result.converted, result.files[0].source_format, result.files[0].nodes) == (1, "ui", 2)

    def test_a_graph_in_api_format_goes_through_unchanged(self, core, object_info):
        graph = {"9": {"class_type": "Whatever", "inputs": {"x": [1, 2, 3]}, "extra": None}}
        result = core.run(ConvertRequest(workflow_definition=graph, object_info_path=object_info))
        assert (result.graph, result.files[0].source_format) == (graph, "api")

    @pytest.mark.parametrize(("output", "name"), [("graphs", "shot.json"), ("graphs/mine.json", "mine.json")])
    def test_it_is_written_where_it_should_and_measured_there(self, core, object_info, tmp_path, output, name):
        path = write(tmp_path / "shot.json", UI)
        target = str(tmp_path / output)
        result = core.run(ConvertRequest(workflow_path=path, object_info_path=object_info, output_path=target))
        written = tmp_path / "graphs" / name
        content = written.read_bytes()
        entry = result.files[0]
        assert (json.loads(content), result.graph, entry.output_path) == (API, None, str(written))
        assert entry.output_size_bytes == len(content)
        assert entry.checksum == "sha256:" + hashlib.sha256(content).hexdigest()
        assert [made.path for made in result.artifacts()] == [str(written)]

    def test_a_folder_is_converted_file_by_file_and_faults_stop_nothing(self, core, object_info, tmp_path):
        flows = tmp_path / "flows"
        write(flows / "a.json", UI)
        write(flows / "b.json", API)
        write(flows / "index.json", [{"title": "no workflow"}])
        write(flows / "loop.json", LOOP)
        (flows / "broken.json").write_text("{", encoding="utf-8")
        (flows / "notes.txt").write_text("hello", encoding="utf-8")
        out = tmp_path / "out"
        request = ConvertRequest(workflow_path=str(flows), object_info_path=object_info, output_path=str(out))
        result = core.run(request)
        assert (result.converted, result.skipped, result.failed, result.verdict) == (2, 2, 1, False)
        assert sorted(path.name for path in out.iterdir()) == ["a.json", "b.json"]
        assert {os.path.basename(file.path): file.error for file in result.files}["loop.json"] == (  # noqa: PTH119
            "The subgraph 'one' holds itself."
        )

    def test_nothing_is_replaced_and_nothing_is_written_beside_it(self, core, object_info, tmp_path):
        write(tmp_path / "flows/a.json", UI)
        write(tmp_path / "flows/b.json", UI)
        write(tmp_path / "out/b.json", {"mine": True})
        before = snapshot(tmp_path)
        out = str(tmp_path / "out")
        request = ConvertRequest(workflow_path=str(tmp_path / "flows"), object_info_path=object_info, output_path=out)
        with pytest.raises(Conflict) as told:
            core.run(request)
        assert told.value.reason is Reason.OUTPUT_EXISTS
        assert snapshot(tmp_path) == before

    def test_a_folder_needs_a_place_to_go_to(self, core, object_info, tmp_path):
        write(tmp_path / "flows/a.json", UI)
        with pytest.raises(InvalidInput) as told:
            core.run(ConvertRequest(workflow_path=str(tmp_path / "flows"), object_info_path=object_info))
        assert told.value.reason is Reason.MISSING_FIELD

    def test_an_empty_folder_is_told(self, core, object_info, tmp_path):
        (tmp_path / "flows").mkdir()
        request = ConvertRequest(workflow_path=str(tmp_path / "flows"), object_info_path=object_info, output_path="x")
        with pytest.raises(NotFound):
            core.run(request)

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ({}, Reason.MISSING_FIELD),
            ({"workflow_path": "x.json", "workflow_definition": API}, Reason.UNKNOWN_VALUE),
            ({"workflow_definition": {"nodes": 1}}, Reason.WORKFLOW_INVALID),
            ({"workflow_definition": LOOP}, Reason.WORKFLOW_INVALID),
        ],
    )
    def test_what_is_no_workflow_is_refused(self, core, object_info, given, reason):
        with pytest.raises(InvalidInput) as told:
            core.run(ConvertRequest(object_info_path=object_info, **given))
        assert told.value.reason is reason

    def test_roots_bound_what_is_read_and_written(self, tmp_path, object_info):
        root = tmp_path / "root"
        write(root / "shot.json", UI)
        write(root / "info.json", info())
        outside = write(tmp_path / "shot.json", UI)
        with StoryCore(Settings.read(roots=(root,))) as core:
            for given in (
                {"workflow_path": outside, "object_info_path": str(root / "info.json")},
                {"workflow_path": str(root / "shot.json"), "object_info_path": object_info},
                {
                    "workflow_path": str(root / "shot.json"),
                    "object_info_path": str(root / "info.json"),
                    "output_path": str(root / "mine"),
                },
            ):
                with pytest.raises(AccessDenied) as told:
                    core.run(ConvertRequest(**given))
                assert told.value.reason is Reason.PATH_OUTSIDE_ROOT
            out = str(root / "exports/graphs")
            inside = ConvertRequest(
                workflow_path=str(root / "shot.json"), object_info_path=str(root / "info.json"), output_path=out
            )
            assert core.run(inside).converted == 1


class TestCheck:
    def test_a_workflow_that_can_run_is_found_so(self, core, object_info):
        result = core.run(CheckRequest(workflow_definition=UI, object_info_path=object_info))
        assert (result.valid, result.verdict, result.outputs, result.findings) == (True, True, ["2"], [])

    def test_everything_missing_is_told_at_once_with_where_it_can_be_had(self, core, object_info):
        source = {"name": "new.safetensors", "url": "https://example.org/new.safetensors", "directory": "checkpoints"}
        nodes = {
            1: node("Model", ["new.safetensors"], properties={"models": [source]}),
            2: node("Sampler", [5000, "fixed", 20, "eular"], {"model": (1, 0)}),
            3: node("Save", ["x"], {"images": (2, 0)}),
            4: node("LoadImage", ["mine.png", "image"]),
            5: node("Save", ["y"], {"images": (4, 0)}),
            6: node("Nodee"),
        }
        result = core.run(CheckRequest(workflow_definition=workflow(nodes), object_info_path=object_info))
        assert [(it.node, it.input, it.reason, it.suggestions) for it in result.findings] == [
            ("6", "", "missing_class", []),
            ("1", "name", "missing_model", []),
            ("2", "seed", "out_of_range", []),
            ("2", "name", "value_not_listed", ["euler"]),
            ("4", "image", "missing_file", []),
        ]
        assert (result.missing_nodes, result.missing_models, result.missing_files) == (
            ["Nodee"], ["new.safetensors"], ["4.image"],
        )  # fmt: skip
        assert (result.findings[1].source_url, result.findings[1].source_folder) == (source["url"], "checkpoints")
        assert not result.verdict

    def test_parameters_are_filled_in_first(self, core, object_info):
        document = workflow({1: node("Image", [1, 1]), 2: node("Save", ["{{name}}"], {"images": (1, 0)})})
        given = {"workflow_definition": document, "object_info_path": object_info}
        assert core.run(CheckRequest(**given, input_parameters={"name": "shot", "1.width": 5})).valid
        with pytest.raises(InvalidInput) as told:
            core.run(CheckRequest(**given, input_parameters={"1.width": "wide"}))
        assert [fault.pointer for fault in told.value.errors] == [
            "/input_parameters/1.width", "/input_parameters/name",
        ]  # fmt: skip


def storycore(*words):
    command = [sys.executable, "-m", "storycore", "comfyui", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, encoding="utf-8")


class TestCommandLine:
    def test_the_graph_is_what_the_standard_output_holds(self, object_info, tmp_path):
        run = storycore("convert", write(tmp_path / "shot.json", UI), "--object-info", object_info)
        assert (run.returncode, json.loads(run.stdout)) == (0, API)

    def test_a_folder_ends_with_a_summary_and_1_if_anything_failed(self, object_info, tmp_path):
        write(tmp_path / "flows/a.json", UI)
        write(tmp_path / "flows/loop.json", LOOP)
        out = str(tmp_path / "out")
        run = storycore("convert", str(tmp_path / "flows"), "--object-info", object_info, "-o", out)
        assert run.returncode == 1
        assert [line.split() for line in run.stdout.splitlines()[-3:-1]] == [["converted", "1"], ["failed", "1"]]

    def test_a_check_says_what_is_wrong_in_words(self, object_info, tmp_path):
        document = workflow({1: node("Image", [1, 1]), 2: node("Save", ["x"], {"images": (9, 0)})})
        document["nodes"].append({**document["nodes"][1], "id": 3, "inputs": []})
        run = storycore("check", write(tmp_path / "shot.json", document), "--object-info", object_info)
        assert run.returncode == 1
        assert "Save (node 3) needs an input 'images'." in run.stdout

    def test_parameters_are_given_one_by_one(self, object_info, tmp_path):
        path = write(tmp_path / "shot.json", UI)
        run = storycore("check", path, "--object-info", object_info, "-p", "1.width=9999", "--json")
        assert run.returncode == 2
        assert json.loads(run.stdout)["error"]["details"]["reason"] == "out_of_range"


class TestHttp:
    @pytest.fixture
    def client(self, films):
        write(films / "info.json", info())
        with serving(films) as url, httpx.Client(base_url=url, timeout=30) as client:
            yield client

    def test_a_workflow_is_sent_and_its_graph_comes_back(self, client):
        answer = client.post(CONVERT, json={"workflow_definition": UI, "object_info_path": "info.json"})
        assert (answer.status_code, answer.json()["data"]["graph"]) == (200, API)

    def test_workflows_may_be_larger_than_other_bodies(self, client):
        large = {**UI, "extra": {"notes": "x" * 2_000_000}}
        answer = client.post(CHECK, json={"workflow_definition": large, "object_info_path": "info.json"})
        assert answer.json()["data"]["valid"] is True
        other = client.post("/v1/storycore.export.plan", json={"project_path": "x" * 2_000_000})
        assert other.status_code == 413
        huge = {**UI, "extra": {"notes": "x" * (8 * 1024 * 1024)}}
        answer = client.post(CHECK, json={"workflow_definition": huge, "object_info_path": "info.json"})
        assert answer.status_code == 413

    def test_a_request_without_a_workflow_is_told(self, client):
        answer = client.post(CONVERT, json={"object_info_path": "info.json"})
        assert answer.json()["error"]["details"]["missing_fields"] == ["workflow_path"]
