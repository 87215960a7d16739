"""Wrong routing, as tests ask for it: a server that answers past the DUT, and a client among the servers."""

import pytest
from topology_rig import ask, listener, python, run

from lbcert.topology.plan import NEIGHBOUR_HOST, ROUTER_HOST, make_plan

FOUR = dict(vips=["10.0.0.142"], servers={"ts1": "192.168.2.5", "ts2": "192.168.2.6"}, clients=["10.0.0.0/24", "172.20.0.0/14"])
SIX = dict(vips=["2001:db8:1::10"], servers={"ts1": "2001:db8:2::5", "ts2": "2001:db8:2::6"})


@pytest.mark.parametrize(
    "given, sources", [(FOUR, ["10.0.0.7", "172.20.0.7"]), (SIX, ["fd5c:1::7"])], ids=["ipv4", "ipv6"]
)
def test_a_server_answers_past_the_dut(given, sources, build):
    plan = make_plan(**given, gateway=True, bypass=["ts2"])
    made = build(plan)
    target = given["servers"]["ts2"]
    listener(made, "ts2", target, 7001)
    for source in sources:
        (sock,) = made.sockets("client", [source])
        assert ask(sock, (target, 7001)) == source  # there and back over the router: the DUT forwards nothing
        router = plan.host(ROUTER_HOST).links[1].addresses[0].split("/")[0]
        hops = [run(made, server, "/usr/sbin/ip", "route", "get", source) for server in ("ts1", "ts2")]
        assert [f"via {router} " in hop for hop in hops] == [False, True]


@pytest.mark.parametrize("given", [FOUR, SIX], ids=["ipv4", "ipv6"])
def test_a_client_among_the_servers_reaches_the_vip_and_is_answered_directly(given, build):
    plan = make_plan(**given, gateway=True, neighbour=True)
    made = build(plan)
    own = plan.host(NEIGHBOUR_HOST).links[0].addresses[0].split("/")[0]
    (vip,) = given["vips"]
    listener(made, "dut", vip, 7001)
    asked = f"import socket; s = socket.create_connection(({vip!r}, 7001)); print(s.recv(64).decode())"
    assert python(made, NEIGHBOUR_HOST, asked).strip() == own
    assert " via " not in run(made, "ts1", "/usr/sbin/ip", "route", "get", own)


def test_what_a_host_forwards_is_not_the_machines_choice(build):
    plan = make_plan(**FOUR, gateway=True, router=True)
    made = build(plan)
    names = [f"/proc/sys/net/ipv4/{name}" for name in ("ip_forward", "conf/all/rp_filter", "conf/eth0/rp_filter")]
    told = {host: run(made, host, "/usr/bin/cat", *names).split() for host in ("dut", "ts1", ROUTER_HOST)}
    assert told == {"dut": ["0", "0", "0"], "ts1": ["0", "0", "0"], ROUTER_HOST: ["1", "0", "0"]}
