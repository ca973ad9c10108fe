"""API keys, without a database."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from storycore.keys.key import Key, hash_of, id_of, new_secret, opens
from storycore.operations.catalog import OPERATIONS, SCOPES

INSTANT = datetime(2026, 11, 24, tzinfo=UTC)


def stored(secret, **facts):
    return Key(id=id_of(secret), name="n", sha256=hash_of(secret), scopes=["tasks:read"], created_at=INSTANT, **facts)


def test_keys_are_well_formed_and_never_the_same():
    secrets = {new_secret() for _ in range(200)}
    assert len(secrets) == 200
    assert all(id_of(secret) == secret[4:12] for secret in secrets)


@given(st.text())
def test_text_that_is_no_key_has_no_id_and_opens_nothing(text):
    assert id_of(text) is None
    assert opens(text, None, INSTANT) is False


def test_only_the_very_key_opens_and_only_while_it_is_usable():
    secret = new_secret()
    second = timedelta(seconds=1)
    cases = [
        (secret, stored(secret), True),
        (new_secret(), stored(secret), False),
        (secret, None, False),
        (secret, stored(secret, revoked_at=INSTANT - second), False),
        (secret, stored(secret, expires_at=INSTANT), False),
        (secret, stored(secret, expires_at=INSTANT + second), True),
    ]
    assert [opens(text, key, INSTANT) for text, key, _ in cases] == [wanted for *_, wanted in cases]


def test_admin_allows_everything_and_others_what_they_name():
    key = stored(new_secret())
    admin = Key(id="0", name="a", sha256="", scopes=["admin"], created_at=INSTANT)
    assert (key.allows("tasks:read"), key.allows("tasks:cancel"), admin.allows("exports:write")) == (True, False, True)


def test_every_operation_says_what_a_key_must_allow():
    assert set(SCOPES) == {operation.name for operation in OPERATIONS}
