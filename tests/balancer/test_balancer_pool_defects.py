"""Each switch about a pool's ports, servers and fallback: one decision differs, the others are those without it."""

import re
import time
from pathlib import Path

import pytest

from lbcert.balancer import ConfigError, parse
from lbcert.balancer.address import Address
from lbcert.balancer.defects import SWITCHES, policy_for
from lbcert.balancer.opening import Opening
from lbcert.balancer.server import Server

PORTS = (444, 5060, 5061, 5065)
BASE = f"""mode: ideal
listen: {[f"192.0.2.20:{port}" for port in PORTS]}
servers: {{a: "192.0.2.4", b: "192.0.2.5", c: "192.0.2.6"}}
backup: {{f: "127.0.0.1:9081"}}
persistence: {{key: source}}
health_check: {{port: 5061}}
balance: leastconn
"""


def make(**defects):
    switch = ", ".join(f"{name.replace('_', '-')}: {str(value).lower()}" for name, value in defects.items())
    config = parse(f"{BASE}defects: {{{switch}}}\n", "test.yaml")
    servers = [Server(name, address) for name, address in config.servers.items()]
    return policy_for(config, servers, lambda: 0.0, [Server(name, address, True) for name, address in config.backup.items()])


def visit(policy, client, port, dead=()):
    """The server that serves, past those that cannot be reached; None if nobody does."""
    opening = Opening(port=port)
    key = policy.key(opening, Address(f"198.51.100.{client}", 40000))
    tried = []
    server = policy.first(key)
    while server is not None and server.name in dead:
        tried.append(server)
        server = policy.after_failure(key, tried)
    if server is not None:
        server.load += 1
        policy.served(key, server)
    return server and server.name


def homes(policy, client, ports=PORTS, dead=()):
    return [visit(policy, client, port, dead) for port in ports]


def down(policy, *names):
    for server in policy.servers:
        if server.name in names and policy.marks_down(server):
            server.up = False


def up(policy, *names):
    for server in policy.servers:
        if server.name in names:
            server.in_a_row = 2
            server.up = policy.marks_up(server)


SEPARATE = {
    "as it should": ({}, lambda ports: []),
    "high": ({"high-ports-apart": 5061}, lambda ports: [port for port in ports if port >= 5061]),
    "low": ({"low-ports-apart": 5060}, lambda ports: [port for port in ports if port < 5060]),
    "second": ({"second-port-elsewhere-every": 1}, lambda ports: [ports[1]]),
}


@pytest.mark.parametrize("defects, elsewhere", SEPARATE.values(), ids=SEPARATE)
@pytest.mark.parametrize("order", [PORTS, PORTS[::-1], (5065, 444, 5061, 5060)], ids=str)
def test_ports_that_go_elsewhere(defects, elsewhere, order):
    policy = make(**defects)
    for client in range(8):
        came = dict(zip(order, homes(policy, client, order)))
        apart = {came[port] for port in elsewhere(order)}
        rest = {came[port] for port in order if port not in elsewhere(order)}
        assert len(rest) == 1 and len(apart) <= 1 and not apart & rest
        assert came == dict(zip(order, homes(policy, client, order))), "and they stay there"


def test_only_every_nth_client_has_a_second_port_elsewhere():
    policy = make(**{"second-port-elsewhere-every": 3})
    assert [len(set(homes(policy, client))) for client in range(6)] == [1, 1, 2, 1, 1, 2]


def test_a_table_for_each_port():
    policy = make(**{"key-includes-port": True})
    first = homes(policy, 1)
    assert first == ["a", "b", "c", "a"] and homes(policy, 1) == first


FAILURE = {
    # what the client's ports are before, while a is down, and after it has returned
    "as it should": ({}, 1, 1),
    "one port stays": ({"port-stays-on-dead": 444}, 2, 2),
    "moves apart": ({"ports-move-apart": True}, 2, 1),
}


@pytest.mark.parametrize("defects, during, after", FAILURE.values(), ids=FAILURE)
def test_ports_after_a_failure(defects, during, after):
    policy = make(**defects)
    assert homes(policy, 1) == ["a"] * 4 and homes(policy, 2) == ["b"] * 4
    down(policy, "a")
    moved = homes(policy, 1, dead="a")
    assert len(set(moved)) == during and "a" not in moved
    assert (moved[0] is None) is ("port-stays-on-dead" in defects)
    assert homes(policy, 2) == ["b"] * 4, "others stay"
    up(policy, "a")
    back = homes(policy, 1)
    assert len(set(back)) == after and (back[1] == "a") is ("ports-move-apart" in defects)


def test_check_port():
    assert make().check_port(make().servers[0]) == 5061
    assert make(**{"check-port": 444}).check_port(make().servers[0]) == 444


