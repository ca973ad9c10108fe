"""Requests as they come by HTTP: JSON bodies within limits, and query strings."""

from typing import Any, get_args, get_origin

import anyio
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest

from storycore.errors import FieldFault, InvalidInput, Reason
from storycore.json_text import BadJson, read_strict
from storycore.operations.request import Request
from storycore.settings import Settings

BODY_SECONDS = 60.0


async def read_body(http: HttpRequest, settings: Settings, *, least_limit: int = 0) -> dict[str, Any]:
    """The JSON object in a body, which may have at least `least_limit` bytes whatever the settings say.

    Raises:
        InvalidInput: unsupported_media_type, body_too_large, body_too_slow, malformed_json, duplicate_key, wrong_type.
    """
    media_type = http.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json" or http.headers.get("content-encoding", "identity") != "identity":
        raise InvalidInput("The body must be application/json, not compressed.", reason=Reason.UNSUPPORTED_MEDIA_TYPE)
    text = await _limited(http, max(settings.max_body_bytes, least_limit))
    try:
        body = read_strict(text, max_depth=settings.max_json_depth)
    except BadJson as fault:
        reason = Reason.DUPLICATE_KEY if fault.duplicate is not None else Reason.MALFORMED_JSON
        raise InvalidInput(f"The body is not acceptable JSON: {fault}", reason=reason) from None
    if not isinstance(body, dict):
        whole = FieldFault("", Reason.WRONG_TYPE, "an object is needed")
        raise InvalidInput("The body must be a JSON object.", reason=Reason.WRONG_TYPE, errors=[whole])
    return body


def read_query(http: HttpRequest, request_type: type[Request[Any]]) -> dict[str, Any]:
    """The fields in a query string; whole numbers and true/false are read by the type of their field.

    Raises:
        InvalidInput: duplicate_key; body_too_large for a query over 16 KiB.
    """
    if len(http.url.query) > 16_384:
        raise InvalidInput("The query is longer than 16 KiB.", reason=Reason.BODY_TOO_LARGE)
    values: dict[str, Any] = {}
    for name, text in http.query_params.multi_items():
        kinds = _kinds(request_type, name)
        if list in kinds:
            values.setdefault(name, []).append(text)
            continue
        if name in values:
            raise InvalidInput(f"{name} stands twice in the query.", reason=Reason.DUPLICATE_KEY)
        values[name] = _value(text, kinds)
    return values


async def _limited(http: HttpRequest, limit: int) -> bytes:
    declared = http.headers.get("content-length", "0")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    chunks, size = [], 0
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for chunk in http.stream():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
    except TimeoutError:
        raise InvalidInput(
            f"The body did not come within {BODY_SECONDS:g} seconds.", reason=Reason.BODY_TOO_SLOW
        ) from None
    except ClientDisconnect:
        raise InvalidInput("The body ended early.", reason=Reason.MALFORMED_JSON) from None
    return b"".join(chunks)


def _too_large(limit: int) -> InvalidInput:
    return InvalidInput(f"The body is larger than {limit} bytes.", reason=Reason.BODY_TOO_LARGE)


def _kinds(request_type: type[Request[Any]], name: str) -> set[Any]:
    """What a field can be: bool, int, str, list, …."""
    field = request_type.model_fields.get(name)
    members = (field.annotation, *get_args(field.annotation)) if field else ()
    return {getattr(member, "__origin__", member) for member in members} | {
        get_origin(getattr(member, "__origin__", member)) for member in members
    }


def _value(text: str, kinds: set[Any]) -> Any:
    if bool in kinds:
        return {"true": True, "false": False}.get(text, text)
    digits = text.removeprefix("-")
    if int in kinds and digits.isascii() and digits.isdigit() and len(digits) < 19:
        return int(text)
    return text
