"""Each switch about the first exchange does its one wrong thing, and nothing else that these tests look at."""

import re
import socket
import time
from pathlib import Path

import pytest
from balancer_rig import receive, request

from lbcert.balancer.defects import SWITCHES
from lbcert.balancer.parse_defects import _Confirms, _Loses, _Swaps
from lbcert.wire import (
    CC_VECTORS,
    CR_VECTORS,
    MALFORMED_VECTORS,
    ConnectionConfirm,
    ConnectionRequest,
    CorrelationInfo,
    NegotiationRequest,
    RequestFlags,
)


def test_every_switch_of_this_subject_has_a_test_here():
    tested = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)": ', Path(__file__).read_text()))
    ours = {name for name, switch in SWITCHES.items() if switch.defect.__module__.endswith(".parse_defects")}
    assert ours and ours <= tested


# -- the Confirm, and what follows it


@pytest.mark.parametrize("pieces", [[11], [1] * 19, [19, 3]], ids=["two", "single-bytes", "with-more"])
def test_a_confirm_is_changed_once_it_is_whole(pieces):
    change = _Confirms(lambda confirm: ConnectionConfirm(negotiation=confirm.negotiation, source_ref=7))
    data = CC_VECTORS["CC-02"] + b"and more, " + CC_VECTORS["CC-04"]
    got, at = b"", 0
    for size in [*pieces, len(data)]:
        got += change(data[at : at + size])
        at += size
    assert got == data[:8] + b"\0\7" + data[10:]


def test_what_is_no_confirm_passes():
    assert _Confirms(lambda confirm: pytest.fail("changed"))(b"HTTP/1.0 400\r\n") == b"HTTP/1.0 400\r\n"


DATA = bytes(range(256)) * 8


def through(alter, *sizes):
    got, at = b"", 0
    for size in [*sizes, len(DATA)]:
        got += alter(DATA[at : at + size])
        at += size
    return got


@pytest.mark.parametrize("sizes", [[], [1000], [1001], [999, 1, 1]])
def test_one_byte_is_lost(sizes):
    assert through(_Loses(1000), *sizes) == DATA[:1000] + DATA[1001:]


@pytest.mark.parametrize("sizes, place", [([], 100), ([50], 100), ([300], 300)], ids=["whole", "place-later", "no-room-before"])
def test_two_blocks_change_places_once(sizes, place):
    data = bytes(i * 7 >> 3 & 0xFF for i in range(2048))
    alter = _Swaps(100)
    got, at = b"", 0
    for size in [*sizes, len(data)]:
        got += alter(data[at : at + size])
        at += size
    assert got == data[:place] + data[place + 256 : place + 512] + data[place : place + 256] + data[place + 512 :] != data


def answered(rig, answer, vector="CR-01"):
    """What a client gets when its server sends `answer` and a mark."""
    for server in rig.servers.values():
        server.greeting = answer + b"<mark>"
        server.answer = "silent"
    with rig.connect() as sock:
        sock.sendall(CR_VECTORS[vector])
        got = b""
        while not got.endswith(b"<mark>"):
            more = sock.recv(65536)
            assert more, got
            got += more
    return got[:-6]


TCP_CHECKS = {"kind": "tcp"}


def test_clear_confirm_flags(rig):
    rig = rig(defects={"clear-confirm-flags": True}, health_check=TCP_CHECKS)
    assert answered(rig, CC_VECTORS["CC-01"]) == CC_VECTORS["CC-01"].replace(b"\2\x1f", b"\2\0")
    assert all(answered(rig, CC_VECTORS[name]) == CC_VECTORS[name] for name in ("CC-02", "CC-03", "CC-04"))


def test_replace_failure_code(rig):
    rig = rig(defects={"replace-failure-code": True}, health_check=TCP_CHECKS)
    assert answered(rig, CC_VECTORS["CC-03"]) == CC_VECTORS["CC-03"][:-4] + b"\1\0\0\0"
    assert all(answered(rig, CC_VECTORS[name]) == CC_VECTORS[name] for name in ("CC-01", "CC-02", "CC-04"))


