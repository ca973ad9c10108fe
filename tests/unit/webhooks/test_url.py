"""URLs that have one meaning are read; all others are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.webhooks.url import BadUrl, read_url


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("https://example.com", "example.com", 443),
        ("https://example.com/webhook", "example.com", 443),
        ("http://EXAMPLE.com:8080/a/b?c=d&e=%20f", "example.com", 8080),
        ("https://hooks.technology/x;y=1", "hooks.technology", 443),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443),
        ("https://localhost:1", "localhost", 1),
        ("https://93.184.216.34:65535/?", "93.184.216.34", 65535),
        ("https://[2606:2800:220:1::1]/x", "2606:2800:220:1::1", 443),
        ("https://[2606:2800:0220:0001:0:0:0:1]:444", "2606:2800:220:1::1", 444),
        ("https://1e100.net/", "1e100.net", 443),
        ("https://3com.example", "3com.example", 443),
        ("https://" + "a" * 63 + ".example/", "a" * 63 + ".example", 443),
    ],
)
def test_plain_urls_are_read(text, host, port):
    target = read_url(text)
    assert (target.url, target.host, target.port) == (text, host, port)


ODD_IPV4 = [
    "2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.1", "127.1", "127.0.1", "0177.0.0.1", "0177.0.0.01", "00.0.0.0",
    "017700000001", "127.0.0.1.", "127.0.0.0x1", "127.0.0.256", "999.1.1.1", "1.2.3.4.5", "1.2.3", "0", "0x", "0X7F.1",
    "4294967295", "4294967296", "127.000.000.001", "127.0.0.1.1", "192.168.1.01", "169.254.43518",
    "0xa9fea9fe", "a.b.0x1", "example.123", "1.1.1.1.", "..1", "１２７.0.0.1", "①②⑦.0.0.1", "127。0。0。1",
    "127．0．0．1",
]  # fmt: skip


@pytest.mark.parametrize("host", ODD_IPV4)
def test_odd_spellings_of_ipv4_are_refused(host):
    with pytest.raises(BadUrl):
        read_url(f"http://{host}/")


ODD = [
    "", "not-a-valid-url", "example.com", "//example.com", "ftp://example.com", "file:///etc/passwd", "gopher://x/",
    "javascript:alert(1)", "HTTPS://example.com", "https:/example.com", "https:example.com", "https:///x", "https://",
    "https://?x", "https://:443/", "https://user@example.com", "https://user:pw@example.com/", "https://@example.com",
    "https://example.com@127.0.0.1/", "https://127.0.0.1\\@example.com/", "https://example.com\\.evil.com",
    "https://example.com/#", "https://example.com/#@evil.com", "https://example.com/ x", " https://example.com",
    "https://example.com ", "https://exa mple.com", "https://example.com/\x00", "https://example.com/\t",
    "https://example.com\r\nHost: evil", "https://example.com/\r\nX: y", "https://example.com/%0d%0aX:%20y",
    "https://example.com/%00", "https://example.com/%7f", "https://example.com/%", "https://example.com/%g0",
    "https://example.com:0/", "https://example.com:00443/", "https://example.com:65536/", "https://example.com:99999/",
    "https://example.com:-1/", "https://example.com:+80/", "https://example.com:/", "https://example.com:80:80/",
    "https://example.com:８０/", "https://example.com.", "https://example..com", "https://.example.com", "https://.",
    "https://-a.example", "https://a-.example", "https://" + "a" * 64 + ".example", "https://a_b.example",
    "https://" + "a." * 127 + "com", "https://bücher.example", "https://exam\u00adple.com", "https://ex\u200bample.com",
    "https://example.com\u2025", "https://ⓔⓧⓐⓜⓟⓛⓔ.com", "https://example。com", "https://%65xample.com",
    "https://example%2ecom", "https://[::1", "https://::1/", "https://[::1]x", "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/", "https://[1.2.3.4]/", "https://[::ffff:127.1]/", "https://[::g]/", "https://[]/",
    "https://[:::1]/", "https://[1::2::3]/", "https://[::1]:0/", "https://[v1.fe80::a]/", "https://example.com/é",
    "https://example.com/\u202e", "https://example.com/[x]", "https://example.com/{x}", 'https://example.com/"',
    "https://example.com/<script>", "https://example.com/`", "https://example.com/^", "https://example.com/|",
    "https://a.example,b.example/", "https://a.example;b/", "https://$(id).example",
    "https://example.com/" + "a" * 2048,
    "https://example.com/\ud800",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_what_two_readers_could_read_differently_is_refused(text):
    with pytest.raises(BadUrl) as told:
        read_url(text)
    assert len(str(told.value)) > 10
    assert len(text) < 12 or text not in str(told.value)


@given(st.text(max_size=80) | st.from_regex(r"https?://[\x00-\x7f]{0,60}", fullmatch=True))
def test_whatever_is_read_has_a_host_a_port_and_nothing_that_steers(text):
    try:
        target = read_url(text)
    except BadUrl:
        return
    assert 1 <= target.port <= 65535
    assert target.host
    assert target.url.isascii()
    assert not set("\\@#\r\n\t \x00") & set(target.url.split("?")[0].removeprefix("https://").split("/")[0])


def test_our_reader_and_the_client_agree_on_every_url_that_is_accepted():
    """The client reads URLs with yarl, which must see the same host, port and path."""
    from yarl import URL

    for text in (
        "https://example.com",
        "http://EXAMPLE.com:8080/a/b?c=d&e=%20f",
        "https://[2606:2800::1]:444/x?y#"[:-1],
    ):
        ours, theirs = read_url(text), URL(text, encoded=True)
        assert (ours.host, ours.port) == (theirs.host, theirs.port)


@given(
    st.from_regex(
        r"https?://(?:[a-z0-9-]{1,8}\.){0,3}[a-z0-9-]{1,8}(?::[0-9]{1,6})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]{0,20})?"
        r"(?:\?[a-z0-9%&=?/:@]{0,20})?",
        fullmatch=True,
    )
)
def test_our_reader_and_the_client_never_see_two_hosts(text):
    from yarl import URL

    try:
        ours = read_url(text)
    except BadUrl:
        return
    theirs = URL(text, encoded=True)
    assert (ours.host, ours.port, ours.scheme) == (theirs.host, theirs.port, theirs.scheme)
