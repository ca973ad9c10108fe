"""Who signs: the key and the certificates of this installation, or the user's own.

A key of this installation is made when it is first needed: ECDSA on P-256, certified by a root that is made with it.
The root's own key is thrown away at once, so that nothing else can ever be signed with it. Key and certificates lie
in one file for this user alone. No two installations share a key, and no copy of one goes into backups.

Source: C2PA 2.2, "X.509 Certificates": end entities with digitalSignature and an extended key usage; RFC 5280.
"""

import contextlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
    PublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from typing_extensions import override

from storycore.errors import InvalidInput, Reason, Unavailable
from storycore.settings import Settings
from storycore.storage.secret_file import make_once, others_may_read

_YEARS: Final = 30  # without a time stamp of somebody else, a signature is worth what its certificate is worth today
_MOST_BYTES: Final = 1024 * 1024
_CURVES: Final = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_LEAST_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A key with its certificates. Printed without the key.

    Attributes:
        chain: certificates in PEM, the signer's first.
        key: private key in PEM (PKCS #8).
        algorithm: C2PA's name of it: es256, es384, es512, ps256, ed25519.
        serial: of the signer's certificate.
        is_own: whether it is that of this installation.
    """

    chain: bytes
    key: bytes
    algorithm: str
    serial: str
    is_own: bool

    @override
    def __repr__(self) -> str:
        return f"Identity({self.serial})"


def identity(settings: Settings) -> Identity:
    """The key to sign with: the user's if the settings name one, else that of this installation, made if need be.

    Raises:
        InvalidInput: setting_invalid: the files hold no key and certificate that belong together, or one that others
            can read.
        Unavailable: signing_key_unusable: they can't be read or made.
    """
    if settings.signing_certificate is not None or settings.signing_key_file is not None:
        return _of_user(settings)
    file = settings.signing_place
    if not file.exists():
        _make(file)
    text = _read(file, secret=True)
    return _identity(text, text, file.name, is_own=True)


def anchors(settings: Settings) -> bytes:
    """Certificates in PEM that this installation trusts: its own, the user's, and those that the settings name.

    Nothing is made. What can't be read counts as not there, but for a file that was named.

    Raises:
        InvalidInput: setting_invalid: the file of trusted certificates holds none.
        Unavailable: signing_key_unusable: it can't be read.
    """
    found: list[x509.Certificate] = []
    for file in (settings.signing_place, settings.signing_certificate):
        if file is not None:
            with contextlib.suppress(InvalidInput, Unavailable):
                found.append(_certificates(_read(file, secret=False), file.name)[-1])
    if settings.trusted_certificates is not None:
        named = settings.trusted_certificates
        found += _certificates(_read(named, secret=False), named.name)
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in found)


def serials(settings: Settings) -> frozenset[str]:
    """Serial numbers of the certificates that sign here, without making any."""
    found = set()
    for file in (settings.signing_place, settings.signing_certificate):
        if file is not None:
            with contextlib.suppress(InvalidInput, Unavailable):
                found.add(str(_certificates(_read(file, secret=False), file.name)[0].serial_number))
    return frozenset(found)


def self_made(settings: Settings) -> frozenset[str]:
    """Serial number of the certificate that this installation made for itself, which nobody else knows."""
    return serials(settings.model_copy(update={"signing_certificate": None}))


def _of_user(settings: Settings) -> Identity:
    certificate, key = settings.signing_certificate, settings.signing_key_file
    if certificate is None or key is None:
        raise InvalidInput(
            "signing_certificate and signing_key_file belong together; one of them is not set.",
            reason=Reason.SETTING_INVALID,
        )
    return _identity(_read(certificate, secret=False), _read(key, secret=True), certificate.name, is_own=False)


def _identity(chain: bytes, key_text: bytes, name: str, *, is_own: bool) -> Identity:
    certificates = _certificates(chain, name)
    try:
        key = load_pem_private_key(key_text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it is locked with a password
        raise InvalidInput(
            "signing_key_file holds no private key in PEM that can be read without a password.",
            reason=Reason.SETTING_INVALID,
        ) from None
    if _public(key.public_key()) != _public(certificates[0].public_key()):
        raise InvalidInput(
            f"The first certificate in {name} is not that of the signing key.", reason=Reason.SETTING_INVALID
        )
    return Identity(
        chain=b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        algorithm=_algorithm(key),
        serial=str(certificates[0].serial_number),
        is_own=is_own,
    )


def _public(key: CertificatePublicKeyTypes | PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _certificates(text: bytes, name: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text)
    except ValueError:
        raise InvalidInput(f"{name} holds no certificate in PEM.", reason=Reason.SETTING_INVALID) from None


def _algorithm(key: PrivateKeyTypes) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _LEAST_RSA_BITS:
        return "ps256"
    raise InvalidInput(
        "Credentials are signed with a key on P-256, P-384, P-521 or Ed25519, or one of RSA with 2048 bits or more.",
        reason=Reason.SETTING_INVALID,
    )


def _read(file: Path, *, secret: bool) -> bytes:
    try:
        if secret and others_may_read(file):
            raise InvalidInput(
                f"The key file {file.name} can be read by others.",
                reason=Reason.SETTING_INVALID,
                remediation=f"chmod 600 {file.name}, and take a new key if others have read it.",
            )
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES)
    except OSError as fault:
        raise Unavailable(f"{file.name} can't be read: {fault.strerror}.", reason=Reason.SIGNING_KEY_UNUSABLE) from None


def _make(file: Path) -> None:
    """A new key of this installation."""
    try:
        make_once(file, _new)
    except OSError as fault:
        raise Unavailable(
            f"The key file {file.name} can't be made: {fault.strerror}.", reason=Reason.SIGNING_KEY_UNUSABLE
        ) from None


def _new() -> bytes:
    """Key, certificate and root in PEM."""
    place = secrets.token_hex(4)
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    top = _certificate(f"StoryCore root {place}", f"StoryCore root {place}", root.public_key(), root, ca=True)
    own = _certificate(f"StoryCore installation {place}", f"StoryCore root {place}", leaf.public_key(), root, ca=False)
    return b"".join(
        (
            leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            own.public_bytes(Encoding.PEM),
            top.public_bytes(Encoding.PEM),
        )
    )


def _certificate(
    subject: str, issuer: str, key: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)  # clocks of others may be late
    usage = x509.KeyUsage(
        digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not ca:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True)
    return made.sign(signer, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "StoryCore"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )
