"""Ctrl-C while a command sends: what was on its way is written down, and what waits is told."""

import json
import os
import signal
import subprocess
import sys

import pytest

from fixtures.programs import storycore
from fixtures.receivers import receiving

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows can't send Ctrl-C to one process alone")


# Whoever started the tests may have them ignore Ctrl-C.
_HEEDING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from storycore.__main__ import main
main()
"""


def interrupted(receiver, *words, cwd, **environment):
    """What a command says whose receiver presses Ctrl-C instead of answering."""
    command = [sys.executable, "-c", _HEEDING, *words]
    with subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        receiver.before = lambda _got: (started.send_signal(signal.SIGINT), started.wait(60))
        out, err = started.communicate(timeout=90)
    return started.returncode, out, err


def deliveries(cwd):
    told = storycore("webhook", "deliveries", "--attempts", "--json", cwd=cwd)
    return json.loads(told.stdout)["data"]["items"]


@pytest.mark.parametrize("word", ["trigger", "ping"])
def test_an_attempt_that_ctrl_c_cuts_off_is_written_down_and_not_repeated(tmp_path, word):
    with receiving() as receiver:
        environment = {"STORYCORE_WEBHOOK_ALLOW": receiver.opening}
        made = storycore("webhook", "register", receiver.url, "-e", "*", "--json", cwd=tmp_path, **environment)
        name = json.loads(made.stdout)["data"]["webhook_id"]
        more = ("-e", "export.completed", "--payload", "a=b") if word == "trigger" else ()
        code, _, err = interrupted(receiver, "webhook", word, name, *more, cwd=tmp_path, **environment)
        assert len(receiver.got) == 1, err
    assert (code, "Traceback" in err) == (130, False), err
    (item,) = deliveries(tmp_path)
    assert (item["state"], [it["code"] for it in item["attempts"]]) == ("cancelled", ["cancelled"])
    assert item["attempts"][0]["remote_address"] == receiver.opening


def test_ctrl_c_during_first_attempts_tells_how_many_wait_and_keeps_the_result(film, tmp_path):
    with receiving() as receiver:
        environment = {"STORYCORE_WEBHOOK_ALLOW": receiver.opening}
        storycore("webhook", "register", receiver.url, "-e", "export.completed", cwd=tmp_path, **environment)
        code, out, err = interrupted(receiver, "export", "package", str(film), cwd=tmp_path, **environment)
    assert "1 message to a webhook waits; `storycore serve` or `storycore worker` sends them." in err
    assert (code, "Traceback" in err) == (0, False), out + err
    (item,) = deliveries(tmp_path)
    assert (item["state"], [it["code"] for it in item["attempts"]]) == ("retry", ["cancelled"])
