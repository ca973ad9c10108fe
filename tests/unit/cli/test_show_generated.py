"""How servers and what they made look on the terminal."""

from io import StringIO

from rich.console import Console

from storycore.cli import show_generated as show
from storycore.operations.batch import BatchItem, BatchResult
from storycore.operations.comfyui_servers import BackendEntry, BackendsResult, ConnectResult
from storycore.operations.take import PickResult, TakeEntry


def shown(function, result):
    text = StringIO()
    function(result, Console(file=text, width=80, highlight=False, markup=False, emoji=False))
    return text.getvalue()


CONNECTED = ConnectResult(
    connected=True, host="gpu", port=8188, server_version="0.33.0", available_models=[f"m{n}" for n in range(7)],
    connection_time_ms=4.0, error_message=None, metadata={}, backend_id="backend_1", devices=["RTX"],
    vram_free_bytes=2**33, queue_remaining=0, hint=None,
)  # fmt: skip


def test_a_connection_says_what_is_there_and_what_to_do_next():
    text = shown(show.show_connect, CONNECTED)
    assert all(word in text for word in ("✓ connected", "ComfyUI 0.33.0", "RTX", "m4 and 2 more", "comfyui check"))


def test_no_connection_says_why_and_what_may_help():
    text = shown(
        show.show_connect,
        CONNECTED.model_copy(update={"connected": False, "error_message": "It does not answer.", "hint": "Try 8000."}),
    )
    assert all(word in text for word in ("✗ not connected", "It does not answer.", "Try 8000."))


def test_servers_are_a_table_and_an_empty_one_teaches():
    entry = BackendEntry(
        backend_id="b", name="gpu:8188", kind="native", tls=False, status="down", quarantined_until=None,
        server_version="0.33.0", devices=[], vram_free_bytes=None, vram_total_bytes=None, latency_ms=None,
        queue_remaining=None, in_flight=1, error="It \x1b[31mis away", checked_at=None,
    )  # fmt: skip
    text = shown(show.show_backends, BackendsResult(items=[entry]))
    assert ("gpu:8188" in text, "✗ down" in text, "\x1b" in text) == (True, True, False)
    assert "comfyui connect" in " ".join(shown(show.show_backends, BackendsResult(items=[])).split())


def test_a_batch_says_how_to_run_again_what_failed():
    facts = {"outcome": None, "seed": 7, "parameters": {}, "outputs": [], "workflow_id": "w", "shot_id": "s1"}
    items = [
        BatchItem(row=1, status="completed", output_paths=["/x/a.png"], error=None, **facts),
        BatchItem(row=2, status="failed", output_paths=[], error={"message": "No room."}, **facts),
    ]
    text = shown(show.show_batch, BatchResult(items=items, completed=1, failed=1, task_id="task_9"))
    assert all(word in text for word in ("a.png", "No room.", "1 made, 1 failed", "--again task_9"))


def test_the_take_that_counts_is_marked():
    takes = [TakeEntry(take_id=f"t{n}", path="p", kind="image", status="completed", created_at=None, picked=n == 1)
             for n in (1, 2)]  # fmt: skip
    picked = shown(show.show_pick, PickResult(shot_id="s", picked="t1", takes=takes))
    newest = [take.model_copy(update={"picked": False}) for take in takes]
    assert "✓   1  t1" in picked
    assert "✓   2  t2" in shown(show.show_pick, PickResult(shot_id="s", picked=None, takes=newest))
