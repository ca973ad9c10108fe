"""The API, described: made from the same document that programs read."""

from typing import Any

from storycore.dashboard.page import Answer, Page
from storycore.dashboard.same_as import as_curl
from storycore.dashboard.visit import Visit
from storycore.errors import NotFound, Reason
from storycore.operations.catalog import GROUPS, OPERATIONS, find

_DEPTH = 3


def api(visit: Visit) -> Answer:
    """Every operation, by group."""
    groups = {
        group: {"about": about, "operations": [it for it in OPERATIONS if it.words[0] == group]}
        for group, about in GROUPS.items()
    }
    return Page(template="api.html", title="API", more={"groups": groups, "as_json": False, "address": visit.address})


def operation(visit: Visit) -> Answer:
    """One operation: what it takes and gives."""
    name = visit.names["name"]
    found = find(name)
    document = visit.document()
    if found is None:
        raise NotFound("There is no such operation.", reason=Reason.OPERATION_NOT_FOUND)
    told = document["paths"][f"/v1/{name}"][found.method.lower()]
    schemas = document["components"]["schemas"]
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    takes = _fields(body, schemas) if body else [_parameter(it, schemas) for it in told.get("parameters", ())]
    gives = told["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    data = _resolved(gives, schemas).get("properties", {}).get("data", {})
    needed = {it["name"]: "…" for it in takes if it["required"]}
    example = as_curl(found, needed, visit.address, with_key=not visit.core.settings.is_open)
    if found.method == "GET":
        asked = "&".join(f"{field}=…" for field in needed)
        example = f"curl '{visit.address}/v1/{name}{'?' if asked else ''}{asked}'"
    return Page(
        template="operation.html",
        title=name,
        data={"operation": told},
        more={"found": found, "takes": takes, "gives": _fields(data, schemas), "example": example},
    )


def _parameter(told: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = _resolved(told.get("schema", {}), schemas)
    return {
        "name": told["name"], "kind": _kind(schema, schemas), "required": told.get("required", False),
        "about": told.get("description") or schema.get("description", ""), "default": schema.get("default"),
    }  # fmt: skip


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    found = _resolved(schema, schemas)
    required = found.get("required", ())
    return [
        {
            "name": name, "kind": _kind(field, schemas), "required": name in required,
            "about": field.get("description", ""), "default": field.get("default"),
        }
        for name, field in found.get("properties", {}).items()
    ]  # fmt: skip


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    for _ in range(_DEPTH):
        if "$ref" not in schema:
            break
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    if "allOf" in schema and len(schema["allOf"]) == 1:
        return _resolved(schema["allOf"][0], schemas)
    return schema


def _kind(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> str:
    """What a field takes, in a few words."""
    if depth > _DEPTH:
        return "…"
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return _kind(schemas[name], schemas, depth + 1) if "enum" in schemas.get(name, {}) else name
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(dict.fromkeys(_kind(one, schemas, depth + 1) for one in schema[word]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}), schemas, depth + 1)}"
    return str(schema.get("const", schema.get("type", "anything")))
