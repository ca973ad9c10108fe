"""Signatures: the public vectors, and what can't be forged, misread or mistaken."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.webhooks.signing import (
    BadSecret,
    Check,
    Scheme,
    Secret,
    is_signed,
    new_secret,
    pen_of,
    read_check,
    read_secret,
    sign,
    sign_with,
)

ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
V1_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
V1_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
V1A_SECRET = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
V1A_PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
V1A_SIGNATURE = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="

bodies = st.binary(max_size=200)
ids = st.from_regex(r"[A-Za-z0-9_]{1,40}", fullmatch=True)
times = st.integers(0, 2**33)


def test_the_public_vector_of_v1():
    assert sign([read_secret(V1_SECRET)], ID, AT, BODY) == V1_SIGNATURE
    assert is_signed([read_check(V1_SECRET)], V1_SIGNATURE, ID, AT, BODY)


def test_the_public_vector_of_v1a():
    secret = read_secret(V1A_SECRET)
    assert sign([secret], ID, AT, BODY) == V1A_SIGNATURE
    assert (secret.text, secret.public_text) == (V1A_SECRET, V1A_PUBLIC)
    assert is_signed([read_check(V1A_PUBLIC)], V1A_SIGNATURE, ID, AT, BODY)


def test_several_keys_sign_into_one_header_and_each_of_them_verifies():
    keys = [read_secret(V1_SECRET), new_secret(Scheme.V1), read_secret(V1A_SECRET)]
    header = sign(keys, ID, AT, BODY)
    assert header.split(" ")[0] == V1_SIGNATURE
    assert header.split(" ")[2] == V1A_SIGNATURE
    assert all(is_signed([read_check(key.public_text or key.text)], header, ID, AT, BODY) for key in keys)


@given(body=bodies, message_id=ids, at=times, scheme=st.sampled_from(Scheme))
def test_what_was_signed_verifies_and_nothing_else_does(body, message_id, at, scheme):
    secret, other = new_secret(scheme), new_secret(scheme)
    check, wrong = read_check(secret.public_text or secret.text), read_check(other.public_text or other.text)
    header = sign([secret], message_id, at, body)
    assert is_signed([check], header, message_id, at, body)
    assert is_signed([wrong, check], header, message_id, at, body)
    assert not is_signed([wrong], header, message_id, at, body)
    assert not is_signed([check], header, message_id, at + 1, body)
    assert not is_signed([check], header, message_id, at, body + b" ")
    assert not is_signed([check], header, message_id + "x", at, body)


@given(body=bodies, message_id=ids, at=times, raw=st.binary(min_size=24, max_size=512), scheme=st.sampled_from(Scheme))
def test_a_pen_writes_what_its_secret_signs(body, message_id, at, raw, scheme):
    """Keys are shorter than a block of the hash, as long, and longer."""
    keys = [Secret(scheme=scheme, raw=raw if scheme is Scheme.V1 else raw[:24] + bytes(8)), new_secret(Scheme.V1)]
    pens = [pen_of(key) for key in keys]
    for _ in range(2):  # a pen writes more than once
        assert sign_with(pens, message_id, at, body) == sign(keys, message_id, at, body)


@given(header=st.text(max_size=300))
def test_whatever_stands_in_a_header_is_read_without_harm(header):
    assert not is_signed([read_check(V1_SECRET), read_check(V1A_PUBLIC)], header, ID, AT, BODY)


def test_a_signature_of_one_scheme_is_none_of_the_other():
    swapped = V1_SIGNATURE.replace("v1,", "v1a,")
    assert not is_signed([read_check(V1_SECRET), read_check(V1A_PUBLIC)], swapped, ID, AT, BODY)
    assert not is_signed([Check(scheme=Scheme.V1A, raw=b"x" * 32)], V1A_SIGNATURE, ID, AT, BODY)


def test_only_the_first_entries_of_an_endless_header_are_looked_at():
    assert is_signed([read_check(V1_SECRET)], "v1,AAAA " * 31 + V1_SIGNATURE, ID, AT, BODY)
    assert not is_signed([read_check(V1_SECRET)], "v1,AAAA " * 32 + V1_SIGNATURE, ID, AT, BODY)


def encoded(count):
    return base64.b64encode(bytes(count)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "", "w", "short", "whsec_", "whsec_%", "whsec_" + encoded(23), "whsec_" + encoded(65), "whsec_" + encoded(66),
        "whsec_" + encoded(32)[:-1], V1A_PUBLIC, V1A_SECRET[:-4], V1A_SECRET[:-6] + "AAAA==", "whsk_" + encoded(64),
        "hwsec_" + encoded(32), "WHSEC_" + encoded(32), "wsec_" + encoded(32), "x" * 23, "x" * 513,
        "\ud800" * 30, "whsec_" + encoded(32) + "\n", "whsec_ " + encoded(32),
    ],
)  # fmt: skip
def test_what_is_no_secret_is_refused_and_never_repeated(text):
    with pytest.raises(BadSecret) as told:
        read_secret(text)
    assert not text or text not in str(told.value)


@pytest.mark.parametrize("text", [V1A_SECRET, "whpk_" + encoded(31), "whpk_!", "whsec_" + encoded(3)])
def test_what_a_receiver_can_not_check_with_is_refused(text):
    with pytest.raises(BadSecret):
        read_check(text)


def test_a_plain_text_of_the_callers_own_is_the_key_as_it_is():
    own = "a plain text of the caller's own"
    assert read_secret(own).raw == own.encode()
    assert read_secret("whsec_" + base64.b64encode(own.encode()).decode()).raw == own.encode()


def test_secrets_do_not_show_when_they_are_printed():
    secret = new_secret(Scheme.V1)
    assert base64.b64encode(secret.raw).decode() not in repr(secret)
    assert "raw" not in repr(read_check(V1_SECRET))
