"""OCS-NET-02 to -04, OCS-ADMIN-03: the ports of a pool, with literal histories."""

from __future__ import annotations

import pytest
from calls_rig import FRONT_ENDS, PORTS, accepted, answered, pool, unanswered
from evidence_rig import event

from lbcert.evidence.checks import listeners_agree, only_declared_ports_are_open, ports_are_kept, ports_are_open
from lbcert.verdicts import Verdict

CHECKS = [accepted(server, 5061, -3 + number) for number, server in enumerate(FRONT_ENDS)]
"""health checks, seen before the first client"""


def good(t: float = 0.0) -> list[list]:
    return [answered(f"10.1.0.{n}", service, "fe1", t + n) for n, service in enumerate(PORTS)]


def instead(service: str, *events) -> list:
    """All ports are well but one, whose client's story is `events`."""
    return [*CHECKS, *(answered(f"10.1.0.{n}", name, "fe1", 20 + n) for n, name in enumerate(PORTS) if name != service), *events]


STORIES = {
    "all well": ([*CHECKS, *good()], Verdict.PASS, Verdict.PASS),
    "closed port": (instead("web", unanswered("10.1.0.9", "web")), Verdict.FAIL, Verdict.BLOCKED),
    "closed port, and checks meanwhile": (
        instead("web", unanswered("10.1.0.9", "web", "timeout", 0, took=15), accepted("fe2", 5061, 4)), Verdict.FAIL, Verdict.BLOCKED),
    "answered on another port": (
        instead("sip", answered("10.1.0.9", "sip", "fe1", port=5065)), Verdict.PASS, Verdict.FAIL),
    "handed to another port, in another protocol": (
        instead("web", accepted("fe1", 5060, 0.005, "malformed"), unanswered("10.1.0.9", "web", "closed")), Verdict.PASS, Verdict.FAIL),
    "handed to the port of the checks": (
        instead("web", accepted("fe1", 5061, 0.005, "security-failed"), unanswered("10.1.0.9", "web", "closed")),
        Verdict.PASS, Verdict.FAIL),
    "arrived and not answered": (
        instead("web", accepted("fe1", 443, 0.005, "tls"), unanswered("10.1.0.9", "web", "closed")), Verdict.FAIL, Verdict.BLOCKED),
    "somebody else's TLS": (
        instead("web", accepted("fe1", 443, 0.005, "tls"),
                unanswered("10.1.0.9", "web", "closed") | {"tls": {"server": "99" * 32, "problem": ""}}), Verdict.PASS, Verdict.PASS),
    "the server's own TLS": (
        instead("web", accepted("fe1", 443, 0.005, "tls"),
                unanswered("10.1.0.9", "web", "closed") | {"tls": {"server": "11" * 32, "problem": ""}}), Verdict.FAIL, Verdict.BLOCKED),
    "answered late": (instead("web", answered("10.1.0.9", "web", "fe1", took=6.0)), Verdict.FAIL, Verdict.PASS),
    "another's answer": (instead("web", answered("10.1.0.9", "web", "fe1", token="x")), Verdict.FAIL, Verdict.BLOCKED),
    "the server knows nothing of it": (instead("web", answered("10.1.0.9", "web", "fe1", record=False)), Verdict.FAIL, Verdict.BLOCKED),
    "the fallback answers": (instead("web", answered("10.1.0.9", "web", "fallback")), Verdict.FAIL, Verdict.PASS),
}  # fmt: skip


@pytest.mark.parametrize("events, opened, kept", STORIES.values(), ids=STORIES.keys())
def test_ports_are_open_and_kept(events, opened, kept):
    history = pool(*events)
    assert (ports_are_open(history, PORTS).verdict, ports_are_kept(history, PORTS).verdict) == (opened, kept)


def test_who_was_handed_to_another_port_is_named():
    assert "a client of port 443 was handed to port 5060 of fe1" in ports_are_kept(
        pool(*STORIES["handed to another port, in another protocol"][0]), PORTS).observed  # fmt: skip


@pytest.mark.parametrize("check", [ports_are_open, ports_are_kept])
def test_a_port_that_nobody_called_is_no_verdict(check):
    with pytest.raises(ValueError, match="call of web"):
        check(pool(*instead("web")), PORTS)


def scan(*opened: int, tried: int = 65535):
    return event(1, "client", "scan", tried=tried, open=sorted({*PORTS.values(), *opened}))


def probe(port: int, *reached: list, said: str = ""):
    return event(2, "client", "probe", port=port, reached=list(reached), said=said)


def listeners(*ports: int):
    return event(0, "dut", "listeners", listening=[["10.10.2.20", port] for port in (*PORTS.values(), *ports)])


SCANS = {
    "the table": ([scan(), listeners()], Verdict.PASS, Verdict.PASS, "listened for twice: none"),
    "doubled": ([scan(), listeners(5060)], Verdict.PASS, Verdict.PASS, "listened for twice: 5060"),
    "each twice": ([scan(), listeners(*PORTS.values())], Verdict.PASS, Verdict.PASS, "listened for twice: none"),
    "declared page": ([scan(7777), probe(7777), listeners(7777)], Verdict.PASS, Verdict.PASS, "not balanced: 7777"),
    "balanced": ([scan(5080), probe(5080, ["fe1", 5080]), listeners(5080)], Verdict.FAIL, Verdict.PASS, "leads to port 5080 of fe1"),
    "admin socket": ([scan(9999), probe(9999, said="haproxy>"), listeners(9999)], Verdict.PASS, Verdict.FAIL, "not balanced: 9999"),
    "closed": ([event(1, "client", "scan", tried=65535, open=[5060, 5061]), listeners()], Verdict.FAIL, Verdict.PASS, "port 443 (web)"),
}  # fmt: skip


@pytest.mark.parametrize("events, agree, declared, observed", SCANS.values(), ids=SCANS.keys())
def test_scan(events, agree, declared, observed):
    history = pool(*events)
    finding = listeners_agree(history, PORTS)
    assert finding.verdict is agree
    assert observed in finding.observed
    assert only_declared_ports_are_open(history, PORTS, [7777]).verdict is declared


def test_what_an_open_port_says_is_told():
    assert "port 9999, which is not declared, and says 'haproxy>'" in only_declared_ports_are_open(
        pool(*SCANS["admin socket"][0]), PORTS, []).observed  # fmt: skip


@pytest.mark.parametrize("events", [[], [scan(tried=1000)]], ids=["none", "some"])
def test_without_a_whole_scan_there_is_no_verdict(events):
    with pytest.raises(ValueError, match="no scan of all ports"):
        listeners_agree(pool(*events), PORTS)


def test_an_open_port_that_nobody_tried_is_no_verdict():
    with pytest.raises(KeyError):
        only_declared_ports_are_open(pool(scan(9999)), PORTS, [])
