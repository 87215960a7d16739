"""The plain forwarder: reads nothing, checks nothing, tries once."""

import pytest
from balancer_rig import receive, request


def test_connections_go_round_whoever_comes(rig):
    rig = rig(mode="null")
    assert sorted(rig.visit("bob") for _ in range(6)) == ["ts1", "ts1", "ts2", "ts2", "ts3", "ts3"]


def test_a_server_is_connected_before_the_client_says_anything(rig):
    rig = rig(mode="null")
    for server in rig.servers.values():
        server.greeting = b"hello"
    with rig.connect() as sock:
        assert receive(sock, 5) == b"hello"
        sock.sendall(b"anything")
        assert receive(sock, 8) == b"anything"


def test_a_dead_server_closes_its_turn_of_clients_for_ever(rig):
    rig = rig(mode="null")
    rig.servers["ts2"].kill()
    outcomes = []
    for _ in range(9):
        try:
            outcomes.append(rig.visit("bob"))
        except (ConnectionError, OSError):
            outcomes.append("closed")
    assert sorted(outcomes) == ["closed"] * 3 + ["ts1"] * 3 + ["ts3"] * 3
    assert len(rig.log) == 1


def test_there_are_no_checks(rig):
    rig = rig(mode="null")
    for _ in range(3):
        rig.visit("bob")
    assert not any(seen.is_check for server in rig.servers.values() for seen in server.connections)


def test_sessions_are_spliced(rig):
    rig = rig(mode="null")
    session = rig.open("bob")
    seen = rig.wait_seen(session.server, b"bob")
    assert seen.received == request("bob")
    assert session.echo(b"x" * 100_000) == b"x" * 100_000
    session.abort()
    rig.wait("RST at the server", lambda: seen.ended == "rst")


def test_a_client_without_a_server_sees_the_end(rig):
    rig = rig(mode="null", servers=1)
    rig.servers["ts1"].kill()
    with rig.connect() as sock:
        with pytest.raises(ConnectionError):
            sock.sendall(request("bob"))
            receive(sock, 11)
