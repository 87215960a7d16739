"""Each switch does its one wrong thing, and nothing else that these tests look at."""

import re
import time
from pathlib import Path

import pytest
from balancer_rig import request

from lbcert.balancer.defects import SWITCHES
from lbcert.wire import CR_VECTORS, ConnectionRequest, Decoded

FAST = {"inter": 0.03, "fall": 2, "rise": 2, "timeout": 0.2}
NO_CHECKS = {"inter": 3600, "fall": 2, "rise": 2, "timeout": 0.2}


def test_every_switch_has_a_test_here():
    files = Path(__file__).parent.glob("test_balancer_*defects.py")
    tested = {name for file in files for name in re.findall(r'"([a-z]+(?:-[a-z]+)*)": ', file.read_text())}
    assert set(SWITCHES) <= tested


# -- bytes


def forwarded(rig, vector):
    """What arrives at the server for a vector, until a mark sent behind it."""
    session = rig.send(CR_VECTORS[vector] + b"<mark>")
    seen = rig.wait(
        "the mark", lambda: next((s for s in rig.servers[session.server].users if s.received.endswith(b"<mark>")), None)
    )
    session.close()
    data = seen.received[:-6]
    rig.servers[session.server].connections.remove(seen)
    return data


CHANGED = {
    "lower": ({"rewrite-cookie-case": "lower"}, {"CR-04"}),
    "upper": ({"rewrite-cookie-case": "upper"}, {"CR-01", "CR-02", "CR-09", "CR-11", "CR-14"}),
    "correlation": ({"strip-correlation-info": True}, {"CR-09"}),
    "crlf": ({"double-crlf": True}, set(CR_VECTORS) - {"CR-03", "CR-10", "CR-11"}),
}


@pytest.mark.parametrize("defects, changed", CHANGED.values(), ids=CHANGED.keys())
def test_rewriters_change_their_vectors_and_keep_them_readable(rig, defects, changed):
    rig = rig(defects=defects)
    found = {vector: forwarded(rig, vector) for vector in CR_VECTORS}
    assert {vector for vector, data in found.items() if data != CR_VECTORS[vector]} == changed
    assert all(isinstance(ConnectionRequest.decode(data), Decoded) for data in found.values())


def test_case_changes_the_name_and_nothing_else(rig):
    rig = rig(defects={"rewrite-cookie-case": "upper"})
    assert forwarded(rig, "CR-14") == CR_VECTORS["CR-14"].replace(b"eltons", b"ELTONS")


def test_correlation_info_goes_with_its_flag(rig):
    rig = rig(defects={"strip-correlation-info": True})
    expected = CR_VECTORS["CR-01"][:-4] + bytes.fromhex("0b000000")
    assert forwarded(rig, "CR-09") == expected


# -- reading


def homes_by_cut(rig, cuts):
    """The user's server, then the servers of the same request cut at each offset."""
    home = rig.visit("jsmith")
    return home, [rig.visit("jsmith", pieces=(cut,)) for cut in cuts]


def test_decide_on_first_segment(rig):
    rig = rig(defects={"decide-on-first-segment": True})
    home, cut = homes_by_cut(rig, (4, 20, 30))
    assert len(set(cut)) == 3
    assert rig.visit("jsmith") == home


def test_decide_after_bytes(rig):
    rig = rig(defects={"decide-after-bytes": 20})
    home, cut = homes_by_cut(rig, (4, 7, 11))
    assert set(cut) == {home}
    _, cut = homes_by_cut(rig, (20, 21, 30))
    assert len(set(cut)) == 3


