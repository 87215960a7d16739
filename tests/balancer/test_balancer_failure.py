"""Dead, dark, hung and returning servers."""

import socket
import time

import pytest
from balancer_rig import request

FAST = {"inter": 0.03, "fall": 2, "rise": 2, "timeout": 0.2}
NO_CHECKS = {"inter": 3600, "fall": 2, "rise": 2, "timeout": 0.2}


def test_a_refused_user_is_served_elsewhere_at_once_and_moved(rig):
    rig = rig(health_check=NO_CHECKS)
    home = rig.visit("bob")
    rig.servers[home].kill()
    second = rig.visit("bob")
    assert second != home
    assert rig.visit("bob") == second
    assert len(rig.log) == 1, "only checks mark a server down"


def test_an_unanswered_connect_goes_elsewhere_after_its_timeout(rig):
    rig = rig(health_check=NO_CHECKS, connect_timeout=0.2)
    home = rig.visit("bob")
    rig.servers[home].darken()
    began = time.monotonic()
    assert rig.visit("bob") != home
    assert time.monotonic() - began >= 0.2


def test_a_dead_server_goes_down_and_comes_back(rig):
    rig = rig()
    home = rig.visit("bob")
    rig.servers[home].kill()
    rig.wait_state(home, "DOWN")
    assert "Connection refused" in rig.log[-1]
    assert home not in {rig.visit(f"user{n}") for n in range(6)}
    rig.servers[home].start()
    rig.wait_state(home, "UP")
    assert home in {rig.visit(f"later{n}") for n in range(3)}


def test_up_takes_the_declared_number_of_good_checks(rig):
    rig = rig(health_check={**FAST, "rise": 5})
    rig.servers["ts1"].kill()
    rig.wait_state("ts1", "DOWN")
    before = len(rig.servers["ts1"].connections)
    rig.servers["ts1"].start()
    rig.wait_state("ts1", "UP")
    assert "5 checks passed" in rig.log[-1]
    assert len(rig.servers["ts1"].connections) - before >= 5


@pytest.mark.parametrize("answer, reason", [("silent", "in time"), ("garbage", "no connection confirm")])
def test_an_rdp_check_wants_a_confirm(rig, answer, reason):
    rig = rig(health_check=FAST)
    rig.servers["ts2"].answer = answer
    rig.wait_state("ts2", "DOWN")
    assert reason in rig.log[-1]
    rig.servers["ts2"].answer = "confirm"
    rig.wait_state("ts2", "UP")


def test_a_tcp_check_sends_nothing_and_does_not_see_a_hung_server(rig):
    rig = rig(health_check={**FAST, "kind": "tcp"})
    rig.servers["ts2"].answer = "silent"
    rig.wait("ten checks", lambda: len(rig.servers["ts2"].connections) >= 10)
    assert not any(seen.received for seen in rig.servers["ts2"].connections)
    assert len(rig.log) == 1
    rig.servers["ts2"].kill()
    rig.wait_state("ts2", "DOWN")


def test_checks_are_harmless(rig):
    rig = rig()
    checks = rig.wait(
        "ten checks", lambda: [s for s in rig.servers["ts1"].connections if s.is_check and s.ended][9:] and
        [s for s in rig.servers["ts1"].connections if s.is_check]
    )
    assert {seen.ended for seen in checks if seen.ended} == {"fin"}


def test_a_dark_server_goes_down(rig):
    rig = rig(health_check=FAST)
    rig.servers["ts3"].darken()
    rig.wait_state("ts3", "DOWN")
    rig.servers["ts3"].start()
    rig.wait_state("ts3", "UP")


def test_sessions_of_a_server_that_went_down_are_reset_and_no_others(rig):
    rig = rig(health_check=FAST)
    sessions = {session.server: session for session in map(rig.open, ("a", "b", "c"))}
    rig.servers["ts1"].darken()
    assert sessions["ts1"].ending() == "rst"
    rig.wait("RST at the server", lambda: rig.servers["ts1"].users[0].ended == "rst")
    assert sessions["ts2"].echo() == sessions["ts3"].echo() == b"ping"


def test_sessions_are_kept_if_so_configured(rig):
    rig = rig(health_check=FAST, on_marked_down="keep")
    session = rig.open("bob")
    rig.servers[session.server].darken()
    rig.wait_state(session.server, "DOWN")
    assert session.echo() == b"ping"


def test_a_killed_servers_sessions_end_at_once(rig):
    rig = rig(health_check=NO_CHECKS)
    session = rig.open("bob")
    rig.servers[session.server].kill()
    assert session.ending() == "fin"


@pytest.mark.parametrize("data", [request("bob"), b""], ids=["with-request", "silent"])
def test_without_servers_clients_are_reset_at_once(rig, data):
    rig = rig()
    for server in rig.servers.values():
        server.kill()
    for name in rig.servers:
        rig.wait_state(name, "DOWN")
    # So early that it may even reach the client within its connect().
    with pytest.raises((ConnectionResetError, BrokenPipeError)), rig.connect() as sock:
        sock.sendall(data)
        if not sock.recv(1):
            pytest.fail("closed, not reset")
    rig.servers["ts2"].start()
    rig.wait_state("ts2", "UP")
    assert rig.visit("bob") == "ts2"


def test_with_all_servers_refusing_and_none_down_yet_clients_are_reset(rig):
    rig = rig(health_check=NO_CHECKS)
    for server in rig.servers.values():
        server.kill()
    with pytest.raises(ConnectionResetError), rig.connect() as sock:
        sock.sendall(request("bob"))
        sock.recv(1)


@pytest.mark.parametrize(
    "persistence, returns",
    [({"returns_after_recovery": False}, False), ({"returns_after_recovery": True}, True), ({"method": "hash"}, True)],
    ids=["stay", "return", "hash"],
)
@pytest.mark.parametrize("moved", ["by-redispatch", "after-down"])
def test_returning_users_follow_the_declared_rule(rig, persistence, returns, moved):
    rig = rig(persistence=persistence)
    users = [f"user{n}" for n in range(12)]
    before = {user: rig.visit(user) for user in users}
    rig.servers["ts1"].kill()
    if moved == "after-down":
        rig.wait_state("ts1", "DOWN")
    during = {user: rig.visit(user) for user in users}
    assert all(during[user] == before[user] for user in users if before[user] != "ts1")
    assert "ts1" not in during.values()
    rig.wait_state("ts1", "DOWN")
    rig.servers["ts1"].start()
    rig.wait_state("ts1", "UP")
    assert {user: rig.visit(user) for user in reversed(users)} == (before if returns else during)


def test_a_moved_user_does_not_try_the_refusing_server_again(rig):
    """Although it still counts as up, and although users return once it serves again."""
    rig = rig(health_check=NO_CHECKS, persistence={"returns_after_recovery": True})
    home = rig.visit("bob")
    rig.servers[home].kill()
    second = rig.visit("bob")
    # A listener on the dead server's port would be reached by whoever tried it.
    with socket.create_server((rig.host, rig.servers[home].port)) as trap:
        trap.setblocking(False)
        assert rig.visit("bob") == second
        with pytest.raises(BlockingIOError):
            trap.accept()
