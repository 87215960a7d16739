"""SIPp calls our Front Ends through balancers, and our clients call SIPp: SIP that is not only our own dialect."""

from collections import Counter

import pytest
from peers_rig import Programs, lab_behind, needs
from sipp_rig import REGISTER, SCENARIO, SIPP, client_address, finished, home_of, requests, sipp

from lbcert.steps.calling import dial
from lbcert.clients.sip import Invite
from lbcert.deadlines import patience
from lbcert.topology.plan import CLIENT_HOST

pytestmark = [pytest.mark.xdist_group("peers"), needs(SIPP)]
CALLS = 60


@pytest.fixture(scope="module", params=["ideal:ocs", pytest.param("haproxy:ocs", marks=pytest.mark.nightly)])
def pool(request, zygote, tmp_path_factory):
    programs = Programs(lab_behind(zygote, request.param, tmp_path_factory.mktemp("sipp")))
    programs.lab.broker.put_files(CLIENT_HOST, {SCENARIO: (REGISTER, 0o644)}, [])
    yield programs
    programs.lab.close()
    programs.close()


def test_sipp_calls_a_front_end(pool):
    """Each call is a connection of its own; all of one address belong to one Front End."""
    address, port = pool.lab.services["sip"]
    before = {method: len(requests(pool, method)) for method in ("INVITE", "ACK", "BYE")}
    caller = sipp(pool, client_address(pool), "-sn", "uac", "-t", "tn", "-m", str(CALLS), "-r", "60", "-d", "50",
                  f"{address}:{port}")  # fmt: skip
    finished(pool, caller, "SIPp has made its calls")
    found = {method: requests(pool, method)[before[method]:] for method in before}
    assert {method: len(events) for method, events in found.items()} == dict.fromkeys(before, CALLS), caller.said[-800:]
    assert {event["status"] for event in found["INVITE"] + found["BYE"]} == {200}
    assert len({event["who"] for events in found.values() for event in events}) == 1
    by_call = Counter(event["token"] for events in found.values() for event in events)
    assert set(by_call.values()) == {3} and not list(pool.lab.history.of("malformed"))


def test_sipp_registers(pool):
    address, port = pool.lab.services["sip"]
    before = len(requests(pool, "REGISTER"))
    client = sipp(pool, client_address(pool), "-sf", SCENARIO, "-t", "tn", "-m", str(CALLS), "-r", "100", f"{address}:{port}")
    finished(pool, client, "SIPp has registered")
    found = requests(pool, "REGISTER")[before:]
    assert [event["status"] for event in found] == [200] * CALLS and client.status == 0, client.said[-800:]


def test_our_client_calls_sipp(pool):
    """SIPp takes one Front End's place on port 5060, and answers a call and its end."""
    lab, source = pool.lab, pool.lab.sources.one()
    home = home_of(pool, source)
    (address, port) = next(pair for pair in home.listen if pair[1] == 5060)
    before = home.count("refusing")
    home.tell("refuse", ports=[port])
    lab.wait("its own listener is closed", lambda: home.count("refusing") > before, patience("report"))
    server = sipp(pool, address, "-sn", "uas", "-t", "t1", "-p", str(port), host=home.host)
    try:
        pool.listens(home.host, port, server)
        (talk,) = lab.visit([dial(lab, "sip", source, speech=Invite(token="call1@client.lbcert.test", named=False), hold=True)])
        assert (talk.outcome, talk.server) == ("answered", None), (talk.outcome, talk.speech.told())
        talk.send(talk.speech.say("bye"))
        lab.wait("SIPp has answered the end of the call", lambda: talk.speech.later, patience("answer"))
        assert talk.speech.later == ["answered"] and talk.speech.seen.strange == 0
        talk.leave()
    finally:
        pool.stop(server)
        home.tell("listen")
