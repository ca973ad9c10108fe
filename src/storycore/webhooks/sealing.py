"""Secrets at rest: sealed with one key, which lies in a file of its own or in the environment.

Whoever gets hold of the database alone can neither read nor exchange secrets: each is bound to its webhook.

Source: RFC 8439 (ChaCha20-Poly1305); a nonce is 96 random bits, far from its bound at one sealing a registration.
"""

import base64
import binascii
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from storycore.errors import InvalidInput, Reason, Unavailable
from storycore.storage.secret_file import make_once, others_may_read

KEY_BYTES: Final = 32
_NONCE_BYTES = 12
_FORM = "s1."


class Vault:
    """Seals and opens texts.

    Args:
        read_key: gives the key; called when it is first needed, and told whether one may be made.
    """

    def __init__(self, read_key: Callable[[bool], bytes]) -> None:
        self._read_key = read_key
        self._key: bytes | None = None

    def seal(self, text: str, owner: str) -> str:
        """The text, readable for nobody without the key; it opens for the same `owner` only.

        Raises:
            Unavailable, InvalidInput: there is no key, and none can be made.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher(new=True).encrypt(nonce, text.encode(), owner.encode())
        return _FORM + base64.urlsafe_b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str, owner: str) -> str:
        """What was sealed.

        Raises:
            Unavailable: sealing_key_unusable: the key is another, or gone, or the text was changed.
        """
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_FORM))
            opened = self._cipher(new=False).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode())
        except (InvalidTag, binascii.Error, ValueError):
            raise Unavailable(
                "The secrets of webhooks were sealed with another key.", reason=Reason.SEALING_KEY_UNUSABLE
            ) from None
        return opened.decode()

    def check(self) -> None:
        """Reads the key, which is there already.

        Raises:
            Unavailable, InvalidInput: it can't be used.
        """
        self._cipher(new=False)

    def _cipher(self, *, new: bool) -> ChaCha20Poly1305:
        if self._key is None:
            self._key = self._read_key(new)
        return ChaCha20Poly1305(self._key)


def key_from(text: str, file: Path) -> Callable[[bool], bytes]:
    """Reads the key from `text` if there is any, else from `file`, which is made when it is first needed."""

    def read(may_make: bool) -> bytes:
        if text:
            return _key(text, "secret_key")
        if may_make and not file.exists():
            _make(file)
        return _key(_read(file), file.name)

    return read


def _key(text: str, name: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise InvalidInput(f"{name} holds no key: 32 bytes in base64.", reason=Reason.SETTING_INVALID)
    return raw


def _read(file: Path) -> str:
    try:
        if others_may_read(file):
            raise InvalidInput(
                f"The key file {file.name} can be read by others.",
                reason=Reason.SETTING_INVALID,
                remediation=f"chmod 600 {file.name}, and rotate the secrets if others have read it.",
            )
        return file.read_text(encoding="ascii", errors="replace")
    except OSError as fault:
        raise Unavailable(
            f"The key file {file.name} can't be read: {fault.strerror}.", reason=Reason.SEALING_KEY_UNUSABLE
        ) from None


def _make(file: Path) -> None:
    """A new key of this installation."""
    try:
        make_once(file, lambda: base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    except OSError as fault:
        raise Unavailable(
            f"The key file {file.name} can't be made: {fault.strerror}.", reason=Reason.SEALING_KEY_UNUSABLE
        ) from None
