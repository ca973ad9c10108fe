"""What agents are told of each operation."""

import re

import jsonschema
import pytest

from storycore.mcp.tools import offers, tool_name
from storycore.operations import catalog
from storycore.operations.catalog import NOT_FOR_AGENTS, OPERATIONS

OFFERED = offers(read_only=False)


def test_every_operation_is_a_tool_but_those_that_only_make_secrets():
    assert {offer.operation.name for offer in OFFERED.values()} == {it.name for it in OPERATIONS} - NOT_FOR_AGENTS


def test_names_fit_hosts_that_refuse_dots_and_put_a_prefix_before_them():
    assert [name for name in OFFERED if not re.fullmatch(r"[A-Za-z0-9_]{1,40}", name)] == []
    assert OFFERED["storycore_webhook_register"].tool.title == "storycore.integration.webhook.register"


@pytest.mark.parametrize("name", OFFERED)
def test_schemas_are_json_schema_of_objects(name):
    tool = OFFERED[name].tool
    for schema in (tool.input_schema, tool.output_schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        unresolved = set(re.findall(r"'\$ref': '#/\$defs/(\w+)'", str(schema))) - set(schema.get("$defs", {}))
        assert unresolved == set()
    assert set(OFFERED[name].request_type.model_fields) <= set(tool.input_schema["properties"])
    assert tool.input_schema["additionalProperties"] is False


@pytest.mark.parametrize("name", [name for name, offer in OFFERED.items() if offer.operation.long])
def test_long_work_says_that_it_may_answer_with_a_task(name):
    tool = OFFERED[name].tool
    assert tool.input_schema["properties"]["wait_seconds"]["default"] == 20
    validator = jsonschema.Draft202012Validator(tool.output_schema)
    running = {"task_id": "task_1", "status": "running", "progress": 0.5, "step": "packing", "result": None}
    assert validator.is_valid(running)
    assert not validator.is_valid({**running, "result": {"nothing": "of the kind"}})
    assert not validator.is_valid({**running, "progress": 2})


def test_read_only_offers_nothing_that_changes_anything():
    names = set(offers(read_only=True))
    assert names == {name for name, offer in OFFERED.items() if offer.tool.annotations.read_only_hint}
    assert {"storycore_project_inspect", "storycore_export_plan", "storycore_task_status"} <= names
    assert not [name for name in names if OFFERED[name].operation.long]


def test_hints_name_operations_that_there_are_and_contradict_nothing():
    known = {it.name: it for it in OPERATIONS}
    for names in (catalog.LOOKS_ONLY, catalog.DESTRUCTIVE, catalog.REPEATABLE, catalog.OUTSIDE, NOT_FOR_AGENTS):
        assert names <= set(known)
    changing = catalog.DESTRUCTIVE | catalog.REPEATABLE
    assert [name for name in changing if not known[name].changes] == []
    assert all(known[name].method == "POST" for name in catalog.LOOKS_ONLY)


def test_names_are_told_apart():
    assert len({tool_name(operation) for operation in OPERATIONS}) == len(OPERATIONS)
