"""What is asked of a store, in small protocols: depend on the smallest that is enough."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Facts(NamedTuple):
    """What a store tells of one object.

    Attributes:
        size_bytes: of the object.
        tag: tells this very content from any other at the same place; opaque.
        author: what `Puts` was given when the object was made; "" if it was made by others.
    """

    size_bytes: int
    tag: str
    author: str


class Looks(Protocol):
    """A store that can be asked about an object."""

    def facts(self, key: str) -> Facts | None:
        """What stands at `key`, or None if nothing does.

        Raises:
            DependencyFailed: store_unavailable.
        """
        ...


class Gets(Protocol):
    """A store that objects are read from."""

    def read(self, key: str, start: int, end: int, tag: str) -> bytes:
        """The bytes from `start` up to `end`, which must lie inside, of the object that `tag` tells of.

        Raises:
            Conflict: source_changed: something else stands there by now.
            NotFound: file_not_found.
            DependencyFailed: store_unavailable.
        """
        ...


class Holds(Looks, Gets, Protocol):
    """A store whose objects can be opened."""


class Puts(Protocol):
    """A store that objects are written to. What is written appears whole or not at all."""

    def put(self, key: str, data: bytes | bytearray, *, media_type: str, author: str) -> str:
        """Makes an object of a few bytes, and gives its tag; atomic, never replaces one.

        Raises:
            Conflict: output_exists.
            DependencyFailed: store_unavailable.
        """
        ...

    def put_parts(self, key: str, parts: Iterator[memoryview], *, part_bytes: int, media_type: str, author: str) -> str:
        """Makes an object of parts of `part_bytes`, the last one shorter, as they come, and gives its tag.

        Guarantee: nobody sees it before the last part; whatever `parts` raises is raised again, and nothing is left.
        What stands at `key` by then is replaced: look first.

        Raises:
            DependencyFailed: store_unavailable.
        """
        ...


class Removes(Protocol):
    """A store that objects are removed from."""

    def remove(self, key: str) -> None:
        """Removes an object; one that is not there is fine.

        Raises:
            DependencyFailed: store_unavailable.
        """
        ...

    def unfinished(self, key: str) -> list[str]:
        """Ids of uploads to exactly this key that were begun and neither finished nor taken back.

        Empty too for stores that forget them by themselves, and where listing them is not allowed.

        Raises:
            DependencyFailed: store_unavailable.
        """
        ...

    def forget(self, key: str, upload: str) -> None:
        """Takes an unfinished upload back; one that is not there is fine.

        Raises:
            DependencyFailed: store_unavailable.
        """
        ...


class Store(Looks, Gets, Puts, Removes, Protocol):
    """A whole store."""
