"""A package as an HTTP stream."""

import base64
import contextlib
import hashlib
import io
import json
import socket
import subprocess
import time
import zipfile
from pathlib import Path

import httpx
import pytest

PACKAGE = "/v1/storycore.export.package"
ZIP = {"Accept": "application/zip"}
STORED = {"project_path": "little", "compression_level": 0}


def stream(server, **body):
    return httpx.post(server + PACKAGE, json=body, headers=ZIP, timeout=60)


def test_a_package_comes_as_it_is_made(server, film, tmp_path):
    answer = stream(server, project_path="little")
    path = tmp_path / "film.zip"
    path.write_bytes(answer.content)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None
    assert not (film / "exports").exists()


def said(server, version):
    """All that the server says to a request for a stream, byte by byte."""
    host, port = server.removeprefix("http://").split(":")
    body = json.dumps({"project_path": "little"})
    head = (f"POST {PACKAGE} HTTP/{version}\r\nHost: {host}:{port}\r\nAccept: application/zip\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")  # fmt: skip
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall((head + body).encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_stream_is_followed_by_its_digest(server, film):
    digest = base64.b64encode(hashlib.sha256(stream(server, project_path="little").content).digest())
    told = said(server, "1.1")
    assert b"\r\ntrailer: repr-digest\r\n" in told.partition(b"\r\n\r\n")[0].lower() + b"\r\n"
    assert told.endswith(b"\r\n0\r\nRepr-Digest: sha-256=:" + digest + b":\r\n\r\n")


def test_nothing_follows_a_stream_over_http_1_0(server, film):
    told = said(server, "1.0")
    assert told.partition(b"\r\n\r\n")[2] == stream(server, project_path="little").content


def test_two_streams_are_the_same_bytes(server, film):
    assert stream(server, project_path="little").content == stream(server, project_path="little").content


@pytest.mark.parametrize(("path", "status"), [("nowhere", 404), ("../x", 403), ("a\0b", 400)])
def test_a_refusal_before_the_first_byte_is_an_ordinary_error(server, film, path, status):
    answer = stream(server, project_path=path)
    assert (answer.status_code, answer.json()["status"]) == (status, "error")


def test_a_source_that_changes_cuts_the_connection(server, film):
    big = film / "assets/big.mov"
    with big.open("wb") as file:
        file.truncate(200 * 2**20)
    with (
        pytest.raises(httpx.RemoteProtocolError),
        httpx.stream("POST", server + PACKAGE, json=STORED, headers=ZIP, timeout=60) as answer,
    ):
        chunks = answer.iter_raw()
        next(chunks)
        big.write_bytes(b"changed")
        for _ in chunks:
            pass


def reads(name):
    """Whether this process, and so the server in it, has a file open."""
    opened = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            opened.append(descriptor.readlink().name)
    return name in opened


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux tells which files a process has open")
def test_a_caller_that_hangs_up_stops_the_work(server, film):
    with (film / "assets/big.mov").open("wb") as file:
        file.truncate(2**36)
    with httpx.stream("POST", server + PACKAGE, json=STORED, headers=ZIP, timeout=60) as answer:
        chunks = answer.iter_raw()
        while not reads("big.mov"):  # what comes before it is small
            next(chunks)
    deadline = time.monotonic() + 20
    while reads("big.mov") and time.monotonic() < deadline:
        pass
    assert not reads("big.mov")


def test_curl_can_take_it(server, film, tmp_path):
    command = [
        "curl",
        "-sf",
        server + PACKAGE,
        "-H",
        ZIP["Accept"].join(["Accept: ", ""]),
        "-o",
        str(tmp_path / "x.zip"),
    ]
    command += ["-H", "Content-Type: application/json", "-d", '{"project_path": "little"}']
    try:
        subprocess.run(command, check=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("curl is not installed")
    assert zipfile.ZipFile(tmp_path / "x.zip").testzip() is None
