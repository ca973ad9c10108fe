"""Which addresses may be called, and by whom."""

import ipaddress

import pytest

from storycore.comfyui.address import Address, Reach, check_host, rules
from storycore.errors import AccessDenied, InvalidInput

ANY = Reach(None)
CONFINED = Reach(rules(["gpu.local:8188", "10.1.0.0/16", "[fd00::1]:8188", "10.2.2.2:9000"]))


def may(reach, ip, *, host="h", port=8188):
    try:
        reach.check(host, port, ipaddress.ip_address(ip))
    except AccessDenied:
        return False
    return True


@pytest.mark.parametrize(
    "ip",
    [
        "169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "168.63.129.16",
        "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1",
    ],
)  # fmt: skip
def test_where_clouds_keep_credentials_is_never_called(ip):
    assert (may(ANY, ip), may(CONFINED, ip), may(Reach(rules([f"{ip}/128" if ":" in ip else ip])), ip)) == (
        False, False, False,
    )  # fmt: skip


def test_a_person_here_may_name_any_other():
    assert all(may(ANY, ip) for ip in ("8.8.8.8", "10.0.0.1", "192.168.0.7", "::1", "2001:db8::1"))


@pytest.mark.parametrize(
    ("ip", "facts", "allowed"),
    [
        ("127.0.0.1", {}, True), ("::1", {}, True), ("127.9.9.9", {"port": 1}, True), ("::ffff:127.0.0.1", {}, True),
        ("10.1.2.3", {}, True), ("10.1.2.3", {"port": 1}, True), ("10.2.0.1", {}, False), ("8.8.8.8", {}, False),
        ("8.8.8.8", {"host": "gpu.local"}, True), ("8.8.8.8", {"host": "GPU.local."}, True),
        ("8.8.8.8", {"host": "gpu.local", "port": 22}, False), ("10.2.2.2", {"port": 9000}, True),
        ("10.2.2.2", {}, False), ("fd00::1", {}, True), ("fd00::2", {}, False), ("::ffff:10.1.0.1", {}, True),
        ("2002:0a01:0101::", {}, True), ("2002:0808:0808::", {}, False), ("0.0.0.0", {}, False),
    ],
)  # fmt: skip
def test_callers_over_the_network_reach_this_machine_and_what_is_listed(ip, facts, allowed):
    assert may(CONFINED, ip, **facts) is allowed


@pytest.mark.parametrize("text", ["", "a b", "host:0", "host:99999", "-x", "10.0.0.0/99", "http://x"])
def test_an_entry_of_the_list_that_is_none_is_told(text):
    with pytest.raises(InvalidInput):
        rules([text])


def test_hosts_lose_their_brackets_and_their_case():
    assert [check_host(host) for host in ("GPU.local.", "[::1]", "10.0.0.1")] == ["gpu.local", "::1", "10.0.0.1"]


@pytest.mark.parametrize("host", [":d37CA31f94a]", "[::1", "::1]", "a..b", f"{'a' * 64}.b", "-x", "é.com", "a b", "["])
def test_a_host_that_no_resolver_could_take_is_refused(host):
    with pytest.raises(InvalidInput):
        check_host(host)


def test_an_address_has_a_name_and_a_url_and_tells_no_token():
    address = Address(host="::1", port=8188, tls=True, base_path="/comfy", token="s3cret")
    assert (address.name, address.url) == ("[::1]:8188/comfy", "https://[::1]:8188/comfy")
    assert "s3cret" not in repr(address)