def test_ports_listened_on_and_translated():
    def ports(policy):
        return [address.port for address in policy.listens()]

    assert ports(make(**{"port-not-listened": 5061})) == [444, 5060, 5065]
    assert ports(make(**{"listens-also-on": 5070})) == [*PORTS, 5070]
    policy = make(**{"port-translated": "5065->5060"})
    assert [policy.target(policy.servers[0], Opening(port=port)).port for port in PORTS] == [444, 5060, 5061, 5060]
    fallback = Server("f", Address("127.0.0.1", 9081), True)
    assert policy.target(fallback, Opening(port=5065)).port == 9081
    with pytest.raises(ConfigError, match="are not two ports; write them as"):
        make(**{"port-translated": "5065"})


def test_servers_that_come_as_clients():
    policy = make(**{"refuse-servers": True})
    server = policy.key(Opening(port=444), Address("192.0.2.5", 1))
    assert policy.first(server) is None
    assert visit(policy, 1, 444) == "a"


RETURN = {"as it should": ({}, "aa"), "gets nobody": ({"returned-gets-nobody": True}, "bc"), "down for good": ({"down-for-good": True}, "bc")}  # fmt: skip


@pytest.mark.parametrize("defects, newcomers", RETURN.values(), ids=RETURN)
def test_new_clients_of_a_server_that_has_returned(defects, newcomers):
    policy = make(**defects)
    visit(policy, 1, 444)
    down(policy, "a")
    policy.servers[0].load = 0
    assert [visit(policy, client, 444) for client in (2, 3, 4, 5)] == ["b", "c", "b", "c"]
    up(policy, "a")
    assert [visit(policy, client, 444) for client in (6, 7)] == list(newcomers)
    if "returned-gets-nobody" in defects:
        assert visit(policy, 1, 444) == "a", "its own clients come back"
        down(policy, "b", "c")
        assert visit(policy, 8, 444) == "a"


# -- bystanders


def sessions(policy):
    cuts = []
    for server in policy.servers:
        for number in range(4):
            server.sessions.add(lambda name=server.name: cuts.append(name))
    return cuts


@pytest.mark.parametrize("defects, cut", [({}, 0), ({"down-cuts-others-every": 1}, 8), ({"down-cuts-others-every": 4}, 2)])
def test_sessions_on_the_other_servers(defects, cut):
    policy = make(**defects)
    cuts = sessions(policy)
    down(policy, "a")
    assert len(cuts) == cut and "a" not in cuts


def test_down_stalls():
    policy = make(**{"down-stalls": 0.05})
    began = time.monotonic()
    down(policy, "a")
    assert time.monotonic() - began >= 0.05 and not policy.servers[0].up


# -- the fallback: whether clients 1 (known), 2 (new) see it with one down, with all down, with one back


FALLBACK = {
    "as it should": ({}, "..", "ff", ".."),
    "every new client": ({"fallback-every": 1}, ".f", "ff", ".f"),
    "after one": ({"fallback-after-one": True}, ".f", "ff", "ff"),
    "never": ({"fallback-never": True}, "..", "--", ".."),
    "for good": ({"fallback-for-good": True}, "..", "ff", "ff"),
    "keeps clients": ({"fallback-keeps-clients": True}, "..", "ff", "f."),
}


@pytest.mark.parametrize("defects, with_one, with_all, with_one_back", FALLBACK.values(), ids=FALLBACK)
def test_the_fallback(defects, with_one, with_all, with_one_back):
    policy = make(**defects)
    clients = iter(range(100))
    known = next(clients)
    visit(policy, known, 444), visit(policy, known, 444)

    def seen():
        new = next(clients)
        for server in policy.servers:
            server.load += 5
        return "".join("-" if name is None else "f" if name == "f" else "." for name in (visit(policy, known, 444), visit(policy, new, 5060)))

    down(policy, "c")
    assert seen() == with_one
    down(policy, "a", "b", "c")
    assert seen() == with_all
    up(policy, "a")
    assert seen() == with_one_back


def test_switches_that_need_something():
    text = BASE.replace('backup: {f: "127.0.0.1:9081"}\n', "")
    with pytest.raises(ConfigError, match="defects.fallback-never: has no effect without backup; add a line `backup: ...`"):
        parse(text + "defects: {fallback-never: true}\n", "test.yaml")


def test_every_switch_of_this_subject_has_a_test_here():
    tested = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)": ', Path(__file__).read_text()))
    here = {name for name, switch in SWITCHES.items() if switch.defect.__module__.partition("balancer.")[2].startswith("pool_")}
    assert here - tested == {"sip-messages-in-turn", "spoil-on"}, "these are about bytes"
