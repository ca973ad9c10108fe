"""Which addresses may be called: the public internet, and nothing that only looks like it."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.webhooks.address import BadEntry, Guard, is_public, read_entry

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0",
    "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0",
    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "203.0.114.0",
    "223.255.255.255", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001:81b::200e",
    "2001:200::", "2003::1", "2620:4f:7fff::", "2620:4f:8001::", "2000::", "3fff:1000::",
    "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2400:cb00::1", "2001:db7:ffff::1", "2001:db9::1",
]  # fmt: skip
NOT_PUBLIC = [
    "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.0",
    "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.0", "169.254.169.254", "169.254.170.2",
    "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.0.255", "192.0.2.0",
    "192.0.2.255", "192.31.196.1", "192.52.193.1", "192.88.99.0", "192.88.99.255", "192.168.0.0", "192.168.255.255",
    "192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.0", "203.0.113.255", "224.0.0.0", "239.255.255.255",
    "240.0.0.0", "255.255.255.254", "255.255.255.255",
    "::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::127.0.0.1",
    "64:ff9b:1:ffff::1", "100::", "100::1", "100:0:0:1::1", "1000::1", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001::", "2001::1", "2001:0:7f00:1::", "2001:1::1", "2001:2::1", "2001:3::1", "2001:4:112::1", "2001:10::1",
    "2001:20::1", "2001:30::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8::1",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:7f00:1::", "2002:a9fe:a9fe::", "2002:808:808::",
    "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2620:4f:8000::", "2620:4f:8000::1", "3fff::", "3fff:0:1::1",
    "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "4000::1", "5f00::1", "8000::1", "c000::1", "e000::1",
    "f000::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fd20:ce::254", "fdff:ffff::1", "fe00::1", "fe80::1",
    "febf::1", "fec0::1", "feff::1", "ff00::1", "ff02::1", "ff0e::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2606:4700::1111%eth0", "fe80::1%1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42", "fe80::1", "fe80::a9fe:a9fe", "0.0.0.0", "::",
    "255.255.255.255", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254", "::169.254.169.254",
    "::ffff:0:169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b:1::169.254.169.254", "2002:a9fe:a9fe::1",
    "::ffff:100.100.100.200", "2001:0:a9fe:a9fe::", "2001:0:1234::5601:5601",
]  # fmt: skip
EVERYTHING = Guard(["0.0.0.0/0:*", "[::/0]:*", "metadata.google.internal:*", "localhost:*"])


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_called(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_no_other_address_may_be_called(text):
    address = ipaddress.ip_address(text)
    assert not is_public(address)
    assert not Guard().allows(address, host=text, port=443)


@pytest.mark.parametrize("text", NEVER)
def test_nothing_opens_the_addresses_at_which_clouds_tell_their_secrets(text):
    address = ipaddress.ip_address(text)
    assert not EVERYTHING.allows(address, host="metadata.google.internal", port=80)


def test_the_settings_open_networks_and_names_by_port():
    guard = Guard(["127.0.0.1:9000", "10.1.0.0/16:*", "[fd00:1::/32]:443", "hooks.lan:8080"])
    calls = {
        ("127.0.0.1", "127.0.0.1", 9000): True,
        ("127.0.0.1", "127.0.0.1", 9001): False,
        ("127.0.0.2", "127.0.0.2", 9000): False,
        ("10.1.2.3", "x.example", 80): True,
        ("10.2.2.3", "x.example", 80): False,
        ("fd00:1::7", "x.example", 443): True,
        ("fd00:1::7", "x.example", 80): False,
        ("192.168.1.5", "hooks.lan", 8080): True,
        ("192.168.1.5", "hooks.lan", 80): False,
        ("192.168.1.5", "x.hooks.lan", 8080): False,
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", 9000): False,
    }
    found = {
        (text, host, port): guard.allows(ipaddress.ip_address(text), host=host, port=port) for text, host, port in calls
    }
    assert found == calls


@pytest.mark.parametrize(
    "text",
    [
        "", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "10.1.0.1/16:80", "10.0.0.0/33:80",
        "*:80", "*", "[::1]", "::1:80", "[fd00::/129]:80", "[fd00::1/8]:80", "http://hooks.lan:80", "hooks.lan",
        "127.1:80", "a b:80", "hooks.lan:80:80", "[hooks.lan]:80x",
    ],
)  # fmt: skip
def test_an_opening_that_is_not_plain_is_refused(text):
    with pytest.raises(BadEntry):
        read_entry(text)


@given(st.integers(0, 2**128 - 1))
def test_public_ipv6_stands_inside_the_one_block_that_is_given_out(number):
    address = ipaddress.IPv6Address(number)
    if is_public(address):
        assert number >> 125 == 1
        assert not address.is_private
        assert address.sixtofour is None
        assert address.teredo is None


@given(st.integers(0, 2**32 - 1))
def test_public_ipv4_is_public_for_the_standard_library_too(number):
    address = ipaddress.IPv4Address(number)
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast
