"""Signs messages and checks signatures. Pure.

Two schemes: `v1` is HMAC-SHA256 with a secret that both sides know (`whsec_…`), `v1a` is ed25519, where the receiver
knows the public key only (`whsk_…` signs, `whpk_…` checks). What is signed is `id.timestamp.body`, byte for byte.

Source: Standard Webhooks 1.0.0, "Signature scheme" and "Webhook headers".
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64
"""Length of a symmetric secret that is made as such."""

MOST_PLAIN_BYTES: Final = 512
"""Most bytes of a plain text that serves as one."""

MOST_SIGNATURES: Final = 32
"""So many entries of a signature header are looked at; more are no honest sender's."""

_BLOCK_BYTES: Final = 64
_INNER, _OUTER = (bytes(number ^ pad for number in range(256)) for pad in (0x36, 0x5C))
_RESERVED = re.compile(r"(?i)(?:wh|hw|w)(?:sec|sk|pk)_.*", re.DOTALL)


class Scheme(StrEnum):
    """How a signature is made."""

    V1 = "v1"
    V1A = "v1a"


class BadSecret(ValueError):  # noqa: N818 - says what it is
    """A text that is no acceptable secret; the message never holds the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret that signs.

    Attributes:
        scheme: which signatures it makes.
        raw: its bytes: 24-64 of a symmetric one, up to 512 if it was a plain text; the 32 of the seed of an ed25519
            one.
    """

    scheme: Scheme
    raw: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """As it is shown and stored: `whsec_…` or `whsk_…`."""
        if self.scheme is Scheme.V1:
            return "whsec_" + _base64(self.raw)
        return "whsk_" + _base64(self.raw + _public_bytes(self.raw))

    @property
    def public_text(self) -> str:
        """The `whpk_…` that checks what it signs; "" for a symmetric one, which has no public part."""
        return "" if self.scheme is Scheme.V1 else "whpk_" + _base64(_public_bytes(self.raw))


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a receiver checks signatures with: the symmetric secret itself, or the public key."""

    scheme: Scheme
    raw: bytes = field(repr=False)


def new_secret(scheme: Scheme) -> Secret:
    """A secret that nobody has seen."""
    return Secret(scheme=scheme, raw=secrets.token_bytes(32))


def read_secret(text: str) -> Secret:
    """The secret that a text means: `whsec_…`, `whsk_…`, or a plain text whose UTF-8 bytes are the key.

    Raises:
        BadSecret: too short, too long, damaged, a public key, or a misspelled prefix.
    """
    if text.startswith("whsec_"):
        return Secret(scheme=Scheme.V1, raw=_of_length(_decoded(text[6:])))
    if text.startswith("whsk_"):
        return Secret(scheme=Scheme.V1A, raw=_seed(_decoded(text[5:])))
    return Secret(scheme=Scheme.V1, raw=_plain(text))


def read_check(text: str) -> Check:
    """What a receiver checks with, from `whsec_…`, `whpk_…`, or a plain text.

    Raises:
        BadSecret: see `read_secret`; also for a `whsk_…`, which is the sender's alone.
    """
    if text.startswith("whpk_"):
        raw = _decoded(text[5:])
        if len(raw) != 32:
            raise BadSecret("an ed25519 public key has 32 bytes")
        return Check(scheme=Scheme.V1A, raw=raw)
    if text.startswith("whsk_"):
        raise BadSecret("a whsk_ secret is the sender's; a receiver needs the whpk_ key")
    found = read_secret(text)
    return Check(scheme=found.scheme, raw=found.raw)


def sign(keys: Iterable[Secret], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature for each key, parted by spaces."""
    content = b"%b.%d.%b" % (message_id.encode("ascii"), timestamp, body)
    return " ".join(f"{key.scheme},{_base64(_signature(key, content))}" for key in keys)


class Pen(NamedTuple):
    """A secret that is ready to sign many messages.

    Attributes:
        scheme: which signatures it makes.
        write: the signature of bytes, as bytes.
    """

    scheme: str
    write: Callable[[bytes], bytes]


def pen_of(key: Secret) -> Pen:
    """A pen for a secret; what depends on the secret alone is done here, once."""
    return Pen(key.scheme.value, _mac(key.raw) if key.scheme is Scheme.V1 else _private(key.raw).sign)


def sign_with(pens: Iterable[Pen], message_id: str, timestamp: int, body: bytes) -> str:
    """The same as `sign`."""
    content = b"%b.%d.%b" % (message_id.encode("ascii"), timestamp, body)
    return " ".join([f"{scheme},{_base64(write(content))}" for scheme, write in pens])


def is_signed(checks: Sequence[Check], header: str, message_id: str, timestamp: int, body: bytes) -> bool:
    """Whether one of the signatures in a header was made with one of the keys.

    Entries of schemes that are not known, and damaged ones, are passed over. Comparing takes constant time.
    """
    content = b"%b.%d.%b" % (message_id.encode("ascii"), timestamp, body)
    good = False
    for entry in header.split(" ", MOST_SIGNATURES)[:MOST_SIGNATURES]:
        scheme, _, value = entry.partition(",")
        try:
            signature = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            continue
        for check in checks:
            good |= check.scheme == scheme and _holds(check, signature, content)
    return good


def _mac(key: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA256 with a key that is worked in once, which of a short message is more than half of the work.

    Source: RFC 2104, section 4, "Implementation Note".
    """
    block = (key if len(key) <= _BLOCK_BYTES else hashlib.sha256(key).digest()).ljust(_BLOCK_BYTES, b"\0")
    inner, outer = hashlib.sha256(block.translate(_INNER)), hashlib.sha256(block.translate(_OUTER))

    def mac(content: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(content)
        second.update(first.digest())
        return second.digest()

    return mac


def _signature(key: Secret, content: bytes) -> bytes:
    if key.scheme is Scheme.V1:
        return hmac.digest(key.raw, content, "sha256")
    return _private(key.raw).sign(content)


def _holds(check: Check, signature: bytes, content: bytes) -> bool:
    if check.scheme is Scheme.V1:
        return hmac.compare_digest(hmac.digest(check.raw, content, "sha256"), signature)
    try:
        Ed25519PublicKey.from_public_bytes(check.raw).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=1024)
def _private(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def _public_bytes(seed: bytes) -> bytes:
    return _private(seed).public_key().public_bytes_raw()


def _seed(raw: bytes) -> bytes:
    if len(raw) == 64 and _public_bytes(raw[:32]) == raw[32:]:
        return raw[:32]
    if len(raw) == 32:
        return raw
    raise BadSecret("an ed25519 secret has 32 bytes of seed, or 64 with its own public key behind")


def _plain(text: str) -> bytes:
    if _RESERVED.fullmatch(text):
        raise BadSecret("it begins like a prefix of Standard Webhooks, and is none that signs")
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise BadSecret("it can't be written in UTF-8") from None
    if not LEAST_BYTES <= len(raw) <= MOST_PLAIN_BYTES:
        raise BadSecret(f"a plain secret has {LEAST_BYTES} to {MOST_PLAIN_BYTES} bytes, this one {len(raw)}")
    return raw


def _of_length(raw: bytes) -> bytes:
    if not LEAST_BYTES <= len(raw) <= MOST_BYTES:
        raise BadSecret(f"a secret has {LEAST_BYTES} to {MOST_BYTES} bytes, this one {len(raw)}")
    return raw


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("what follows the prefix is not base64") from None


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
