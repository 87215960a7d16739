"""The defects of the network around the balancer."""

import socket
import struct

import pytest

from lbcert.balancer import network_defects, parse
from lbcert.balancer.defects import policy_for

VIP, CLIENT = "10.10.2.20", "10.1.0.9"
ASKER = bytes.fromhex("02aabbccddee")
DEFECTS = {
    "second-owner": True,
}
CONFIG = """
mode: ideal
listen: ["10.10.2.20:5061"]
servers: {fe1: "10.10.2.4"}
persistence: {key: source}
health_check: {port: 5061}
defects: {%s: true}
"""


def arp(kind: int, wanted: str) -> bytes:
    head = b"\xff" * 6 + ASKER + b"\x08\x06"
    return head + struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, kind, ASKER, socket.inet_aton(CLIENT), b"\0" * 6, socket.inet_aton(wanted))


@pytest.fixture
def wire(monkeypatch):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    monkeypatch.setattr(network_defects, "_packets", lambda protocol: theirs)
    policy = policy_for(parse(CONFIG % next(iter(DEFECTS)), "x.yaml"), (), lambda: 0.0)
    policy.listens()
    ours.settimeout(5)
    with ours:
        yield ours


def test_a_second_machine_answers_for_the_vip_alone(wire):
    wire.send(arp(2, VIP))
    wire.send(arp(1, "10.10.2.99"))
    wire.send(arp(1, VIP))
    answer = wire.recv(2048)
    assert answer[:6] == ASKER and answer[6:12] == network_defects.TWIN and answer[20:22] == b"\0\2"
    assert answer[28:32] == socket.inet_aton(VIP)
