"""The digest of an answer that is streamed, sent after its last byte."""

import base64
import hashlib
from typing import Any, Final

import h11
from typing_extensions import override

TRAILER: Final = (b"trailer", b"Repr-Digest")
"""The header of an answer whose digest is to follow it."""


class DigestingConnection(h11.Connection):
    """One connection; an answer that announces `Repr-Digest` in its `Trailer` header ends with it.

    The digest is SHA-256 over all that was sent of the body. Nothing follows an answer over HTTP/1.0, or one that was
    cut off. Source: RFC 9110 section 6.5, RFC 9530 section 3.
    """

    _digest: Any = None

    @override
    def send_with_data_passthrough(self, event: h11.Event) -> list[bytes] | None:
        if isinstance(event, h11.Response):
            announced = TRAILER[0] in dict(event.headers) and self.their_http_version == b"1.1"
            self._digest = hashlib.sha256() if announced else None
        elif self._digest is not None and isinstance(event, h11.Data):
            self._digest.update(event.data)
        elif self._digest is not None and isinstance(event, h11.EndOfMessage):
            told = base64.b64encode(self._digest.digest())
            event = h11.EndOfMessage(headers=[(b"Repr-Digest", b"sha-256=:" + told + b":")])
        return super().send_with_data_passthrough(event)
