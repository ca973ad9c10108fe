"""The door to a running server: the same requests, results and errors, over HTTP.

Long work is followed to its end; when it is cancelled here, it is cancelled there. A call that breaks off is made
again with the same Idempotency-Key, so that nothing is done twice.
"""

import hashlib
import ipaddress
import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import urlsplit

import httpx

from storycore.errors import (
    Cancelled,
    Conflict,
    DependencyFailed,
    InvalidInput,
    NotFound,
    Reason,
    from_dict,
)
from storycore.observe.progress import Progress
from storycore.operations.artifact import ArtifactDownloadResult, ArtifactListRequest
from storycore.operations.catalog import Operation
from storycore.operations.request import Request, Result, path_fields
from storycore.operations.run import operation_of
from storycore.operations.task import EventEntry, TaskCancelRequest, TaskEventsRequest, TaskStatusRequest

R = TypeVar("R", bound=Result)

_TRIES: Final = 4
_LOOK_SECONDS: Final = 0.4
_TIMEOUT: Final = httpx.Timeout(30, connect=5)
_CHUNK_BYTES: Final = 256 * 1024


class Remote:
    """One server.

    Args:
        server: its URL, without a path.
        key: API key, or "".

    Raises:
        InvalidInput: setting_invalid: the URL is none.
    """

    def __init__(self, server: str, key: str) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.path not in ("", "/"):
            raise InvalidInput(
                f"{server!r} is no URL of a server.",
                reason=Reason.SETTING_INVALID,
                remediation="Name it like http://127.0.0.1:8765.",
            )
        self._server = server.rstrip("/")
        self.is_near = _is_loopback(parts.hostname)
        self._client = httpx.Client(
            base_url=self._server,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=_TIMEOUT,
            trust_env=not self.is_near,  # no proxy stands between us and this machine
        )

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def run(self, request: Request[R], progress: Progress) -> R:
        """The result of a request; long work is waited for.

        Raises:
            StoryCoreError: as the server told it; server_unreachable.
        """
        operation = operation_of(type(request))
        values = self._values(request)
        if operation.method == "GET":
            data = self._ask(operation, values)
        elif operation.long:
            data = self._follow(self._send(operation, values, {"Prefer": "wait=1"}), progress)
        else:
            data = self._send(operation, values, {})["data"]
        progress.finish()
        return _result(request, data)

    def stream(self, request: Request[R], sink: BinaryIO, progress: Progress) -> None:
        """Writes the product to `sink` as the server makes it.

        Raises:
            StoryCoreError: as the server told it; server_unreachable, also when it breaks off half-way.
        """
        operation = operation_of(type(request))
        with (
            self._explained(),
            self._client.stream(
                "POST", f"/v1/{operation.name}", json=self._values(request), headers={"Accept": "application/zip"}
            ) as answer,
        ):
            _refuse(answer)
            for chunk in answer.iter_raw(_CHUNK_BYTES):
                progress.check()
                sink.write(chunk)

    def events(self, request: TaskEventsRequest, stop: Callable[[], bool]) -> Iterator[EventEntry]:
        """What happens to a task, to its end, over as many connections as it takes.

        Raises:
            StoryCoreError: as the server told it; server_unreachable.
        """
        after, tries = request.after, 0
        while not stop():
            try:
                for event in self._events(request.task_id, after):
                    if event is None:
                        return
                    after, tries = event.id, 0
                    yield event
            except DependencyFailed:
                tries += 1
                if tries >= _TRIES:
                    raise
                threading.Event().wait(_LOOK_SECONDS * 2**tries)

    def download(self, artifact_id: str, entry: ArtifactDownloadResult | None, sink: BinaryIO) -> None:
        """Writes an artifact to `sink` and makes sure that it is the one that was made.

        Raises:
            StoryCoreError: as the server told it; source_changed: other bytes came than were promised.
        """
        digest = hashlib.sha256()
        with (
            self._explained(),
            self._client.stream(
                "GET", "/v1/storycore.artifact.download", params={"artifact_id": artifact_id}
            ) as answer,
        ):
            _refuse(answer)
            for chunk in answer.iter_raw(_CHUNK_BYTES):
                digest.update(chunk)
                sink.write(chunk)
            promised = answer.headers.get("etag", "").strip('"')
        wanted = entry.checksum.removeprefix("sha256:") if entry else promised
        if digest.hexdigest() != wanted:
            raise Conflict("What came is not the file that was made.", reason=Reason.SOURCE_CHANGED)

    def entry(self, artifact_id: str) -> ArtifactDownloadResult:
        """What is known of an artifact.

        Raises:
            NotFound: artifact_not_found.
        """
        cursor = None
        while True:
            page = self.run(ArtifactListRequest(limit=200, cursor=cursor), Progress())
            for item in page.items:
                if item.artifact_id == artifact_id:
                    return ArtifactDownloadResult(**item.model_dump())
            cursor = page.next_cursor
            if cursor is None:
                raise NotFound("There is no such artifact.", reason=Reason.ARTIFACT_NOT_FOUND)

    def _events(self, task_id: str, after: int) -> Iterator[EventEntry | None]:
        """Events of one connection; None at the end of the task."""
        timeout = httpx.Timeout(60, connect=5)  # the server is never silent for longer than a quarter of that
        wanted = {"task_id": task_id, "after": str(after)}
        with (
            self._explained(),
            self._client.stream("GET", "/v1/storycore.task.events", params=wanted, timeout=timeout) as answer,
        ):
            _refuse(answer)
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    continue
                if fields.get("event") == "end":
                    yield None
                if "data" in fields and "id" in fields:
                    data = json.loads(fields["data"])
                    instant = data.pop("created_at", "")
                    yield EventEntry(id=int(fields["id"]), event=fields["event"], data=data, created_at=instant)
                fields = {}

    def _values(self, request: Request[Any]) -> dict[str, Any]:
        """Fields as they are sent; on this machine paths are the same, so relative ones are made whole."""
        values: dict[str, Any] = request.model_dump(mode="json", exclude_defaults=True)
        if self.is_near:
            for name in path_fields(type(request)):
                if isinstance(values.get(name), str):
                    values[name] = str(Path(values[name]).absolute())
        return values

    def _ask(self, operation: Operation, values: Mapping[str, Any]) -> dict[str, Any]:
        texts = {name: _text(value) for name, value in values.items() if value is not None}
        with self._explained():
            answer = self._client.get(f"/v1/{operation.name}", params=texts)
        data: dict[str, Any] = _envelope(answer)["data"]
        return data

    def _send(self, operation: Operation, values: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        """The envelope of a call that is made again if it breaks off, as long as that can't do it twice."""
        once = {} if operation.secret else {"Idempotency-Key": uuid.uuid4().hex}
        tries = 1 if operation.secret else _TRIES
        for number in range(1, tries + 1):
            try:
                with self._explained():
                    answer = self._client.post(f"/v1/{operation.name}", json=values, headers={**once, **headers})
                return _envelope(answer)
            except DependencyFailed as fault:
                if number == tries or fault.reason is not Reason.SERVER_UNREACHABLE:
                    raise
                threading.Event().wait(_LOOK_SECONDS * number)
        raise AssertionError  # the last try raises or gives an answer

    def _follow(self, envelope: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """The result of a task that goes on; told to stop here, it is stopped there."""
        data: dict[str, Any] = envelope["data"]
        if envelope["status"] == "success":
            return data
        task_id = data["task_id"]
        while True:
            status = self.run(TaskStatusRequest(task_id=task_id), Progress())
            fault = status.fault()
            if fault:
                raise fault
            if status.result is not None:
                return status.result
            try:
                progress.reach(status.step, status.progress)
            except Cancelled:
                self._cancel(task_id)
                raise
            threading.Event().wait(_LOOK_SECONDS)

    def _cancel(self, task_id: str) -> None:
        """Stops a task and waits until it has ended; one that has ended meanwhile is left as it is."""
        try:
            self.run(TaskCancelRequest(task_id=task_id), Progress())
        except Conflict:
            return
        while self.run(TaskStatusRequest(task_id=task_id), Progress()).status in ("pending", "running"):
            threading.Event().wait(_LOOK_SECONDS)

    def _explained(self) -> "_Explained":
        return _Explained(self._server)


class _Explained:
    """What httpx raises, in our words."""

    def __init__(self, server: str) -> None:
        self._server = server

    def __enter__(self) -> None:
        """Begins."""

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> None:
        if isinstance(fault, httpx.HTTPError):
            raise DependencyFailed(
                f"{self._server} does not answer: {type(fault).__name__}.", reason=Reason.SERVER_UNREACHABLE
            ) from fault


def _result(request: Request[R], data: Mapping[str, Any]) -> R:
    try:
        return request.result_type()(**data)
    except ValueError:
        raise DependencyFailed(
            "The server answers in a way that this version does not understand.",
            reason=Reason.SERVER_UNREACHABLE,
            remediation="Use the same version of StoryCore on both sides.",
        ) from None


def _refuse(answer: httpx.Response) -> None:
    """Raises what the server says if it is not the stream that was asked for."""
    if answer.status_code >= 300:
        answer.read()
        _envelope(answer)


def _envelope(answer: httpx.Response) -> dict[str, Any]:
    try:
        body: dict[str, Any] = answer.json()
        fault = from_dict(body["error"]) if body["status"] == "error" else None
        understood = fault is not None or body["status"] in ("success", "pending")
    except (ValueError, KeyError, TypeError):
        understood, fault, body = False, None, {}
    if fault is not None:
        raise fault
    if not understood:
        raise DependencyFailed(
            f"This is no StoryCore server; it answered with {answer.status_code}.", reason=Reason.SERVER_UNREACHABLE
        )
    return body


def _text(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
