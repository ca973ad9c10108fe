"""Nothing reaches a listener that may not be called: by no spelling, name, changing name or proxy."""

import asyncio
import socket
import threading

import pytest

from fixtures.name_server import naming
from fixtures.receivers import sinking
from storycore.webhooks.address import Guard
from storycore.webhooks.delivery import Code
from storycore.webhooks.dialling import Blocked, check_place
from storycore.webhooks.message import Letterhead, Outgoing
from storycore.webhooks.names import Names
from storycore.webhooks.sender import Sender
from storycore.webhooks.url import BadUrl, Target, read_url


class Forbidden:
    """A listener on all addresses of this machine, that counts who comes."""

    def __init__(self):
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        self.listener = socket.create_server(("", 0), family=family, dualstack_ipv6=family == socket.AF_INET6)
        self.port, self.came = self.listener.getsockname()[1], []
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self):
        while True:
            try:
                wire, sender = self.listener.accept()
            except OSError:
                return
            self.came.append(sender)
            wire.close()


@pytest.fixture
def forbidden():
    made = Forbidden()
    with made.listener:
        yield made


def send(target, *, allow=(), servers=None, times=1, limit=5, **options):
    async def run():
        names = None if servers is None else Names(servers)
        async with Sender(Guard(allow), timeout_seconds=limit, names=names, **options) as sender:
            message = Outgoing(Letterhead(target, {}), body=b"{}")
            return [await sender.send(message) for _ in range(times)]

    return asyncio.run(run())


HOSTS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0",
    "127.0.0.1.", "127.255.255.254", "localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "10.0.0.1",
    "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "user@127.0.0.1", "example.com@127.0.0.1",
    "127.0.0.1\\@example.com", "127.0.0.1#@example.com", "①②⑦.⓪.⓪.①", "127。0。0。1", "ⓛocalhost", "%6cocalhost",
    "127.0.0.1%00.example.com", "127.0.0.1\n.example.com", "ip6-localhost", socket.gethostname(),
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_no_spelling_of_a_forbidden_place_is_ever_dialled(forbidden, host):
    """What the reader refuses is tried as the client would read it too, as if the reader had let it through."""
    text = f"http://{host}:{forbidden.port}/"
    try:
        target = read_url(text)
    except BadUrl:
        bare = host.rpartition("@")[2].strip("[]").lower()
        target = Target(url=text, scheme="http", host=bare, port=forbidden.port, address=None)
    (attempt,) = send(target)
    assert attempt.code in (Code.BLOCKED_ADDRESS, Code.INVALID_URL, Code.DNS, Code.TIMEOUT_DNS, Code.PROTOCOL), attempt
    assert forbidden.came == []


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"], ["::1"], ["::ffff:127.0.0.1"],
        ["93.184.216.34", "::1"], ["10.1.2.3"], ["169.254.169.254"], ["0.0.0.0"], ["2002:7f00:1::"],
        ["64:ff9b::7f00:1"],
    ],
)  # fmt: skip
def test_a_name_with_one_forbidden_address_is_refused_as_a_whole(forbidden, answers):
    with naming(lambda _name: answers) as (server, asked):
        (attempt,) = send(read_url(f"http://rebind.example:{forbidden.port}/"), servers=[server])
    assert attempt.code is Code.BLOCKED_ADDRESS, attempt
    assert "STORYCORE_WEBHOOK_ALLOW" in attempt.message
    assert asked
    assert forbidden.came == []


def test_a_name_that_changes_after_it_was_checked_is_of_no_use(forbidden):
    """Rebinding: public when it is registered, this machine when it is called."""
    turns = iter([["93.184.216.34"]] * 2)

    async def register(server, target):
        names = Names([server])
        try:
            found = await names.addresses(target.host)
        finally:
            await names.close()
        return [str(address) for address in found]

    target = read_url(f"http://rebind.example:{forbidden.port}/")
    with naming(lambda _name: next(turns, ["127.0.0.1"])) as (server, _asked):
        assert asyncio.run(register(server, target)) == ["93.184.216.34"]
        attempts = send(target, servers=[server], times=3)
    assert {attempt.code for attempt in attempts} == {Code.BLOCKED_ADDRESS}
    assert forbidden.came == []


def test_names_are_asked_for_in_full_without_search_domains():
    with naming(lambda _name: []) as (server, asked):
        (attempt,) = send(read_url("http://intranet/"), servers=[server])
    assert attempt.code is Code.DNS
    assert set(asked) == {"intranet"}


def test_a_name_server_that_does_not_answer_costs_two_seconds_and_no_other_webhook():
    with naming(lambda _name: None) as (server, _asked):
        (attempt,) = send(read_url("http://silent.example/"), servers=[server], limit=20)
    assert attempt.code is Code.TIMEOUT_DNS


def test_a_place_that_the_settings_open_is_called_and_its_neighbours_are_not(forbidden):
    with sinking() as port:
        allow = [f"hooks.example:{port}"]
        with naming(lambda _name: ["127.0.0.1"]) as (server, _asked):
            (good,) = send(read_url(f"http://hooks.example:{port}/"), allow=allow, servers=[server])
            (other_name,) = send(read_url(f"http://x.hooks.example:{port}/"), allow=allow, servers=[server])
            (other_port,) = send(read_url(f"http://hooks.example:{forbidden.port}/"), allow=allow, servers=[server])
        (literal,) = send(read_url(f"http://127.0.0.1:{port}/"), allow=allow)
    assert (good.code, good.remote_address) == (Code.OK, f"127.0.0.1:{port}")
    assert good.dns_ms is not None
    assert {other_name.code, other_port.code, literal.code} == {Code.BLOCKED_ADDRESS}
    assert forbidden.came == []


def test_behind_a_proxy_the_target_is_judged_all_the_same(forbidden):
    with sinking() as proxy:
        (attempt,) = send(read_url(f"http://127.0.0.1:{forbidden.port}/"), proxy=f"http://127.0.0.1:{proxy}")
        assert attempt.code is Code.BLOCKED_ADDRESS
        (through,) = send(read_url("http://93.184.216.34/hook"), proxy=f"http://127.0.0.1:{proxy}")
        assert (through.code, through.remote_address) == (Code.OK, f"127.0.0.1:{proxy}")
    assert forbidden.came == []


def test_registration_asks_by_the_same_rules():
    for text in ("http://127.0.0.1/", "http://localhost/", "http://[::1]:8080/"):
        with pytest.raises(Blocked):
            asyncio.run(check_place(Guard(), read_url(text)))
    assert asyncio.run(check_place(Guard(), read_url("http://93.184.216.34/"))) is True
    assert asyncio.run(check_place(Guard(), read_url("http://nothing.invalid/"))) is False
