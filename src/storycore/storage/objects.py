"""The only door to object stores: S3 and what speaks like it, Azure Blob Storage, and (experimental) Google's.

Nothing that the library below says is passed on: its words hold addresses with signatures. Nobody is asked but the
store that is named: credentials come from the environment or a profile, never from the metadata service of a machine.
"""

import contextlib
import hashlib
import ipaddress
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from storycore.errors import Conflict, DependencyFailed, NotFound, Reason, StoryCoreError
from storycore.storage import credentials
from storycore.storage.pipe import Broken
from storycore.storage.place import WORDS, Kind, StorePlace, read_place
from storycore.storage.silence import heard
from storycore.storage.store import Facts
from storycore.units import MEBIBYTE

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, S3Store

    from storycore.storage.unfinished import S3Uploads, Upload

TIMEOUT_SECONDS = 120.0
"""How long one call may take, a part that is sent slowly included, and for how long a failed one is tried again."""

CONNECT_SECONDS = 10.0

_TAKE_BACK_SECONDS = 15.0
"""As `TIMEOUT_SECONDS`, where other work waits for it."""

_SENT_BYTES = 30 * MEBIBYTE
"""Parts that are sent at a time, together; one at least."""

_AUTHOR = "storycore_upload"  # Azure takes no hyphens
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound"})


