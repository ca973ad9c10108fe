"""The demo's receiver: the sink that ships with StoryCore, on this machine, for as long as the tour takes."""

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from storycore.sink.ledger import Entry, Ledger, read
from storycore.sink.server import Sink


class Hearing:
    """A receiver that listens.

    Attributes:
        place: `127.0.0.1:port`, as the settings open it.
        url: that messages are sent to.
        secret: messages are verified with.
    """

    def __init__(self, place: str, secret: str, path: Path) -> None:
        self.place, self.secret, self._path = place, secret, path
        self.url = f"http://{place}/hook"

    def came(self) -> list[Entry]:
        """What has come so far."""
        return list(read(self._path))


@contextlib.contextmanager
def hearing(secret: str) -> Iterator[Hearing]:
    """A receiver that verifies what comes with that secret."""
    loop = asyncio.new_event_loop()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        with path.open("w", encoding="utf-8") as file:
            sink = Sink(Ledger(file), [secret])
            port = loop.run_until_complete(sink.listen("127.0.0.1", 0))
            thread = threading.Thread(target=loop.run_forever, name="storycore-sink", daemon=True)
            thread.start()
            try:
                yield Hearing(f"127.0.0.1:{port}", secret, path)
            finally:
                loop.call_soon_threadsafe(sink.close)
                loop.call_soon_threadsafe(loop.stop)
                thread.join(10)
                loop.close()
