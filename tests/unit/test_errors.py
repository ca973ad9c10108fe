"""The error tree."""

import pytest

from storycore import errors
from storycore.errors import REASONS, Cancelled, Code, NotFound, Reason, StoryCoreError


def test_every_reason_has_its_facts():
    assert set(REASONS) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_to_do(reason):
    assert REASONS[reason].remediation.endswith(".")


def test_codes_have_the_status_that_callers_expect():
    statuses = {
        Code.VALIDATION_ERROR: {400, 405, 408, 413, 415, 416, 421, 431},
        Code.AUTHENTICATION_REQUIRED: {401},
        Code.AUTHORIZATION_DENIED: {403},
        Code.NOT_FOUND: {404},
        Code.CONFLICT: {409, 412},
        Code.RATE_LIMIT_EXCEEDED: {429},
        Code.DEPENDENCY_ERROR: {502},
        Code.TIMEOUT: {504},
        Code.SERVICE_UNAVAILABLE: {503},
        Code.INTERNAL_ERROR: {500},
    }
    assert {code: {f.http_status for f in REASONS.values() if f.code is code} for code in Code} == statuses


def test_exit_codes_are_the_documented_ones():
    assert {facts.exit_code for facts in REASONS.values()} <= {1, 2, 3, 4, 5, 6, 7, 8, 130}


def test_an_error_brings_its_own_words_or_the_reasons():
    fault = NotFound("No film there.", reason=Reason.PROJECT_NOT_FOUND)
    assert (fault.code, str(fault), fault.remediation) == (
        Code.NOT_FOUND, "No film there.", REASONS[Reason.PROJECT_NOT_FOUND].remediation,
    )  # fmt: skip


def test_cancelled_is_told_apart_from_other_conflicts():
    assert Cancelled("Stopped.").facts.exit_code == 130


def test_the_tree_in_the_docstring_names_every_family():
    families = [kind.__name__ for kind in StoryCoreError.__subclasses__()] + ["Cancelled"]
    assert [name for name in families if name not in (errors.__doc__ or "")] == []
