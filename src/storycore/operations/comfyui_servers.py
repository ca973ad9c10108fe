"""storycore.integration.comfyui.connect, .backends, .disconnect: the ComfyUI servers that are known."""

import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator
from typing_extensions import override

from storycore.app import App
from storycore.errors import DependencyFailed, Reason, StoryCoreError
from storycore.operations.request import Facts, Flag, PathText, Request, Result, Seconds, Spelling, Whole
from storycore.units import iso

if TYPE_CHECKING:
    from storycore.comfyui.backend import Backend
    from storycore.comfyui.backends import Backends
    from storycore.comfyui.graph.api_graph import ObjectInfo

_HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")]
_HeaderValue = Annotated[str, Field(max_length=4096, pattern=r"^[ -~]*$")]
_HOST = {
    "pattern": r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,3}$"
}
"""Hosts for the published schema; IPv6 addresses and names of many parts are taken too."""
_OURS = frozenset({"host", "origin", "content-length", "transfer-encoding", "connection", "upgrade"})
_DESKTOP_PORT = 8000


class ConnectResult(Result):
    """Whether the server answers, and what it says of itself."""

    connected: bool
    host: str
    port: int
    server_version: str | None = Field(description="Of ComfyUI.")
    available_models: list[str] = Field(description="Checkpoints, diffusion models and LoRAs that it has.")
    connection_time_ms: float = Field(description="How long it took to learn all this.")
    error_message: str | None = Field(description="Why there is no connection, if so.")
    metadata: dict[str, Any] = Field(description="As sent.")
    backend_id: str | None = Field(description="Name of the server from now on.")
    devices: list[str] = Field(description="What it computes on.")
    vram_free_bytes: int | None = Field(description="Of the device with most.")
    queue_remaining: int | None = Field(description="Prompts that wait or run there.")
    hint: str | None = Field(description="What may help, if there is no connection.")

    @property
    @override
    def verdict(self) -> bool:
        return self.connected


class ConnectRequest(Request[ConnectResult]):
    """Connect a ComfyUI server: it is looked at, and given workflows from now on."""

    host: Annotated[str, Field(min_length=1, max_length=253, json_schema_extra=_HOST), Spelling()] = Field(
        default="localhost", description="Name or IP address."
    )
    port: Whole = Field(default=8188, ge=1, le=65535, description="Port.")
    timeout_seconds: Seconds = Field(default=30, description="How long an answer is waited for.")
    verify_ssl: Flag = Field(default=True, description="Whether its certificate must be good.")
    metadata: Facts = Field(default={}, description="Facts of your own; they come back in the result.")
    tls: Flag = Field(default=False, description="Whether it speaks TLS.")
    base_path: str = Field(
        default="", max_length=256, pattern=r"^(/[A-Za-z0-9._~-]+)*/?$", description="Path before every route."
    )
    headers: dict[_HeaderName, _HeaderValue] = Field(
        default={},
        max_length=32,
        description="Sent with every call, and with the socket.",
        json_schema_extra={"additionalProperties": False},
    )
    token: Annotated[str, Spelling(("--token",), secret=True)] = Field(
        default="", max_length=4096, pattern=r"^[!-~]*$", repr=False, description="Sent as `Authorization: Bearer`."
    )
    token_in_query: Flag = Field(default=False, description="Send the token as `token=` in the query instead.")
    ca_file: PathText | None = Field(default=None, description="Certificates to trust beside those of the system.")
    kind: Literal["native", "cloud"] = Field(
        default="native", description="A ComfyUI of one's own, or Comfy Cloud (experimental)."
    )

    @field_validator("headers")
    @classmethod
    def _not_ours(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name.lower() in _OURS:
                raise ValueError(f"{name} is not yours to set")
        return value


class BackendEntry(Result):
    """A ComfyUI server that is known."""

    backend_id: str
    name: str = Field(description="host:port.")
    kind: Literal["native", "cloud"]
    tls: bool
    status: Literal["up", "down", "draining"]
    quarantined_until: str | None = Field(description="It is given nothing before then, since it died under workflows.")
    server_version: str
    devices: list[str]
    vram_free_bytes: int | None
    vram_total_bytes: int | None
    latency_ms: float | None = Field(description="Of the last look.")
    queue_remaining: int | None = Field(description="Prompts that waited or ran there at the last look.")
    in_flight: int = Field(description="Workflows of ours that it has.")
    error: str | None = Field(description="Why it is down, if so.")
    checked_at: str | None = Field(description="When it was last looked at.")


class BackendsResult(Result):
    """The ComfyUI servers that are known, in the order in which they came."""

    items: list[BackendEntry]


class BackendsRequest(Request[BackendsResult]):
    """List the ComfyUI servers that are known."""

    look: Flag = Field(default=True, description="Look at each of them now, instead of telling of the last look.")


class DisconnectResult(Result):
    """What became of the server."""

    backend_id: str
    disconnected: bool = Field(description="Whether it is forgotten; false if it only gets nothing new.")
    in_flight: int = Field(description="Workflows of ours that it still has.")


class DisconnectRequest(Request[DisconnectResult]):
    """Forget a ComfyUI server, or give it nothing new."""

    backend_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$"), Spelling()] = Field(
        description="Id of the server, as `backends` tells it."
    )
    drain: Flag = Field(default=False, description="Let it end what it has and give it nothing new, but keep it known.")


