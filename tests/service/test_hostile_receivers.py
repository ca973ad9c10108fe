"""Receivers that misbehave: the right word for each, in time, in little memory, and at nobody else's expense."""

import asyncio
import contextlib
import datetime as dt
import gc
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fixtures.receivers import sinking
from storycore.webhooks.address import Guard
from storycore.webhooks.delivery import MOST_BODY_BYTES, Code
from storycore.webhooks.gate import Withdrawn
from storycore.webhooks.message import Letterhead, Outgoing
from storycore.webhooks.sender import Sender
from storycore.webhooks.url import read_url

LIMIT = 1.5
LARGE = 24_000_000


def send(url, *, allow=("127.0.0.1:*",), count=1, limit=LIMIT, **options):
    """Attempts that are made at a time, and how long they took."""

    async def run():
        async with Sender(Guard(allow), timeout_seconds=limit, **options) as sender:
            message = Outgoing(Letterhead(read_url(url), {"Content-Type": "application/json"}), body=b"{}")
            return await asyncio.gather(*(sender.send(message) for _ in range(count)))

    begun = time.monotonic()
    return asyncio.run(run()), time.monotonic() - begun


@pytest.fixture(scope="module")
def port():
    with sinking() as port:
        yield port


@pytest.mark.parametrize(
    ("path", "codes", "status"),
    [
        ("ok", {Code.OK}, 204),
        ("status/200", {Code.OK}, 200),
        ("status/299", {Code.OK}, 299),
        ("status/300", {Code.REDIRECT}, 300),
        ("status/304", {Code.REDIRECT}, 304),
        ("status/400", {Code.HTTP_4XX}, 400),
        ("status/410", {Code.GONE}, 410),
        ("status/429/7", {Code.RATE_LIMITED}, 429),
        ("status/500", {Code.HTTP_5XX}, 500),
        ("status/503", {Code.HTTP_5XX}, 503),
        ("status/600", {Code.PROTOCOL}, 600),
        ("never", {Code.TIMEOUT_HEADERS}, None),
        ("slow/9", {Code.TIMEOUT_HEADERS}, None),
        ("drip", {Code.TIMEOUT_TOTAL}, 200),
        ("drip-head", {Code.TIMEOUT_HEADERS}, None),
        ("endless-body", {Code.OK}, 200),
        ("endless-head", {Code.PROTOCOL}, None),
        ("informational", {Code.PROTOCOL}, None),
        ("gzip-bomb", {Code.OK}, 200),
        ("redirect", {Code.REDIRECT}, 302),
        ("upgrade", {Code.PROTOCOL}, 101),
        ("reset", {Code.RESET}, None),
        ("close", {Code.CLOSED}, None),
        ("cut", {Code.CLOSED}, 200),
        ("garbage", {Code.PROTOCOL}, None),
    ],
)
def test_each_way_to_misbehave_has_its_word(port, path, codes, status):
    (attempt,), seconds = send(f"http://127.0.0.1:{port}/{path}")
    assert attempt.code in codes, attempt
    assert (attempt.status_code, attempt.success) == (status, attempt.code is Code.OK)
    assert len(attempt.response_body) <= MOST_BODY_BYTES
    assert bool(attempt.message) != attempt.success
    assert seconds < LIMIT + 20  # a busy machine; without the limit it would never end


def test_of_a_body_that_is_cut_off_its_length_is_told_only_if_it_was_said(port):
    (endless,), _ = send(f"http://127.0.0.1:{port}/endless-body")
    (bomb,), _ = send(f"http://127.0.0.1:{port}/gzip-bomb")
    assert (len(endless.response_body), endless.response_bytes) == (MOST_BODY_BYTES, None)
    assert bomb.response_body[:2] == b"\x1f\x8b"  # as it came, not unpacked
    assert bomb.response_bytes == int(bomb.response_headers["Content-Length"]) > MOST_BODY_BYTES


