import json

import pytest

from storycore.comfyui.fetched import measure
from storycore.comfyui.home import at_home
from storycore.project.lookup import SIDECAR

RUN, PROMPT = "workflow_0123456789ab", "8d6d54f6-6d7b-4a07-9f5e-0f8f7a7d9d11"


def home(folder, **files):
    """A folder as a run leaves it."""
    folder.mkdir()
    for name, data in files.items():
        path = folder / f"{name}.txt"
        path.write_bytes(data)
        item = measure(path, path, "3", f"out/{name}.txt", is_kept=name != "shown")
        file = {"size_bytes": item.size_bytes, "sha256": item.sha256, "node": item.node, "remote": item.remote}
        told = {"workflow_id": RUN, "prompt_id": PROMPT, "file": {**file, "is_kept": item.is_kept}}
        path.with_name(path.name + SIDECAR).write_text(json.dumps(told))
    return folder


def test_what_stands_whole_is_measured_and_need_not_be_fetched(tmp_path):
    folder = home(tmp_path / RUN, shown=b"on the way", kept=b"kept")
    found = at_home(folder, RUN, PROMPT)
    assert [(it.path.name, it.is_kept, it.remote) for it in found] == [
        ("kept.txt", True, "out/kept.txt"), ("shown.txt", False, "out/shown.txt"),
    ]  # fmt: skip
    assert found[0] == measure(folder / "kept.txt", folder / "kept.txt", "3", "out/kept.txt")


@pytest.mark.parametrize("harm", ["changed", "no sidecar", "half a sidecar", "gone"])
def test_what_is_ours_and_not_whole_is_removed_so_that_it_can_be_fetched(tmp_path, harm):
    folder = home(tmp_path / RUN, a=b"a", b=b"b")
    if harm == "changed":
        (folder / "a.txt").write_bytes(b"")
    elif harm == "no sidecar":
        (folder / f"a.txt{SIDECAR}").unlink()
    elif harm == "half a sidecar":
        (folder / f"a.txt{SIDECAR}").write_text('{"workflow_id":')
    else:
        (folder / "a.txt").unlink()
    assert at_home(folder, RUN, PROMPT) is None
    assert not folder.exists()


@pytest.mark.parametrize("foreign", ["other prompt", "no sidecars", "link", "file", "nothing"])
def test_what_is_not_ours_is_neither_taken_for_it_nor_touched(tmp_path, foreign):
    folder, prompt = tmp_path / RUN, PROMPT
    if foreign == "link":
        folder.symlink_to(home(tmp_path / "elsewhere", a=b"a"), target_is_directory=True)
    elif foreign == "file":
        folder.write_bytes(b"x")
    elif foreign == "no sidecars":
        folder.mkdir()
        (folder / "own").write_bytes(b"own")
    elif foreign == "other prompt":
        prompt = "another"
        home(folder, a=b"a")
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    assert at_home(folder, RUN, prompt) is None
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before
