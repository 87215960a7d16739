"""TP-ROUTE, and TP-ADDR-04 to -07: packets that go astray, checks, ports and the fallback."""

import pytest
from evidence_rig import at, event
from web_rig import VIP, asked, farm

from lbcert.evidence import checks
from lbcert.verdicts import Verdict

A, B, DUT, INSIDE = "172.20.0.1", "10.0.0.7", "192.168.2.1", "192.168.2.250"

PAGES = {
    "redirected": ([asked(A, None, outcome="anonymous", status=301)], Verdict.FAIL, f"client {A} on http: status 301 of the balancer's own"),
    "all-in-time": ([asked(A, label="start"), asked(B, label="strict", took=1.9)], Verdict.PASS, "2 of 2 clients"),
    "none": ([asked(A, None, outcome="status 503", label="start")], Verdict.FAIL, "status 503"),
    "late": ([asked(A, took=2.1, label="start")], Verdict.FAIL, "answered only after 2.10 s"),
    "by-the-fallback": ([asked(A, "fallback", label="start")], Verdict.FAIL, "answered by the fallback"),
    "with-filters-only": ([asked(A, label="start"), asked(B, None, outcome="timeout", label="strict")], Verdict.FAIL,
                          f"client {B} on http with rp_filter: no answer in 15 s"),
}  # fmt: skip


@pytest.mark.parametrize("calls, verdict, observed", PAGES.values(), ids=PAGES)
def test_pages_come(calls, verdict, observed):
    finding = checks.pages_come(farm(*calls))
    assert finding.verdict is verdict
    assert observed in finding.observed


def tried(client, t=0.0):
    """A connection to web1 that came to nothing."""
    return event(t, "capture", "flow", link="web1:eth0", client=client, cport=1, server="192.168.2.98", sport=80, syn=at(t), synack=at(t))


