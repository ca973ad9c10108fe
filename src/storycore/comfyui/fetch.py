"""Brings home what a run put out: streamed, measured when finished, each with a sidecar that says how it came."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeVar

from storycore.comfyui.client import Client, Refused, Unreachable, chunks
from storycore.comfyui.outputs import RemoteFile, files, safe_name, texts
from storycore.comfyui.room import Flow, Room
from storycore.comfyui.wire import Preview
from storycore.errors import DependencyFailed, Reason
from storycore.json_text import write
from storycore.project.content import HEAD_BYTES, open_regular
from storycore.project.lookup import SIDECAR
from storycore.project.media_types import kind_of, measured
from storycore.storage.local import new_folder

_TRIES: Final = 3
_CHUNK_BYTES: Final = 1024 * 1024

T = TypeVar("T")


class Gone(Exception):  # noqa: N818 - named by what it says
    """The server names a file that it does not have any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that was brought home; measured.

    Attributes:
        path: absolute.
        node: which node put it out.
        kind: image, video, audio, model, text or file; by its content.
        media_type: IANA, by its content.
        size_bytes: of the finished file.
        sha256: of the finished file, 64 hex digits.
        remote: what the server calls it; "" for what came with the answer, or over the socket.
        is_kept: whether the server keeps it; what it shows on the way is temporary.
    """

    path: Path
    node: str
    kind: str
    media_type: str
    size_bytes: int
    sha256: str
    remote: str
    is_kept: bool = True


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
        room: how much may come.
        on_file: told how many of how many files are home, again and again while one comes; may raise to stop.

    Raises:
        Gone: a file is not there any more.
        Unreachable: the server does not answer any more.
        DependencyFailed: comfyui_lost: it answers, but does not hand a file out; generated_too_large.
        StoryCoreError: no room on the disk, and what else `new_folder` refuses.
    """
    wanted, said = files(told.outputs), [*_pictures(told.spoken), *_texts(told.outputs)]
    if not wanted and not said:
        return []
    if not wanted:
        return await asyncio.to_thread(_keep_said, said, target, describe)
    found, taken = list[Fetched](), set[str]()
    async with _in_threads(new_folder(target)) as folder:
        for count, file in enumerate(wanted):
            name, on_chunk = safe_name(file.filename, taken), partial(_come, room, on_file, count, len(wanted))
            found.append(await _fetch(client, file, folder / name, target / name, on_chunk))
        return await asyncio.to_thread(_complete, folder, target, (found, said, taken), describe)


def _come(room: Room, on_file: Callable[[int, int], None], count: int, whole: int, size: int) -> None:
    """Bytes of a file came; a negative size if they came in vain."""
    on_file(count, whole)
    room.take(size)


class _Said(NamedTuple):
    """What came with what was told, under the name that it shall have."""

    node: str
    name: str
    data: bytes


def _texts(outputs: Mapping[str, Any]) -> list[_Said]:
    return [
        _Said(text.node, f"text_{text.node.replace(':', '_')}.txt", text.text.encode(errors="replace"))
        for text in texts(outputs)
    ]


def _pictures(spoken: Sequence[tuple[str, Preview]]) -> list[_Said]:
    suffixes = {"image/png": ".png", "image/jpeg": ".jpg"}
    return [
        _Said(node, f"picture_{node.replace(':', '_')}_{number:05d}{suffixes.get(it.media_type, '')}", it.data)
        for number, (node, it) in enumerate(spoken, 1)
    ]


def _keep_said(said: Sequence[_Said], target: Path, describe: Callable[[Fetched], Mapping[str, Any]]) -> list[Fetched]:
    with new_folder(target) as folder:
        return _complete(folder, target, ([], said, set()), describe)


def _complete(
    folder: Path,
    target: Path,
    parts: tuple[Sequence[Fetched], Sequence[_Said], set[str]],
    describe: Callable[[Fetched], Mapping[str, Any]],
) -> list[Fetched]:
    """Adds what came with the answer to what was fetched, and a sidecar to each; gives all of them."""
    fetched, said, taken = parts
    found = list(fetched)
    for it in said:
        name = safe_name(it.name, taken)
        _write(folder / name, it.data)
        found.append(_measure(folder / name, target / name, it.node, ""))
    for item in found:
        _write(folder / (item.path.name + SIDECAR), write(dict(describe(item))).encode(errors="replace"))
    return found


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


async def _fetch(client: Client, file: RemoteFile, path: Path, later: Path, on_chunk: Callable[[int], None]) -> Fetched:
    """A file at `path`, which will be called `later`."""
    fault: Unreachable | None = None
    for _ in range(_TRIES):
        try:
            digest = await _download(client, file, path, on_chunk)
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
        else:
            remote = "/".join(filter(None, (file.subfolder, file.filename)))
            item = await asyncio.to_thread(_measure, path, later, file.node, remote)
            item = replace(item, is_kept=file.is_kept)
            if item.sha256 == digest:
                return item
            fault = Unreachable(f"{file.filename} is not what came.")
    raise fault or Unreachable(file.filename)


async def _download(client: Client, file: RemoteFile, path: Path, on_chunk: Callable[[int], None]) -> str:
    digest, flow, came = hashlib.sha256(), Flow(), 0
    on_chunk(0)
    async with client.view(file.query) as answer:
        with path.open("wb") as target:
            try:
                async for chunk in chunks(answer):
                    came += len(chunk)
                    on_chunk(len(chunk))
                    flow.count(len(chunk))
                    digest.update(chunk)
                    target.write(chunk)
            except Unreachable:
                on_chunk(-came)
                raise
            await asyncio.to_thread(_sync, target)
    return digest.hexdigest()


def _sync(target: BinaryIO) -> None:
    target.flush()
    os.fsync(target.fileno())


def _write(path: Path, data: bytes) -> None:
    """A small thing that could be made again; not synced to the disk, which would take longer than all the rest."""
    with path.open("xb") as file:
        file.write(data)


def _measure(path: Path, later: Path, node: str, remote: str) -> Fetched:
    """A finished file, read anew at `path`; it will be called `later`."""
    digest, size = hashlib.sha256(), 0
    with open_regular(path) as file:
        head = file.read(HEAD_BYTES)
        chunk = head
        while chunk:
            digest.update(chunk)
            size += len(chunk)
            chunk = file.read(_CHUNK_BYTES)
    media_type = measured(path.name, head, kind_of(head))
    return Fetched(
        path=later, node=node, kind=_kind(media_type, path, head), media_type=media_type, size_bytes=size,
        sha256=digest.hexdigest(), remote=remote,
    )  # fmt: skip


def _kind(media_type: str, path: Path, head: bytes) -> str:
    word = media_type.split("/", maxsplit=1)[0]
    if head[:4] == b"glTF" or path.suffix.lower() in (".glb", ".gltf", ".obj", ".fbx", ".stl", ".ply", ".usdz"):
        return "model"
    return word if word in ("image", "video", "audio", "text") else "file"
