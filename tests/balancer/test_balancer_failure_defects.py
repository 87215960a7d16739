"""The switches about dark, hung, lost and flapping servers, and about rude checks."""

import time

import pytest
import yaml
from balancer_rig import request

from lbcert.balancer import parse
from lbcert.balancer.defects import policy_for
from lbcert.balancer.health import Watch
from lbcert.balancer.server import Server

FAST = {"inter": 0.03, "fall": 2, "rise": 2, "timeout": 0.2}
NO_CHECKS = {"inter": 3600, "fall": 2, "rise": 2, "timeout": 0.2}
DARK = {"inter": 0.03, "fall": 2, "rise": 2, "timeout": 0.03}


def test_wait_for_dark(rig):
    rig = rig(defects={"wait-for-dark": 0.6}, health_check=NO_CHECKS, connect_timeout=0.05)
    home = rig.visit("bob")
    rig.servers[home].darken()
    began = time.monotonic()
    assert rig.visit("bob") != home
    assert time.monotonic() - began >= 0.6


def test_checks_only_connect(rig):
    rig = rig(defects={"checks-only-connect": True}, health_check=FAST)
    rig.servers["ts2"].answer = "silent"
    rig.wait("ten checks", lambda: len(rig.servers["ts2"].connections) >= 10)
    assert len(rig.log) == 1
    assert not any(seen.received for seen in rig.servers["ts2"].connections)


def test_forget_at_down(rig):
    rig = rig(defects={"forget-at-down": True}, health_check=FAST)
    users = [f"user{n}" for n in range(12)]
    homes = {user: rig.visit(user) for user in users}
    assert homes == {user: rig.visit(user) for user in users}
    rig.servers["ts1"].darken()
    rig.wait_state("ts1", "DOWN")
    others = [user for user in users if homes[user] != "ts1"]
    assert {rig.visit(user) for user in reversed(others)} == {"ts2", "ts3"}
    assert any(rig.visit(user) != homes[user] for user in others)


def test_known_to_dead(rig):
    rig = rig(defects={"known-to-dead": True}, health_check=DARK, connect_timeout=0.3)
    home = rig.visit("bob")
    rig.servers[home].darken()
    rig.wait_state(home, "DOWN")

    def took(user):
        began = time.monotonic()
        assert rig.visit(user) != home
        return time.monotonic() - began

    assert took("new") < 0.3 <= took("bob")
    assert took("bob") < 0.3, "served elsewhere once, the user is moved"


@pytest.mark.parametrize("every, tries", [(1, [True, True, True]), (2, [True, True, False])])
def test_redispatch_not_stored(rig, every, tries):
    """With every second redispatch forgotten, the first move is stored; the entry is at peace from then on."""
    rig = rig(defects={"redispatch-not-stored": every}, health_check=NO_CHECKS, connect_timeout=0.2)
    users = [f"user{n}" for n in range(6)]
    homes = {user: rig.visit(user) for user in users}
    one, other = [user for user in users if homes[user] == "ts1"]
    rig.servers["ts1"].darken()

    def tried(user):
        began = time.monotonic()
        assert rig.visit(user) != "ts1"
        return time.monotonic() - began >= 0.2

    assert tried(one)
    assert [tried(other), tried(other), tried(other)] == tries
    assert tried(one) is (every == 1)


def kill_all(rig):
    for server in rig.servers.values():
        server.kill()
    for name in rig.servers:
        rig.wait_state(name, "DOWN")


def closed_after(rig, patience):
    """Seconds until a client that sends its request is closed; None if it is not within `patience`."""
    began = time.monotonic()
    try:
        with rig.connect() as sock:
            sock.settimeout(patience)
            sock.sendall(request("bob"))
            assert sock.recv(1) == b""
    except TimeoutError:
        return None
    except ConnectionError:
        pass
    return time.monotonic() - began


def test_hold_without_server(rig):
    rig = rig(defects={"hold-without-server": True}, health_check=FAST)
    kill_all(rig)
    assert closed_after(rig, 0.5) is None
    rig.servers["ts2"].start()
    rig.wait_state("ts2", "UP")
    assert rig.visit("bob") == "ts2"


def test_turn_away_late(rig):
    rig = rig(defects={"turn-away-late": 0.5}, health_check=FAST)
    kill_all(rig)
    assert closed_after(rig, 5.0) >= 0.5