@pytest.mark.parametrize(
    "defects, closed",
    [({"drop-without-cookie": True}, {"CR-03", "CR-10"}), ({"drop-bare-request": True}, {"CR-10"})],
    ids=["drop-without-cookie", "drop-bare-request"],
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


# -- keys


def test_forget_every(rig):
    rig = rig(defects={"forget-every": 4})
    visits = [rig.visit("bob") for _ in range(13)]
    moves = [index for index, pair in enumerate(zip(visits, visits[1:]), 1) if pair[0] != pair[1]]
    assert moves == [4, 8, 12]
    assert len({rig.visit(f"new{n}") for n in range(3)}) == 3


def test_key_includes_source_port(rig):
    rig = rig(defects={"key-includes-source-port": True})
    assert {rig.visit("bob") for _ in range(3)} == {"ts1", "ts2", "ts3"}


def test_key_includes_source(rig):
    rig = rig(defects={"key-includes-source": True})
    assert {rig.visit("bob", f"127.0.0.{n}") for n in (2, 3, 4)} == {"ts1", "ts2", "ts3"}
    assert rig.visit("bob", "127.0.0.2") == rig.visit("bob", "127.0.0.2")


def test_key_first_bytes(rig):
    rig = rig(defects={"key-first-bytes": 8})
    assert len({rig.visit("MYDOMAIN" + rest) for rest in ("alice", "bob", "carol")}) == 1
    assert len({rig.visit(f"user{n}") for n in range(3)}) == 3


def test_key_is_source(rig):
    rig = rig(defects={"key-is-source": True})
    users = ["alice", "bob", None]
    assert len({rig.visit(user, "127.0.0.2") for user in users}) == 1
    assert len({rig.visit("bob", f"127.0.0.{n}") for n in (3, 4, 5)}) == 3


def test_all_to_first(rig):
    rig = rig(defects={"all-to-first": True})
    assert {rig.visit(f"user{n}") for n in range(5)} == {"ts1"}
    assert {rig.visit(None) for _ in range(3)} == {"ts1", "ts2", "ts3"}
    rig.servers["ts1"].kill()
    rig.wait_state("ts1", "DOWN")
    assert {rig.visit(f"user{n}") for n in range(5)} == {"ts2"}


# -- failure


def attempts_at(rig, name, visits):
    """How many of the visits cost a connect timeout, which is what a try at a dark server costs."""
    slow = 0
    for visit in visits:
        began = time.monotonic()
        assert visit() != name
        slow += time.monotonic() - began >= rig.config["connect_timeout"]
    return slow


def test_keep_dead_server(rig):
    rig = rig(defects={"keep-dead-server": True}, health_check={**FAST, "timeout": 0.03}, connect_timeout=0.3)
    home = rig.visit("bob")
    rig.servers[home].darken()
    assert attempts_at(rig, home, [lambda: rig.visit("bob")] * 4) == 4
    assert len(rig.log) == 1, "by now the checks have failed a dozen times"


def test_no_redispatch(rig):
    rig = rig(defects={"no-redispatch": True}, health_check=NO_CHECKS)
    home = rig.visit("bob")
    rig.servers[home].kill()
    for _ in range(2):
        with pytest.raises(ConnectionError):
            rig.visit("bob")


def test_no_redispatch_is_over_with_down(rig):
    rig = rig(defects={"no-redispatch": True})
    home = rig.visit("bob")
    rig.servers[home].kill()
    rig.wait_state(home, "DOWN")
    assert rig.visit("bob") != home


def test_retry_dead_every(rig):
    rig = rig(defects={"retry-dead-every": 3}, health_check=FAST, connect_timeout=0.3)
    rig.servers["ts1"].darken()
    rig.wait_state("ts1", "DOWN")
    assert attempts_at(rig, "ts1", [lambda: rig.visit("bob")] * 6) == 2
    assert rig.visit("bob") == rig.visit("bob")


def test_keep_sessions(rig):
    rig = rig(defects={"keep-sessions": True}, health_check=FAST)
    session = rig.open("bob")
    rig.servers[session.server].darken()
    rig.wait_state(session.server, "DOWN")
    assert session.echo() == b"ping"
    assert rig.visit("bob") != session.server


def test_cut_sessions_late(rig):
    rig = rig(defects={"cut-sessions-late": 0.7}, health_check=FAST)
    session = rig.open("bob")
    rig.servers[session.server].darken()
    rig.wait_state(session.server, "DOWN")
    down = time.monotonic()
    assert session.echo() == b"ping"
    assert session.ending() == "rst"
    assert 0.5 < time.monotonic() - down


def test_slow_detection(rig):
    rig = rig(defects={"slow-detection": 30}, health_check=FAST)
    rig.wait("first checks", lambda: all(server.connections for server in rig.servers.values()))
    killed = time.monotonic()
    rig.servers["ts1"].kill()
    rig.wait_state("ts1", "DOWN")
    assert time.monotonic() - killed > 0.9, "one interval of 30 times 0.03 s lies between the two failed checks"


# -- recovery


def fail_back(rig, users=15):
    """Who of those that moved is back home after recovery, in the order of their move."""
    names = [f"user{n}" for n in range(users)]
    before = {user: rig.visit(user) for user in names}
    rig.servers["ts1"].kill()
    rig.wait_state("ts1", "DOWN")
    moved = [user for user in names if before[user] == "ts1"]
    during = {user: rig.visit(user) for user in moved}
    rig.servers["ts1"].start()
    rig.wait_state("ts1", "UP")
    after = {user: rig.visit(user) for user in moved}
    assert all(after[user] in ("ts1", during[user]) for user in moved)
    assert all(rig.visit(user) == before[user] for user in names if user not in moved)
    return [after[user] == "ts1" for user in moved]


@pytest.mark.parametrize(
    "returns, defects, back",
    [
        (True, {"never-fail-back": True}, [False] * 5),
        (False, {"always-fail-back": True}, [True] * 5),
        (False, {"fail-back-some": 3}, [False, False, True, False, False]),
        (True, {"fail-back-some": 3}, [True, True, False, True, True]),
    ],
    ids=["never-fail-back", "always-fail-back", "fail-back-some-stay", "fail-back-some-return"],
)
def test_rule_breakers(rig, returns, defects, back):
    rig = rig(persistence={"returns_after_recovery": returns}, defects=defects)
    assert fail_back(rig) == back


# -- together


def test_switches_combine(rig):
    rig = rig(defects={"key-first-bytes": 4, "drop-without-cookie": True})
    assert rig.visit("user1") == rig.visit("user2")
    with pytest.raises(ConnectionError):
        rig.send(request(None))
