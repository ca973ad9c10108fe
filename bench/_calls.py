"""Servers in processes of their own, and a caller that costs next to nothing: bytes out, bytes in, one connection."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, BinaryIO

HERE = Path(__file__).resolve().parent.parent

BARE = """
import contextlib, socket, sqlite3, sys, threading
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

class Asked(BaseModel):
    name: str

app, lock = FastAPI(), threading.Lock()
disk = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE kept (text TEXT)"):
    disk.execute(statement)

@app.post("/bare")
def bare(asked: Asked) -> dict[str, str]:
    return {"status": "success", "name": asked.name}

@app.post("/committed")
def committed(asked: Asked) -> dict[str, str]:
    with lock:
        disk.execute("BEGIN IMMEDIATE")
        disk.execute("INSERT INTO kept VALUES (?)", (asked.model_dump_json(),))
        disk.execute("COMMIT")
    return {"status": "success", "name": asked.name}

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
listener.listen(128)
print(listener.getsockname()[1], file=sys.stderr, flush=True)
uvicorn.Server(uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False)).run([listener])
"""  # noqa: E501 - a program in a text
"""FastAPI as its first page of documentation shows it, and the same with one durable commit."""


ECHO = """
import socket, sys
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], file=sys.stderr, flush=True)
caller, _ = door.accept()
caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while caller.recv(65536):
    caller.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n{}")
"""
"""Reads and answers without looking: what the machine's own network takes."""


@dataclass
class Subject:
    """One kind of call, and how long each of them took, in seconds."""

    name: str
    address: tuple[str, int]
    request: bytes
    seconds: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def median_ms(self) -> float:
        return median(self.seconds) * 1000

    def quantile_ms(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


class Caller:
    """One kept connection."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, request: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self._socket.sendall(request)
        head, _, body = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length"))
        while len(body) < length:
            body += self._socket.recv(262_144)
        return int(lines[0].split()[1]), body

    def _until(self, end: bytes) -> bytes:
        found = b""
        while end not in found:
            chunk = self._socket.recv(262_144)
            if not chunk:
                raise SystemExit("the server hung up")
            found += chunk
        return found

    def close(self) -> None:
        self._socket.close()


def post(path: str, body: dict[str, Any], headers: Sequence[str] = ()) -> bytes:
    """A POST with a JSON body, as bytes."""
    content = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json",
             f"Content-Length: {len(content)}", *headers, "", ""]  # fmt: skip
    return "\r\n".join(lines).encode() + content


def get(path: str) -> bytes:
    """A GET, as bytes."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


@contextlib.contextmanager
def server(*words: str, cwd: Path, **environment: str) -> Iterator[tuple[str, int]]:
    """Address of a server that is started by `python WORDS` and ends with the block; it tells its port first."""
    environment = {**os.environ, "PYTHONPATH": str(HERE / "src"), **environment}
    with tempfile.TemporaryFile(dir=cwd) as log:  # the log goes to a file, as under a supervisor
        process = subprocess.Popen([sys.executable, *words], cwd=cwd, env=environment, stderr=log)
        try:
            yield "127.0.0.1", _port(process, log)
        finally:
            process.terminate()
            process.wait()


def _port(process: subprocess.Popen[bytes], log: BinaryIO) -> int:
    """The number that ends a word of the first line that is printed."""
    pause = threading.Event()
    while process.poll() is None:
        first = os.pread(log.fileno(), 4096, 0).partition(b"\n")
        digits = re.search(rb"(?:^|:)(\d+)\b", first[0].replace(b"://", b" "))
        if first[1] and digits:
            return int(digits[1])
        pause.wait(0.05)
    raise SystemExit(f"a server did not start: {os.pread(log.fileno(), 4096, 0).decode()}")


@contextlib.contextmanager
def bare(place: Path) -> Iterator[tuple[str, int]]:
    """The bare server."""
    with server("-c", BARE, str(place / "bare.db"), cwd=place) as address:
        yield address


@contextlib.contextmanager
def echo(place: Path) -> Iterator[tuple[str, int]]:
    """The server that does not look; it takes one caller."""
    with server("-c", ECHO, cwd=place) as address:
        yield address


def race(subjects: Sequence[Subject], rounds: int, *, warm: int = 30) -> None:
    """Calls every subject in turn, round after round, so that a busy machine is busy for everyone."""
    callers = [Caller(subject.address) for subject in subjects]
    try:
        for number in range(-warm, rounds):
            for subject, caller in zip(subjects, callers, strict=True):
                begun = time.perf_counter()
                status, body = caller.call(subject.request)
                took = time.perf_counter() - begun
                if status != 200:
                    raise SystemExit(f"{subject.name}: {status} {body[:500].decode(errors='replace')}")
                if number >= 0:
                    subject.seconds.append(took)
                    subject.sizes.append(len(body))
    finally:
        for caller in callers:
            caller.close()
