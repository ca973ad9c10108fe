"""Uploads to S3 that were begun and never finished: found, and taken back.

The library that moves the bytes tells no id of an upload, so these two calls are ours. Source: Amazon S3 API
Reference, ListMultipartUploads and AbortMultipartUpload; "Authenticating Requests: AWS Signature Version 4".
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree as ET

import httpx

from storycore.errors import DependencyFailed, Reason
from storycore.units import now

_MOST_BYTES = 4 * 1024 * 1024
_EMPTY = hashlib.sha256(b"").hexdigest()
_NOT_ALLOWED = frozenset({401, 403, 405, 501})
"""Stores that don't let us list, or don't know how."""


class Upload(NamedTuple):
    """An unfinished upload.

    Attributes:
        key: that it is to.
        id: of the upload.
        begun_at: when.
    """

    key: str
    id: str
    begun_at: dt.datetime


class S3Uploads:
    """The unfinished uploads of one bucket.

    Args:
        options: as `credentials.options` gives them.
        bucket: its name.
        timeout_seconds: for one call.
    """

    def __init__(self, options: Mapping[str, str], bucket: str, *, timeout_seconds: float) -> None:
        self._options, self._timeout = options, timeout_seconds
        endpoint = options.get("endpoint") or f"https://s3.{options['region']}.amazonaws.com"
        found = urlsplit(endpoint)
        self._origin, self._host = f"{found.scheme}://{found.netloc}", found.netloc
        self._path = f"{found.path.rstrip('/')}/{bucket}"

    def begun(self, prefix: str) -> list[Upload] | None:
        """The first thousand to keys that begin with `prefix`; None if the store does not tell.

        Raises:
            DependencyFailed: store_unavailable.
        """
        status, text = self._call("GET", self._path, {"uploads": "", "prefix": prefix})
        if status in _NOT_ALLOWED:
            return None
        if status == httpx.codes.NOT_FOUND:  # no such bucket; whoever writes there hears of it
            return []
        if status != httpx.codes.OK or b"<!" in text:
            raise _silent()
        try:
            root = ET.fromstring(text)  # noqa: S314 - no type declaration, no entities; at most 4 MiB
        except ET.ParseError:
            raise _silent() from None
        uploads = [item for item in root if item.tag.rpartition("}")[2] == "Upload"]
        return [_upload(item) for item in uploads]

    def forget(self, key: str, upload: str) -> None:
        """Takes one back, its parts and all; one that is not there is fine.

        Raises:
            DependencyFailed: store_unavailable.
        """
        status, _ = self._call("DELETE", f"{self._path}/{quote(key, safe='/-_.~')}", {"uploadId": upload})
        if status not in (httpx.codes.NO_CONTENT, httpx.codes.OK, httpx.codes.NOT_FOUND):
            raise _silent()

    def _call(self, method: str, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        asked = urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")
        headers = self._signed(method, path, asked)
        try:
            with (
                httpx.Client(timeout=self._timeout) as client,
                client.stream(method, f"{self._origin}{path}?{asked}", headers=headers) as answer,
            ):
                text = bytearray()
                for chunk in answer.iter_bytes():
                    text += chunk
                    if len(text) > _MOST_BYTES:
                        raise _silent()
                return answer.status_code, bytes(text)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise _silent() from None

    def _signed(self, method: str, path: str, query: str) -> dict[str, str]:
        moment = now().strftime("%Y%m%dT%H%M%SZ")
        headers = {"host": self._host, "x-amz-content-sha256": _EMPTY, "x-amz-date": moment}
        if "session_token" in self._options:
            headers["x-amz-security-token"] = self._options["session_token"]
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        request = hashlib.sha256(f"{method}\n{path}\n{query}\n{lines}\n{names}\n{_EMPTY}".encode()).hexdigest()
        scope = f"{moment[:8]}/{self._options['region']}/s3/aws4_request"
        key = f"AWS4{self._options['secret_access_key']}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{request}".encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._options['access_key_id']}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return headers


def _upload(item: ET.Element) -> Upload:
    facts = {child.tag.rpartition("}")[2]: child.text or "" for child in item}
    try:
        begun_at = dt.datetime.fromisoformat(facts.get("Initiated", ""))
    except ValueError:
        begun_at = now()
    if begun_at.tzinfo is None:
        begun_at = begun_at.replace(tzinfo=dt.UTC)
    return Upload(facts.get("Key", ""), facts.get("UploadId", ""), begun_at)


def _silent() -> DependencyFailed:
    return DependencyFailed(
        "The store does not tell which uploads are unfinished.",
        reason=Reason.STORE_UNAVAILABLE,
        remediation="See whether the store is well, and allow s3:ListBucketMultipartUploads there.",
    )
