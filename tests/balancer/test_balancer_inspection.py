"""Reading the first packet: bytes go on unchanged, however they come, and nobody waits without need."""

import time

import pytest
from balancer_rig import receive, request

from lbcert.wire import CR_VECTORS, MALFORMED_VECTORS


def test_requests_and_what_follows_them_arrive_unchanged(rig):
    rig = rig()
    for data in CR_VECTORS.values():
        session = rig.send(data + b"and more")
        assert receive(session.sock, 8) == b"and more"
        assert rig.servers[session.server].users[-1].received == data + b"and more"
        session.close()


@pytest.mark.parametrize(
    "pieces", [(4,), (7,), (11,), (20,), (30,), tuple(range(1, 44))], ids=["4", "7", "11", "20", "30", "single-bytes"]
)
def test_the_decision_does_not_depend_on_segments(rig, pieces):
    rig = rig()
    home = rig.visit("jsmith")
    for other in ("a", "b"):
        rig.visit(other)
    assert rig.visit("jsmith", pieces=pieces) == home


@pytest.mark.parametrize("vector", ["CR-03", "CR-10"])
def test_a_whole_request_without_name_goes_on_at_once(rig, vector):
    rig = rig(inspect_delay=60.0)
    rig.send(CR_VECTORS[vector]).close()


def test_clients_without_name_are_spread(rig):
    rig = rig()
    assert {rig.visit(None) for _ in range(3)} == {"ts1", "ts2", "ts3"}


def test_an_empty_name_is_no_key(rig):
    rig = rig()
    assert {rig.visit("") for _ in range(3)} == {"ts1", "ts2", "ts3"}


def test_a_silent_client_is_handed_on_after_the_inspection_time(rig):
    rig = rig(inspect_delay=0.2, health_check={"kind": "tcp"})
    for server in rig.servers.values():
        server.greeting = b"hello"
    began = time.monotonic()
    with rig.connect() as sock:
        assert receive(sock, 5) == b"hello"
    assert time.monotonic() - began >= 0.2


def test_a_partial_request_is_handed_on_without_key(rig):
    rig = rig(inspect_delay=0.1)
    data = request("jsmith")
    with rig.connect() as sock:
        sock.sendall(data[:20])
        seen = rig.wait("20 bytes", lambda: next((s for v in rig.servers.values() for s in v.users), None))
        assert seen.received == data[:20]
        sock.sendall(data[20:])
        assert receive(sock, 11)


def test_a_client_that_ends_within_its_request_is_handed_on_with_its_end(rig):
    rig = rig(inspect_delay=60.0)
    with rig.connect() as sock:
        sock.sendall(request("jsmith")[:20])
        sock.shutdown(1)
        seen = rig.wait("20 bytes", lambda: next((s for v in rig.servers.values() for s in v.users if s.ended), None))
        assert len(seen.received) == 20
        assert sock.recv(1) == b""


def test_a_client_that_says_nothing_and_leaves_reaches_nobody(rig):
    rig = rig(inspect_delay=60.0)
    with rig.connect() as sock:
        sock.shutdown(1)
        assert sock.recv(1) == b""
    rig.visit("bob")
    assert sum(len(server.users) for server in rig.servers.values()) == 1


@pytest.mark.parametrize("vector", ["M-02", "M-03", "M-04", "M-05", "M-06", "M-07"])
def test_malformed_requests_pass_and_make_no_entry(rig, vector):
    rig = rig()
    data = MALFORMED_VECTORS[vector]
    for _ in range(3):
        with rig.connect() as sock:
            sock.sendall(data)
            assert sock.recv(1)
    reached = [s for v in rig.servers.values() for s in v.users]
    assert [s.received for s in reached] == [data] * 3
    assert {s.server for s in reached} == {"ts1", "ts2", "ts3"}
    assert rig.visit("jsmith") == rig.visit("jsmith")


def test_name_and_token_together_go_by_the_name(rig):
    rig = rig()
    homes = {rig.send(MALFORMED_VECTORS[v]).server for v in ("M-09", "M-10") for _ in range(4)}
    assert homes == {rig.visit("jsmith")}


def test_correlation_info_is_not_taken_for_a_name(rig):
    rig = rig()
    homes = {rig.send(CR_VECTORS[v]).server for v in ("CR-01", "CR-09", "CR-01", "CR-09")}
    assert len(homes) == 1