def test_phases_are_measured_and_the_address_is_told(port):
    (attempt,), _ = send(f"http://127.0.0.1:{port}/slow/0.3")
    assert attempt.remote_address == f"127.0.0.1:{port}"
    assert attempt.dns_ms is None
    assert 0 <= attempt.connect_ms <= attempt.headers_ms <= attempt.total_ms
    assert attempt.headers_ms >= 300


def test_a_redirect_is_never_followed(port):
    with sinking() as other:
        (attempt,), _ = send(f"http://127.0.0.1:{port}/redirect/127.0.0.1:{other}/ok")
    assert (attempt.code, attempt.response_headers["Location"]) == (Code.REDIRECT, f"http://127.0.0.1:{other}/ok")


def test_a_port_that_nobody_listens_on_is_refused():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    (attempt,), _ = send(f"http://127.0.0.1:{number}/")
    assert (attempt.code, attempt.status_code) == (Code.REFUSED, None)


def test_a_listener_that_takes_no_connection_runs_into_the_limit():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        number = listener.getsockname()[1]
        held = [socket.socket() for _ in range(8)]
        for one in held:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", number))
        (attempt,), _ = send(f"http://127.0.0.1:{number}/")
        for one in held:
            one.close()
    assert attempt.code in (Code.TIMEOUT_CONNECT, Code.TIMEOUT_HEADERS)  # the second where the queue is longer


def test_a_name_that_leads_nowhere_is_told_as_such():
    (attempt,), _ = send("http://nothing.invalid/", limit=10)
    assert attempt.code in (Code.DNS, Code.TIMEOUT_DNS)


def certificate(name, *, days=30):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=60))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def tls(tmp_path):
    def make(name, **facts):
        path = tmp_path / f"{name}.pem"
        path.write_bytes(certificate(name, **facts))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context, path

    return make


def test_a_good_certificate_is_taken_and_every_bad_one_refused(tls):
    good, path = tls("localhost")
    wrong_name, other_path = tls("other.example")
    expired, old_path = tls("localhost.localdomain", days=-1)
    found = {}
    for label, context, trusted in (
        ("good", good, path),
        ("unknown authority", good, None),
        ("other name", wrong_name, other_path),
        ("expired", expired, old_path),
    ):
        with sinking(tls=context) as number:
            (attempt,), _ = send(f"https://localhost:{number}/", allow=("localhost:*",), limit=20, ca_file=trusted)
            found[label] = attempt.code
    assert found == {
        "good": Code.OK,
        "unknown authority": Code.TLS,
        "other name": Code.TLS,
        "expired": Code.TLS,
    }


def test_no_socket_stays_open_behind_a_receiver_that_does_not_answer_a_farewell(tls):
    context, trusted = tls("localhost")
    over = threading.Event()

    def answer(wire):
        with context.wrap_socket(wire, server_side=True) as secure:
            secure.recv(65_536)
            secure.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            over.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        going = threads.submit(lambda: answer(listener.accept()[0]))
        url = f"https://localhost:{listener.getsockname()[1]}/"
        (attempt,), _ = send(url, allow=("localhost:*",), limit=20, ca_file=trusted)
        gc.collect()  # what was left open would be told now, which is an error
        over.set()
        going.result(30)
    assert (attempt.code, attempt.status_code) == (Code.OK, 204)


def test_a_plain_server_behind_https_is_no_secure_connection(port):
    (attempt,), _ = send(f"https://127.0.0.1:{port}/", limit=10)
    assert attempt.code is Code.TIMEOUT_CONNECT  # both wait for the other
    (answered,), _ = send(f"https://127.0.0.1:{_saying(b'HTTP/1.1 400 Bad Request')}/", limit=10)
    assert answered.code is Code.TLS


def test_retry_after_is_found_behind_any_number_of_headers():
    many = b"".join(b"X-%d: 1\r\n" % number for number in range(100))
    said = b"HTTP/1.1 503 Busy\r\n" + many + b"Retry-After: 7\r\nContent-Length: 0\r\n\r\n"
    (attempt,), _ = send(f"http://127.0.0.1:{_saying(said)}/", limit=10)
    assert (attempt.response_headers["Retry-After"], len(attempt.response_headers)) == ("7", 64)


