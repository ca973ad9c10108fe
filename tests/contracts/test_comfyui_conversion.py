"""Real workflows, beside what ComfyUI's own page makes of them.

The workflows are those of the package comfyui-workflow-templates-json; the page's graphs and the answer of a real
server stand in the shared folder, and so does the tool that compares.
"""

import functools
import gzip
import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from storycore.comfyui.graph.check import check
from storycore.comfyui.graph.convert import convert

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
DATA = SHARED / "data/comfyui"
TOOL = SHARED / "tools/score_conversion.py"

pytestmark = [
    pytest.mark.skipif(
        not DATA.is_dir() or not TOOL.is_file(), reason="the page's graphs are not beside this checkout"
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("comfyui_workflow_templates_json") is None,
        reason="the package comfyui-workflow-templates-json is not installed",
    ),
]


@functools.cache
def packed(name):
    return json.loads(gzip.decompress((DATA / name).read_bytes()))


@functools.cache
def template(name):
    return json.loads((files("comfyui_workflow_templates_json") / "templates" / name).read_text(encoding="utf-8"))


@functools.cache
def converted(name):
    return convert(template(name), packed("object_info.json.gz"), by_name=False).graph


@pytest.fixture(scope="module")
def scorer():
    spec = importlib.util.spec_from_file_location("score_conversion", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Scorer(packed("object_info.json.gz"))


def test_at_least_96_in_100_are_the_same_as_the_page_s(tmp_path):
    for name in packed("frontend_graphs.json.gz"):
        (tmp_path / name).write_text(json.dumps(converted(name)), encoding="utf-8")
    run = subprocess.run([sys.executable, TOOL, tmp_path], capture_output=True, text=True, timeout=100)
    same, whole = map(int, re.search(r"same (\d+) of (\d+)", run.stdout).groups())
    assert same >= 0.96 * whole, run.stdout


def test_every_other_one_is_explained_in_the_docs(scorer):
    page = (ROOT / "docs/comfyui.md").read_text(encoding="utf-8")
    table = page[page.index("| workflow | what is different") :].split("\n\n")[0]
    explained = set(re.findall(r"^\| `([\w.-]+)` \|", table, re.MULTILINE))
    graphs = packed("frontend_graphs.json.gz")
    other = {name for name, graph in graphs.items() if scorer.signature(graph) != scorer.signature(converted(name))}
    assert {name.removesuffix(".json") for name in other} == explained


def test_no_graph_has_a_fault_that_the_page_s_graph_lacks():
    info = packed("object_info.json.gz")

    def faults(graph):
        return Counter((found.class_type, found.input, found.reason) for found in check(graph, info))

    graphs = packed("frontend_graphs.json.gz")
    worse = [name for name, graph in graphs.items() if faults(converted(name)) - faults(graph)]
    assert len(worse) <= 0.01 * len(graphs), worse


@pytest.mark.slow
def test_every_template_there_is_gives_a_graph():
    info = packed("object_info.json.gz")
    for path in (files("comfyui_workflow_templates_json") / "templates").iterdir():
        document = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(document, dict) and "nodes" in document:
            for by_name in (False, True):
                graph = convert(document, info, by_name=by_name).graph
                check(graph, info)
                assert graph


def test_the_sample_workflow_of_a_film_is_converted_and_lacks_only_what_the_server_lacks():
    document = json.loads((SHARED / "samples/shapes/comfyui_ui_workflow_flux2.json").read_text(encoding="utf-8"))
    info = packed("object_info.json.gz")
    reasons = {found.reason for found in check(convert(document, info).graph, info)}
    assert reasons <= {"missing_model", "missing_file"}
