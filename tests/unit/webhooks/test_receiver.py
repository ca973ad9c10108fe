"""The receiver's side: one call, one kind of error, whatever comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.webhooks.receiver import NotVerified, verify
from storycore.webhooks.signing import Scheme, new_secret, sign

AT = 1_800_000_000
BODY = '{"type":"export.completed","timestamp":"2027-01-15T08:00:00+00:00","data":{"title":"Nuit 🌙"}}'.encode()
SECRET = new_secret(Scheme.V1)
PAIR = new_secret(Scheme.V1A)


def headers(*keys, at=AT, body=BODY, **changed):
    told = {"Webhook-Id": "evt_1", "WEBHOOK-TIMESTAMP": str(at), "webhook-signature": sign(keys, "evt_1", at, body)}
    return {**told, **changed}


@pytest.mark.parametrize(
    "secret", [SECRET.text, [SECRET.text], [new_secret(Scheme.V1).text, SECRET.text]], ids=["one", "list", "second"]
)
def test_a_genuine_message_is_given_back_with_its_facts(secret):
    message = verify(BODY, headers(SECRET), secret, now=AT)
    assert (message.id, message.type, message.data) == ("evt_1", "export.completed", {"title": "Nuit 🌙"})
    assert (message.body, message.sent_at.timestamp()) == (BODY, AT)


def test_while_a_secret_rotates_either_side_may_be_first():
    new = new_secret(Scheme.V1)
    both = headers(SECRET, new)
    assert verify(BODY, both, SECRET.text, now=AT).id == verify(BODY, both, new.text, now=AT).id
    assert verify(BODY, headers(new), [SECRET.text, new.text], now=AT).id == "evt_1"


def test_a_receiver_of_v1a_needs_the_public_key_only():
    assert verify(BODY, headers(PAIR), PAIR.public_text, now=AT).id == "evt_1"


@pytest.mark.parametrize(("age", "reason"), [(301, "timestamp_too_old"), (-301, "timestamp_too_new")])
def test_old_messages_and_those_of_the_future_are_refused(age, reason):
    assert verify(BODY, headers(SECRET), SECRET.text, now=AT + age, tolerance_seconds=302).id == "evt_1"
    with pytest.raises(NotVerified) as told:
        verify(BODY, headers(SECRET), SECRET.text, now=AT + age)
    assert told.value.reason == reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"webhook-timestamp": "1e9"}, "header_malformed"),
        ({"webhook-timestamp": "-1"}, "header_malformed"),
        ({"webhook-timestamp": "٣"}, "header_malformed"),
        ({"webhook-timestamp": ""}, "header_malformed"),
        ({"webhook-id": "a.b"}, "header_malformed"),
        ({"webhook-id": "é"}, "header_malformed"),
        ({"webhook-id": "other"}, "signature_wrong"),
        ({"webhook-signature": ""}, "signature_wrong"),
        ({"webhook-signature": "v1"}, "signature_wrong"),
        ({"webhook-signature": "v1,é"}, "signature_wrong"),
        ({"webhook-signature": "v1," + "A" * 20_000}, "header_malformed"),
    ],
)
def test_each_fault_of_a_header_has_its_reason(changed, reason):
    lower = {name.lower(): value for name, value in headers(SECRET).items()}
    with pytest.raises(NotVerified) as told:
        verify(BODY, {**lower, **changed}, SECRET.text, now=AT)
    assert told.value.reason == reason


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_is_missing_is_told(name):
    left = {key.lower(): value for key, value in headers(SECRET).items() if key.lower() != name}
    with pytest.raises(NotVerified, match=name):
        verify(BODY, left, SECRET.text, now=AT)


@pytest.mark.parametrize(
    "secret",
    ["short", "whsk_AAAA", PAIR.text, "whpk_AAAA", []],
    ids=["short", "private", "whole pair", "public", "none"],
)
def test_a_secret_that_can_not_be_used_is_the_same_kind_of_error(secret):
    with pytest.raises(NotVerified):
        verify(BODY, headers(SECRET), secret, now=AT)


def test_a_body_that_is_signed_but_no_json_is_told_when_it_is_read():
    for body in (b"\xff", b"[" * 100_000, b"[]"):
        message = verify(body, headers(SECRET, body=body), SECRET.text, now=AT)
        with pytest.raises(NotVerified) as told:
            assert message.data
        assert told.value.reason == "body_malformed"


@given(
    body=st.binary(max_size=50), given=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "x"]), st.text(max_size=40)
    ),
)  # fmt: skip
def test_nothing_else_is_ever_raised(body, given):
    with pytest.raises(NotVerified):
        verify(body, given, SECRET.text)
