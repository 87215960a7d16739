"""TP-ADDR-01, -02, -03, -08: what servers are told of a client, and what the client sees of them."""

import pytest
from evidence_rig import event
from web_rig import VIP, asked, farm

from lbcert.evidence import checks
from lbcert.verdicts import Verdict

A, B, DUT = "172.20.0.1", "10.0.0.7", "192.168.2.1"
HEADER = {"address": True, "port": True, "by": "proxy-v2"}

TOLD = {
    "own": ([asked(A), asked(B, "web2", service="https")], None, Verdict.PASS, "1 of 1 over http, 1 of 1 over https"),
    "the-balancer's": ([asked(A), asked(B, service="https", peer=DUT)], None, Verdict.FAIL,
                       f"client {B} on https: the far end of the connection at web1 is {DUT}"),
    "another-client's": ([asked(A, peer=B)], None, Verdict.FAIL, f"at web1 is {B}"),
    "not-served": ([asked(A), asked(B, None, outcome="status 503")], None, Verdict.FAIL, f"client {B} on http: status 503"),
    "by-header": ([asked(A, peer=DUT, proxy=[A, 40000])], HEADER, Verdict.PASS, "the PROXY header was the client's address for 1 of 1"),
    "by-a-wrong-header": ([asked(A, peer=DUT, proxy=[B, 40000])], HEADER, Verdict.FAIL, f"the PROXY header at web1 is {B}"),
    "declared-header-missing": ([asked(A)], HEADER, Verdict.FAIL, "the PROXY header at web1 is missing"),
    "http-header-does-not-count": ([asked(A, peer=DUT, headers=[("X-Forwarded-For", A)])], None, Verdict.FAIL, f"is {DUT}"),
}  # fmt: skip


@pytest.mark.parametrize("calls, transparency, verdict, observed", TOLD.values(), ids=TOLD)
def test_address(calls, transparency, verdict, observed):
    finding = checks.address_is_told(farm(*calls, transparency=transparency))
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_an_answer_of_somebody_else_does_not_count():
    """The server that the answer names has no request with this client's token."""
    call = asked(A)
    stranger = [event(0, "web1", "request", conn=one["conn"], token="other", peer=[A, 1], proxy=None, headers=[], number=1)
                for one in call if one["kind"] == "accept"]  # fmt: skip
    finding = checks.address_is_told(farm([one for one in call if one["kind"] != "request"], stranger))
    assert finding.verdict is Verdict.FAIL


def test_the_table_of_what_is_kept():
    call = asked(A, port=40000, peer_port=40000, headers=[("x-forwarded-for", "203.0.113.9"), ("X-Forwarded-For", A)])
    lost = asked(B, peer=DUT, service="https")
    rows = checks.address_is_told(farm(call, lost)).figures[0]["rows"]
    assert rows == [
        {"service": "http", "total": 1, "tcp": {"address": 1, "port": 1}, "proxy": None, "forwarded": {"address": 1}},
        {"service": "https", "total": 1, "tcp": {"address": 0, "port": 0}, "proxy": None, "forwarded": None},
    ]


@pytest.mark.parametrize(("transparency", "declared"), [
    ({"address": True}, {"by": "tcp", "port": None}),
    ({"address": True, "port": False}, {"by": "tcp", "port": False}),
    (HEADER, {"by": "proxy-v2", "port": True}),
])  # fmt: skip
def test_the_table_knows_what_is_declared(transparency, declared):
    assert checks.address_is_told(farm(asked(A), transparency=transparency)).figures[0]["declared"] == declared


def test_the_path_of_one_request():
    """Two stages: the second connection is inside the balancer, told by its kernel."""
    call = asked(A, service="https", label="path", peer_port=51000)
    inner = [[[A, 45000], [VIP, 81]], [[VIP, 81], [A, 45000]], [[A, 51000], ["192.168.2.98", 80]]]
    seen = event(1, "dut", "processes", processes=[{"pid": 7, "connections": inner}], listening=[[VIP, 81], [VIP, 443]])
    figure = checks.address_is_told(farm(call, seen, asked(B))).figures[1]
    ends = [(link["from"]["address"], link["from"]["port"], link["to"]["address"], link["to"]["port"], link["seen"]) for link in figure["links"]]
    assert ends == [(A, 40000, VIP, 443, "clients' link"), (A, 45000, VIP, 81, "kernel"), (A, 51000, "192.168.2.98", 80, "server's link")]
    assert figure["client"] == A and "told" not in figure


