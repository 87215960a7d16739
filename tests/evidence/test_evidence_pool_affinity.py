"""OCS-AFF-01, -02, -05, -06 with literal histories."""

from __future__ import annotations

import pytest
from calls_rig import PORTS, answered, pool, syn, unanswered

from lbcert.evidence.checks import (
    load_goes_where_there_is_room,
    one_front_end_per_client,
    simultaneous_ports_agree,
    skew_is_known,
)
from lbcert.verdicts import Verdict

SERVICES = list(PORTS)


def client(name: str, *servers: str, label: str = "", t: float = 0.0) -> list[list]:
    """A client with a call on each port, each at one of `servers` in turn."""
    return [answered(name, service, servers[n % len(servers)], t + n / 1000, label=label) for n, service in enumerate(SERVICES)]


def clients(count: int = 9) -> list[list]:
    return [call for number in range(count) for call in client(f"10.1.0.{number}", f"fe{number % 3 + 1}")]


def foreign(name: str, label: str = "") -> dict:
    return unanswered(name, "web", "closed", label=label) | {"tls": {"server": "99" * 32, "problem": ""}}


AFFINITY = {
    "none split": (clients(), Verdict.PASS, "0 of 9 clients were split; 27 connections on 3 ports"),
    "one split": ([*clients(), *client("10.2.0.1", "fe1", "fe2")], Verdict.FAIL, "10.2.0.1 was split: fe1 on 5061/443, fe2 on 5060"),
    "company is split": ([*clients(), *client("10.2.0.1", "fe1", "fe2", label="other")], Verdict.PASS, "0 of 9"),
    "not answered": ([*clients(), unanswered("10.1.0.1", "web")], Verdict.FAIL, "client 10.1.0.1 on web: refused"),
    "somebody else's TLS": ([*clients(), foreign("10.1.0.1")], Verdict.BLOCKED, "(OCS-APP-02)"),
    "split, and somebody else's TLS": ([*clients(), *client("10.2.0.1", "fe1", "fe2"), foreign("10.1.0.1")], Verdict.FAIL, "split"),
    "another's answer": ([*clients(), answered("10.1.0.1", "web", "fe2", token="x")], Verdict.FAIL, "client 10.1.0.1 on web"),
    "answers only the client knows of": ([*clients(), answered("10.1.0.1", "web", "fe2", record=False)], Verdict.FAIL, "on web"),
    "all on one": ([c for n in range(9) for c in client(f"10.1.0.{n}", "fe1")], Verdict.BLOCKED, "9 of 9 clients are on fe1"),
}


@pytest.mark.parametrize("events, verdict, observed", AFFINITY.values(), ids=AFFINITY.keys())
def test_affinity(events, verdict, observed):
    finding = one_front_end_per_client(pool(*events), SERVICES)
    assert finding.verdict is verdict
    assert observed in finding.observed
    assert finding.figures[0]["kind"] == "grid"


def at_once(name: str, *servers: str, spread: float = 0.001) -> list:
    calls = client(name, *servers, label="first")
    return [*calls, *(syn(call, n * spread) for n, call in enumerate(calls))]


def newcomers(count: int = 6, **more) -> list:
    return [event for n in range(count) for event in at_once(f"10.1.0.{n}", f"fe{n % 3 + 1}", **more)]