def test_stay_down_after_total_loss(rig):
    rig = rig(defects={"stay-down-after-total-loss": "all"}, health_check=FAST)
    rig.servers["ts1"].kill()
    rig.wait_state("ts1", "DOWN")
    rig.servers["ts1"].start()
    rig.wait_state("ts1", "UP")
    kill_all(rig)
    seen = len(rig.servers["ts2"].connections)
    rig.servers["ts2"].start()
    rig.wait("ten good checks", lambda: len(rig.servers["ts2"].connections) >= seen + 10)
    assert closed_after(rig, 5.0) is not None


def test_known_early(rig):
    rig = rig(defects={"known-early": True}, health_check={**FAST, "rise": 1000})
    users = [f"user{number}" for number in range(9)]
    homes = {user: rig.visit(user) for user in users}
    rig.servers["ts1"].kill()
    rig.wait_state("ts1", "DOWN")
    moved, waiting, *_ = [user for user in users if homes[user] == "ts1"]
    assert rig.visit(moved) != "ts1"
    seen = len(rig.servers["ts1"].connections)
    rig.servers["ts1"].start()
    rig.wait("two good checks", lambda: len(rig.servers["ts1"].connections) >= seen + 2)
    assert rig.visit(waiting) == "ts1"
    assert "ts1" not in {rig.visit(f"new{number}") for number in range(6)} | {rig.visit(moved)}


def test_the_last_stays_down_after_total_loss(rig):
    rig = rig(defects={"stay-down-after-total-loss": "last"}, health_check=FAST)
    kill_all(rig)
    seen = len(rig.servers["ts3"].connections)
    for name in ("ts2", "ts3"):
        rig.servers[name].start()
    rig.wait_state("ts2", "UP")
    rig.wait("ten good checks", lambda: len(rig.servers["ts3"].connections) >= seen + 10)
    assert {rig.visit(f"user{number}") for number in range(6)} == {"ts2"}


def test_rise_after_one(rig):
    rig = rig(defects={"rise-after-one": True}, health_check={**FAST, "rise": 1000})
    rig.servers["ts1"].kill()
    rig.wait_state("ts1", "DOWN")
    rig.servers["ts1"].start()
    rig.wait_state("ts1", "UP")
    assert "1 checks passed" in rig.log[-1]


@pytest.mark.parametrize("defects, up", [({}, False), ({"rise-not-reset": True}, True)], ids=["ideal", "defect"])
def test_rise_not_reset(defects, up):
    """Two good checks with a bad one between them."""
    values = {"mode": "ideal", "listen": ["192.0.2.9:1"], "servers": {"a": "192.0.2.1:1"}, "defects": defects}
    config = parse(yaml.safe_dump(values), "test.yaml")
    server = Server("a", config.servers["a"])
    server.up = False
    watch = Watch(policy_for(config, [server], lambda: 0.0), server, lambda server, reason: None)
    watch.passed(0.0)
    watch.failed("refused")
    watch.passed(0.0)
    assert server.up is up


RUDE = {
    "http": (b"GET", {"fin", "rst"}),  # the server answers, and closing with an answer unread resets
    "half": (b"\x03\x00\x00\x13\x0e", {"fin"}),
    "reset": (b"", {"rst"}),
    "open": (b"", set()),
}


@pytest.mark.parametrize("kind, seen", RUDE.items(), ids=RUDE.keys())
def test_rude_check(rig, kind, seen):
    rig = rig(defects={"rude-check": kind}, health_check=FAST)
    start, ends = seen

    def rude():
        return [one for one in rig.servers["ts1"].connections if not one.is_check and one.received.startswith(start)]

    found = rig.wait("rude checks", lambda: rude()[2:] and rude())
    assert {one.received[: len(start) + 1] for one in found[:3]} <= {b"", start + b" ", start + b"\xe0"}
    if ends:
        rig.wait("its end", lambda: found[0].ended)
        assert found[0].ended in ends
    assert len(rig.log) == 1, "all servers stay up"


def test_rude_check_every(rig):
    rig = rig(defects={"rude-check-every": 4}, health_check=FAST)

    def rude():
        return [one for server in rig.servers.values() for one in server.connections
                if one.received.startswith(b"\x03") and not one.is_check]  # fmt: skip

    rig.wait("two rude checks", lambda: len(rude()) >= 2)
    polite = sum(1 for server in rig.servers.values() for one in server.connections if one.is_check)
    assert polite >= 8
