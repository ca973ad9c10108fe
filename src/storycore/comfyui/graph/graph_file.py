"""Graphs in files: JSON as ComfyUI saves it, and pictures and films that it made. The one module that opens files."""

import gzip
import os
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from storycore.comfyui.graph.document import GraphDocument, graph_document, graph_json, graph_text
from storycore.comfyui.graph.embedded import MAX_TEXT_BYTES, READABLE, texts_of
from storycore.errors import AccessDenied, InvalidInput, NotFound, Reason
from storycore.project.content import HEAD_BYTES, media_type, open_regular
from storycore.project.headers.facts import HeaderFault
from storycore.project.headers.window import Window

MAX_INFO_BYTES = 128 * 1024 * 1024
"""Longest answer of `GET /object_info` that is taken, unpacked; a server with every known pack tells some 30 MB."""


def read_graph(source: bytes | Path) -> GraphDocument:
    """The graph in a file or in its bytes: JSON, PNG, WebP, MP4 or MOV, told apart by the content, not the name.

    A picture or a film may hold both formats. Of media only the headers are read.

    Raises:
        InvalidInput: malformed_json; workflow_invalid: it holds no graph; body_too_large: JSON over 8 MiB.
        NotFound: file_not_found.
        AccessDenied: permission_denied: it can't be opened, or it is a link, a pipe or a folder.
    """
    if isinstance(source, bytes):
        return _read(BytesIO(source), len(source))
    with _opened(source) as file:
        return _read(file, file.seek(0, os.SEEK_END))


def read_object_info(path: Path) -> dict[str, Any]:
    """What a server told by `GET /object_info`, from a file; packed with gzip or not.

    Raises:
        InvalidInput: malformed_json; workflow_invalid: it tells of no node classes; body_too_large.
        NotFound, AccessDenied: see `read_graph`.
    """
    with _opened(path) as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        text = _unpacked(file) if packed else file.read(MAX_INFO_BYTES + 1)
    if len(text) > MAX_INFO_BYTES:
        raise _too_large("The list of node classes", MAX_INFO_BYTES)
    info = graph_json(text)
    if not isinstance(info, dict) or not any(isinstance(facts, dict) and "input" in facts for facts in info.values()):
        raise InvalidInput(
            f"{path.name} tells of no node classes.",
            reason=Reason.WORKFLOW_INVALID,
            remediation="Save the answer of GET /object_info of the server: curl http://127.0.0.1:8188/object_info",
        )
    return info


def _read(file: BinaryIO, size: int) -> GraphDocument:
    file.seek(0)
    found = media_type(file.read(HEAD_BYTES))
    if found is not None:
        return _from_media(file, size, found)
    if size > MAX_TEXT_BYTES:
        raise _too_large("The workflow", MAX_TEXT_BYTES)
    file.seek(0)
    return graph_text(file.read(MAX_TEXT_BYTES))


def _from_media(file: BinaryIO, size: int, found: str) -> GraphDocument:
    if found not in READABLE:
        raise InvalidInput(f"Graphs are not looked for in {found}.", reason=Reason.WORKFLOW_INVALID)
    try:
        texts = texts_of(Window(file, size, most_bytes=3 * MAX_TEXT_BYTES), found)
    except HeaderFault as fault:
        raise InvalidInput(f"The file can't be read: {fault}.", reason=Reason.WORKFLOW_INVALID) from None
    held = {name: graph_json(text) for name, text in texts.items()}
    try:
        return graph_document(held)
    except InvalidInput:
        raise InvalidInput(
            "The file holds no workflow: ComfyUI did not make it, or something took its metadata away.",
            reason=Reason.WORKFLOW_INVALID,
            remediation="Give a file as ComfyUI saved it, or the workflow itself.",
        ) from None


def _unpacked(file: BinaryIO) -> bytes:
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            return packed.read(MAX_INFO_BYTES + 1)
    except (EOFError, OSError, zlib.error) as fault:
        raise InvalidInput(f"The packed file can't be read: {fault}", reason=Reason.WORKFLOW_INVALID) from None


def _opened(path: Path) -> BinaryIO:
    try:
        return open_regular(path)
    except FileNotFoundError:
        raise NotFound(f"There is no file {path.name}.", reason=Reason.FILE_NOT_FOUND) from None
    except OSError as fault:
        why = os.strerror(fault.errno) if fault.errno else "it is not a regular file"
        raise AccessDenied(f"{path.name} can't be read: {why}.", reason=Reason.PERMISSION_DENIED) from None


def _too_large(what: str, most: int) -> InvalidInput:
    return InvalidInput(
        f"{what} is larger than {most} bytes.",
        reason=Reason.BODY_TOO_LARGE,
        remediation="Give a workflow as ComfyUI saves it; pictures and data don't belong in it.",
    )