TORN = at_once("10.2.0.1", "fe1", "fe2")
RACE = {
    "none split": (newcomers(), Verdict.PASS, "0 of 6 clients"),
    "split and healed": ([*newcomers(), *TORN, *client("10.2.0.1", "fe2", label="later", t=5)], Verdict.NON_STRICT, "heals it"),
    "split for good": ([*newcomers(), *TORN, *client("10.2.0.1", "fe2", "fe1", label="later", t=5)],
                       Verdict.NON_STRICT, "does not heal it"),
    "not at once": ([*newcomers(), *at_once("10.2.0.1", "fe1", "fe2", spread=0.011)], Verdict.PASS, "0 of 6 clients"),
    "nobody at once": (newcomers(spread=0.011), Verdict.HARNESS_ERROR, "machine too slow: only 0 of 6"),
    "not captured": (client("10.2.0.1", "fe1", label="first"), Verdict.HARNESS_ERROR, "only 0 of 1"),
    "not answered": ([*newcomers(), call := unanswered("10.1.0.1", "web", "closed", label="first"), syn(call, 0.001)],
                     Verdict.NON_STRICT, "client 10.1.0.1 on web: closed"),
    "somebody else's TLS": ([*newcomers(), call := foreign("10.1.0.1", "first"), syn(call, 0.001)], Verdict.BLOCKED, "(OCS-APP-02)"),
    "all on one": ([e for n in range(6) for e in at_once(f"10.1.0.{n}", "fe1")], Verdict.BLOCKED, "6 of 6 clients are on fe1"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", RACE.values(), ids=RACE.keys())
def test_race(events, verdict, observed):
    finding = simultaneous_ports_agree(pool(*events), SERVICES)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_a_split_client_must_have_come_again():
    with pytest.raises(ValueError, match="no later connection"):
        simultaneous_ports_agree(pool(*newcomers(), *TORN), SERVICES)


def users(*counts: int) -> list[list]:
    return [answered(f"user{server}-{n}", "sip", f"fe{server}") for server, count in enumerate(counts, 1) for n in range(count)]


SKEW = {
    "one address, one client": (users(100), "source", Verdict.MEASURED, "100 of 100 users behind one address are on fe1"),
    "spread all the same": (users(40, 30, 30), "source", Verdict.MEASURED, "40 of 100"),
    "not answered": ([*users(99), unanswered("u", "sip")], "source", Verdict.NON_STRICT, "user u: refused"),
    "spread": (users(40, 30, 30), "http-cookie", Verdict.PASS, "40 of 100"),
    "at the edge": (users(58, 21, 21), "http-cookie", Verdict.NON_STRICT, "not spread: fe1 58, fe2 21, fe3 21"),
    "skewed, undeclared": (users(100), None, Verdict.NON_STRICT, "the declared key is not there"),
}


@pytest.mark.parametrize("events, key, verdict, observed", SKEW.values(), ids=SKEW.keys())
def test_skew(events, key, verdict, observed):
    finding = skew_is_known(pool(*events), key)
    assert finding.verdict is verdict
    assert observed in finding.observed


def stay(label: str, *counts: int, service: str = "sip") -> list[list]:
    """So many clients on each Front End, who came to one after the other."""
    return [answered(f"{label}{server}-{n}", service, f"fe{server}", label=label, held=True)
            for n in range(max(counts)) for server, count in enumerate(counts, 1) if n < count]  # fmt: skip


LOAD = {
    "even": ([*stay("held", 20, 20, 20), *stay("newcomer", 10)], Verdict.PASS, "fe1 20, fe2 20, fe3 20; 10 of 10 newcomers"),
    "nearly even": ([*stay("held", 18, 22, 20), *stay("newcomer", 9, 1)], Verdict.PASS, "9 of 10"),
    "uneven": ([*stay("held", 17, 23, 20), *stay("newcomer", 10)], Verdict.FAIL, "not shared out evenly: fe1 17"),
    "in turn": ([*stay("held", 20, 20, 20), *stay("newcomer", 4, 3, 3)], Verdict.FAIL, "only 4 of 10 newcomers went to fe1"),
    "one port in turn": ([*stay("held", 20, 20, 20), *stay("newcomer", 30), *stay("newcomer", 1, 1, 1, service="web")], Verdict.FAIL,
                         "only 1 of 3 newcomers on web went to fe1"),
    "one astray on a port": ([*stay("held", 20, 20, 20), *stay("newcomer", 30), *stay("newcomer", 2, 1, service="web")], Verdict.PASS,
                             "32 of 33 newcomers on 2 ports"),
    "one port has one Front End": ([*stay("held", 20, 20, 20), *stay("spread", 9, service="web"), *stay("newcomer", 10)], Verdict.FAIL,
                                   "all 9 clients who stay on web are at fe1"),
    "neighbours in fours": ([*(answered(f"c{n}", "sip", f"fe{n // 4 % 3 + 1}", label="held", held=True) for n in range(60)),
                             *stay("newcomer", 10)], Verdict.FAIL, "30 of 60 clients came to a Front End that had more"),
    "not answered": ([*stay("held", 20, 20, 19), unanswered("c", "sip", label="held"), *stay("newcomer", 10)], Verdict.FAIL, "(held)"),
}


@pytest.mark.parametrize("events, verdict, observed", LOAD.values(), ids=LOAD.keys())
def test_load(events, verdict, observed):
    finding = load_goes_where_there_is_room(pool(*events), "fe1")
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_a_front_end_that_rests_is_not_forgotten():
    history = pool(*stay("held", 20, 20, 20), *stay("newcomer", 10))
    history.events[0]["resting"] = ["fe4"]
    finding = load_goes_where_there_is_room(history, "fe1")
    assert finding.verdict is Verdict.FAIL
    assert "fe4 is in the configuration and is sent nobody" in finding.observed


@pytest.mark.parametrize("check, parameters", [
    (one_front_end_per_client, {"services": SERVICES}), (simultaneous_ports_agree, {"services": SERVICES}),
    (skew_is_known, {"key": "source"}), (load_goes_where_there_is_room, {"returned": "fe1"})])  # fmt: skip
def test_without_calls_there_is_no_verdict(check, parameters):
    with pytest.raises(ValueError, match="the history holds no"):
        check(pool(), **parameters)
