"""The RDP client: any segmentation, every outcome by its name, thousands held from one event loop."""

import time

import pytest
from lab_rig import direct, record, soon, visit

from lbcert import deadlines
from lbcert.clients.rdp import Visit, connection_request, cut
from lbcert.deadlines import patience
from lbcert.wire import CR_VECTORS

REQUEST = connection_request("jsmith")
THOUSANDS = 2000


@pytest.mark.parametrize(
    "places, pieces",
    [((), 1), ((4,), 2), ((7, 11, 20), 4), (tuple(range(1, 999)), len(REQUEST)), ((0, len(REQUEST), 500), 1)],
    ids=["whole", "in-two", "in-four", "byte-by-byte", "outside"],
)
def test_a_packet_is_cut_where_it_was_told(places, pieces):
    segments = cut(REQUEST, *places, pause=0.5)
    assert b"".join(piece for piece, _ in segments) == REQUEST and len(segments) == pieces
    assert [pause for _, pause in segments] == [0.5] * (pieces - 1) + [0.0]


@pytest.mark.parametrize("vector", ["CR-01", "CR-10", "CR-11"])
@pytest.mark.parametrize("places", [(1,), (5, 6), (10,), tuple(range(1, 300))], ids=["1", "5-6", "10", "byte-by-byte"])
def test_the_server_gets_the_packet_however_it_was_cut(shared, vector, places):
    request = CR_VECTORS[vector]
    (one,) = visit(shared, shared.servers[0], Visit(shared.sources.one(), segments=cut(request, *places, pause=0.001)))
    assert one.outcome == "answered" and bytes.fromhex(record(shared, one)["bytes"]) == request == one.sent


def test_pauses_are_made(shared):
    (one,) = visit(shared, shared.servers[0], Visit(shared.sources.one(), segments=cut(REQUEST, 4, 7, pause=0.2)))
    assert one.answered_at - one.started >= 0.4e9


def test_the_server_sees_the_clients_address(shared):
    sources = shared.sources.several(20)
    made = visit(shared, shared.servers[0], *[Visit(source, "jsmith") for source in sources])
    accepted = {tuple(event["peer"]) for event in shared.history.of("accept")}
    assert [one.visit.source for one in made] == sources
    assert {(one.visit.source, one.port) for one in made} <= accepted


def told(lab, data: bytes):
    """A server that answers `data` to everybody, and one visit to it."""
    server = lab.servers[1]
    server.tell("answer", data=data.hex())
    one = visit(lab, server)[0]
    server.tell("answer", data=None)
    return one


def test_outcome_answered_has_the_kernels_stamp(shared):
    before = time.time_ns()
    (one,) = visit(shared, shared.servers[0])
    assert one.outcome == "answered" and before < one.started < one.answered_at < time.time_ns()


def test_outcome_refused(shared):
    clients = direct(shared, shared.servers[0])
    clients.vip = (shared.servers[0].listen[0][0], 9)
    assert clients.run([Visit(shared.sources.one(), "x")])[0].outcome == "refused"


def test_outcome_unreachable(shared):
    clients = direct(shared, shared.servers[0])
    clients.vip = ("203.0.113.1", 3389)
    assert clients.run([Visit(shared.sources.one(), "x")])[0].outcome == "unreachable"


def test_outcome_malformed_keeps_what_came(shared):
    one = told(shared, b"\3\0\0\x09\4\xf0\x80..")
    assert (one.outcome, one.answer, one.server) == ("malformed", b"\3\0\0\x09\4\xf0\x80..", None)


def test_outcome_timeout(shared, monkeypatch):
    monkeypatch.setitem(deadlines.PATIENCE, "answer", 0.3)
    assert told(shared, b"").outcome == "timeout"


@pytest.mark.parametrize("how, outcome", [("fin", "closed"), ("rst", "reset")])
def test_outcome_closed_and_reset(shared, how, outcome):
    server = shared.servers[1]
    server.tell("answer", data="")
    clients = direct(shared, server)
    (one,) = clients.start([Visit(shared.sources.one(), "jsmith")])
    server.tell("close", conn=record(shared, one)["conn"], how=how)
    server.tell("answer", data=None)
    assert clients.wait([one], patience("outcome")) and one.outcome == outcome


def test_a_confirm_in_pieces_is_put_together(shared):
    server = shared.servers[1]
    server.tell("answer", data=b"\3\0\0\x0b\6".hex())
    clients = direct(shared, server)
    (one,) = clients.start([Visit(shared.sources.one(), "jsmith")])
    conn = record(shared, one)["conn"]
    soon(shared, "the first piece", lambda: one.answer)
    assert not one.done
    server.tell("send", conn=conn, data=(b"\xd0\0\0\x20\5\0").hex())
    server.tell("answer", data=None)
    assert clients.wait([one], patience("outcome")) and (one.outcome, one.server, one.connection) == ("answered", "ts2", 5)


def test_every_visit_is_in_the_history_once(shared):
    made = visit(shared, shared.servers[0], *[Visit(shared.sources.one(), f"u{n}", label="mine") for n in range(30)], at_once=7)
    noted = [event["user"] for event in shared.history.of("visit", label="mine")]
    assert sorted(noted) == sorted(one.visit.user for one in made) and len(noted) == 30


def test_thousands_are_held_from_one_loop(made):
    server = made.servers[0]
    clients = direct(made, server)
    held = clients.run([Visit(source, "jsmith", hold=True) for source in made.sources.several(THOUSANDS)], at_once=200)
    assert all(one.alive for one in held)
    soon(made, "all are known", lambda: len(server.connected) == THOUSANDS)
    for one in held:
        one.send(b"ping")
    soon(made, "all echo", lambda: all(one.echoed.endswith(b"ping") for one in held), patience("outcome"))
    for one in held:
        one.leave()
    soon(made, "all have left", lambda: not server.connected)
