"""How packages and plans look on a terminal."""

import io

from rich.console import Console

from storycore.cli.show_export import figures_of, show_package, show_plan
from storycore.operations.package import PackageResult
from storycore.operations.plan import PlanResult
from storycore.operations.request import WarningEntry

MISSING = WarningEntry(file="project.json", pointer="/shots/0/image", reason="media_missing", message="a is not there.")
ODD = WarningEntry(file="project.json", pointer="", reason="version_missing", message="No version.")


def shown(show, result) -> list[str]:
    """The lines on 80 columns."""
    out = io.StringIO()
    show(result, Console(file=out, width=80, highlight=False, markup=False, emoji=False))
    return out.getvalue().splitlines()


def plan(**facts) -> PlanResult:
    given = {
        "project_name": "Lamp", "shots": 1, "duration_seconds": 5.0, "files": [], "files_included": 0,
        "total_size_bytes": 0, "missing": ["a"], "warnings": [MISSING, ODD], "skipped": [], "renamed": {},
    }  # fmt: skip
    return PlanResult.model_construct(**(given | facts))


def test_the_next_command_stands_on_one_line_so_that_it_can_be_copied():
    path = "/films/a very long folder name/and another one in it/The Lamp on the Hill, second cut.zip"
    result = PackageResult.model_construct(
        export_path=path, package_size_bytes=5, files_included=6, export_time_ms=1.0, checksum="sha256:0",
        renamed={}, skipped=[], warnings=[],
    )  # fmt: skip
    assert shown(show_package, result)[-1].endswith(f"export verify '{path}'")


def test_a_missing_file_of_a_plan_is_told_once():
    lines = shown(show_plan, plan())
    assert [line for line in lines if line.startswith("!")] == ["! missing  a", "! odd      project.json: No version."]


def test_one_shot_is_no_shots():
    assert [shown(show_plan, plan(shots=number))[0] for number in (1, 2)] == [
        "Lamp · 1 shot · 5.0 s of film",
        "Lamp · 2 shots · 5.0 s of film",
    ]


def test_one_frame_is_one_frame():
    metrics = {"frames": {"value": 1, "unit": "frames"}, "duration": {"value": 1.0, "unit": "s"}}
    assert figures_of(metrics) == ["1 frame", "1 s"]
    edit = {"clips": {"value": 1, "unit": "clips"}, "transitions": {"value": 0, "unit": "transitions"}}
    assert figures_of(edit) == ["1 clip", "0 transitions"]