def _saying(text):
    """Port of a server that says one thing to the first who comes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def say():
        with listener, listener.accept()[0] as wire:
            wire.sendall(text)
            wire.recv(4096)

    threading.Thread(target=say, daemon=True).start()
    return listener.getsockname()[1]


MEMORY = """
import asyncio, resource, sys
from storycore.webhooks.address import Guard
from storycore.webhooks.message import Letterhead, Outgoing
from storycore.webhooks.sender import Sender
from storycore.webhooks.url import read_url

async def send(path, count):
    async with Sender(Guard(["127.0.0.1:*"]), timeout_seconds=3) as sender:
        target = read_url(f"http://127.0.0.1:{sys.argv[1]}/{path}")
        message = Outgoing(Letterhead(target, {}), body=b"{}")
        for _ in range(count // 50):
            await asyncio.gather(*(sender.send(message) for _ in range(50)))

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)

asyncio.run(send("ok", 50))
for path in sys.argv[2:]:
    before = most()
    asyncio.run(send(path, 50))
    once = most()
    asyncio.run(send(path, 300))
    print(path, once - before, most() - once)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells no peak of memory this way")
def test_memory_stays_flat_while_hundreds_answer_without_end(port):
    """Fifty at a time cost what they keep; the next three hundred cost nothing more."""
    paths = ("endless-body", "gzip-bomb", "endless-head", "informational")
    run = subprocess.run([sys.executable, "-c", MEMORY, str(port), *paths], capture_output=True, text=True, timeout=110)
    assert run.returncode == 0, run.stderr
    grown = {path: (int(first), int(more)) for path, first, more in map(str.split, run.stdout.splitlines())}
    assert set(grown) == set(paths)
    assert all(first <= 64 and more <= 16 for first, more in grown.values()), grown


def test_a_hundred_that_never_answer_do_not_hold_up_one_that_does(port):
    async def run():
        async with Sender(Guard(["127.0.0.1:*"]), timeout_seconds=20) as sender:
            stuck = Outgoing(Letterhead(read_url(f"http://127.0.0.1:{port}/never"), {}), body=b"{}")
            well = Outgoing(Letterhead(read_url(f"http://127.0.0.1:{port}/ok"), {}), body=b"{}")
            waiting = [asyncio.create_task(sender.send(stuck)) for _ in range(100)]
            await asyncio.sleep(0)
            answered = await sender.send(well)
            still = sum(not task.done() for task in waiting)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return answered, still

    answered, still = asyncio.run(run())
    assert (answered.code, still) == (Code.OK, 100)


def test_threads_are_not_needed_for_names():
    before = threading.active_count()
    send("http://nothing.invalid/", count=20, limit=10)
    assert threading.active_count() <= before + 1


@pytest.mark.parametrize("who", ["let_out", "check"])
def test_of_a_message_that_is_withdrawn_after_connecting_no_byte_is_sent(who):
    def refuse(_write):
        raise Withdrawn("the webhook was deleted meanwhile")

    async def doubt():
        raise Withdrawn("the webhook was deleted meanwhile, by somebody else")

    async def run(port):
        async with Sender(Guard(["127.0.0.1:*"]), timeout_seconds=10) as sender:
            message = Outgoing(Letterhead(read_url(f"http://127.0.0.1:{port}/hook"), {}), body=b"{}")
            with pytest.raises(Withdrawn):
                await sender.send(message, **({"let_out": refuse} if who == "let_out" else {"check": doubt}))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        asyncio.run(run(listener.getsockname()[1]))
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1) == b""  # it had connected, and then hung up


def test_a_header_that_would_end_a_line_is_never_sent(port):
    async def run():
        async with Sender(Guard(["127.0.0.1:*"]), timeout_seconds=10) as sender:
            headers = {"X-One": "a\r\nHost: elsewhere"}
            return await sender.send(Outgoing(Letterhead(read_url(f"http://127.0.0.1:{port}/ok"), headers), body=b""))

    attempt = asyncio.run(run())
    assert (attempt.code, attempt.status_code) == (Code.PROTOCOL, None)


def test_a_receiver_that_answers_before_it_has_read_all_gets_no_second_message_over_that_connection():
    def serve(wire):
        wire.recv(100)
        wire.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    attempts, taken = _twice(serve)
    assert ([it.status_code for it in attempts], len(taken)) == ([413, 413], 2)


def test_a_receiver_that_says_more_than_its_answer_is_heard_once_and_called_anew():
    more = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
    taken = []

    def serve(listener):
        for number in range(2):
            with listener.accept()[0] as wire:
                taken.append(wire.recv(65_536))
                wire.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                if number == 0:
                    wire.sendall(more)  # as if it were the answer to the next message
                    wire.recv(1)

    async def run(port):
        async with Sender(Guard(["127.0.0.1:*"]), timeout_seconds=20) as sender:
            message = Outgoing(Letterhead(read_url(f"http://127.0.0.1:{port}/hook"), {}), body=b"{}")
            first = await sender.send(message)
            await asyncio.sleep(0.3)
            return [first, await sender.send(message)]

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        serving = threads.submit(serve, listener)
        attempts = asyncio.run(run(listener.getsockname()[1]))
        serving.result(30)
    assert ([it.status_code for it in attempts], len(taken)) == ([204, 204], 2)
    assert all(it.connect_ms is not None for it in attempts)


def test_a_receiver_that_goes_on_after_its_answer_is_cut_off_at_once(monkeypatch):
    monkeypatch.setattr("storycore.webhooks.sender.KEPT_SECONDS", 600)
    monkeypatch.setattr("storycore.webhooks.wire.KEPT_SECONDS", 600)
    hint = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2000

    def serve(listener):
        with listener.accept()[0] as wire:
            wire.recv(65_536)
            wire.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            threading.Event().wait(0.5)  # the answer is over
            with contextlib.suppress(ConnectionError):
                while True:
                    wire.sendall(hint)

    async def run(port, serving):
        async with Sender(Guard(["127.0.0.1:*"]), timeout_seconds=20) as sender:
            message = Outgoing(Letterhead(read_url(f"http://127.0.0.1:{port}/hook"), {}), body=b"{}")
            attempt = await sender.send(message)
            await asyncio.wait_for(asyncio.wrap_future(serving), 20)  # its next words failed
            return attempt

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        serving = threads.submit(serve, listener)
        attempt = asyncio.run(run(listener.getsockname()[1], serving))
    assert attempt.code is Code.OK


def test_a_connection_that_stands_is_used_again_and_closed_when_it_is_not(monkeypatch):
    monkeypatch.setattr("storycore.webhooks.sender.KEPT_SECONDS", 0.5)
    monkeypatch.setattr("storycore.webhooks.wire.KEPT_SECONDS", 0.5)
    heard = []

    def serve(listener):
        for _ in range(2):
            with listener.accept()[0] as wire:
                heard.append(0)
                while wire.recv(65_536):
                    heard[-1] += 1
                    wire.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def run(port):
        async with Sender(Guard(["127.0.0.1:*"]), timeout_seconds=20) as sender:
            target = read_url(f"http://127.0.0.1:{port}/hook")
            first, second = (Outgoing(Letterhead(target, {"X-One": it}), body=b"{}") for it in "ab")
            attempts = [await sender.send(it) for it in (first, second, first)]
            await asyncio.sleep(2.5)
            return [*attempts, await sender.send(second)]

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        serving = threads.submit(serve, listener)
        attempts = asyncio.run(run(listener.getsockname()[1]))
        serving.result(30)
    assert ([it.connect_ms is None for it in attempts], heard) == ([False, True, True, False], [3, 1])


