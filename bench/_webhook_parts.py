"""The processes that bench/webhooks.py measures; each prints one line of JSON.

sink                                   receives; prints its port, ends with its standard input
bare PORT COUNT                        posts signed bodies with aiohttp and nothing else
ours PORT COUNT FOLDER WAITING         the whole durable path; WAITING more deliveries for a dead webhook
answers PORT COUNT FOLDER              register, and publish to first byte, one after the other
memory PORT COUNT                      webhooks that answer without end
"""

import asyncio
import contextlib
import gc
import json
import resource
import sqlite3
import sys
import threading
import time
from pathlib import Path

import aiohttp

from storycore.sink.ledger import Ledger
from storycore.sink.server import Sink
from storycore.webhooks.signing import read_secret, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT_ONCE = 64
FACTS = {"pipeline": "nightly", "metadata": {"note": "x" * 840}}


def told(**facts):
    print(json.dumps(facts), flush=True)


def sink():
    async def run():
        made = Sink(Ledger(None))
        told(port=await made.listen("127.0.0.1", 0))
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(run())


def body():
    from storycore.events import make

    return make("pipeline.completed", FACTS).body.encode()


async def _bare(port, count, keys, content):
    slots = asyncio.Semaphore(AT_ONCE)
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

        async def post(number):
            async with slots:
                stamp = int(time.time())
                headers = {
                    "Content-Type": "application/json", "webhook-id": f"evt_{number}", "webhook-timestamp": str(stamp),
                    "webhook-signature": sign(keys, f"evt_{number}", stamp, content),
                }  # fmt: skip
                async with session.post(
                    f"http://127.0.0.1:{port}/hook", data=content, headers=headers, allow_redirects=False
                ) as answer:
                    await answer.read()
                    assert answer.status == 204

        await asyncio.gather(*(post(number) for number in range(min(count, 300))))  # connections stand, code is warm
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(post(number) for number in range(count)))
        return time.perf_counter() - wall, time.process_time() - cpu


def bare(port, count):
    wall, cpu = asyncio.run(_bare(port, int(count), [read_secret(SECRET)], body()))
    told(wall=wall, cpu=cpu)


def _core(folder, **more):
    from storycore import Settings, StoryCore

    path = Path(folder) / "bench.db"
    settings = Settings.read(
        database_url=f"sqlite:///{path}", webhook_allow=("127.0.0.1:*",), webhook_slots=AT_ONCE, **more
    )
    return StoryCore(settings)


def _register(core, url):
    from storycore import WebhookRegisterRequest

    request = WebhookRegisterRequest(url=url, event_types=["*"], secret=SECRET, most_at_once=4 * AT_ONCE)
    return core.run(request).webhook_id


def _publish(core, count):
    from storycore.events import make

    app = core._app  # noqa: SLF001 - what is measured begins after it
    for start in range(0, count, 500):
        with app.database.accept() as connection:
            for _ in range(min(500, count - start)):
                app.events.write(connection, make("pipeline.completed", FACTS))


class _Count:
    """Says when so many messages were taken; asking the database again and again would be measured too."""

    def __init__(self, count):
        self.left, self.done = count, threading.Event()

    def attempted(self, outcome):
        self.left -= outcome.attempt.success
        if self.left == 0:
            self.done.set()


def _deliver(core, webhook, count):
    """Sends what waits, to the last row that is written down; gives how long that took, in wall and processor time."""
    from storycore import WebhookGetRequest

    taken, pause = _Count(count), threading.Event()
    wall, cpu = time.perf_counter(), time.process_time()
    courier = core._app.send(taken)  # noqa: SLF001 - nothing else is measured
    assert taken.done.wait(300)
    while core.run(WebhookGetRequest(webhook_id=webhook)).waiting:
        pause.wait(0.01)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    courier.stop(seconds=20)
    return wall, cpu