PORTS = {
    "kept-as-declared": (True, [asked(A, port=p, peer_port=p) for p in range(100, 120)], Verdict.PASS),
    "not-kept-though-declared": (True, [asked(A, port=p, peer_port=p + (p == 119)) for p in range(100, 120)], Verdict.NON_STRICT),
    "not-kept-as-declared": (False, [asked(A, port=p, peer_port=p + 1) for p in range(100, 120)], Verdict.PASS),
    "kept-by-chance-sometimes": (False, [asked(A, port=p, peer_port=p + (p > 104)) for p in range(100, 120)], Verdict.PASS),
    "kept-though-declared-otherwise": (False, [asked(A, port=p, peer_port=p + (p > 105)) for p in range(100, 120)], Verdict.NON_STRICT),
    "undeclared": (None, [asked(A)], Verdict.NOT_RUN),
    "not-served": (True, [asked(A, None, outcome="reset")], Verdict.NON_STRICT),
}  # fmt: skip


@pytest.mark.parametrize("declared, calls, verdict", PORTS.values(), ids=PORTS)
def test_port(declared, calls, verdict):
    transparency = {"address": True} if declared is None else {"address": True, "port": declared}
    assert checks.port_is_as_declared(farm(*calls, transparency=transparency)).verdict is verdict


OFF = {
    "the-balancer": ([asked(A, peer=DUT), asked(B, peer=VIP, service="https")], Verdict.PASS),
    "still-the-client": ([asked(A, peer=DUT), asked(B)], Verdict.NON_STRICT),
    "still-a-header": ([asked(A, peer=DUT, proxy=[A, 1])], Verdict.NON_STRICT),
    "not-served": ([asked(A, None, outcome="timeout")], Verdict.NON_STRICT),
}


@pytest.mark.parametrize("calls, verdict", OFF.values(), ids=OFF)
def test_switched_off(calls, verdict):
    assert checks.balancer_is_seen(farm(*calls)).verdict is verdict


SENDERS = {
    "the-vip": ({VIP: 90}, Verdict.PASS, "90 packets reached 1 clients (1 of them served)"),
    "a-server": ({VIP: 90, "192.168.2.99": 2}, Verdict.FAIL, "2 packets from 192.168.2.99 (web2) reached the clients"),
    "the-inner-side": ({VIP: 90, DUT: 1}, Verdict.FAIL, "(the balancer, among the servers)"),
    "a-router": ({VIP: 90, "10.0.0.1": 1}, Verdict.PASS, "10.0.0.1"),
}  # fmt: skip


@pytest.mark.parametrize("packets, verdict, observed", SENDERS.values(), ids=SENDERS)
def test_senders(packets, verdict, observed):
    finding = checks.only_the_vip_is_seen(farm(asked(A), event(1, "capture", "senders", host="client", packets=packets)))
    assert finding.verdict is verdict and finding.silence
    assert observed in finding.observed


@pytest.mark.parametrize("packets, verdict", [({VIP: 9}, Verdict.BLOCKED), ({VIP: 9, "192.168.2.98": 1}, Verdict.FAIL)])
def test_senders_where_a_service_serves_nobody(packets, verdict):
    history = farm(asked(A), asked(B, None, service="https", outcome="timeout"), event(1, "capture", "senders", host="client", packets=packets))
    assert checks.only_the_vip_is_seen(history).verdict is verdict


def test_no_packet_at_all_is_no_observation():
    with pytest.raises(ValueError, match="no packet at the client"):
        checks.only_the_vip_is_seen(farm(asked(A), event(1, "capture", "senders", host="client", packets={})))


FORGED = [("X-Forwarded-For", "203.0.113.7")]
LAST = {
    "alone": ([("x-forwarded-for", A)], Verdict.PASS),
    "behind-a-forged-line": ([*FORGED, ("X-Forwarded-For", A)], Verdict.PASS),
    "behind-a-forged-value": ([("X-Forwarded-For", f"203.0.113.7, {A}")], Verdict.PASS),
    "before-it": ([("X-Forwarded-For", f"{A}, 203.0.113.7")], Verdict.FAIL),
    "forged-line-behind": ([("X-Forwarded-For", A), *FORGED], Verdict.FAIL),
    "forged-only": (FORGED, Verdict.FAIL),
    "missing": ([], Verdict.FAIL),
}


@pytest.mark.parametrize("headers, verdict", LAST.values(), ids=LAST)
def test_forwarded_for(headers, verdict):
    assert checks.last_forwarded_is_the_client(farm(asked(A, headers=headers, label="x"))).verdict is verdict
