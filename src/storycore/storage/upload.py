"""Objects in stores, written as they are made: whole or not at all, in bounded memory, checked when they stand."""

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Final

from storycore.errors import Conflict, DependencyFailed, InvalidInput, Reason, StoryCoreError
from storycore.observe import logging
from storycore.storage import traces
from storycore.storage.objects import TIMEOUT_SECONDS, Bucket, take_back
from storycore.storage.pipe import Broken, Pipe
from storycore.storage.place import BadPlace, StorePlace, read_place
from storycore.storage.store import Facts
from storycore.units import MEBIBYTE

LEAST_PART_BYTES: Final = 5 * MEBIBYTE
"""The least that S3 takes."""
_MOST_PARTS: Final = 9_000
"""Of the 10,000 that S3 takes: the size is an estimate."""

_LEAVE_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.1
_BLOCK_BYTES: Final = 4 * MEBIBYTE

log = logging.get(__name__)


@contextlib.contextmanager
def new_object(
    place: StorePlace, *, size_bytes: int, media_type: str, check: Callable[[], None] = lambda: None
) -> "Iterator[Upload]":
    """A sink whose bytes appear as an object at `place` when the block ends well.

    Guarantee: nobody sees a part of it; after an error nothing is left, no unfinished upload either; after a kill
    whoever takes the work over removes what is left. An object that stands there already is never replaced, unless
    another process finishes one of more than `LEAST_PART_BYTES` at the same place in the same moment. When the block
    has ended, the object is known to hold what was written: by the store's own checksum of it where that proves it,
    else it was read back.

    Memory: some 50 MiB, or five parts if they are larger, see `part_bytes_for`. Writing waits for a store that is
    slower.

    Args:
        place: of the object.
        size_bytes: about how much will be written; decides the size of the parts.
        media_type: IANA media type.
        check: called while it waits; what it raises ends the upload.

    Raises:
        InvalidInput: path_invalid: no acceptable place, a name too long for instance.
        Conflict: output_exists.
        DependencyFailed: store_unavailable; library_missing.
    """
    try:
        read_place(place.url)
    except BadPlace as fault:  # a good folder and the name of a film can be too much together
        raise InvalidInput(f"{place.name} can't be written there: it {fault}.", reason=Reason.PATH_INVALID) from None
    bucket = Bucket(place, check=check)
    if bucket.facts(place.key) is not None:
        raise _exists(place)
    author = f"{traces.label() or 'alone'}.{secrets.token_hex(8)}"
    mark = " ".join((author, *bucket.unfinished(place.key)))
    traces.note(traces.UPLOAD, place.url, mark)
    upload = Upload(
        bucket, place, author=author, part_bytes=part_bytes_for(size_bytes), media_type=media_type, check=check
    )
    try:
        yield upload
        upload.finish(fence=lambda: traces.note(traces.UPLOAD, place.url, mark))
    except BaseException:
        upload.give_up()
        try:
            take_back(place.url, mark)
        except StoryCoreError as fault:  # what went wrong first is what people must hear
            log.warning("upload_not_taken_back", url=place.url, reason=fault.reason.value)
        raise


