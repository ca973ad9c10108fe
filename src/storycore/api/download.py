"""A finished file sent over HTTP: whole, in part, or not at all if the caller has it already.

Source: RFC 9110 (ranges, conditions), RFC 6266 and 8187 (file names), RFC 9530 (digests).
"""

import base64
import errno
import os
import re
import stat
import unicodedata
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from storycore.api.answers import fail
from storycore.api.connection import cancel_when_gone
from storycore.api.ranges import Range, Unsatisfiable, lists_tag, read_range, same_file
from storycore.errors import Conflict, InvalidInput, NotFound, Reason, StoryCoreError
from storycore.operations.artifact import ArtifactDownloadResult
from storycore.operations.request import Result

_CHUNK_BYTES = 256 * 1024
_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT")
)
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EACCES, errno.EPERM, errno.EISDIR})
_SHOWN = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
_UNSAFE = re.compile(r'["%*/:<>?\\|]')


class FileDownload(Response):
    """Sends a file that was finished and measured before.

    Its ETag is its SHA-256, so that a part fetched today fits one fetched tomorrow. Nothing is sent of a file that is
    gone, is no regular file any more, or has another size than was recorded: that is 404, artifact_not_found. A file
    that gets shorter while it is sent cuts the connection. Sending stops when the caller hangs up.

    Args:
        path: of the file; a link is not followed.
        size_bytes: as recorded when it was made.
        sha256: as recorded, 64 hexadecimal digits.
        media_type: as recorded.
        name: under which it is offered to be saved; whatever stands in it, the headers stay well formed.
        inline: whether it is shown instead, in a page of its own; only for what can do no harm there. A browser's own
            viewer of PDFs does not work in a sandbox.
    """

    def __init__(  # noqa: PLR0913 - all that is known of a file
        self, path: Path, *, size_bytes: int, sha256: str, media_type: str, name: str, inline: bool = False
    ) -> None:
        super().__init__(media_type=media_type)
        self._path = path
        self._size = size_bytes
        self._tag = f'"{sha256.lower()}"'
        self._always = {
            "ETag": self._tag,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",  # may be kept, but only used after asking whether it is the same
            "Content-Security-Policy": _SHOWN if inline else "sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        self._about = {
            "Content-Type": media_type,
            "Content-Disposition": "inline" if inline else disposition(name),
            "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:",
        }

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest(scope, receive)
        try:
            file = await anyio.to_thread.run_sync(self._open)
        except StoryCoreError as fault:
            await fail(http, fault)(scope, receive, send)
            return
        with file:
            await self._answer(http, file, send)

    async def _answer(self, http: HttpRequest, file: BinaryIO, send: Send) -> None:
        part = self._part(http)
        if not self._is_wanted(http):
            other = Conflict("The file is another one than If-Match names.", reason=Reason.PRECONDITION_FAILED)
            await fail(http, other)(http.scope, http.receive, send)
        elif self._is_known(http):
            await _start(send, 304, self._always)
            await send({"type": "http.response.body", "body": b""})
        elif isinstance(part, Unsatisfiable):
            text = f"No byte of the file lies in that range; it has {self._size}."
            beyond = InvalidInput(text, reason=Reason.RANGE_NOT_SATISFIABLE)
            await fail(http, beyond, {"Content-Range": f"bytes */{self._size}"})(http.scope, http.receive, send)
        else:
            await self._send(http, file, part, send)

    def _is_wanted(self, http: HttpRequest) -> bool:
        tags = http.headers.getlist("if-match")
        return not tags or lists_tag(",".join(tags), self._tag, weak=False)

    def _is_known(self, http: HttpRequest) -> bool:
        return lists_tag(",".join(http.headers.getlist("if-none-match")), self._tag, weak=True)

    def _part(self, http: HttpRequest) -> Range | Unsatisfiable | None:
        wanted = http.headers.getlist("range")
        if http.method != "GET" or len(wanted) != 1 or not same_file(http.headers.get("if-range"), self._tag):
            return None
        return read_range(wanted[0], self._size)

    async def _send(self, http: HttpRequest, file: BinaryIO, part: Range | None, send: Send) -> None:
        span = part or Range(0, self._size)
        facts = {**self._always, **self._about, "Content-Length": str(span.stop - span.start)}
        if part:
            facts["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{self._size}"
        await _start(send, 206 if part else 200, facts)
        fault: Conflict | OSError | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(cancel_when_gone, http.receive, group.cancel_scope)
            try:
                if http.method != "HEAD":
                    await _pass_on(file, span, send)
                await send({"type": "http.response.body", "body": b""})
            except (Conflict, OSError) as met:
                fault = met  # raised below, outside the group that would wrap it
            group.cancel_scope.cancel()
        if fault:
            raise fault  # the answer has begun: only a cut connection tells the caller that it is not whole

    def _open(self) -> BinaryIO:
        gone = NotFound("The file is not found any more as it was made.", reason=Reason.ARTIFACT_NOT_FOUND)
        try:
            descriptor = os.open(self._path, _FLAGS)
        except OSError as fault:
            if fault.errno in _GONE:
                raise gone from None
            raise
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size != self._size:
            os.close(descriptor)
            raise gone
        return os.fdopen(descriptor, "rb", buffering=0)


def hand_out(result: Result, inline: bool = False) -> Response:
    """The file of an artifact, or where to fetch it if it is in an object store; `inline` has it shown, not saved."""
    assert isinstance(result, ArtifactDownloadResult)  # noqa: S101 - the only operation that answers with a file
    if result.link:  # the link lets anybody in for a while: it must not be kept or passed on
        headers = {"Location": result.link, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return Response(status_code=307, headers=headers)
    return FileDownload(
        Path(result.path),
        size_bytes=result.size_bytes,
        sha256=result.checksum.removeprefix("sha256:"),
        media_type=result.media_type,
        name=result.name,
        inline=inline,
    )


def disposition(name: str) -> str:
    """A Content-Disposition that has a file saved as `name`, with a fallback for clients that know ASCII only.

    What could lead out of a folder, break the header or turn the direction of text becomes `_`.
    """
    safe = "".join("_" if _is_unsafe(character) else character for character in name).strip(" .")[-200:] or "download"
    letters = (letter for letter in unicodedata.normalize("NFKD", safe) if not unicodedata.combining(letter))
    plain = _UNSAFE.sub("_", "".join(letters).encode("ascii", "replace").decode())
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def _is_unsafe(character: str) -> bool:
    return bool(_UNSAFE.match(character)) or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


async def _start(send: Send, status: int, facts: dict[str, str]) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in facts.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _pass_on(file: BinaryIO, span: Range, send: Send) -> None:
    async with aclosing(_chunks(file, span)) as chunks:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _chunks(file: BinaryIO, span: Range) -> AsyncGenerator[bytes, None]:
    left = span.stop - span.start
    await anyio.to_thread.run_sync(file.seek, span.start)
    while left:
        chunk = await anyio.to_thread.run_sync(file.read, min(left, _CHUNK_BYTES))
        if not chunk:
            raise Conflict("The file got shorter while it was sent.", reason=Reason.SOURCE_CHANGED)
        left -= len(chunk)
        yield chunk
