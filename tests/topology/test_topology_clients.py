"""Clients come from as many addresses as a test wants, IPv4 and IPv6, beyond the front network or on it."""

import select
import time

import pytest
from topology_rig import PATIENCE, TS1, TS1_6, VIP6, ask, listener, python, small_plan

from lbcert.topology.plan import make_plan

MANY = 3000


def test_thousands_of_sources_reach_one_server(broker):
    program = listener(broker, "ts1", TS1, 7001)
    sources = [f"10.{128 + n % 100}.{n // 250}.{n % 250 + 1}" for n in range(MANY)]
    answers: set[str] = set()
    for start in range(0, MANY, 500):
        part = broker.sockets("client", sources[start : start + 500])
        poll = select.poll()
        waiting = {sock.fileno(): sock for sock in part}
        for sock in part:
            sock.connect_ex((TS1, 7001))
            poll.register(sock, select.POLLIN)
        deadline = time.monotonic() + PATIENCE
        while waiting and time.monotonic() < deadline:
            for fd, _ in poll.poll(1000):
                poll.unregister(fd)
                sock = waiting.pop(fd)
                answers.add(sock.recv(64).decode())
                sock.close()
    program.kill()
    assert answers == set(sources)
    # One next hop for all of them: thousands of neighbours would overflow the product's table.
    assert int(python(broker, "ts1", "print(len(open('/proc/net/arp').readlines()) - 1)")) <= 3


@pytest.mark.parametrize(
    "plan, host, target, source",
    [
        (make_plan([VIP6], {"ts1": TS1_6}), "ts1", TS1_6, "fd5c:1::1:2:3"),
        (make_plan(["10.0.0.142"], {"ts1": "192.168.2.5"}, dut_addresses=["10.0.0.142/24", "192.168.2.1/24"],
                   clients=["10.0.0.0/24"]), "dut", "10.0.0.142", "10.0.0.7"),
        (make_plan(["10.0.0.142"], {"ts1": "10.0.0.5"}, clients=["10.0.0.0/8"]), "ts1", "10.0.0.5", "10.77.0.7"),
    ],
    ids=["ipv6", "on-the-front-network", "around-the-front-network"],
)  # fmt: skip
def test_a_client_reaches_a_host_from_its_own_address(build, plan, host, target, source):
    made = build(plan)
    listener(made, host, target, 7001)
    (sock,) = made.sockets("client", [source])
    assert ask(sock, (target, 7001)) == source


@pytest.mark.parametrize("gateway", [True, False])
def test_real_servers_beyond_the_dut_answer_strangers_only_through_a_gateway(build, gateway):
    plan = make_plan(["10.0.0.142"], {"ts1": "192.168.2.5"}, gateway=gateway)
    made = build(plan)
    reachable = python(made, "ts1", "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
                                    "print(s.connect_ex(('10.128.0.1', 9)))").strip()  # fmt: skip
    assert (reachable == "0") is gateway


def test_a_lab_can_be_made_many_times(zygote):
    for _ in range(5):
        zygote.start(small_plan()).close()