def test_confirm_always_negotiated(rig):
    rig = rig(defects={"confirm-always-negotiated": True}, health_check=TCP_CHECKS)
    assert len(answered(rig, CC_VECTORS["CC-04"], "CR-02")) == 19
    assert answered(rig, CC_VECTORS["CC-04"], "CR-01") == CC_VECTORS["CC-04"]


@pytest.mark.parametrize("defects, lost", [({"lose-byte-to-client": 100}, 1), ({"swap-blocks-to-server": 100}, 0)],
                         ids=["lose-byte-to-client", "swap-blocks-to-server"])  # fmt: skip
def test_streams_are_hurt_in_one_direction(rig, defects, lost):
    rig = rig(defects=defects)
    data = bytes(i * 7 >> 3 & 0xFF for i in range(2048))
    session = rig.open("ann")
    session.sock.sendall(data)
    back = receive(session.sock, len(data) - lost)
    seen = rig.servers[session.server].users[-1].received
    assert seen.endswith(data) == bool(lost) and back != data and len(back) == len(data) - lost
    session.close()


@pytest.mark.parametrize(
    "defects, closed",
    [({"drop-without-negotiation": True}, {"CR-02"}), ({"drop-largest": True}, {"CR-11"})],
    ids=["drop-without-negotiation", "drop-largest"],
)
def test_droppers(rig, defects, closed):
    rig = rig(defects=defects)
    found = set()
    for vector, data in CR_VECTORS.items():
        try:
            rig.send(data).close()
        except ConnectionError:
            found.add(vector)
    assert found == closed


# -- waiting for the request


HELD = {
    "bare": ({"hold-until-timer": "bare"}, {"CR-10"}),
    "token": ({"hold-until-timer": "token"}, {"CR-05", "CR-06", "CR-07", "CR-08", "CR-12", "CR-13"}),
}


@pytest.mark.parametrize("defects, held", HELD.values(), ids=HELD.keys())
def test_hold_until_timer(rig, defects, held):
    rig = rig(defects=defects, inspect_delay=0.3)
    found = set()
    for vector, data in CR_VECTORS.items():
        began = time.monotonic()
        rig.send(data).close()
        found |= {vector} if time.monotonic() - began >= 0.3 else set()
    assert found == held


def greeted(rig, piece):
    """Whether a client that sent `piece` is handed to a server within ten inspection times."""
    for server in rig.servers.values():
        server.greeting = b"hello"
    with rig.connect() as sock:
        sock.settimeout(1.0)
        sock.sendall(piece)
        try:
            return receive(sock, 5) == b"hello"
        except socket.timeout:
            return False


@pytest.mark.parametrize(
    "defects, silent, partial",
    [({"wait-for-ever": True}, False, False), ({"first-byte-stops-timer": True}, True, False)],
    ids=["wait-for-ever", "first-byte-stops-timer"],
)
def test_timers(rig, defects, silent, partial):
    rig = rig(defects=defects, inspect_delay=0.1, health_check=TCP_CHECKS)
    assert (greeted(rig, b""), greeted(rig, request("ann")[:5])) == (silent, partial)


def test_inspection_slots(rig):
    rig = rig(defects={"inspection-slots": 3}, inspect_delay=60.0)
    silent = [rig.connect() for _ in range(3)]
    with pytest.raises(OSError):
        while True:
            # The silent ones may not have been accepted yet.
            rig.visit("ann")
    silent.pop().close()
    # Asked again until the balancer has noticed; not within `rig.wait`, which holds up the mocks.
    ends = time.monotonic() + 10
    while not served(rig):
        assert time.monotonic() < ends
    for sock in silent:
        sock.close()


def served(rig):
    try:
        return rig.visit("ann")
    except OSError:
        return None


# -- malformed and oversized requests


def malformed(name, user=b"jsmith"):
    return MALFORMED_VECTORS[name].replace(b"jsmith", user)


def send_and_go(rig, data):
    """Send `data` and wait until a server has it; the client leaves."""
    with rig.connect() as sock:
        sock.sendall(data)
        rig.wait("it is at a server", lambda: any(s.received == data for v in rig.servers.values() for s in v.connections))