class Bucket:
    """One bucket of a store, opened with the credentials of this moment.

    Args:
        place: in it; only its kind and bucket count.
        timeout_seconds: how long one call may take; `TIMEOUT_SECONDS` if left out.
        check: called while the store is asked about an object or read; what it raises ends the waiting.

    Raises:
        DependencyFailed: store_unavailable: no credentials, or none that the library takes.
    """

    def __init__(
        self, place: StorePlace, *, timeout_seconds: float | None = None, check: Callable[[], None] | None = None
    ) -> None:
        timeout_seconds = TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds
        self._place = StorePlace(place.kind, place.bucket, "")
        self._timeout, self._check = timeout_seconds, check
        self._options = credentials.options(place.kind)
        try:
            self._store = _open(self._place, self._options, timeout_seconds)
        except StoryCoreError:
            raise
        except Exception:  # noqa: BLE001 - the library raises own and built-in errors, whose words may hold secrets
            raise DependencyFailed(
                f"What is set to open {WORDS[place.kind]} can't be used.",
                reason=Reason.STORE_UNAVAILABLE,
                remediation="Correct the credentials or the endpoint in the environment or profile.",
                details={"store": self._place.url, "retryable": False},
            ) from None

    @property
    def server(self) -> str:
        """Address of the server that is asked, without secrets; "" for the provider's own."""
        return credentials.server(self._options)

    @property
    def name(self) -> str:
        """Tells this bucket from any other, wherever it is asked for: one name can stand on many servers.

        The same for all who reach it by the same address; "this machine" is another on each.
        """
        server = self.server
        if _is_loopback(server):
            server = f"{server} of {socket.gethostname()}"
        return " ".join((self._place.url, self._options.get("account_name", ""), server))

    def facts(self, key: str) -> Facts | None:
        """What stands at `key`; see `store.Looks`."""
        return heard(lambda: self._facts(key), self._check)

    def _facts(self, key: str) -> Facts | None:
        import obstore

        try:
            with self._told():
                found = obstore.get(self._store, key, options={"head": True})
                meta = found.meta
        except NotFound:
            return None
        author = {str(name).lower(): value for name, value in found.attributes.items()}.get(_AUTHOR, "")
        return Facts(meta["size"], meta["e_tag"] or "", str(author))

    def read(self, key: str, start: int, end: int, tag: str) -> bytes:
        """A range of an object; see `store.Gets`."""
        return heard(lambda: self._read(key, start, end, tag), self._check)

    def _read(self, key: str, start: int, end: int, tag: str) -> bytes:
        import obstore

        with self._told():
            found = obstore.get(self._store, key, options={"range": (start, end), "if_match": tag or None})
            data = bytes(found.bytes())
        if len(data) != end - start or (tag and found.meta["e_tag"] != tag):
            raise Conflict("What is read in the store was changed meanwhile.", reason=Reason.SOURCE_CHANGED)
        return data

    def put(self, key: str, data: bytes | bytearray, *, media_type: str, author: str) -> str:
        """A small object; see `store.Puts`.

        Whoever stops the work waits for the answer, since nothing takes back what is on its way; only a signal that
        interrupts this thread ends the waiting.
        """
        import obstore

        try:
            with self._told():
                attributes = _attributes(media_type, author)
                made = heard(
                    lambda: obstore.put(self._store, key, bytes(data), mode="create", attributes=attributes),
                    None if self._check is None else _go_on,
                )  # fmt: skip
        except Conflict:
            found = self.facts(key)  # after a lost answer it is our own that stands there
            if found is None or found.author != author:
                raise
            return found.tag
        return made["e_tag"] or ""

    def put_parts(self, key: str, parts: Iterator[memoryview], *, part_bytes: int, media_type: str, author: str) -> str:
        """A large object; see `store.Puts`."""
        import obstore

        try:
            with self._told():
                made = obstore.put(
                    self._store, key, parts, use_multipart=True, chunk_size=part_bytes,
                    max_concurrency=max(1, _SENT_BYTES // part_bytes), attributes=_attributes(media_type, author),
                )  # fmt: skip
        except NotFound:
            raise DependencyFailed(
                "The upload was taken back in the store meanwhile.", reason=Reason.STORE_UNAVAILABLE
            ) from None
        return made["e_tag"] or ""

    def proves(self, tag: str, part_digests: list[bytes]) -> bool:
        """Whether a tag shows that the store holds just the parts with these MD5 digests.

        Source: Amazon S3 User Guide, "Checking object integrity": the ETag of an upload in parts.
        """
        if self._place.kind is not Kind.S3:
            return False
        whole = hashlib.md5(b"".join(part_digests), usedforsecurity=False).hexdigest()
        return tag.strip('"') == f"{whole}-{len(part_digests)}"

    def remove(self, key: str) -> None:
        """Removes an object; see `store.Removes`."""
        import obstore

        with contextlib.suppress(NotFound), self._told():
            obstore.delete(self._store, key)

    def link(self, key: str, seconds: int) -> str:
        """A URL by which anybody can fetch an object until it runs out.

        Raises:
            DependencyFailed: store_unavailable: Google signs only by a call elsewhere, which we don't make.
        """
        import obstore

        if self._place.kind is Kind.GOOGLE:
            raise DependencyFailed(
                "Links to Google Cloud Storage are not made here.",
                reason=Reason.STORE_UNAVAILABLE,
                remediation="Fetch the file with `storycore artifact download`, or make a link with Google's tools.",
                details={"retryable": False},
            )
        with self._told():
            return obstore.sign(cast("S3Store | AzureStore", self._store), "GET", key, timedelta(seconds=seconds))

    def require(self) -> None:
        """Makes sure that the bucket is not missing; what keeps us from seeing that is no fault here.

        Raises:
            DependencyFailed: store_unavailable: there is no such bucket.
        """
        try:
            self.look("")
        except DependencyFailed as fault:
            if fault.details.get("store_code") in _NO_BUCKET:
                raise

    def look(self, prefix: str) -> None:
        """Makes sure that the store answers and lets us list.

        Raises:
            DependencyFailed: store_unavailable, with what is wrong.
        """
        heard(lambda: self._look(prefix), self._check)

    def _look(self, prefix: str) -> None:
        import obstore

        with self._told():
            next(iter(obstore.list(self._store, prefix or None, chunk_size=1)), None)

    def uploads(self, prefix: str) -> "list[Upload] | None":
        """Uploads below `prefix` that were begun and not finished; None if the store does not tell.

        Raises:
            DependencyFailed: store_unavailable.
        """
        return heard(lambda: self._unfinished.begun(prefix), self._check) if self._place.kind is Kind.S3 else None

    @property
    def forgets(self) -> bool:
        """Whether `forget` keeps an upload from being finished."""
        return self._place.kind is Kind.S3

    def unfinished(self, key: str) -> list[str]:
        """Ids of unfinished uploads to a key; see `store.Removes`."""
        return [upload.id for upload in self.uploads(key) or () if upload.key == key]

    def forget(self, key: str, upload: str) -> None:
        """Takes an upload back; see `store.Removes`."""
        if self._place.kind is Kind.S3:
            self._unfinished.forget(key, upload)

    @cached_property
    def _unfinished(self) -> "S3Uploads":
        from storycore.storage.unfinished import S3Uploads

        return S3Uploads(self._options, self._place.bucket, timeout_seconds=self._timeout)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What the library raises, in our words and with none of its own."""
        try:
            yield
        except (StoryCoreError, Broken, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as fault:  # noqa: BLE001 - the library raises built-in and own errors, and panics
            raise self._in_words(fault) from None

    def _in_words(self, fault: BaseException) -> StoryCoreError:
        from obstore import exceptions as told

        found = _CODE.search(str(fault))
        code = found[1] if found else ""
        where = f"{self._place.url} ({WORDS[self._place.kind]})"
        details = {"store": self._place.url} | ({"store_code": code} if code else {})
        if code in _NO_BUCKET:
            return DependencyFailed(
                f"There is no such bucket: {where}.",
                reason=Reason.STORE_UNAVAILABLE,
                remediation="Make the bucket, or correct its name in STORYCORE_STORES or STORYCORE_SEGMENT_STORE.",
                details=details | {"retryable": False},
            )
        if isinstance(fault, told.AlreadyExistsError):
            return Conflict("There is already an object of that name.", reason=Reason.OUTPUT_EXISTS)
        if isinstance(fault, told.PreconditionError):
            return Conflict("What is read in the store was changed meanwhile.", reason=Reason.SOURCE_CHANGED)
        if isinstance(fault, FileNotFoundError):
            return NotFound("There is no such object in the store.", reason=Reason.FILE_NOT_FOUND)
        if isinstance(fault, (told.PermissionDeniedError, told.UnauthenticatedError)) or _is_refusal(fault):
            return DependencyFailed(
                f"The store does not let us do that: {where}.",
                reason=Reason.STORE_UNAVAILABLE,
                remediation="See whether the credentials are right, and allowed to list, read, write and delete there.",
                details=details | {"retryable": False},
            )
        return DependencyFailed(
            f"The store does not answer as it should: {where}.",
            reason=Reason.STORE_UNAVAILABLE,
            remediation=credentials.remedy(self._place.kind, self._options),
            details=details,
        )


def take_back(url: str, mark: str) -> None:
    """Removes what an author left at a place: uploads that he did not finish, and the object if it is his.

    Args:
        url: of the object.
        mark: the author, and behind it the ids of uploads that are older than he, with spaces between.

    Raises:
        DependencyFailed: store_unavailable.
    """
    author, *older = mark.split(" ")
    place = read_place(url)
    bucket = Bucket(place, timeout_seconds=min(TIMEOUT_SECONDS, _TAKE_BACK_SECONDS))
    for upload in bucket.unfinished(place.key):
        if upload not in older:
            bucket.forget(place.key, upload)
    facts = bucket.facts(place.key)
    if facts is not None and facts.author == author:
        bucket.remove(place.key)


def _go_on() -> None:
    """Nothing stops it."""


def _is_loopback(address: str) -> bool:
    """Whether the address of a server means the machine that asks."""
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, or nothing that can be asked
        return False


def _is_refusal(fault: BaseException) -> bool:
    return bool(re.search(r"status code: (401|403)\b", str(fault)))


def _attributes(media_type: str, author: str) -> dict[str, str]:
    """What is kept with an object: what it is, that browsers save it rather than show it, and whose it is."""
    return {"Content-Type": media_type, "Content-Disposition": "attachment", _AUTHOR: author}


def _open(place: StorePlace, options: Mapping[str, str], seconds: float) -> "S3Store | AzureStore | GCSStore":
    try:
        from obstore.store import AzureStore, GCSStore, S3Store
    except ModuleNotFoundError:
        raise DependencyFailed(
            "Object stores need obstore: pip install obstore.", reason=Reason.LIBRARY_MISSING
        ) from None
    endpoint = options.get("endpoint") or options.get("base_url") or ""
    more: dict[str, Any] = {
        "client_options": {
            "timeout": timedelta(seconds=seconds),
            "connect_timeout": timedelta(seconds=min(seconds, CONNECT_SECONDS)),
            "allow_http": endpoint.startswith("http://"),  # only where somebody has said so
            "user_agent": "storycore",
        },
        "retry_config": {"max_retries": 8, "retry_timeout": timedelta(seconds=seconds)},
    }
    given: Any = dict(options)
    if place.kind is Kind.AZURE:
        return AzureStore(place.bucket, config=given, **more)
    if place.kind is Kind.GOOGLE:
        return GCSStore(place.bucket, config=given, **more)
    if endpoint:
        given["aws_endpoint_url_s3"] = given.pop("endpoint")
    return S3Store(place.bucket, config=given | {"checksum_algorithm": "SHA256"}, **more)
