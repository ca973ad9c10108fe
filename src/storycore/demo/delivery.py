"""The demo's receiver: the sink that ships with StoryCore, on this machine, for as long as the tour takes."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from anyio.from_thread import start_blocking_portal

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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        with path.open("w", encoding="utf-8") as file, start_blocking_portal() as portal:
            sink = Sink(Ledger(file), [secret])
            port = portal.call(sink.listen, "127.0.0.1", 0)
            try:
                yield Hearing(f"127.0.0.1:{port}", secret, path)
            finally:
                portal.call(sink.close)
