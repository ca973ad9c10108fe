"""Brings home what a run put out: streamed, measured when finished, each with a sidecar that says how it came."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from storycore.comfyui.client import Client, Refused, Unreachable, chunks
from storycore.comfyui.fetched import Fetched, measure
from storycore.comfyui.outputs import RemoteFile, files, safe_name, texts
from storycore.comfyui.room import Flow, Room
from storycore.comfyui.wire import Preview
from storycore.errors import DependencyFailed, Reason
from storycore.json_text import write
from storycore.project.lookup import SIDECAR
from storycore.storage.staging import Staging

_TRIES: Final = 3
_SMALL_BYTES: Final = 1024 * 1024
_MOST_SMALL_BYTES: Final = 8 * 1024 * 1024
"""Of small files of one run that are in memory together."""

T = TypeVar("T")


class Gone(Exception):  # noqa: N818 - named by what it says
    """The server names a file that it does not have any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a run put out, as it was told.

    Attributes:
        outputs: by the history: node id → files and texts.
        spoken: pictures that came over the socket, with the node of each.
    """

    outputs: Mapping[str, Any]
    spoken: Sequence[tuple[str, Preview]] = ()


async def fetch(  # noqa: PLR0913 - all that bringing home takes
    client: Client,
    told: Told,
    target: Path,
    describe: Callable[[Fetched], Mapping[str, Any]],
    *,
    staging: Staging,
    room: Room,
    on_file: Callable[[int, int], None],
) -> list[Fetched]:
    """Every file and text that a run put out, in the new folder `target`, each beside its sidecar.

    Guarantee: the folder appears with all of them, or not at all; there is none if nothing was put out.

    Args:
        client: of the server that ran it.
        told: what it put out.
        target: stands nowhere yet.
        describe: what stands in the sidecar of a file.
        staging: of the folder that `target` is in.
        room: how much may come.
        on_file: told how many of how many files are home, again and again while one comes; may raise to stop.

    Raises:
        Gone: a file is not there any more.
        Unreachable: the server does not answer any more, or what came is not what was written.
        DependencyFailed: comfyui_lost: it answers, but does not hand a file out; generated_too_large.
        StoryCoreError: no room on the disk, and what else `Staging.new_folder` refuses.
    """
    wanted = files(told.outputs)
    loose = [*_pictures(told.spoken), *_texts(told.outputs)]
    if not wanted and not loose:
        return []
    taken = set[str]()
    names = [safe_name(it.filename, taken) for it in wanted]
    loose = [replace(it, name=safe_name(it.name, taken)) for it in loose]
    small = list[Loose]()
    while len(small) < len(wanted) and sum(len(it.data) for it in small) < _MOST_SMALL_BYTES:
        file, on_chunk = wanted[len(small)], partial(_come, room, on_file, len(small), len(wanted))
        data = await _small(client, file, on_chunk)
        if data is None:
            break
        small.append(Loose(file.node, names[len(small)], data, file))
    if len(small) == len(wanted):
        return await asyncio.to_thread(_keep, staging, target, [*small, *loose], describe)
    found = list[Fetched]()
    async with _in_threads(staging.new_folder(target.name)) as folder:
        for count in range(len(small), len(wanted)):
            file, name, on_chunk = wanted[count], names[count], partial(_come, room, on_file, count, len(wanted))
            found.append(await _fetch(client, file, folder / name, target / name, on_chunk))
        return await asyncio.to_thread(_complete, folder, target, (found, [*small, *loose]), describe)


def _come(room: Room, on_file: Callable[[int, int], None], count: int, whole: int, size: int) -> None:
    """Bytes of a file came; a negative size if they came in vain."""
    on_file(count, whole)
    room.take(size)


@dataclass(frozen=True, slots=True)
class Loose:
    """What is in memory, under the name that it shall have; `file` if it was fetched, None if it was told."""

    node: str
    name: str
    data: bytes
    file: RemoteFile | None = None


def _texts(outputs: Mapping[str, Any]) -> list[Loose]:
    return [
        Loose(text.node, f"text_{text.node.replace(':', '_')}.txt", text.text.encode(errors="replace"))
        for text in texts(outputs)
    ]


def _pictures(spoken: Sequence[tuple[str, Preview]]) -> list[Loose]:
    suffixes = {"image/png": ".png", "image/jpeg": ".jpg"}
    return [
        Loose(node, f"picture_{node.replace(':', '_')}_{number:05d}{suffixes.get(it.media_type, '')}", it.data)
        for number, (node, it) in enumerate(spoken, 1)
    ]


def _keep(
    staging: Staging, target: Path, loose: Sequence[Loose], describe: Callable[[Fetched], Mapping[str, Any]]
) -> list[Fetched]:
    with staging.new_folder(target.name) as folder:
        return _complete(folder, target, ([], loose), describe)


def _complete(
    folder: Path,
    target: Path,
    parts: tuple[Sequence[Fetched], Sequence[Loose]],
    describe: Callable[[Fetched], Mapping[str, Any]],
) -> list[Fetched]:
    """Adds what is in memory to what was fetched, and a sidecar to each; gives all of them.

    Raises:
        Unreachable: a file is not what came.
    """
    fetched, loose = parts
    kept = [_keep_one(folder / it.name, target / it.name, it) for it in loose]
    found = [*(it for it in kept if it.remote), *fetched, *(it for it in kept if not it.remote)]
    for item in found:
        _write(folder / (item.path.name + SIDECAR), write(dict(describe(item))).encode(errors="replace"))
    return found


def _keep_one(path: Path, later: Path, loose: Loose) -> Fetched:
    with path.open("xb") as target:
        target.write(loose.data)
        if loose.file is not None:  # what came with the answer could be written again from the database
            _sync(target)
    kept, remote = loose.file is None or loose.file.is_kept, _name_of(loose.file) if loose.file else ""
    item = measure(path, later, loose.node, remote, is_kept=kept)
    if item.sha256 != hashlib.sha256(loose.data).hexdigest():
        raise Unreachable(f"{path.name} is not what came.")
    return item


@asynccontextmanager
async def _in_threads(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """The same for async work: what waits for the disk keeps no other run waiting."""
    entered = await asyncio.to_thread(manager.__enter__)
    try:
        yield entered
    except BaseException as fault:
        if not await asyncio.to_thread(manager.__exit__, type(fault), fault, fault.__traceback__):
            raise
    else:
        await asyncio.to_thread(manager.__exit__, None, None, None)


async def _small(client: Client, file: RemoteFile, on_chunk: Callable[[int], None]) -> bytes | None:
    """A file that is small, whole, in memory: few hops to the disk are quicker than many. None if it is not."""

    async def take() -> bytes | None:
        async with client.view(file.query) as answer:
            size = answer.content_length
            if size is None or size > _SMALL_BYTES or "Content-Encoding" in answer.headers:
                return None
            return b"".join([chunk async for chunk in _counted(chunks(answer), on_chunk)])

    return await _patiently(file, take)


async def _fetch(client: Client, file: RemoteFile, path: Path, later: Path, on_chunk: Callable[[int], None]) -> Fetched:
    """A file at `path`, which will be called `later`."""

    async def take() -> Fetched:
        digest = await _download(client, file, path, on_chunk)
        measured_now = partial(measure, path, later, file.node, _name_of(file), is_kept=file.is_kept)
        item = await asyncio.to_thread(measured_now)
        if item.sha256 != digest:
            raise Unreachable(f"{file.filename} is not what came.")
        return item

    return await _patiently(file, take)


async def _patiently(file: RemoteFile, take: Callable[[], Awaitable[T]]) -> T:
    """What `take` gives; it is tried again while the server breaks off."""
    fault: Unreachable | None = None
    for _ in range(_TRIES):
        try:
            return await take()
        except Unreachable as broken:
            fault = broken
        except Refused as refused:
            if refused.status == 404:
                raise Gone(file.filename) from None
            if refused.status < 500:
                raise DependencyFailed(
                    f"The ComfyUI server does not hand out what it made: HTTP {refused.status}.",
                    reason=Reason.COMFYUI_LOST,
                ) from None
            fault = Unreachable(f"HTTP {refused.status}")
    raise fault or Unreachable(file.filename)


async def _download(client: Client, file: RemoteFile, path: Path, on_chunk: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    async with client.view(file.query) as answer:
        with path.open("wb") as target:
            async for chunk in _counted(chunks(answer), on_chunk):
                digest.update(chunk)
                target.write(chunk)
            await asyncio.to_thread(_sync, target)
    return digest.hexdigest()


async def _counted(body: AsyncIterator[bytes], on_chunk: Callable[[int], None]) -> AsyncIterator[bytes]:
    """A body as it comes, counted; what came in vain is taken back."""
    flow, came = Flow(), 0
    on_chunk(0)
    try:
        async for chunk in body:
            came += len(chunk)
            on_chunk(len(chunk))
            flow.count(len(chunk))
            yield chunk
    except Unreachable:
        on_chunk(-came)
        raise


def _name_of(file: RemoteFile) -> str:
    return "/".join(filter(None, (file.subfolder, file.filename)))


def _sync(target: BinaryIO) -> None:
    target.flush()
    os.fsync(target.fileno())


def _write(path: Path, data: bytes) -> None:
    """A small thing that could be made again; not synced to the disk, which would take longer than all the rest."""
    with path.open("xb") as file:
        file.write(data)