@pytest.mark.parametrize(
    "defects, deadly, harmless",
    [({"die-on-nul": True}, "M-07", "M-04"), ({"die-on-overflow": True}, None, "M-07")],
    ids=["die-on-nul", "die-on-overflow"],
)
def test_deaths(rig, defects, deadly, harmless):
    rig = rig(defects=defects)
    send_and_go(rig, malformed(harmless))
    assert rig.visit("ann")
    with rig.connect() as sock:
        sock.sendall(b"\3\0\1\x16\x11\xe0" if deadly is None else malformed(deadly))
        with pytest.raises(OSError):
            receive(sock, 1)
    # A dying process closes its sockets one after the other.
    ends = time.monotonic() + 10
    while accepts(rig):
        assert time.monotonic() < ends


def accepts(rig):
    try:
        rig.connect().close()
    except OSError:
        return False
    return True


def test_stall_on_malformed(rig):
    rig = rig(defects={"stall-on-malformed": 0.5})
    for number in range(49):
        send_and_go(rig, malformed("M-04", b"us%04d" % number))
    began = time.monotonic()
    rig.visit("ann")
    assert time.monotonic() - began < 0.5
    with rig.connect() as sock:
        sock.sendall(malformed("M-04"))
        rig.wait("it is at a server", lambda: any(s.received == malformed("M-04") for v in rig.servers.values() for s in v.connections))
    assert time.monotonic() - began >= 0.5


@pytest.mark.parametrize("vector", ["M-01", "M-02", "M-03", "M-04", "M-05"])
def test_malformed_moves_user(rig, vector):
    rig = rig(defects={"malformed-moves-user": True})
    homes = [rig.visit("jsmith"), rig.visit("jsmith")]
    assert homes[0] == homes[1] and rig.visit("eltons")
    send_and_go(rig, malformed(vector))
    assert rig.visit("jsmith") != homes[0]


def test_malformed_keeps_client(rig):
    rig = rig(defects={"malformed-keeps-client": True})
    with rig.connect() as sock:
        sock.sendall(malformed("M-04"))
        seen = rig.wait("it is at a server", lambda: next(
            (s for v in rig.servers.values() for s in v.connections if s.received == malformed("M-04")), None))  # fmt: skip
        receive(sock, 11)
        rig.loop.call_soon_threadsafe(seen.transport.close)
        sock.settimeout(0.3)
        with pytest.raises(socket.timeout):
            sock.recv(1)
    session = rig.open("ann")
    rig.loop.call_soon_threadsafe(rig.servers[session.server].users[-1].transport.close)
    assert session.ending() == "fin"


# -- keys


def correlated(user, id=b"1234567890abcdef"):
    negotiation = NegotiationRequest(3, RequestFlags.CORRELATION_INFO_PRESENT)
    return ConnectionRequest(cookie=user, negotiation=negotiation, correlation=CorrelationInfo(id)).encode()


def placed(rig, *packets):
    """The servers that get these requests, one after the other, each held so that the next new user goes elsewhere."""
    sessions = [rig.send(packet) for packet in packets]
    for session in sessions:
        session.close()
    return [session.server for session in sessions]


BOTH = {order: ConnectionRequest(cookie=b"ann", routing_token=b"Cookie: msts=1.2.0000", cookie_first=order == "cookie").encode()
        for order in ("cookie", "token")}  # fmt: skip
LONG = request("u" * 100)
KEYS = {
    "ignore-names": ({"ignore-names-over": 99}, [LONG, LONG], [request("u" * 99)] * 2),
    "token-hides": ({"token-hides-cookie": True}, [request("ann"), BOTH["token"]], [request("ann"), BOTH["cookie"]]),
    "correlation-hides": ({"correlation-hides-cookie": True}, [request("ann"), correlated(b"ann")], [request("bob")] * 2),
    "includes-correlation": ({"key-includes-correlation": True}, [correlated(b"ann"), correlated(b"ann", b"another id of 16")],
                             [correlated(b"bob")] * 2),
    "correlation-is-key": ({"correlation-is-key": True}, [correlated(b"ann"), request("bob")], [correlated(None)] * 2),
}  # fmt: skip


@pytest.mark.parametrize("defects, apart, together", KEYS.values(), ids=KEYS.keys())
def test_keys(rig, defects, apart, together):
    rig = rig(defects=defects, balance="leastconn")
    assert len(set(placed(rig, *apart))) == 2
    assert len(set(placed(rig, *together))) == 1
