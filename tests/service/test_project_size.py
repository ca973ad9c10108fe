"""Reading a project takes time in proportion to its size, whatever its shape."""

import gc
import time
from collections.abc import Callable
from typing import Any

import pytest

from fixtures.reading import read
from fixtures.shapes import write_project
from storycore.project.canonical import canonical

FEW, MANY = 1_000, 4_000
PROPORTION, SLACK = MANY / FEW, 3
"""Four times the work may take twelve times as long on a busy machine; were it quadratic, it would take sixteen."""


def _shot(number: int) -> dict[str, Any]:
    return {
        "id": f"s{number}", "scene_id": f"q{number}", "position": number, "duration": 2, "prompt": "x",
        "dialogue": [{"text": "x", "startTime": 1}], "audioTracks": [{"name": "a"}], "textLayers": [{"content": "x"}],
    }  # fmt: skip


def _interface(count: int) -> dict[str, Any]:
    every = range(count)
    phrases = [{"text": "x", "startTime": number} for number in every]
    scenes = [{"id": f"q{number}"} for number in every]
    people = [{"id": f"c{number}", "name": "x"} for number in every]
    shots = [_shot(number) for number in every]
    return {"project.json": {"shots": shots, "scenes": scenes, "characters": people, "audio_phrases": phrases}}


def _same_names(count: int) -> dict[str, Any]:
    same = [{"id": "a", "name": "a", "duration": 1} for _ in range(count)]
    return {"project.json": {"shots": same, "scenes": same, "characters": same, "audioTracks": same}}


def _same_takes(count: int) -> dict[str, Any]:
    takes = [{"path": "x.mp4", "status": "completed", "picked": True} for _ in range(count)]
    return {
        "project.json": {"shots": [{"id": "a", "duration": 1}] * count},
        "assets/generated/index.json": {"a": takes},
    }


def _same_in_other_lists(count: int) -> dict[str, Any]:
    one = [{"id": "a", "prompt": "x", "duration": 1}]
    return {"project.json": {"shots": one, "storyboard": one * count}, "storyboard.json": {"shots": one * count}}


def _video_editor(count: int) -> dict[str, Any]:
    clips = [{"id": f"c{number}", "startTime": number, "duration": 1, "mediaId": "m"} for number in range(count)]
    texts = [{"id": f"t{number}", "startTime": number, "duration": 1, "text": "x"} for number in range(count)]
    names = [clip["id"] for clip in clips]
    tracks = [
        {"type": "video", "clips": names},
        {"type": "text", "clips": texts},
        *({"type": "audio", "clips": [{"name": "x", "startTime": number}]} for number in range(count)),
    ]
    return {"project.json": {"tracks": tracks, "clips": clips, "media": [{"id": "m", "path": "a.mp4"}]}}


def _wizard(count: int) -> dict[str, Any]:
    scenes = [{"id": f"q{number}", "durationMinutes": 1} for number in range(count)]
    shots = [{"id": f"s{number}", "sceneId": f"q{number}"} for number in range(count)]
    return {"project.json": {"project_metadata": {}, "scenes": scenes, "shots": shots}}


def _sequence_editor(count: int) -> dict[str, Any]:
    layers = [{"type": "audio", "data": {"name": "x"}}, {"type": "text", "data": {"text": "x"}}]
    shots = [{"id": f"s{n}", "startTime": 24 * n, "duration": 24, "layers": layers} for n in range(count)]
    return {"project.json": {"project": {}, "timeline": {"shots": shots}}}


def _assistant(count: int) -> dict[str, Any]:
    sequences = [{"id": f"x{number}", "scene_id": f"q{number}", "shots": [_shot(number)]} for number in range(count)]
    return {"project.json": {"sequences": sequences, "scenes": [{"id": f"q{number}"} for number in range(count)]}}


def _desktop(count: int) -> dict[str, Any]:
    files = {f"sequences/sequence_{n}.json": {"order": n, "shots": [_shot(n)]} for n in range(count)}
    return {"project.json": {"storycore_version": "1", "shots": []}, **files}


def _components(count: int) -> dict[str, Any]:
    lines = [{"text": "x", "timestamp": number} for number in range(count)]
    scenes = [{"id": f"q{number}", "dialogue_lines": [line]} for number, line in enumerate(lines)]
    return {
        "project.json": {"components": {"sequence_plan": "plan.json", "dialogue_script": "script.json"}},
        "plan.json": {"shots": [_shot(number) for number in range(count)]},
        "script.json": {"scenes": scenes},
    }


def _backend(count: int) -> dict[str, Any]:
    files = {f"shots/s{number}.json": _shot(number) for number in range(count)}
    return {"project.json": {"owner_id": "u", "shots": [f"s{number}" for number in range(count)]}, **files}


def _pipeline(count: int) -> dict[str, Any]:
    panels = [{"path": f"panel_{number}.png"} for number in range(count)]
    shots = [{"shot_id": f"s{number}", "shot_number": number, "duration": 1} for number in range(count)]
    return {
        "project.json": {"asset_manifest": {"panels": panels}, "shots_index": {}, "config": {}},
        "storyboard.json": {"shots": shots},
        "video_plan.json": {"video_entries": shots},
    }


def _template(count: int) -> dict[str, Any]:
    people = [{"name": f"c{number}"} for number in range(count)]
    return {"project.json": {"project": {"narrative": {"characters": people}}}}


def _scenario(count: int) -> dict[str, Any]:
    scenes = [{"id": number, "personnages": ["x"], "actions": ["x"]} for number in range(count)]
    return {"project.json": {"personnages": [{"id": n, "nom": "x"} for n in range(count)], "scenes": scenes}}


def _timeline(count: int) -> dict[str, Any]:
    cut = [{"type": "fade", "start_time": 0, "end_time": 0}]
    scenes = [
        {"id": f"q{number}", "start_time": number, "end_time": number + 1, "elements": {"audio": [{"name": "x"}]},
         "transitions": cut, "dialogue": [{"text": "x", "start_time": number}]}
        for number in range(count)
    ]  # fmt: skip
    return {"project.json": {"scenes": scenes}}


SHAPES = {
    "interface": _interface,
    "same names": _same_names,
    "same takes": _same_takes,
    "same in other lists": _same_in_other_lists,
    "video editor": _video_editor,
    "wizard": _wizard,
    "sequence editor": _sequence_editor,
    "assistant": _assistant,
    "desktop": _desktop,
    "components": _components,
    "backend": _backend,
    "pipeline": _pipeline,
    "template": _template,
    "scenario": _scenario,
    "timeline": _timeline,
}


def _work(folder: Any) -> float:
    """Seconds of processor; the least of three, since what else a machine does only adds."""
    return min(_once(folder) for _ in range(3))


def _once(folder: Any) -> float:
    gc.collect()
    begin = time.process_time()
    canonical(read(folder))
    return time.process_time() - begin


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_project_four_times_as_large_takes_about_four_times_as_long(
    shape: str, tmp_path: Any, record_property: Callable[[str, object], None]
) -> None:
    few = write_project(tmp_path / "few", SHAPES[shape](FEW))
    many = write_project(tmp_path / "many", SHAPES[shape](MANY))
    ratio = _work(many) / _work(few)
    record_property("ratio", ratio)
    assert ratio < PROPORTION * SLACK
