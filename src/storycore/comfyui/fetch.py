"""Brings home what a run put out: streamed, measured when finished, each with a sidecar that says how it came."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from storycore.comfyui.client import Client, Refused, Unreachable, chunks
from storycore.comfyui.outputs import RemoteFile, RemoteText, files, safe_name, texts
from storycore.errors import DependencyFailed, Reason
from storycore.json_text import write
from storycore.project.content import HEAD_BYTES, open_regular
from storycore.project.media_types import kind_of, measured
from storycore.storage.local import new_folder

SIDECAR: Final = ".storycore.json"
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
        remote: what the server calls it; "" for a text that came with the answer.
    """

    path: Path
    node: str
    kind: str
    media_type: str
    size_bytes: int
    sha256: str
    remote: str


async def fetch(
    client: Client,
    outputs: Mapping[str, Any],
    target: Path,
    describe: Callable[[Fetched], Mapping[str, Any]],
    *,
    on_file: Callable[[int, int], None],
) -> list[Fetched]:
    """Every file and text that a run put out, in the new folder `target`, each beside its sidecar.

    Guarantee: the folder appears with all of them, or not at all; there is none if nothing was put out.

    Args:
        client: of the server that ran it.
        outputs: node id → what it put out.
        target: stands nowhere yet.
        describe: what stands in the sidecar of a file.
        on_file: told how many of how many files are home, again and again while one comes; may raise to stop.

    Raises:
        Gone: a file is not there any more.
        Unreachable: the server does not answer any more.
        DependencyFailed: comfyui_lost: it answers, but does not hand a file out.
        StoryCoreError: no room on the disk, and what else `new_folder` refuses.
    """
    wanted, said = files(outputs), texts(outputs)
    if not wanted and not said:
        return []
    found, taken = list[Fetched](), set[str]()
    async with _in_threads(new_folder(target)) as folder:
        for count, file in enumerate(wanted):
            name, on_chunk = safe_name(file.filename, taken), partial(on_file, count, len(wanted))
            found.append(await _fetch(client, file, folder / name, target / name, on_chunk))
        return await asyncio.to_thread(_complete, folder, target, found, said, taken, describe=describe)


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


def _complete(  # noqa: PLR0913 - all that a folder holds
    folder: Path,
    target: Path,
    fetched: Sequence[Fetched],
    said: Sequence[RemoteText],
    taken: set[str],
    *,
    describe: Callable[[Fetched], Mapping[str, Any]],
) -> list[Fetched]:
    """Adds texts, and a sidecar to each; gives all of them."""
    found = list(fetched)
    for text in said:
        name = safe_name(f"text_{text.node.replace(':', '_')}.txt", taken)
        _write(folder / name, text.text)
        found.append(_measure(folder / name, target / name, text.node, ""))
    for item in found:
        _write(folder / (item.path.name + SIDECAR), write(dict(describe(item))))
    return found


async def _fetch(client: Client, file: RemoteFile, path: Path, later: Path, on_chunk: Callable[[], None]) -> Fetched:
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
            if item.sha256 == digest:
                return item
            fault = Unreachable(f"{file.filename} is not what came.")
    raise fault or Unreachable(file.filename)


async def _download(client: Client, file: RemoteFile, path: Path, on_chunk: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    on_chunk()
    async with client.view(file.query) as answer:
        with path.open("wb") as target:
            async for chunk in chunks(answer):
                on_chunk()
                digest.update(chunk)
                target.write(chunk)
            await asyncio.to_thread(_sync, target)
    return digest.hexdigest()


def _sync(target: BinaryIO) -> None:
    target.flush()
    os.fsync(target.fileno())


def _write(path: Path, text: str) -> None:
    """A small text that could be made again; not synced to the disk, which would take longer than all the rest."""
    with path.open("xb") as file:
        file.write(text.encode(errors="replace"))


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
