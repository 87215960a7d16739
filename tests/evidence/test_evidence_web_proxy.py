"""TP-PROXY-01 to -03, TP-SEC-02: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import event
from pages_rig import Page, seen
from web_rig import VIP, farm

from lbcert.evidence import checks
from lbcert.verdicts import Verdict
from lbcert.wire.proxy_protocol import ProxyHeader

A, DUT, FORGED, SENDER = "172.20.0.1", "192.168.2.1", "203.0.113.10", "10.0.0.200"
CLIENT = ProxyHeader(2, "PROXY", "TCP4", (A, 40000), (VIP, 80))
LOCAL = ProxyHeader(2, "LOCAL", "UNSPEC")


def header(value, conn, server="web1", raw=None):
    return event(0, server, "proxy", conn=conn, version=value.version, command=value.command, family=value.family,
                 source=value.source and list(value.source), destination=value.destination, tlvs=[], ssl=None, raw=(raw or value.encode()).hex())  # fmt: skip


def client(*headers, raw=None):
    """A client's call, and the headers on its connection."""
    events = seen("a", Page(), source=A)
    return [*events, *(header(one, events[0]["conn"], raw=raw) for one in headers)]


def check(*headers, conn=5):
    """A connection of the balancer's own."""
    return [event(0, "web1", "accept", conn=conn, peer=[DUT, 1], local=["192.168.2.98", 80]),
            event(0, "web1", "request", conn=conn, token=None, method="GET", target="/", headers=[], peer=[DUT, 1], proxy=None),
            *(header(one, conn) for one in headers)]  # fmt: skip


