"""Our judgement of addresses and URLs beside two libraries that others wrote; every disagreement has its reason.

What we let through, both of them let through. Where we are stricter than one of them, `STRICTER` says why.
"""

import importlib.util
import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.webhooks.address import _DENIED_V4, _DENIED_V6, is_public
from storycore.webhooks.url import BadUrl, read_url

UNIT = Path(__file__).parents[1] / "unit/webhooks"

STRICTER = {
    "168.63.129.16/32": "ssrfguard: Azure's wire server is in no IANA registry",
    "192.31.196.0/24": "ssrfguard: the registry calls AS112 global; nobody receives webhooks there",
    "192.52.193.0/24": "ssrfguard: the same, AMT relays",
    "192.175.48.0/24": "ssrfguard: the same, AS112",
    "2620:4f:8000::/48": "ssrfguard: the same, AS112 for IPv6",
    "2001::/23": "ssrfguard: some protocol assignments count as global in the registry",
    "2002::/16": "ssrfguard looks at what 6to4 wraps; we call nothing that is wrapped",
    "64:ff9b::/96": "ssrfguard looks at what NAT64 wraps; the same",
    "::/96": "both let some IPv4-compatible addresses pass",
    "::ffff:0:0/96": "both look at what is mapped; the same as for 6to4",
    "::ffff:0:0:0/96": "both do not know the IPv4-translated form of RFC 2765",
    "::/3": "both: outside of 2000::/3 nothing is given out",
    "4000::/2": "both: the same",
    "8000::/1": "both: the same",
}
NETWORKS = [ipaddress.ip_network(text) for text in STRICTER]
ODD_FORMS = (
    "0x", "0X", "example.123", "HTTPS:", "#", "%0d", "%00", "%7f", "%g0", "/%", ":00443", ":/", "com.", "[x]", "{x}",
    '"', "<", "`", "^", "|", "a" * 2000,
)  # fmt: skip
"""In these the URL reader of ssrfguard repairs, reads on, or leaves it to a later step; what is not ASCII likewise."""


def corpus(name):
    spec = importlib.util.spec_from_file_location(name, UNIT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def oracles():
    antissrf = pytest.importorskip("AntiSSRF")
    ssrfguard = pytest.importorskip("ssrfguard")
    policy = antissrf.AntiSSRFPolicy(antissrf.PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    other = ssrfguard.Policy()
    return lambda address: (policy._is_str_ip_address_connection_allowed(str(address)), other.permits_address(address))


def addresses():
    found = corpus("test_address")
    yield from (ipaddress.ip_address(text) for text in found.PUBLIC + found.NOT_PUBLIC + found.NEVER)
    for network in (*_DENIED_V4, *_DENIED_V6):
        kind = type(network.network_address)
        for number in (int(network[0]) - 1, int(network[0]), int(network[-1]), int(network[-1]) + 1):
            if 0 <= number < 2**network.max_prefixlen:
                yield kind(number)


def disagrees_without_a_reason(address, oracles):
    ours, theirs = is_public(address), oracles(address)
    if ours:
        return theirs != (True, True)
    if theirs == (False, False) or getattr(address, "scope_id", None):
        return False  # a zone has no place in a URL
    return not any(address in network for network in NETWORKS)


def test_every_disagreement_over_the_corpus_has_its_reason(oracles):
    assert [str(address) for address in addresses() if disagrees_without_a_reason(address, oracles)] == []


def test_every_reason_is_still_needed(oracles):
    used = {
        str(network)
        for address in addresses()
        for network in NETWORKS
        if not is_public(address) and True in oracles(address) and address in network
    }
    assert used == {str(network) for network in NETWORKS}


@given(number=st.integers(0, 2**128 - 1) | st.integers(1 << 125, (1 << 126) - 1) | st.integers(0, 2**50))
def test_over_random_ipv6_addresses_too(oracles, number):
    assert not disagrees_without_a_reason(ipaddress.IPv6Address(number), oracles)


@given(number=st.integers(0, 2**32 - 1))
def test_over_random_ipv4_addresses_too(oracles, number):
    assert not disagrees_without_a_reason(ipaddress.IPv4Address(number), oracles)


def test_a_url_that_we_take_the_other_reader_takes_and_reads_alike():
    ssrfguard = pytest.importorskip("ssrfguard")
    urls = corpus("test_url")
    policy = ssrfguard.Policy()
    odd = []
    for text in [f"http://{host}/" for host in urls.ODD_IPV4] + urls.ODD:
        try:
            ours = read_url(text)
        except BadUrl:
            ours = None
        try:
            theirs = policy.check_url(text)
        except ssrfguard.SSRFGuardError:
            theirs = None
        if ours is not None and (theirs is None or (ours.host, ours.port) != (theirs.host, theirs.port)):
            odd.append(text)
        if ours is None and theirs is not None and text.isascii() and not any(form in text for form in ODD_FORMS):
            odd.append(text)
    assert odd == []
