"""Places in object stores, as people name them: `s3://bucket/films/little.zip`, `az://…`, `gs://…`.

Pure text: nothing is asked of a store. A name is acceptable only if every store, and every system that it may be
fetched to, takes it as it stands.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from typing_extensions import override


class Kind(StrEnum):
    """Which kind of store, by the scheme of its URLs."""

    S3 = "s3"
    AZURE = "az"
    GOOGLE = "gs"


WORDS = {Kind.S3: "S3", Kind.AZURE: "Azure Blob Storage", Kind.GOOGLE: "Google Cloud Storage"}
"""What each kind is called."""

_SCHEME = re.compile(r"^(s3|az|gs)://", re.IGNORECASE)
_BUCKET = re.compile(r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$")
_MOST_KEY_BYTES = 1024
"""Source: Amazon S3 User Guide, "Naming Amazon S3 objects". Azure and Google take as much."""

_MOST_NAME_BYTES = 255
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED = frozenset('\\?%*:"<>|')
"""What can't stand in a file name on Windows, and what begins an escape in URLs."""


class BadPlace(ValueError):  # noqa: N818 - says what the text is, as other faults of ours do
    """The text names no acceptable place; its message says why, in words that fit behind "it"."""


@dataclass(frozen=True, slots=True)
class StorePlace:
    """A place in an object store: one object, or all that begins with its key and a slash.

    Attributes:
        kind: of store.
        bucket: name of the bucket (Azure: container).
        key: names with single slashes between, none at either end; "" for the whole bucket.
    """

    kind: Kind
    bucket: str
    key: str

    @property
    def url(self) -> str:
        """As people write it."""
        return f"{self.kind}://{self.bucket}/{self.key}" if self.key else f"{self.kind}://{self.bucket}"

    @override
    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The last name of the key; "" for a whole bucket."""
        return self.key.rpartition("/")[2]

    @property
    def parent(self) -> "StorePlace":
        """The place that this one stands in."""
        return StorePlace(self.kind, self.bucket, self.key.rpartition("/")[0])

    def __truediv__(self, name: str) -> "StorePlace":
        """A place inside this one."""
        return StorePlace(self.kind, self.bucket, f"{self.key}/{name}" if self.key else name)

    def holds(self, other: "StorePlace") -> bool:
        """Whether `other` is this place, or stands inside it."""
        same = (self.kind, self.bucket) == (other.kind, other.bucket)
        return same and (not self.key or self.key == other.key or other.key.startswith(f"{self.key}/"))


def names_store(text: str) -> bool:
    """Whether a text begins like the URL of an object store."""
    return bool(_SCHEME.match(text))


def read_place(url: str) -> StorePlace:
    """The place that a URL names; a slash at its end changes nothing.

    Raises:
        BadPlace: another scheme, a bucket or key that not every store and system takes: control and bidi characters,
            `.` and `..`, empty names, backslashes, `?`, `#`, `%` and their like, users and ports, or too long.
    """
    found = _SCHEME.match(url)
    if not found:
        raise BadPlace("begins with none of s3://, az://, gs://")
    bucket, _, key = url[found.end() :].partition("/")
    if not _BUCKET.match(bucket) or ".." in bucket:
        raise BadPlace("names no bucket that there can be")
    key = key.removesuffix("/")
    fault = _key_fault(key) if key else None
    if fault:
        raise BadPlace(fault)
    return StorePlace(Kind(found[1].lower()), bucket, key)


def _key_fault(key: str) -> str | None:
    names = key.split("/")
    odd = next((character for character in key if character in _REFUSED), None)
    hidden = next((it for it in key if unicodedata.category(it) in ("Cc", "Cs", "Zl", "Zp") or it in _BIDI), None)
    faults = (
        (hidden is not None, f"holds the invisible character U+{ord(hidden or '-'):04X}"),
        (odd is not None, f"holds {odd}, which can't stand in the name of an object here"),
        (any(name in (".", "..") for name in names), "holds . or .. as a name"),
        (any(not name or name.isspace() for name in names), "holds an empty name"),
        (any(len(name.encode(errors="replace")) > _MOST_NAME_BYTES for name in names),
         f"holds a name longer than {_MOST_NAME_BYTES} bytes"),
        (len(key.encode(errors="replace")) > _MOST_KEY_BYTES, f"is longer than {_MOST_KEY_BYTES} bytes"),
    )  # fmt: skip
    return next((fault for found, fault in faults if found), None)
