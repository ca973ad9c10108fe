"""What is acceptable of a webhook: its URL, its secret, its headers, its retries."""

from collections.abc import Mapping
from typing import Any, NoReturn

from storycore.app import App
from storycore.errors import AccessDenied, FieldFault, InvalidInput, Reason
from storycore.webhooks.headers import BadHeader, check_headers
from storycore.webhooks.schedule import LONGEST_SECONDS, RetryPolicy
from storycore.webhooks.signing import LEAST_BYTES, BadSecret, Secret, read_secret
from storycore.webhooks.url import BadUrl

_MOST_RETRIES = 50


def check_url(app: App, url: str) -> list[str]:
    """Whether a webhook may be at a URL, by the rules that hold when it is called; gives what is odd.

    Raises:
        InvalidInput: url_invalid.
        AccessDenied: address_forbidden.
    """
    from storycore.webhooks.dialling import Blocked

    try:
        found = app.post.check(url)
    except BadUrl as fault:
        _refuse("url", Reason.URL_INVALID, f"the URL is not acceptable: {fault}")
    except Blocked:
        raise AccessDenied(
            "The url leads to an address that webhooks may not call.", reason=Reason.ADDRESS_FORBIDDEN
        ) from None
    return [] if found else ["The name of the host leads nowhere now; it is looked up again for each message."]


def read_secret_text(text: str) -> Secret:
    """A secret of the caller's own.

    Raises:
        InvalidInput: secret_invalid.
    """
    if len(text) < LEAST_BYTES:
        _refuse("secret", Reason.SECRET_INVALID, f"the secret has fewer than {LEAST_BYTES} characters")
    try:
        return read_secret(text)
    except BadSecret as fault:
        _refuse("secret", Reason.SECRET_INVALID, f"the secret is not acceptable: {fault}")


def read_caller_headers(headers: Mapping[str, Any]) -> dict[str, str]:
    """Headers of the caller's own.

    Raises:
        InvalidInput: header_invalid.
    """
    if not all(isinstance(value, str) for value in headers.values()):
        _refuse("headers", Reason.HEADER_INVALID, "the value of each header is a text")
    try:
        check_headers(headers)
    except BadHeader as fault:
        _refuse("headers", Reason.HEADER_INVALID, str(fault))
    return dict(headers)


def read_policy(given: Mapping[str, Any]) -> list[float]:
    """Seconds before each retry; what an object leaves out is 3 retries, the first after 5 seconds.

    Raises:
        InvalidInput: unknown_field, wrong_type, out_of_range.
    """
    odd = sorted(set(given) - {"max_retries", "retry_delay_seconds", "delays_seconds"})
    if odd:
        _refuse(f"retry_policy/{odd[0]}", Reason.UNKNOWN_FIELD, "there is no such field")
    if "delays_seconds" in given:
        delays = given["delays_seconds"]
        if len(given) > 1 or not isinstance(delays, list) or len(delays) > _MOST_RETRIES:
            _refuse("retry_policy/delays_seconds", Reason.OUT_OF_RANGE, f"at most {_MOST_RETRIES} numbers, and alone")
        return [_number("retry_policy/delays_seconds", delay, LONGEST_SECONDS) for delay in delays]
    retries, delay = given.get("max_retries", 3), given.get("retry_delay_seconds", 5)
    if isinstance(retries, float) and retries.is_integer():
        retries = int(retries)  # 5.0 is a whole number, as JSON Schema says
    if isinstance(retries, bool) or not isinstance(retries, int) or not 0 <= retries <= _MOST_RETRIES:
        _refuse("retry_policy/max_retries", Reason.OUT_OF_RANGE, f"a whole number from 0 to {_MOST_RETRIES}")
    first = _number("retry_policy/retry_delay_seconds", delay, LONGEST_SECONDS)
    return list(RetryPolicy.exponential(max_retries=retries, retry_delay_seconds=first).delays)


def _number(field: str, value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= most:
        _refuse(field, Reason.OUT_OF_RANGE, f"a number over 0, up to {most:g}")
    return float(value)


def _refuse(field: str, reason: Reason, message: str) -> NoReturn:
    told = FieldFault(f"/{field}", reason, message)
    raise InvalidInput(f"{field.replace('/', '.')}: {message}", reason=reason, errors=[told])
