"""HTTP calls to a server: what is sent, what comes back, and what is made of silence."""

import contextlib
import ipaddress
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from storycore.errors import DependencyFailed, InvalidInput, Reason, from_dict

_TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.4
_TIMEOUT: Final = httpx.Timeout(30, connect=5)
_STREAM_TIMEOUT: Final = httpx.Timeout(60, connect=5)  # a server says something every quarter of that


class Connection:
    """Calls to one server.

    Args:
        server: its URL, without a path.
        key: API key, or "".

    Attributes:
        address: its URL, without a slash at the end.
        is_near: whether it runs on this machine.

    Raises:
        InvalidInput: setting_invalid: the URL is none, or the key.
    """

    def __init__(self, server: str, key: str) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.path not in ("", "/"):
            raise InvalidInput(
                f"{server!r} is no URL of a server.",
                reason=Reason.SETTING_INVALID,
                remediation="Name it like http://127.0.0.1:8765.",
            )
        if not (key.isascii() and key.isprintable()):
            raise InvalidInput(
                "The API key for the server holds characters that no key has.",
                reason=Reason.SETTING_INVALID,
                remediation="Copy it whole and alone, on one line, into STORYCORE_KEY or the key file.",
            )
        self.address = server.rstrip("/")
        self.is_near = _is_loopback(parts.hostname)
        self._client = httpx.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=_TIMEOUT,
            trust_env=not self.is_near,  # no proxy stands between us and this machine
        )

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def version(self) -> str:
        """Which version the server is.

        Raises:
            DependencyFailed: server_unreachable: it does not answer, or is no StoryCore server.
        """
        with self._explained():
            answer = self._client.get("/openapi.json")
        try:
            return str(answer.json()["info"]["version"])
        except (ValueError, KeyError, TypeError):
            raise _stranger(answer) from None

    def ask(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """What an operation that only reads gives; asked again while the server does not answer at all.

        Raises:
            StoryCoreError: as the server told it; server_unreachable.
        """
        texts = {field: _text(value) for field, value in values.items() if value is not None}
        answer = self._again(lambda: self._client.get(f"/v1/{name}", params=texts), _TRIES)
        data: dict[str, Any] = _envelope(answer)["data"]
        return data

    def send(self, name: str, values: Mapping[str, Any], *, repeatable: bool = True, wait: int | None = None) -> Any:
        """What an operation that does something gives, sent again while the server does not answer at all.

        Args:
            name: dotted name of the operation.
            values: its request.
            repeatable: whether it is sent with an Idempotency-Key, and is so done once however often it is sent.
            wait: for how many seconds long work is waited for; then its task is given.

        Raises:
            StoryCoreError: as the server told it; server_unreachable.
        """
        once = {"Idempotency-Key": uuid.uuid4().hex} if repeatable else {}
        headers = once if wait is None else {**once, "Prefer": f"wait={wait}"}
        tries = _TRIES if repeatable else 1
        answer = self._again(lambda: self._client.post(f"/v1/{name}", json=values, headers=headers), tries)
        return _envelope(answer)["data"]

    @contextlib.contextmanager
    def stream(
        self, name: str, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None, accept: str
    ) -> Iterator[httpx.Response]:
        """An answer that is read as it comes; asked by `query`, or sent as `body`.

        Raises:
            StoryCoreError: as the server told it; server_unreachable, also when it breaks off half-way.
        """
        method = "GET" if body is None else "POST"
        with (
            self._explained(),
            self._client.stream(
                method, f"/v1/{name}", params=query, json=body, headers={"Accept": accept}, timeout=_STREAM_TIMEOUT
            ) as answer,
        ):
            kind = answer.headers.get("Content-Type", "").partition(";")[0]
            if answer.status_code == httpx.codes.TEMPORARY_REDIRECT and accept == "*/*":
                with _elsewhere(answer.headers.get("Location", "")) as file:
                    yield file
                return
            if answer.status_code >= 300:
                answer.read()
                _envelope(answer)
            if accept not in ("*/*", kind):
                raise _stranger(answer)
            yield answer

    def _again(self, call: Callable[[], httpx.Response], tries: int) -> httpx.Response:
        for number in range(1, tries):
            with contextlib.suppress(httpx.HTTPError):
                return call()
            threading.Event().wait(_PAUSE_SECONDS * number)
        with self._explained():
            return call()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """What httpx raises, in our words."""
        try:
            yield
        except httpx.HTTPError as fault:
            raise DependencyFailed(
                f"{self.address} does not answer: {type(fault).__name__}.", reason=Reason.SERVER_UNREACHABLE
            ) from fault


@contextlib.contextmanager
def _elsewhere(link: str) -> Iterator[httpx.Response]:
    """A file that the server keeps in an object store; our key is not sent there.

    Raises:
        DependencyFailed: store_unavailable.
    """
    with httpx.stream("GET", link, headers={"Accept-Encoding": "identity"}, timeout=_STREAM_TIMEOUT) as answer:
        if answer.status_code != httpx.codes.OK:
            raise DependencyFailed(
                f"The store that the server keeps its files in answered with {answer.status_code}.",
                reason=Reason.STORE_UNAVAILABLE,
                remediation="Try again soon; if it stays so, whoever runs the server should see `storycore doctor`.",
            )
        yield answer


def _envelope(answer: httpx.Response) -> dict[str, Any]:
    """The envelope that came, or the error that is in it, raised."""
    try:
        body: dict[str, Any] = answer.json()
        fault = from_dict(body["error"]) if body["status"] == "error" else None
        held = body["status"] in ("success", "pending") and isinstance(body["data"], dict)
        understood = fault is not None or held
    except (ValueError, KeyError, TypeError, RecursionError):
        understood, fault, body = False, None, {}
    if fault is not None:
        raise fault
    if not understood:
        raise _stranger(answer)
    return body


def _stranger(answer: httpx.Response) -> DependencyFailed:
    return DependencyFailed(
        f"This is no StoryCore server; it answered with {answer.status_code}.", reason=Reason.SERVER_UNREACHABLE
    )


def _text(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