TLV = ProxyHeader(2, "PROXY", "TCP4", (A, 40000), (VIP, 80), ((0xEA, b"x"),))
V1 = ProxyHeader(1, "PROXY", "TCP4", (A, 40000), (VIP, 80))
SENT = {
    "exact": ([client(CLIENT), check(LOCAL)], Verdict.PASS, "1 connections of clients, 1 of checks"),
    "with-extensions": ([client(TLV), check(LOCAL)], Verdict.PASS, "1 connections"),
    "none": ([client(), check(LOCAL)], Verdict.FAIL, "client a on http at web1: 0 PROXY headers"),
    "two": ([client(CLIENT, CLIENT), check(LOCAL)], Verdict.FAIL, "2 PROXY headers"),
    "another-version": ([client(V1), check(LOCAL)], Verdict.FAIL, "'PROXY TCP4 172.20.0.1"),
    "another-port": ([client(ProxyHeader(2, "PROXY", "TCP4", (A, 40001), (VIP, 80))), check(LOCAL)], Verdict.FAIL, "client a on http"),
    "another-destination": ([client(ProxyHeader(2, "PROXY", "TCP4", (A, 40000), (VIP, 443))), check(LOCAL)], Verdict.FAIL, "client a"),
    "check-of-the-balancer": ([client(CLIENT), check(ProxyHeader(2, "PROXY", "TCP4", (DUT, 1), (VIP, 80)))], Verdict.PASS, "1 of checks"),
    "check-with-a-client": ([client(CLIENT), check(CLIENT)], Verdict.FAIL, f"a check of web1: its PROXY header names {A}"),
    "bare-check": ([client(CLIENT), check()], Verdict.FAIL, "a check of web1: 0 PROXY headers"),
    "nobody-served": ([seen("a", Page(None, status=503))], Verdict.BLOCKED, "TP-TLS-03"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", SENT.values(), ids=SENT)
def test_sent_header(events, verdict, observed):
    judged(checks.sent_header_is_exact(farm(*events), version=2, checks_too=True), verdict, observed)


def test_a_line_with_a_leading_zero_is_not_exact():
    events = client(V1, raw=f"PROXY TCP4 {A} {VIP} 040000 80\r\n".encode())
    judged(checks.sent_header_is_exact(farm(*events, *check(LOCAL)), version=1, checks_too=True), Verdict.FAIL, "040000")


def test_without_a_check_there_is_no_verdict():
    with pytest.raises(ValueError, match="health check"):
        checks.sent_header_is_exact(farm(*client(CLIENT)), version=2, checks_too=True)


def knocked(label, told=None, source=SENDER, outcome="closed"):
    """A call at the listener for headers: `told`: the address that a server has for its client; None: none saw it."""
    page = Page(None, status=None) if told is None else Page()
    return seen(label, page, label=label, source=source, outcome=outcome if told is None else "answered", proxy=told and [told, 1])


GOOD = knocked("version 1", FORGED)
RECEIVED = {
    "believed": ([GOOD, knocked("no header"), knocked("version 1", source=A)], Verdict.PASS, "1 good headers of the sender, 2 beginnings"),
    "good-dropped": ([knocked("version 1")], Verdict.FAIL, "version 1, from its sender: closed, and no server saw"),
    "another-told": ([knocked("version 1", SENDER)], Verdict.FAIL, f"is told {SENDER}, not {FORGED}"),
    "two-pieces-dropped": ([GOOD, knocked("version 2 in two pieces")], Verdict.PASS, "version 2 in two pieces: dropped"),
    "two-pieces-guessed": ([GOOD, knocked("version 2 in two pieces", SENDER)], Verdict.FAIL, f"is told {SENDER}"),
    "no-header-passed-on": ([GOOD, knocked("no header", SENDER)], Verdict.FAIL, "no header, from its sender: web1 saw the request"),
    "stranger-believed": ([GOOD, knocked("version 1", FORGED, source=A)], Verdict.FAIL, "version 1, from a stranger: web1 saw"),
    "cut-off-kept": ([GOOD, knocked("version 1 cut off", outcome="timeout")], Verdict.FAIL, "still open after 15 s"),
    "lenient": ([GOOD, knocked("version 1 with a port of 65536", "203.0.113.9")], Verdict.PASS, "read as 203.0.113.9"),
}


@pytest.mark.parametrize("events, verdict, observed", RECEIVED.values(), ids=RECEIVED)
def test_receiver(events, verdict, observed):
    named = {"version 1": FORGED, "version 2 in two pieces": FORGED}
    judged(checks.receiver_never_guesses(farm(*events), named=named, sender=SENDER), verdict, observed)


USUAL = seen("u", Page(), label="usual")


def tried(told=None, forwarded=(), source=A):
    return seen("x", Page(came=[]), label="version 1, port 80", source=source, proxy=told and [told, 1], token="x") + [
        event(0, "web2", "request", conn=1, token="x", peer=[A, 1], proxy=None, headers=[["X-Forwarded-For", one] for one in forwarded])
    ]


STRANGERS = {
    "not-believed": ([USUAL, tried(forwarded=[A])], Verdict.PASS, "1 headers of strangers (port 80), 1 ordinary requests"),
    "believed": ([USUAL, tried(FORGED)], Verdict.FAIL, f"web1 is told {FORGED} (version 1, port 80)"),
    "passed-on": ([USUAL, tried(), header(ProxyHeader(2, "PROXY", "TCP4", (FORGED, 1), (VIP, 80)), 7)], Verdict.FAIL, "in a PROXY header"),
    "last-forwarded-for": ([USUAL, tried(forwarded=[f"{A}, {FORGED}"])], Verdict.FAIL, f"web2 is told {FORGED}"),
    "first-forwarded-for": ([USUAL, tried(forwarded=[FORGED, A])], Verdict.PASS, "1 headers"),
    "others-suffer": ([USUAL, seen("u", Page(status=None), outcome="closed", label="usual"), tried()], Verdict.FAIL, "u on http: closed"),
    "nobody-served": ([seen("u", Page(None, status=None), outcome="closed", label="usual"), tried()], Verdict.BLOCKED, "TP-TLS-03"),
}


@pytest.mark.parametrize("events, verdict, observed", STRANGERS.values(), ids=STRANGERS)
def test_strangers(events, verdict, observed):
    judged(checks.strangers_are_not_believed(farm(*events), forged=[FORGED]), verdict, observed)


def judged(finding, verdict, observed):
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding
