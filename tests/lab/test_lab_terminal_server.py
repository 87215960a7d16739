"""The mock terminal server: answers as specified or as told, keeps the exact first packet, knows who is connected."""

import pytest
from lab_rig import direct, record, soon, visit

from lbcert.clients.rdp import Visit, connection_request, cut
from lbcert.wire import CC_VECTORS, CR_VECTORS, ConnectionConfirm, ConnectionRequest, NegotiationRequest, NegotiationResponse, Protocols

REQUEST = connection_request("jsmith")


@pytest.mark.parametrize("vector", CR_VECTORS)
def test_every_vector_is_answered_and_kept_byte_for_byte(shared, vector):
    server = shared.servers[0]
    (one,) = visit(shared, server, Visit(shared.sources.one(), request=CR_VECTORS[vector]))
    assert (one.outcome, one.server) == ("answered", server.name)
    kept = record(shared, one)
    assert (bytes.fromhex(kept["bytes"]), kept["rest"]) == (CR_VECTORS[vector], 0)


@pytest.mark.parametrize(
    "asked, selected",
    [(None, None), (Protocols.RDP, Protocols.RDP), (Protocols.SSL, Protocols.SSL), (Protocols.SSL | Protocols.HYBRID, Protocols.HYBRID),
     (Protocols.HYBRID, Protocols.HYBRID)],
    ids=["no-negotiation", "standard", "tls", "tls-or-credssp", "credssp"],
)  # fmt: skip
def test_the_confirm_selects_what_the_request_offers(shared, asked, selected):
    negotiation = None if asked is None else NegotiationRequest(asked)
    request = ConnectionRequest(cookie=b"jsmith", negotiation=negotiation).encode()
    (one,) = visit(shared, shared.servers[0], Visit(shared.sources.one(), request=request))
    confirm = ConnectionConfirm.decode(one.answer).value
    assert confirm.negotiation == (None if selected is None else NegotiationResponse(selected))


def test_the_confirm_tells_server_and_connection(shared):
    for server in shared.servers:
        (one,) = visit(shared, server)
        assert (one.server, one.connection) == (server.name, record(shared, one)["conn"] & 0xFFF)


@pytest.mark.parametrize("extra", [b"x", b"\3\0\0\x0b\6\xe0" + bytes(5)], ids=["a-byte", "another-request"])
def test_bytes_behind_the_first_packet_are_counted_and_echoed(shared, extra):
    (one,) = visit(shared, shared.servers[0], Visit(shared.sources.one(), request=REQUEST + extra, hold=True))
    kept = record(shared, one)
    assert (bytes.fromhex(kept["bytes"]), kept["rest"]) == (REQUEST, len(extra))
    soon(shared, "echo", lambda: one.echoed == extra)
    one.leave()


def test_a_packet_in_pieces_is_kept_whole(shared):
    (one,) = visit(shared, shared.servers[0], Visit(shared.sources.one(), segments=cut(REQUEST, *range(1, 99), pause=0.001)))
    assert one.outcome == "answered" and bytes.fromhex(record(shared, one)["bytes"]) == REQUEST


@pytest.mark.parametrize("data", [b"GET / HTTP/1.0\r\n\r\n", b"\3\0\0\6\0\0", b"\3\0\0\x0b\6\xd0" + bytes(5)], ids=["http", "too-short", "confirm"])
def test_what_is_no_request_is_dropped_and_kept(shared, data):
    (one,) = visit(shared, shared.servers[0], Visit(shared.sources.one(), request=data))
    assert one.outcome in ("closed", "reset")
    kept = record(shared, one)
    assert bytes.fromhex(kept["bytes"]) == data and kept["malformed"]
    assert record(shared, one, "close")["how"] == "server fin"


@pytest.mark.parametrize("told, outcome", [*[(data, "answered") for data in CC_VECTORS.values()], (b"SSH-2.0-x\r\n", "malformed")],
                         ids=[*CC_VECTORS, "no-confirm"])  # fmt: skip
def test_it_answers_what_it_is_told(shared, told, outcome):
    server = shared.servers[1]
    server.tell("answer", data=told.hex())
    (one,) = visit(shared, server)
    server.tell("answer", data=None)
    assert (one.outcome, one.answer) == (outcome, told)
    assert visit(shared, server)[0].server == server.name


def test_told_to_be_silent_it_is(shared):
    server = shared.servers[1]
    server.tell("answer", data="")
    clients = direct(shared, server)
    (one,) = clients.start([Visit(shared.sources.one(), "jsmith")])
    assert bytes.fromhex(record(shared, one)["bytes"]) == REQUEST
    server.tell("answer", data=None)
    assert not one.done and one.answer == b""
    clients.close()


def test_it_knows_who_is_connected(shared):
    server = shared.servers[2]
    held = visit(shared, server, *[Visit(source, "jsmith", hold=True) for source in shared.sources.several(7)])
    sources = {one.visit.source for one in held}

    def connected() -> list:
        return sorted(peer for peer in server.connected.values() if peer[0] in sources)  # a health check may be there as well

    assert connected() == sorted((one.visit.source, one.port) for one in held)
    for one in held[:3]:
        one.leave()
    for one in held[3:5]:
        one.leave(abort=True)
    soon(shared, "five have left", lambda: len(connected()) == 2)
    assert connected() == sorted((one.visit.source, one.port) for one in held[5:])
    assert [record(shared, one, "close")["how"] for one in held[:5]] == ["closed"] * 3 + ["reset"] * 2
    for one in held[5:]:
        one.leave()


@pytest.mark.parametrize("how, seen", [("fin", "closed"), ("rst", "reset")])
def test_it_closes_as_told(shared, how, seen):
    server = shared.servers[0]
    (one,) = visit(shared, server, Visit(shared.sources.one(), "jsmith", hold=True))
    server.tell("close", conn=record(shared, one)["conn"], how=how)
    soon(shared, "the end", lambda: not one.alive)
    assert one.ended == seen


def test_a_held_session_is_alive_at_both_ends(shared):
    server = shared.servers[0]
    (one,) = visit(shared, server, Visit(shared.sources.one(), "jsmith", hold=True))
    one.send(b"ping")
    soon(shared, "echo", lambda: one.echoed.endswith(b"ping"))
    server.tell("send", conn=record(shared, one)["conn"], data=b"heartbeat".hex())
    soon(shared, "heartbeat", lambda: one.echoed.endswith(b"heartbeat"))
    one.leave()


def test_a_client_that_leaves_before_it_asked_is_noted(shared):
    (sock,) = shared.broker.sockets("client", [source := shared.sources.one()])
    sock.setblocking(True)
    with sock:
        sock.connect(shared.servers[0].listen[0])
        sock.send(REQUEST[:9])
        port = sock.getsockname()[1]
        soon(shared, "accept", lambda: (source, port) in shared.servers[0].connected.values())
    soon(shared, "close", lambda: (source, port) not in shared.servers[0].connected.values())
    (accept,) = (event for event in shared.history.of("accept") if tuple(event["peer"]) == (source, port))
    (close,) = shared.history.of("close", conn=accept["conn"], who=accept["who"])
    assert close["unanswered"] == REQUEST[:9].hex()
