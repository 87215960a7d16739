"""curl, openssl and impacket's endpoint-mapper client call a pool through HAProxy: our servers and the capture say what came of it."""

import pytest
from peers_rig import Programs, lab_behind, needs
from pool_peers_rig import CURL, OPENSSL, REMOTING, Doings, certificate, curl, mapper, needs_python, put_impacket, s_client

from lbcert.steps.calling import dial
from lbcert.scenes.papers import CLIENT, hand_out
from lbcert.scenes.pool import client_certificate

pytestmark = [pytest.mark.xdist_group("peers"), needs(CURL, OPENSSL), needs_python()]
CLIENTS = 2
WITH_CERTIFICATE = ("-cert", CLIENT, "-key", CLIENT, "-cert_chain", CLIENT)


@pytest.fixture(scope="module")
def pool(zygote, tmp_path_factory):
    programs = Programs(lab_behind(zygote, "haproxy:ocs", tmp_path_factory.mktemp("pool")))
    hand_out(programs.lab)
    put_impacket(programs)
    yield programs
    programs.lab.close()
    programs.close()


@pytest.fixture(scope="module")
def homes(pool):
    """Clients by address, and the Front End of each. Each holds a call, so that least connections gives the next one another."""
    lab = pool.lab
    talks = [talk for _ in range(CLIENTS) for talk in lab.visit([dial(lab, "sip", hold=True)])]
    found = {talk.visit.source: lab.server(talk.server) for talk in talks}
    # With one Front End for everybody, the same one on all ports of an address would mean nothing.
    assert len({home.name for home in found.values()}) == CLIENTS
    return found


@pytest.fixture(scope="module")
def doings(pool, homes):
    """What each client does: every program once, one after the other."""
    return [_all_programs(Doings(pool, source, home)) for source, home in homes.items()]


def _all_programs(doings):
    vip = doings.programs.lab.vip[0]
    doings.run("mapper", mapper(doings.source, vip), 135, "request", 2)
    doings.run("page", curl(doings.source, 443, "page"), 443, "request", 1)
    doings.run("focus", curl(doings.source, 444, "focus", "--cert", CLIENT), 444, "request", 1)
    doings.run("web", s_client(doings.source, 443), 443, "tls", 2)
    doings.run("sip", s_client(doings.source, 5061), 5061, "tls", 1)
    doings.run("remoting", s_client(doings.source, 8404, *WITH_CERTIFICATE, "-quiet", said=REMOTING), 8404, "request", 1, "; conn=")
    doings.run("stranger", s_client(doings.source, 8404), 8404, "security-failed", 1)
    return doings


def test_all_ports_of_one_address_belong_to_one_front_end(doings):
    """And each program came to the port that it asked for."""
    spoken = {
        135: ["bind", "request"] * 2, 443: ["tls", "request", "tls"], 444: ["tls", "request"], 5061: ["tls"],
        8404: ["tls", "request", "security-failed"],
    }  # fmt: skip
    for one in doings:
        seen = {port: [event["kind"] for event in one.events() if one.port(event) == port] for port in spoken}
        assert seen == spoken and len(one.events()) == sum(map(len, spoken.values()))
        assert {event["who"] for event in one.events()} == {one.home.name}


def test_what_was_asked_came_to_the_server(doings):
    for one in doings:
        asked = [event for event in one.events() if event["kind"] == "request"]
        assert [event.get("operation") for event in asked[:2]] == ["ept_lookup", "ept_map"]
        assert [event["token"] for event in asked[2:]] == ["page", "focus", "remoting"]


def test_the_certificate_is_the_front_ends_own(pool, doings):
    """In the capture at the client, where openssl speaks TLS 1.2: HAProxy has put none of its own, nor another Front End's."""
    for one in doings:
        shown = one.shown()
        for port in (443, 5061, 8404):
            assert [server.name for server in pool.lab.mocks if certificate(server) in shown[port]] == [one.home.name], port


def test_a_clients_certificate_is_seen_where_it_is_shown(doings):
    """On 8404 nobody gets in without one."""
    own = client_certificate().fingerprint
    for one in doings:
        seen = [(one.port(event), event["client"]) for event in one.events() if event["kind"] == "tls"]
        assert seen == [(443, ""), (444, own), (443, ""), (5061, ""), (8404, own)]
        assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in next(e["reason"] for e in one.events() if e["kind"] == "security-failed")


def test_what_the_programs_print_is_sane(doings):
    """It decides nothing about the balancer; a program that failed would."""
    for one in doings:
        fe = one.home.index
        assert f"b'fe={fe}; conn=" in one.said["mapper"] and f"[{49152 + fe}]" in one.said["mapper"]
        for name in ("page", "focus"):
            assert f'"fe":{fe},' in one.said[name], one.said[name]
        for name in ("web", "sip"):
            assert "Verification: OK" in one.said[name] and f"CN = {one.home.host}.pool.lbcert.test" in one.said[name]
        assert f"fe={fe}; conn=" in one.said["remoting"]
        assert "alert handshake failure" in one.said["stranger"]
