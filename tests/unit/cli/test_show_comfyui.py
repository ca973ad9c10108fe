"""Converted and checked workflows on a terminal: in words, and safe to look at."""

import io
import json

from rich.console import Console

from storycore.cli.show_comfyui import show_check, show_convert
from storycore.operations.comfyui_graph import (
    CheckResult,
    ConvertedFile,
    ConvertResult,
    FindingEntry,
    GraphWarningEntry,
)

FILE = ConvertedFile(
    path="/flows/a.json", output_path="/graphs/a.json", output_size_bytes=9, checksum="sha256:" + "ab" * 32,
    source_format="ui", nodes=3, warnings=[], error=None,
)  # fmt: skip
ODD = GraphWarningEntry(node="3", input="text", reason="random_text", message="It has \x1b[31malternatives.")


def converted(*files, graph=None):
    good = sum(file.error is None for file in files)
    return ConvertResult(
        graph=graph, converted=good, skipped=0, failed=len(files) - good, files=list(files), conversion_time_ms=1.0
    )


def shown(result):
    stream = io.StringIO()
    show_convert(result, stream)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_a_graph_is_all_that_stands_on_the_standard_output(capsys):
    stream = io.StringIO()
    show_convert(converted(FILE.model_copy(update={"warnings": [ODD]}), graph={"1": {"inputs": {}}}), stream)
    assert json.loads(stream.getvalue()) == {"1": {"inputs": {}}}
    assert "node 3, text: It has \\x1b[31malternatives." in capsys.readouterr().err


def test_one_file_is_told_in_a_line():
    assert shown(converted(FILE)) == ["✓ Converted 3 nodes → /graphs/a.json"]


def test_a_folder_is_summed_up_with_what_failed_first():
    failed = FILE.model_copy(update={"output_path": "", "error": "no \x07 good", "path": "/flows/b.json"})
    odd = FILE.model_copy(update={"warnings": [ODD, ODD]})
    assert shown(converted(failed, odd, FILE)) == [
        "failed   b.json: no \\x07 good",
        "converted         2",
        "failed            1",
        "odd: random text  2",
        "in /graphs",
    ]


def checked(*findings):
    result = CheckResult(
        valid=not findings, source_format="ui", nodes=2, outputs=["2"], findings=list(findings), missing_nodes=[],
        missing_models=[], missing_files=[], warnings=[],
    )  # fmt: skip
    console = Console(file=io.StringIO(), width=80)
    show_check(result, console)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_workflow_that_can_run_is_told_in_a_line():
    assert checked() == ["✓ can run 2 nodes, 1 of them outputs"]


def test_what_stands_in_the_way_comes_with_what_to_do():
    finding = FindingEntry(
        node="1", title="Load", class_type="Model", input="name", reason="missing_model",
        message="Load (node 1) needs the model 'a' at name.", suggestions=["b", "c"],
        source_url="https://example.org/a", source_folder="vae",
    )  # fmt: skip
    assert checked(finding) == [
        "✗ can't run 1 thing · 2 nodes, 1 of them outputs",
        "✗ Load (node 1) needs the model 'a' at name.",
        "    did you mean b or c?",
        "    the workflow says: https://example.org/a into models/vae",
    ]