def part_bytes_for(size_bytes: int) -> int:
    """Size of the parts of an upload of about `size_bytes`: 5 MiB up to 44 GiB, then more."""
    least = -(-size_bytes // _MOST_PARTS)
    return max(LEAST_PART_BYTES, -(-least // MEBIBYTE) * MEBIBYTE)


class Upload:
    """An object in the making; see `new_object`.

    Attributes:
        facts: of the finished object; None before.
    """

    def __init__(  # noqa: PLR0913 - all that an upload stands on
        self,
        bucket: Bucket,
        place: StorePlace,
        *,
        author: str,
        part_bytes: int,
        media_type: str,
        check: Callable[[], None],
    ) -> None:
        self.facts: Facts | None = None
        self._bucket, self._place, self._author = bucket, place, author
        self._part_bytes, self._media_type, self._check = part_bytes, media_type, check
        self._pipe = Pipe(part_bytes, check=check, begun=self._begin)
        self._thread: threading.Thread | None = None
        self._tag = ""
        self._fault: BaseException | None = None

    def write(self, data: bytes | memoryview, /) -> int:
        """Takes all of it; waits while the store is slower.

        Raises:
            DependencyFailed: store_unavailable.
        """
        try:
            return self._pipe.write(data)
        except Broken:
            raise self._why() from None

    def flush(self) -> None:
        """Nothing to do: parts are sent as they are full."""

    def finish(self, fence: Callable[[], None]) -> None:
        """Makes the object appear, and makes sure that it holds what was written.

        Args:
            fence: called right before it can appear; what it raises forbids it.

        Raises:
            Conflict: output_exists.
            DependencyFailed: store_unavailable.
        """
        self._check()
        small = self._thread is None
        if small:
            fence()
            digests = [hashlib.md5(self._pipe.rest, usedforsecurity=False).digest()]
            self._tag = self._bucket.put(
                self._place.key, self._pipe.rest, media_type=self._media_type, author=self._author
            )
        else:
            if self._bucket.facts(self._place.key) is not None:
                raise _exists(self._place)
            fence()
            self._send_rest()
            digests = self._pipe.part_digests
        facts = self._bucket.facts(self._place.key)
        if self._fault is not None and (facts is None or facts.author != self._author):
            raise self._fault  # else only the word that it is finished was lost
        if facts is None or (facts.size_bytes, facts.author) != (self._pipe.size_bytes, self._author):
            raise _other_bytes(self._place)
        if small or facts.tag != (self._tag or facts.tag) or not self._bucket.proves(facts.tag, digests):
            self._read_back(facts, digests)
        self.facts = facts

    def give_up(self) -> None:
        """Ends the sending; nothing appears any more, once what was begun is forgotten in the store."""
        self._pipe.break_off()
        if self._thread is not None:
            # When the last part is on its way, only a store that forgets the upload keeps it from being finished.
            is_open = self._pipe.is_finished and not self._bucket.forgets
            self._thread.join(TIMEOUT_SECONDS if is_open else _LEAVE_SECONDS)

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._send, name="upload", daemon=True)
        self._thread.start()

    def _send(self) -> None:
        try:
            self._tag = self._bucket.put_parts(
                self._place.key,
                self._pipe,
                part_bytes=self._part_bytes,
                media_type=self._media_type,
                author=self._author,
            )
        except BaseException as fault:  # noqa: BLE001 - raised again by the thread that writes
            self._fault = fault
        finally:
            self._pipe.leave()

    def _send_rest(self) -> None:
        try:
            self._pipe.finish()
        except Broken:
            raise self._why() from None
        assert self._thread is not None  # noqa: S101 - it was begun with the first part
        while self._thread.is_alive():
            self._thread.join(_LOOK_SECONDS)
            self._check()

    def _why(self) -> BaseException:
        if self._thread is not None:
            self._thread.join(_LEAVE_SECONDS)
        return self._fault or DependencyFailed("The upload has ended early.", reason=Reason.STORE_UNAVAILABLE)

    def _read_back(self, facts: Facts, digests: list[bytes]) -> None:
        """Reads the whole object, since its tag proves nothing."""
        for number, expected in enumerate(digests):
            digest = hashlib.md5(usedforsecurity=False)
            end = min((number + 1) * self._part_bytes, facts.size_bytes)
            for start in range(number * self._part_bytes, end, _BLOCK_BYTES):
                self._check()
                digest.update(
                    self._bucket.read(self._place.key, start, min(start + _BLOCK_BYTES, end), facts.tag)
                )  # fmt: skip
            if digest.digest() != expected:
                raise _other_bytes(self._place)


def _exists(place: StorePlace) -> Conflict:
    return Conflict(f"There is already an object: {place.name}", reason=Reason.OUTPUT_EXISTS)


def _other_bytes(place: StorePlace) -> DependencyFailed:
    return DependencyFailed(
        f"The store does not hold what was sent to it: {place.name}. It was removed.", reason=Reason.STORE_UNAVAILABLE
    )