def connect(app: App, request: ConnectRequest) -> ConnectResult:
    """Whether a server answers; if it does, it is kept and given workflows from now on.

    Raises:
        InvalidInput: url_invalid, path_invalid; setting_invalid: the certificates can't be read.
        AccessDenied: address_forbidden: callers over the network may not have it called.
        Unavailable: the database does not answer.
    """
    from storycore.comfyui.address import Address, Kind, check_host

    ca_file = "" if request.ca_file is None else str(app.places.file(request.ca_file))
    address = Address(
        host=check_host(request.host), port=request.port, kind=Kind(request.kind), tls=request.tls,
        base_path=request.base_path.rstrip("/"), verify_tls=request.verify_ssl, ca_file=ca_file,
        headers=request.headers, token=request.token, token_in_query=request.token_in_query,
        confined=app.is_confined,
    )  # fmt: skip
    return app.comfyui.do(_connect(app, request, address))


def backends(app: App, request: BackendsRequest) -> BackendsResult:
    """The servers that are known, each looked at now unless `look` is false.

    Raises:
        Unavailable: the database does not answer.
    """
    known = app.comfyui
    if request.look:
        known.do(known.look_at_all())
    return BackendsResult(
        items=[
            BackendEntry(
                backend_id=it.id, name=it.address.name, kind=it.address.kind.value, tls=it.address.tls,
                status=it.status.value, quarantined_until=_maybe(it.quarantined_until), server_version=it.version,
                devices=list(it.facts.get("devices", ())), vram_free_bytes=it.facts.get("vram_free_bytes"),
                vram_total_bytes=it.facts.get("vram_total_bytes"), latency_ms=it.latency_ms,
                queue_remaining=it.queue_remaining, in_flight=it.in_flight, error=it.error or None,
                checked_at=_maybe(it.checked_at),
            )
            for it in known.records.backends()
        ]
    )  # fmt: skip


def disconnect(app: App, request: DisconnectRequest) -> DisconnectResult:
    """Forgets a server, or gives it nothing new.

    Raises:
        NotFound: backend_not_found.
    """
    records = app.comfyui.records
    found = next((it for it in records.backends() if it.id == request.backend_id), None)
    (records.drain if request.drain else records.forget)(request.backend_id)
    return DisconnectResult(
        backend_id=request.backend_id, disconnected=not request.drain, in_flight=found.in_flight if found else 0
    )


def ask_nodes(app: App, classes: list[str] | None) -> "ObjectInfo":
    """What a connected server tells of some node classes, or of all; the first that answers is asked.

    Raises:
        DependencyFailed: comfyui_not_connected.
    """
    known = app.comfyui
    for backend in known.records.backends():
        found = known.do(_nodes(known, backend, classes))
        if found is not None:
            return found
    raise DependencyFailed(
        "No connected ComfyUI server answers.",
        reason=Reason.COMFYUI_NOT_CONNECTED,
        remediation="Connect one with `storycore comfyui connect`, or give --object-info.",
    )


async def _nodes(known: "Backends", backend: "Backend", classes: list[str] | None) -> "ObjectInfo | None":
    from storycore.comfyui.client import Refused, Unreachable

    try:
        async with known.client(backend.address) as client:
            if classes is None:
                return await client.all_nodes()
            found = await known.node_facts(backend.id, client, classes)
            lacks = any(name not in found for name in classes)
            return {**await client.all_nodes(), **found} if lacks else found  # all, to tell what may have been meant
    except (Unreachable, Refused, StoryCoreError):
        return None


async def _connect(app: App, request: ConnectRequest, address: Any) -> ConnectResult:
    from storycore.comfyui.backends import available_models, probe, told
    from storycore.comfyui.client import Refused, Unreachable

    started = time.perf_counter()
    values: dict[str, Any] = {}
    models: dict[str, list[str]] = {}
    error = hint = backend_id = None
    try:
        async with app.comfyui.client(address, timeout_seconds=request.timeout_seconds) as client:
            values, models = await probe(client), await available_models(client)
    except (Unreachable, Refused) as fault:
        error, hint = told(fault), await _hint(app, address)
    else:
        backend_id = app.comfyui.records.keep(address, values).id
        app.comfyui.forget_nodes(backend_id)
    facts = values.get("facts", {})
    return ConnectResult(
        connected=error is None, host=request.host, port=request.port, server_version=facts.get("version"),
        available_models=sorted({name for names in models.values() for name in names}),
        connection_time_ms=(time.perf_counter() - started) * 1000, error_message=error, metadata=request.metadata,
        backend_id=backend_id, devices=facts.get("devices", []), vram_free_bytes=facts.get("vram_free_bytes"),
        queue_remaining=values.get("queue_remaining"), hint=hint,
    )  # fmt: skip


async def _hint(app: App, address: Any) -> str | None:
    """Whether ComfyUI Desktop answers, which has a port of its own."""
    from dataclasses import replace

    from storycore.comfyui.client import Refused, Unreachable

    if address.port == _DESKTOP_PORT:
        return None
    desktop = replace(address, port=_DESKTOP_PORT, headers={}, token="")
    try:
        async with app.comfyui.client(desktop, timeout_seconds=1) as client:
            await client.remaining()
    except (Unreachable, Refused, StoryCoreError):
        return None
    return f"ComfyUI Desktop answers on port {_DESKTOP_PORT}: connect with port {_DESKTOP_PORT}."


def _maybe(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
