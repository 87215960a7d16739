"""Each fault as a client sees it, past the balancer: during it, and after the server was restored."""

import time

import pytest
from lab_rig import direct, soon, visit

from lbcert import deadlines
from lbcert.clients.rdp import Visit
from lbcert.faults import DETECTED_AS, FAULTS, restore

CASES = {
    # outcome of a new visit, whether a held session's end is seen, whether it still echoes
    "crash": ({"refused"}, True, False),
    "refuse": ({"refused"}, False, True),
    "hang": ({"timeout"}, False, False),
    "dark": ({"timeout"}, False, False),
}


@pytest.fixture
def impatient(monkeypatch):
    """Clients that give up after a second; nothing here is slow but what is to be silent."""
    monkeypatch.setitem(deadlines.PATIENCE, "answer", 1.0)


@pytest.mark.parametrize("fault", CASES)
def test_what_a_client_sees(made, impatient, fault):
    outcomes, ends, echoes = CASES[fault]
    server = made.servers[0]
    (held,) = visit(made, server, Visit(made.sources.one(), "jsmith", hold=True))
    before = time.time_ns()
    stamp = FAULTS[fault](made, server)
    assert before <= stamp <= time.time_ns()
    assert {one.outcome for one in visit(made, server, *[Visit(made.sources.one(), "jsmith") for _ in range(3)])} == outcomes
    if ends:
        soon(made, "the end of the held session", lambda: not held.alive)
    else:
        held.send(b"during")
        made.watch("an echo", lambda: held.echoed, deadlines.requirement("silence", 10.0 if echoes else 0.3))
        assert (held.echoed.endswith(b"during"), held.alive) == (echoes, True)


@pytest.mark.parametrize("fault", CASES)
def test_a_restored_server_serves_as_before(made, impatient, fault):
    server = made.servers[0]
    (held,) = visit(made, server, Visit(made.sources.one(), "jsmith", hold=True))
    FAULTS[fault](made, server)
    restored = restore(made, server, fault)
    (one,) = visit(made, server)
    assert (one.outcome, one.server) == ("answered", server.name)
    if fault == "crash":
        soon(made, "the end of the held session", lambda: not held.alive)
        soon(made, "nobody is connected", lambda: not server.connected)
    else:
        held.send(b"after")
        soon(made, "an echo", lambda: held.echoed.endswith(b"after"))
    assert made.history.last("restore") == {**made.history.last("restore"), "t": restored, "fault": fault, "server": server.name}


@pytest.mark.parametrize("fault", CASES)
def test_other_servers_notice_nothing(made, impatient, fault):
    one, other = made.servers[:2]
    (held,) = visit(made, other, Visit(made.sources.one(), "jsmith", hold=True))
    FAULTS[fault](made, one)
    held.send(b"still here")
    soon(made, "an echo", lambda: held.echoed.endswith(b"still here"))
    assert visit(made, other)[0].outcome == "answered"


def test_every_fault_has_a_detection_bound():
    assert set(DETECTED_AS) == set(FAULTS)


def test_a_server_can_fail_and_return_many_times(made):
    server = made.servers[0]
    for fault in ["crash", "refuse", "hang", "dark"] * 2:
        FAULTS[fault](made, server)
        restore(made, server, fault)
        assert visit(made, server)[0].outcome == "answered"
    assert made.trouble is None


def test_a_crashed_server_closes_what_waits_in_its_queue(made):
    server = made.servers[0]
    FAULTS["hang"](made, server)
    clients = direct(made, server)
    (waiting,) = clients.start([Visit(made.sources.one(), "jsmith")])
    soon(made, "handshake", lambda: waiting.port)
    FAULTS["crash"](made, server)
    soon(made, "the outcome", lambda: waiting.done)
    assert waiting.outcome in ("reset", "closed")
