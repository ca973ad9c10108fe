"""The key of an installation is its own, for this user alone, and never printed."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from storycore.errors import InvalidInput, Reason, Unavailable
from storycore.metadata.signing_key import anchors, identity, self_made, serials
from storycore.settings import Settings


def settings_in(folder, **flags):
    return Settings.read(database_url=f"sqlite:///{folder / 'st.db'}", **flags)


def written(path, data):
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_it_is_made_when_it_is_first_needed_for_this_user_alone(tmp_path):
    settings = settings_in(tmp_path / "new")
    assert (anchors(settings), serials(settings)) == (b"", frozenset())
    assert not settings.signing_place.exists(), "reading makes no key"
    made = identity(settings)
    assert made == identity(settings)
    assert serials(settings) == self_made(settings) == {made.serial}
    assert [path.name for path in settings.signing_place.parent.iterdir()] == ["st.signing.pem"]
    if sys.platform != "win32":
        assert settings.signing_place.stat().st_mode & 0o777 == 0o600


def test_two_installations_share_nothing(tmp_path):
    first, second = (identity(settings_in(tmp_path / name)) for name in "ab")
    assert first.key != second.key
    assert first.chain != second.chain


def test_of_many_that_make_it_at_once_all_get_the_same(tmp_path):
    settings = settings_in(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        assert len({made.serial for made in pool.map(identity, [settings] * 8)}) == 1


def test_the_certificate_is_one_that_c2pa_takes(tmp_path):
    settings = settings_in(tmp_path)
    leaf, root = x509.load_pem_x509_certificates(identity(settings).chain)
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign) == (True, False)
    assert anchors(settings) == root.public_bytes(serialization.Encoding.PEM)


def test_the_root_s_own_key_is_nowhere(tmp_path):
    settings = settings_in(tmp_path)
    identity(settings)
    assert settings.signing_place.read_bytes().count(b"PRIVATE KEY") == 2, "begin and end of one"


def test_it_is_never_printed(tmp_path):
    made = identity(settings_in(tmp_path))
    assert "PRIVATE" not in f"{made!r}{made}"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_a_key_that_others_can_read_is_refused(tmp_path):
    settings = settings_in(tmp_path)
    identity(settings)
    settings.signing_place.chmod(0o644)
    with pytest.raises(InvalidInput, match="can be read by others"):
        identity(settings)


def test_a_folder_that_can_not_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable) as fault:
        identity(settings_in(tmp_path / "file"))
    assert fault.value.reason == Reason.SIGNING_KEY_UNUSABLE


def own(tmp_path, key):
    """Settings with a certificate of one's own, which signs itself."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Me")])
    start = datetime.now(UTC)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(start).not_valid_after(start + timedelta(days=2)).sign(key, algorithm)
    )  # fmt: skip
    certificate = written(tmp_path / "me.pem", made.public_bytes(serialization.Encoding.PEM))
    return settings_in(
        tmp_path, signing_certificate=str(certificate), signing_key_file=str(written(tmp_path / "me.key", pem(key)))
    )


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "es256"),
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
        (rsa.generate_private_key(65537, 2048), "ps256"),
    ],
)
def test_a_key_of_one_s_own_goes_before(tmp_path, key, algorithm):
    settings = own(tmp_path, key)
    found = identity(settings)
    assert (found.algorithm, found.serial, found.is_own) == (algorithm, "7", False)
    assert serials(settings) == {"7"}
    assert not settings.signing_place.exists()


@pytest.mark.parametrize("text", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(tmp_path, text):
    settings = own(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    settings.signing_certificate.write_bytes(text)
    with pytest.raises(InvalidInput) as fault:
        identity(settings)
    assert fault.value.reason == Reason.SETTING_INVALID


def test_a_key_of_another_certificate_is_refused(tmp_path):
    settings = own(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    written(settings.signing_key_file, pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(InvalidInput, match="not that of the signing key"):
        identity(settings)


def test_a_curve_that_c2pa_does_not_know_is_refused(tmp_path):
    settings = own(tmp_path, ec.generate_private_key(ec.SECP256K1()))
    with pytest.raises(InvalidInput, match="P-256"):
        identity(settings)


def test_a_locked_key_is_refused_in_words(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    settings = own(tmp_path, key)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    written(settings.signing_key_file, locked)
    with pytest.raises(InvalidInput, match="without a password"):
        identity(settings)


def test_one_file_alone_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="belong together"):
        identity(settings_in(tmp_path, signing_key_file=str(tmp_path / "x")))


def test_those_that_are_trusted_can_be_named(tmp_path):
    theirs = settings_in(tmp_path / "theirs")
    identity(theirs)
    ours = settings_in(tmp_path / "ours", trusted_certificates=str(theirs.signing_place))
    assert anchors(theirs) in anchors(ours)
    broken = settings_in(tmp_path / "ours", trusted_certificates=str(tmp_path / "gone.pem"))
    with pytest.raises(Unavailable):
        anchors(broken)