def ours(port, count, folder, waiting):
    from storycore import WebhookUpdateRequest

    with _core(folder) as core:
        core.metrics()
        if int(waiting):
            dead = _register(core, "http://127.0.0.1:9/")
            _publish(core, int(waiting))
            core.run(WebhookUpdateRequest(webhook_id=dead, event_types=["qa.failed"]))
        well = _register(core, f"http://127.0.0.1:{port}/hook")
        _publish(core, 300)
        _deliver(core, well, 300)  # connections stand, code is warm
        _publish(core, int(count))
        wall, cpu = _deliver(core, well, int(count))
        told(wall=wall, cpu=cpu)


def answers(count, folder):
    from storycore import EventPublishRequest

    plain = sqlite3.connect(Path(folder) / "plain.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        plain.execute(f"PRAGMA {pragma}").close()
    plain.execute("CREATE TABLE t (x)")
    came = threading.Event()
    number, _ = _listen(came)
    found = {"baseline": [], "register": [], "first_byte": []}
    with _core(folder) as core:
        _register(core, f"http://127.0.0.1:{number}/hook")
        core.work()
        request = EventPublishRequest(event_type="pipeline.completed", data=FACTS)
        for _ in range(int(count)):
            came.wait(5)
            came.clear()
            begun = time.perf_counter()
            plain.execute("INSERT INTO t VALUES (?)", ("x" * 1000,))
            _call(number)
            found["baseline"].append(time.perf_counter() - begun)
            begun = time.perf_counter()
            _register_elsewhere(core)
            found["register"].append(time.perf_counter() - begun)
            came.clear()
            begun = time.perf_counter()
            core.run(request)
            assert came.wait(20)
            found["first_byte"].append(time.perf_counter() - begun)
            threading.Event().wait(0.03)  # idle again: the result is written down
    told(**found)


def _register_elsewhere(core):
    from storycore import WebhookRegisterRequest

    core.run(WebhookRegisterRequest(url="https://93.184.216.34/x", event_types=["qa.failed"], secret=SECRET))


def _call(number):
    """A bare call: connect, one request, one answer."""
    import socket

    with socket.create_connection(("127.0.0.1", number)) as wire:
        wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Bare: 1\r\nContent-Length: 2\r\n\r\n{}")
        assert wire.recv(4096).startswith(b"HTTP/1.1 204")


def _listen(came):
    """A receiver that says when the first byte of a message comes."""
    ready, made = threading.Event(), {}

    class Wire(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport, self.buffer = transport, b""

        def data_received(self, data):
            if not self.buffer and b"X-Bare" not in data:
                came.set()
            self.buffer += data
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            if mark and len(rest) >= length:
                self.buffer = b""
                self.transport.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")

    async def run():
        server = await asyncio.get_running_loop().create_server(Wire, "127.0.0.1", 0)
        made["port"] = server.sockets[0].getsockname()[1]
        ready.set()
        await asyncio.Event().wait()

    threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
    ready.wait()
    return made["port"], None


def memory(port, count):
    from storycore.webhooks.address import Guard
    from storycore.webhooks.message import Letterhead, Outgoing
    from storycore.webhooks.sender import Sender
    from storycore.webhooks.url import read_url

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)

    async def send(path, total):
        async with Sender(Guard(["127.0.0.1:*"]), timeout_seconds=20) as sender:
            message = Outgoing(Letterhead(read_url(f"http://127.0.0.1:{port}/{path}"), {}), body=b"{}")
            for _ in range(total // AT_ONCE):
                await asyncio.gather(*(sender.send(message) for _ in range(AT_ONCE)))

    asyncio.run(send("ok", AT_ONCE * 2))
    before = peak()
    asyncio.run(send("endless-body", int(count)))
    told(mebibytes=peak() - before)


if __name__ == "__main__":
    gc.set_threshold(100_000, 20, 100)  # as the program does, for all alike
    with contextlib.suppress(KeyboardInterrupt):
        {"sink": sink, "bare": bare, "ours": ours, "answers": answers, "memory": memory}[sys.argv[1]](*sys.argv[2:])
