"""Headers of the caller's own."""

import pytest

from storycore.webhooks.headers import MOST, BadHeader, check_headers


def test_plain_headers_are_taken():
    check_headers({"Authorization": "Bearer abc.def", "X-Studio": "north, two", "x_odd!name": "a\tb"})


@pytest.mark.parametrize(
    "name",
    [
        "Host", "hOST", "Content-Length", "Content-Type", "content-encoding", "Transfer-Encoding", "Connection",
        "Expect", "TE", "Trailer", "Upgrade", "Proxy-Authorization", "Proxy-Connection", "Cookie", "Webhook-Id",
        "webhook-anything", "Keep-Alive", "Accept-Encoding", "Sec-Fetch-Site", "X-Forwarded-For", "Origin",
        "", " ", "a b", "a:b", "a\r\nHost", "a\x00", "é", "Host ", "\tHost", ":authority", "x" * 129, "(a)", "a\n",
    ],
)  # fmt: skip
def test_names_that_are_ours_or_none_are_refused(name):
    with pytest.raises(BadHeader):
        check_headers({name: "value"})


@pytest.mark.parametrize(
    "value", ["", " lead", "trail ", "a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "é", "\x7f", "x" * 4097, "a\u2028b"]
)
def test_values_that_could_break_out_are_refused_and_not_repeated(value):
    with pytest.raises(BadHeader) as told:
        check_headers({"X-Note": value})
    assert not value or value not in str(told.value)


def test_one_header_twice_and_too_many_are_refused():
    with pytest.raises(BadHeader, match="twice"):
        check_headers({"X-A": "1", "x-a": "2"})
    with pytest.raises(BadHeader, match="more than"):
        check_headers({f"X-{number}": "1" for number in range(MOST + 1)})