LOST = event(-9, "lab", "bypassed", servers=["web1"])
NAMED = event(5, "dut", "log", text=f"{A}:40000 farm/web1 503")
ELSEWHERE = {
    "served-by-another": ([asked(A, "web2", took=4.0), tried(A)], Verdict.PASS, "1 of 1 clients were served (0 by web1)"),
    "told-and-named": ([asked(A, None, outcome="status 503", took=16.0), tried(A), NAMED], Verdict.PASS, "1 of them stand in the log"),
    "a-page-of-the-product": ([asked(A, None, outcome="anonymous", took=9.0), tried(A), NAMED], Verdict.PASS, "1 were told"),
    "named-by-address": ([asked(A, None, outcome="closed", took=4.0), tried(A),
                          event(5, "dut", "log", text=f"timed out, client: {A}, upstream: http://192.168.2.98:80/")], Verdict.PASS, ""),
    "fallback-and-named": ([asked(A, "fallback", took=4.0), tried(A), NAMED], Verdict.PASS, "1 were told"),
    "fallback-and-not-named": ([asked(A, "fallback", took=4.0), tried(A)], Verdict.FAIL, "no line of the log names it"),
    "not-named": ([asked(A, None, outcome="status 503", took=4.0), tried(A), event(5, "dut", "log", text=f"{A}:40000 farm/web2 503")],
                  Verdict.FAIL, "no line of the log names it"),
    "named-for-another-client": ([asked(B, None, outcome="status 503", took=4.0), tried(B), NAMED], Verdict.FAIL, "no line of the log"),
    "nobody-was-sent-there": ([asked(A, "web2"), tried(DUT)], Verdict.PASS, "0 clients had been sent to web1"),
    "reached-all-the-same": ([asked(A, "web1")], Verdict.PASS, "(1 by web1)"),
    "silence": ([asked(A, None, outcome="timeout", took=25.0), tried(A), NAMED], Verdict.FAIL, "no answer in 15 s"),
    "late": ([asked(A, "web2", took=21.1), tried(A), NAMED], Verdict.FAIL, "answered only after 21.10 s"),
    "others-wait-too": ([asked(A, "web2", took=4.0), tried(A), asked(B, "web2", took=4.0)], Verdict.FAIL,
                        f"client {B} on http: waited 4.00 s, and was not sent to web1"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", ELSEWHERE.values(), ids=ELSEWHERE)
def test_server_with_another_gateway(events, verdict, observed):
    finding = checks.lost_servers_are_no_silence(farm(LOST, *events))
    assert finding.verdict is verdict
    assert observed in finding.observed


def inside(outcome, took):
    """A call from the servers' network. Its packets are on another link than the other clients'."""
    call = [one for one in asked(INSIDE, None, outcome=outcome, took=took, label="inside") if one["kind"] == "call"]
    return [*call, event(0, "capture", "flow", link="neighbour:eth0", client=INSIDE, cport=40000, server="10.0.0.142", sport=80, syn=at(0),
                         fin_to_client=at(took))]  # fmt: skip


DIRECT = event(0, "capture", "flow", link="neighbour:eth0", client=INSIDE, cport=7, server="192.168.2.98", sport=80, synack=at(0))
OUT = asked(A, label="outside")
NEIGHBOUR = {
    "told": ([inside("status 503", 16.0), OUT, DIRECT], Verdict.PASS, "servers answered the client directly 1 times"),
    "closed": ([inside("closed", 3.0), OUT], Verdict.PASS, "1 told (closed)"),
    "served": ([asked(INSIDE, label="inside"), OUT], Verdict.PASS, "1 were served"),
    "silence": ([inside("timeout", 25.0), OUT], Verdict.FAIL, "no answer in 15 s"),
    "late": ([inside("status 503", 21.5), OUT], Verdict.FAIL, "status 503 only after 21.50 s"),
    "others-suffer": ([inside("closed", 3.0), asked(A, label="outside", took=1.5)], Verdict.FAIL, "from outside: answered only after 1.50 s"),
}


@pytest.mark.parametrize("events, verdict, observed", NEIGHBOUR.values(), ids=NEIGHBOUR)
def test_client_among_the_servers(events, verdict, observed):
    finding = checks.neighbour_is_told(farm(*events))
    assert finding.verdict is verdict
    assert observed in finding.observed


QUIET = [event(0, "harness", "mark", name="quiet"), event(11, "harness", "mark", name="end")]


def check(server, t, client=DUT):
    return event(t, "capture", "flow", link=f"{server}:eth0", client=client, cport=int(t * 100), server="", sport=80, syn=at(t))


EACH = [check(server, t) for server in ("web1", "web2") for t in (1, 3, 5)]
HEADERS = [event(3, "web2", "accept", conn=9, peer=[DUT, 300], local=[]),
           event(3, "web2", "proxy", conn=9, command="PROXY", source=[A, 1], destination=[])]  # fmt: skip
CHECKS = {
    "own": (EACH, Verdict.PASS, f"6 checks of 2 servers, from {DUT}"),
    "a-client's": ([*EACH, check("web2", 7, A)], Verdict.FAIL, f"a check of web2 comes from {A}"),
    "the-vip's": ([*EACH, check("web2", 7, VIP)], Verdict.FAIL, f"a check of web2 comes from {VIP}"),
    "before-and-after-do-not-count": ([*EACH, check("web2", -1, A), check("web2", 12, A)], Verdict.PASS, "6 checks"),
    "names-a-client": ([*EACH, *HEADERS], Verdict.FAIL, f"a check of web2 names the client {A}"),
    "says-local": ([*EACH, HEADERS[0], {**HEADERS[1], "command": "LOCAL", "source": None}], Verdict.PASS, ""),
    "too-few": (EACH[:4], Verdict.BLOCKED, "web2 was checked 1 times only"),
    "none": ([], Verdict.BLOCKED, "web1 was checked 0 times"),
}


@pytest.mark.parametrize("events, verdict, observed", CHECKS.values(), ids=CHECKS)
def test_checks(events, verdict, observed):
    finding = checks.checks_come_from_the_product(farm(QUIET, *events))
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_a_product_without_checks():
    passive = {"inter": 10.0, "fall": 2, "rise": 1, "timeout": 3.0, "kind": "passive"}
    finding = checks.checks_come_from_the_product(farm(QUIET, check=passive))
    assert finding.verdict is Verdict.UNSUPPORTED and "none was seen in 11.0 s" in finding.reason
    assert checks.checks_come_from_the_product(farm(QUIET, check("web1", 3, A), check=passive)).verdict is Verdict.FAIL


FALLBACK = {
    "a-server-on-the-balancer": (asked(A, "fallback", label="lost"), Verdict.PASS, "from fallback"),
    "the-product": (asked(A, None, outcome="anonymous", label="lost"), Verdict.PASS, "from the product itself"),
    "an-error": (asked(A, None, outcome="status 503", label="lost", status=503), Verdict.FAIL, "status 503 in place of a page"),
    "an-odd-status": (asked(A, None, outcome="anonymous", label="lost", status=302), Verdict.FAIL, "status 302 in place of a page"),
    "late": (asked(A, "fallback", label="lost", took=1.2), Verdict.FAIL, "a page only after 1.20 s"),
    "a-dead-server": (asked(A, "web1", label="lost"), Verdict.FAIL, "which is down"),
    "nothing": (asked(A, None, outcome="timeout", label="lost"), Verdict.FAIL, "no answer in 15 s in place of a page"),
}


@pytest.mark.parametrize("call, verdict, observed", FALLBACK.values(), ids=FALLBACK)
def test_fallback(call, verdict, observed):
    finding = checks.fallback_answers(farm(call))
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_fallback_after_a_detection_beyond_the_ceiling():
    slow = {"inter": 6.0, "fall": 3, "rise": 2, "timeout": 2.0, "kind": "http"}
    finding = checks.fallback_answers(farm(asked(A, "fallback", label="lost"), check=slow))
    assert finding.verdict is Verdict.FAIL and "18 s is beyond the ceiling of 15 s" in finding.observed


RELEASED = event(1.0, "lab", "restore", server="web1", fault="hang")
FIRST = asked(A, label="first", took=1.1)
REFUSED = event(2, "dut", "log", text=f"{A}:40000 503 no free ports")
TWICE = {
    "both-served": ([FIRST, asked(A, "web2", service="https", label="second", took=1.2)], Verdict.PASS, "1 second connections were served"),
    "refused-and-logged": ([FIRST, asked(A, None, service="https", label="second", outcome="status 503", took=3.0), REFUSED], Verdict.PASS,
                           "1 were not"),
    "refused-in-silence": ([FIRST, asked(A, None, service="https", label="second", outcome="status 503", took=3.0)], Verdict.NON_STRICT,
                           "no line of the log names the client"),
    "refused-late": ([FIRST, asked(A, None, service="https", label="second", outcome="status 503", took=5.5), REFUSED], Verdict.NON_STRICT,
                     "only after 5.50 s"),
    "not-told": ([FIRST, asked(A, None, service="https", label="second", outcome="timeout", took=15.0), REFUSED], Verdict.NON_STRICT, "no answer"),
    "served-late": ([FIRST, asked(A, service="https", label="second", took=6.5)], Verdict.NON_STRICT, "answered only after 5.50 s"),
    "first-was-cut": ([asked(A, None, label="first", outcome="reset"), asked(A, service="https", label="second")], Verdict.NON_STRICT,
                      "the first of two: reset without an answer"),
}  # fmt: skip


@pytest.mark.parametrize("calls, verdict, observed", TWICE.values(), ids=TWICE)
def test_one_port_for_two_services(calls, verdict, observed):
    finding = checks.one_port_serves_two_services(farm(RELEASED, *calls))
    assert finding.verdict is verdict
    assert observed in finding.observed


MANY = {
    "all": ([asked(A, label="single"), asked(A, label="again"), asked(A, label="kept", requests=2), asked(A, label="parallel")], Verdict.PASS, "2 on kept ones"),
    "closed-in-between": ([asked(A, label="single"), asked(A, label="kept", requests=2, outcome="short")], Verdict.PASS, "2 on kept ones"),
    "short-where-one-was-asked": ([asked(A, label="single", outcome="short", requests=0)], Verdict.NON_STRICT, "single, port 40000: short"),
    "an-error": ([asked(A, None, label="parallel", outcome="status 500", status=500)], Verdict.NON_STRICT, "status 500"),
    "the-fallback": ([asked(A, "fallback", label="single")], Verdict.NON_STRICT, "not by a server of the lab"),
    "a-reset": ([asked(A, None, label="single", outcome="reset")], Verdict.NON_STRICT, "reset without an answer"),
}


@pytest.mark.parametrize("calls, verdict, observed", MANY.values(), ids=MANY)
def test_many_connections(calls, verdict, observed):
    finding = checks.many_connections_are_served(farm(*calls), wanted=3)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_fewer_requests_than_wanted_are_no_pass():
    with pytest.raises(ValueError, match="only 1 of 3"):
        checks.many_connections_are_served(farm(asked(A, label="single")), wanted=3)
