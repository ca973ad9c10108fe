"""Forms as browsers send them, within limits."""

from urllib.parse import parse_qs

import anyio
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest

from storycore.errors import InvalidInput, Reason

FORM_SECONDS = 60.0
MOST_FIELDS = 200
_TYPE = "application/x-www-form-urlencoded"


async def read_form(http: HttpRequest, most_bytes: int) -> dict[str, list[str]]:
    """All values for each name of a form.

    Raises:
        InvalidInput: unsupported_media_type, body_too_large, body_too_slow, malformed_json: it is no form.
    """
    if http.headers.get("content-type", "").split(";")[0].strip().lower() != _TYPE:
        raise InvalidInput("Only forms are taken here.", reason=Reason.UNSUPPORTED_MEDIA_TYPE)
    body = bytearray()
    try:
        with anyio.fail_after(FORM_SECONDS):
            async for chunk in http.stream():
                body += chunk
                if len(body) > most_bytes:
                    raise InvalidInput("The form is too large.", reason=Reason.BODY_TOO_LARGE)
    except TimeoutError:
        raise InvalidInput("The form came too slowly.", reason=Reason.BODY_TOO_SLOW) from None
    except ClientDisconnect:
        raise InvalidInput("The form broke off.", reason=Reason.BODY_TOO_SLOW) from None
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:  # a broken encoding, or too many fields
        raise InvalidInput("The form can't be read.", reason=Reason.MALFORMED_JSON) from None
