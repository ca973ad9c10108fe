"""Logs are JSON lines without secrets."""

import io
import json
import logging as standard

import pytest

from storycore.observe import logging


@pytest.fixture
def lines():
    stream = io.StringIO()
    root = standard.getLogger()
    before, level = root.handlers, root.level
    logging.configure("info", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers = before
    root.setLevel(level)


def test_a_line_is_one_json_object_whatever_the_user_wrote(lines):
    logging.get("x").info("export_packed", project="a\nb\x1b[31m")
    (line,) = lines()
    assert (line["event"], line["project"], line["level"]) == ("export_packed", "a\nb\x1b[31m", "info")


def test_secrets_never_reach_the_log(lines):
    logging.get("x").info("called", authorization="Bearer abc", webhook_secret="s", path="film")
    (line,) = lines()
    assert (line["authorization"], line["webhook_secret"], line["path"]) == ("[redacted]", "[redacted]", "film")


def test_lines_of_libraries_have_the_same_form(lines):
    standard.getLogger("uvicorn.error").warning("something %s", "odd")
    assert lines()[0]["event"] == "something odd"


def test_a_traceback_goes_to_the_log(lines):
    try:
        raise KeyError("film")
    except KeyError:
        logging.get("x").exception("unexpected_error")
    assert "KeyError" in lines()[0]["exception"]


def test_what_is_bound_stands_in_every_line_also_of_libraries(lines):
    with logging.bound(request_id="r-1"), logging.bound(task_id="t-1"):
        logging.get("x").warning("odd", task_id="t-2")
        standard.getLogger("uvicorn.error").warning("odd")
    logging.get("x").warning("after")
    ours, theirs, after = lines()
    assert (ours["request_id"], ours["task_id"]) == ("r-1", "t-2")
    assert (theirs["request_id"], theirs["task_id"]) == ("r-1", "t-1")
    assert "request_id" not in after


def test_without_configuration_a_warning_is_text_without_secrets(caplog):
    logging.get("x").warning("refused", path="film", token="s")
    assert caplog.messages == ["refused path='film' token='[redacted]'"]
