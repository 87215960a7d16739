"""Conversations of mock servers and clients: long bodies both ways, half-closes, clients that go; and unasked Confirms."""

import pytest
from lab_rig import direct, record, soon, visit

from lbcert.steps import scripts
from lbcert.clients.rdp import Visit, connection_request
from lbcert.wire import CC_VECTORS
from lbcert.wire.octets import difference

ANSWER = CC_VECTORS["CC-03"]
PLAN = {"answer": ANSWER.hex(), "body": 100_000, "expect": 70_000, "tail": 10}
TOTAL = len(ANSWER) + PLAN["body"] + PLAN["tail"]


def talk(lab, plan, pour=70_000, finish=False):
    """One conversation with the first server, until the server has closed."""
    user = f"talk{lab.clients._count}{len(lab.history.events)}"
    scripts.converse(lab, {user: plan})
    (one,) = visit(lab, lab.servers[0], Visit(lab.sources.one(), user, hold=True, pour=pour, finish=finish))
    return user, one


def told(lab, user):
    scripts.tell_conversations(lab)
    return lab.history.last("conversation", user=user)


@pytest.mark.parametrize("drip", [0, 0.005], ids=["at-once", "in-single-bytes"])
def test_both_directions_are_whole_and_summed_up(shared, drip):
    user, one = talk(shared, PLAN | {"drip": drip})
    soon(shared, "the server's close", lambda: one.ended)
    assert (one.ended, len(one.heard), one.heard[: len(ANSWER)]) == ("closed", TOTAL, ANSWER)
    said, end = told(shared, user), shared.history.last("session-end", visit=one.number)
    assert difference(said["sent"], end["received"]) is None and difference(end["poured"], said["heard"]) is None


def test_a_half_closed_client_hears_the_last_word(shared):
    user, one = talk(shared, PLAN | {"expect": "eof"}, finish=True)
    soon(shared, "the server's close", lambda: one.ended)
    assert (one.ended, len(one.heard)) == ("closed", TOTAL)
    assert told(shared, user)["heard"]["length"] == 70_000


def test_a_conversation_that_waits_is_told_as_far_as_it_got(shared):
    user, one = talk(shared, PLAN | {"expect": 70_001})
    soon(shared, "all but the last word", lambda: len(one.heard) == TOTAL - PLAN["tail"])
    assert one.alive and told(shared, user)["sent"]["length"] == TOTAL - PLAN["tail"]
    one.leave()
    assert shared.history.last("session-end", visit=one.number)["received"]["length"] == TOTAL - PLAN["tail"]


def test_a_client_that_goes_in_between_ends_no_server(shared):
    """A second write to a connection that is gone raises SIGPIPE, unless the process has decided otherwise."""
    server = shared.servers[2]
    scripts.converse(shared, {"goer": PLAN | {"expect": "eof", "drip": 0.01}})
    (sock,) = shared.broker.sockets("client", [shared.sources.one()])
    sock.setblocking(True)
    with sock:
        sock.connect(server.listen[0])
        sock.send(connection_request("goer"))
        port = sock.getsockname()[1]
    soon(shared, "the client's FIN", lambda: any(event["peer"][1] == port for event in shared.history.of("accept")) and server.count("eof"))
    soon(shared, "the end of the conversation", lambda: not server.connected)
    assert visit(shared, server)[0].server == server.name


def test_other_users_are_answered_as_ever(shared):
    scripts.converse(shared, {"somebody": PLAN})
    assert visit(shared, shared.servers[0])[0].server == shared.servers[0].name


@pytest.mark.parametrize("piece", [b"", b"\3\0\0\x2c\x27"], ids=["nothing", "five-bytes"])
def test_a_silent_client_is_told_whose_it_is(shared, piece):
    scripts.greet(shared, 0.05)
    server = shared.servers[1]
    clients = direct(shared, server)
    (one,) = clients.start([Visit(shared.sources.one(), segments=((piece, 0.0),))])
    soon(shared, "the greeting", lambda: one.done)
    assert (one.outcome, one.server) == ("answered", server.name)
    assert record(shared, one, "greeted")["conn"] & 0xFFF == one.connection
    scripts.greet(shared, None)


def test_who_has_asked_is_not_greeted(shared):
    scripts.greet(shared, 0.05)
    server = shared.servers[1]
    (one,) = visit(shared, server, Visit(shared.sources.one(), "jsmith", hold=True))
    (silent,) = direct(shared, server).start([Visit(shared.sources.one(), segments=())])
    soon(shared, "the greeting of a later client", lambda: silent.done)
    assert one.heard == one.answer
    one.leave()
    scripts.greet(shared, None)
