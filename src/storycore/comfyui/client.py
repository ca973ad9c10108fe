"""The native routes of one ComfyUI server: each a call, none with a meaning of its own.

What a server can do is learnt from its routes, never from its version.
"""

import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self
from urllib.parse import quote, urlsplit

import aiohttp

from storycore.comfyui.address import Address, GuardedResolver, Kind, Reach, literal
from storycore.comfyui.sockets import Sockets
from storycore.comfyui.wire import read_json
from storycore.errors import InvalidInput, Reason
from storycore.observe import tracing

MOST_JSON_BYTES: Final = 64 * 1024 * 1024
"""Largest answer that is read whole; `/object_info` of a server with everything is a few MiB."""
_MOST_FRAME_BYTES: Final = 64 * 1024 * 1024
_PING_SECONDS: Final = 20
_CHUNK_BYTES: Final = 256 * 1024


class Unreachable(Exception):  # noqa: N818 - named by what it says; callers turn it into words
    """The server did not answer, or not to the end."""


class Refused(Exception):  # noqa: N818 - same
    """The server answered with a refusal.

    Attributes:
        status: HTTP status.
        body: JSON, or text.
    """

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.body = status, body


class Client:
    """One server.

    Args:
        address: where it is.
        reach: which addresses may be called.
        timeout_seconds: for one call; not for downloads, which may take long but must not stand still for that long.
    """

    def __init__(self, address: Address, reach: Reach, *, timeout_seconds: float = 30) -> None:
        self.address = address
        self._reach, self._sockets = reach, Sockets()
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._still = aiohttp.ClientTimeout(total=None, sock_connect=timeout_seconds, sock_read=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None
        self.has_jobs: bool | None = None

    async def __aenter__(self) -> Self:
        address = self.address
        if (ip := literal(address.host)) is not None:
            self._reach.check(address.host, address.port, ip)
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(self._reach), ssl=_tls(address) if address.tls else True, limit=16,
            socket_factory=self._sockets.make,
        )  # fmt: skip
        self._session = aiohttp.ClientSession(
            connector=connector, headers=self._headers(), timeout=self._timeout, trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )  # fmt: skip
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()
            await self._sockets.end()

    async def remaining(self) -> int:
        """How many prompts wait or run."""
        body = await self.call("GET", "/prompt")
        facts = body.get("exec_info") if isinstance(body, dict) else None
        found = facts.get("queue_remaining") if isinstance(facts, dict) else None
        if not isinstance(found, int):
            raise Refused(200, body)  # whatever answers there, it is no ComfyUI
        return found

    async def system_stats(self) -> dict[str, Any]:
        """Version, devices and memory."""
        return _object(await self.call("GET", "/system_stats"))

    async def features(self) -> dict[str, Any]:
        """What the server says it can do; {} of one that has no such route."""
        try:
            return _object(await self.call("GET", "/features"))
        except Refused:
            return {}

    async def models(self, folder: str) -> list[str]:
        """Names of the models in a folder."""
        try:
            found = await self.call("GET", f"/models/{folder}")
        except Refused:
            return []
        return [str(name) for name in found] if isinstance(found, list) else []

    async def node_info(self, class_type: str) -> dict[str, Any] | None:
        """What the server tells of a node class; None if it has none of that name."""
        body = _object(await self.call("GET", f"/object_info/{_quoted(class_type)}"))
        found = body.get(class_type)
        return found if isinstance(found, dict) else None

    async def all_nodes(self) -> dict[str, Any]:
        """What the server tells of all its node classes; large, and slow to come."""
        return _object(await self.call("GET", "/object_info"))

    async def submit(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Posts a prompt."""
        return _object(await self.call("POST", "/prompt", json=body))

    async def history(self, prompt_id: str) -> Any:
        """What the history says of one prompt."""
        name = "history_v2" if self.address.kind is Kind.CLOUD else "history"
        return await self.call("GET", f"/{name}/{prompt_id}")

    async def job(self, prompt_id: str) -> dict[str, Any] | None:
        """One job; None if the server knows none of that id.

        Raises:
            Refused: it has no such route.
        """
        try:
            return _object(await self.call("GET", f"/jobs/{prompt_id}", api=True))
        except Refused as fault:
            if fault.status == 404 and isinstance(fault.body, dict) and "error" in fault.body:
                return None
            raise

    async def queue(self) -> dict[str, Any]:
        """The prompts that wait and run."""
        return _object(await self.call("GET", "/queue"))

    async def free(self) -> None:
        """Lets it forget its models and kept results, as soon as it can."""
        await self.call("POST", "/free", json={"unload_models": True, "free_memory": True})

    async def call(self, method: str, route: str, *, json: Any = None, api: bool = False) -> Any:
        """One call; gives its JSON, or None for an answer without a body.

        Raises:
            Unreachable: no answer.
            Refused: an answer that is a refusal, or no JSON.
            AccessDenied: address_forbidden.
        """
        async with self._answer(method, self._url(route, api=api), json=json) as answer:
            data = await _bounded(answer)
        return _json(answer, data) if data.strip() else None

    async def upload(self, file: BinaryIO, name: str, *, subfolder: str) -> str:
        """Gives a file to the server; gives the name that workflows call it by.

        Raises:
            Unreachable, Refused, AccessDenied: see `call`.
        """
        form = aiohttp.FormData()
        form.add_field("image", file, filename=name, content_type="application/octet-stream")
        form.add_field("type", "input")
        form.add_field("subfolder", subfolder)
        async with self._answer("POST", self._url("/upload/image"), data=form, timeout=self._still) as answer:
            body = _object(_json(answer, await _bounded(answer)))
        kept, folder = str(body.get("name") or name), str(body.get("subfolder") or "")
        return f"{folder}/{kept}" if folder else kept

    @asynccontextmanager
    async def view(self, file: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """A file that a run put out, as it comes.

        Raises:
            Unreachable, Refused, AccessDenied: see `call`.
        """
        query = {name: file[name] for name in ("filename", "subfolder", "type")}
        async with self._answer("GET", self._url("/view"), params=query, timeout=self._still) as answer:
            if answer.status not in (301, 302, 303, 307, 308):
                yield answer
                return
            target = answer.headers.get("Location", "")
        async with self._elsewhere(target) as signed:
            yield signed

    async def listen(self, client_id: str) -> aiohttp.ClientWebSocketResponse:
        """The open socket that tells what happens to prompts of this client id.

        Raises:
            Unreachable: there is none.
            AccessDenied: address_forbidden.
        """
        query = {"clientId": client_id}
        address = self.address
        if address.token and (address.kind is Kind.CLOUD or address.token_in_query):
            query["token"] = address.token
        try:
            return await self._open.ws_connect(
                f"{address.url}/ws", params=query, heartbeat=_PING_SECONDS, max_msg_size=_MOST_FRAME_BYTES
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise Unreachable(_why(fault)) from fault

    @property
    def _open(self) -> aiohttp.ClientSession:
        assert self._session is not None  # noqa: S101 - it is used as a context manager
        return self._session

    def _url(self, route: str, *, api: bool = False) -> str:
        return self.address.url + ("/api" if api or self.address.kind is Kind.CLOUD else "") + route

    def _headers(self) -> dict[str, str]:
        address = self.address
        found = dict(address.headers)
        if address.token and address.kind is Kind.CLOUD:
            found["X-API-Key"] = address.token
        elif address.token and not address.token_in_query:
            found["Authorization"] = f"Bearer {address.token}"
        return found

    @asynccontextmanager
    async def _answer(
        self, method: str, url: str, *, params: dict[str, str] | None = None, **more: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        query = dict(params or {})
        if self.address.token and self.address.token_in_query:
            query["token"] = self.address.token
        with self._traced(method, url) as told:
            headers = {"traceparent": told.traceparent} if told.traceparent else None
            try:
                async with self._open.request(
                    method, url, params=query, headers=headers, allow_redirects=False, **more
                ) as answer:
                    told.tell({"http.response.status_code": answer.status})
                    if answer.status >= 400 or (300 <= answer.status < 400 and self.address.kind is Kind.NATIVE):
                        raise Refused(answer.status, await _refusal(answer))
                    yield answer
            except (aiohttp.ClientError, TimeoutError, OSError) as fault:
                raise Unreachable(_why(fault)) from fault

    def _traced(self, method: str, url: str) -> AbstractContextManager[tracing.Span]:
        """What does something, or fetches a file, is a part of the trace; looks, which are many, only name it."""
        path = urlsplit(url).path
        if method == "GET" and not path.endswith("/view"):
            return contextlib.nullcontext(tracing.silent())
        attributes: tracing.Attributes = {"http.request.method": method, "server.address": self.address.host,
                      "server.port": self.address.port, "url.full": url}  # fmt: skip
        return tracing.leaf(method, attributes=attributes)

    @asynccontextmanager
    async def _elsewhere(self, url: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """A file at a signed address of another server, fetched without our key."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        own = (host, parts.port) == (self.address.host, self.address.port)
        if parts.scheme != "https" and not own:
            raise Refused(302, "The server sends us to an address without TLS.")
        if (ip := literal(host)) is not None:
            self._reach.check(host, parts.port or 443, ip)
        connector = aiohttp.TCPConnector(resolver=GuardedResolver(self._reach), socket_factory=self._sockets.make)
        async with aiohttp.ClientSession(
            connector=connector, timeout=self._still, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            try:
                async with session.get(url, allow_redirects=False) as answer:
                    if answer.status >= 300:
                        raise Refused(answer.status, await _refusal(answer))
                    yield answer
            except (aiohttp.ClientError, TimeoutError, OSError) as fault:
                raise Unreachable(_why(fault)) from fault


def _why(fault: Exception) -> str:
    """Why there is no answer, in words for people."""
    if isinstance(fault, aiohttp.ClientConnectorDNSError):
        return f"{fault.host} can't be looked up: {fault.os_error.strerror or fault.os_error}"
    if isinstance(fault, aiohttp.ClientConnectorError) and isinstance(fault.os_error, ConnectionRefusedError):
        return f"nothing listens at port {fault.port} of {fault.host}"
    if isinstance(fault, aiohttp.ClientConnectorCertificateError):
        why = getattr(fault.certificate_error, "verify_message", "") or "nobody vouches for it"
        return f"its certificate is not to be trusted: {why}"
    if isinstance(fault, aiohttp.ClientConnectorSSLError) and "WRONG_VERSION_NUMBER" in str(fault):
        return f"port {fault.port} of {fault.host} does not speak TLS; leave TLS out"
    return str(fault) or type(fault).__name__


async def chunks(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The body of an answer as it comes.

    Raises:
        Unreachable: it broke off.
    """
    try:
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            yield chunk
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        raise Unreachable(_why(fault)) from fault


def _tls(address: Address) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if address.ca_file:
        try:
            context.load_verify_locations(cafile=address.ca_file)
        except (OSError, ssl.SSLError):
            raise InvalidInput(
                f"{Path(address.ca_file).name} holds no certificates that can be read.", reason=Reason.SETTING_INVALID
            ) from None
    if not address.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _json(answer: aiohttp.ClientResponse, data: bytes) -> Any:
    try:
        return read_json(data)
    except ValueError:
        raise Refused(answer.status, data[:500].decode(errors="replace")) from None


def _quoted(name: str) -> str:

    return quote(name, safe="")


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in chunks(answer):
        data += chunk
        if len(data) > MOST_JSON_BYTES:
            raise Refused(answer.status, "The answer is too large.")
    return bytes(data)


async def _refusal(answer: aiohttp.ClientResponse) -> Any:
    data = (await answer.content.read(1024 * 1024)).strip()
    try:
        return read_json(data)
    except ValueError:
        return data[:2000].decode(errors="replace")