@pytest.mark.parametrize(
    ("withdrawn", "codes", "messages"), [(False, [Code.OK] * 2, 3), (True, [Code.OK, Code.CLOSED], 2)]
)
def test_over_a_connection_that_a_receiver_ends_between_messages_nothing_is_lost(withdrawn, codes, messages):
    heard = []

    def serve(listener):
        for _ in range(1 if withdrawn else 2):
            with listener.accept()[0] as wire:
                heard.append(wire.recv(65_536))
                wire.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                if another := wire.recv(65_536):
                    heard.append(another)  # and it ends, as if that had come too late

    async def withdraw():
        raise Withdrawn("the webhook has changed")

    async def run(port):
        async with Sender(Guard(["127.0.0.1:*"]), timeout_seconds=20) as sender:
            message = Outgoing(Letterhead(read_url(f"http://127.0.0.1:{port}/hook"), {"X-One": "a"}), body=b"{}")
            return [await sender.send(message), await sender.send(message, check=withdraw if withdrawn else None)]

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        listener.settimeout(20)
        serving = threads.submit(serve, listener)
        attempts = asyncio.run(run(listener.getsockname()[1]))
        serving.result(30)
    assert ([it.code for it in attempts], len(heard), len(set(heard))) == (codes, messages, 1)


def test_a_new_connection_that_ends_without_a_word_is_an_attempt_that_failed():
    heard = []

    def serve(listener):
        with listener.accept()[0] as wire:
            heard.append(wire.recv(65_536))

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        serving = threads.submit(serve, listener)
        (attempt,), _ = send(f"http://127.0.0.1:{listener.getsockname()[1]}/hook")
        serving.result(30)
    assert (attempt.code, len(heard)) == (Code.CLOSED, 1)


def test_what_a_receiver_does_not_take_is_not_kept_after_the_attempt():
    attempts, taken = _twice(lambda _wire: threading.Event().wait(2), limit=0.5)
    assert [it.code for it in attempts] == [Code.TIMEOUT_HEADERS] * 2
    assert [count < LARGE for count in taken] == [True, True]  # only what the system took in its stead


def _twice(serve, *, limit=10):
    """Two attempts with a message that no system takes at once, and what was read of each in the end."""
    taken = []

    def run(wire):
        with wire, contextlib.suppress(ConnectionResetError):
            serve(wire)
            count = 0
            while chunk := wire.recv(1_000_000):
                count += len(chunk)
            taken.append(count)

    async def send(port):
        async with Sender(Guard(["127.0.0.1:*"]), timeout_seconds=limit) as sender:
            message = Outgoing(Letterhead(read_url(f"http://127.0.0.1:{port}/hook"), {}), body=bytes(LARGE))
            return [await sender.send(message) for _ in range(2)]

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(3) as threads:
        accepting = threads.submit(lambda: [threads.submit(run, listener.accept()[0]) for _ in range(2)])
        attempts = asyncio.run(send(listener.getsockname()[1]))
        for ended in accepting.result(30):
            ended.result(30)
    return attempts, taken


def test_through_a_proxy_that_asks_for_a_password_secure_messages_go_end_to_end(tls):
    context, trusted = tls("localhost")
    heads = []

    def carry(source, target):
        with contextlib.suppress(OSError):
            while chunk := source.recv(65_536):
                target.sendall(chunk)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def tunnel(wire, port):
        with wire, socket.create_connection(("127.0.0.1", port)) as inner:
            heads.append(wire.recv(65_536))
            wire.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=carry, args=(inner, wire))
            back.start()
            carry(wire, inner)
            back.join(20)

    with (
        sinking(tls=context) as port,
        socket.create_server(("127.0.0.1", 0)) as listener,
        ThreadPoolExecutor(1) as threads,
    ):
        going = threads.submit(lambda: tunnel(listener.accept()[0], port))
        proxy = f"http://me:secret@127.0.0.1:{listener.getsockname()[1]}"
        url, allow = f"https://localhost:{port}/ok", (f"localhost:{port}",)
        (attempt,), _ = send(url, allow=allow, limit=20, ca_file=trusted, proxy=proxy)
        going.result(30)
    assert (attempt.code, attempt.status_code) == (Code.OK, 204)
    (head,) = heads
    assert head.startswith(f"CONNECT localhost:{port} HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in head
