"""RDP-PERSIST-06 to -10: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import served, story, unserved

from lbcert.evidence.checks import (
    alike_clients_are_spread,
    fallback_is_followed,
    forms_of_a_name,
    long_names_are_told_apart,
)
from lbcert.verdicts import Verdict

TWO = ("ts1", "ts2")


def crowd(label: str, **counts: int) -> list:
    return [event for server, count in counts.items() for _ in range(count) for event in served("", server, label=label)]


ALIKE = {
    "at the edges": (crowd("empty", ts1=12, ts2=48), Verdict.PASS, "empty: ts1 12, ts2 48"),
    "beyond": (crowd("empty", ts1=11, ts2=49), Verdict.NON_STRICT, "allowed 12 to 48 each"),
    "all on one": (crowd("empty", ts1=60), Verdict.NON_STRICT, "empty: ts1 60, ts2 0"),
    "one not served": ([*crowd("empty", ts1=30, ts2=29), unserved("", "closed", label="empty")], Verdict.NON_STRICT,
                       "closed without an answer"),
    "nobody served": ([unserved("", "closed", label="empty")], Verdict.NON_STRICT, "nobody was served"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", ALIKE.values(), ids=ALIKE.keys())
def test_alike_clients(events, verdict, observed):
    finding = alike_clients_are_spread(story(*events, servers=TWO))
    assert finding.verdict is verdict
    assert observed in finding.observed


EVEN, SOURCE = crowd("many addresses", ts1=30, ts2=30), {"fallback": "source"}
FALLBACK = {
    "balanced": ([*EVEN, *crowd("one address", ts1=25, ts2=35)], {}, Verdict.PASS, "one address: ts1 25, ts2 35"),
    "balanced as declared": ([*EVEN, *crowd("one address", ts1=25, ts2=35)], {"fallback": "balance"}, Verdict.PASS, ""),
    "by address, not declared": ([*EVEN, *crowd("one address", ts2=60)], {}, Verdict.FAIL, "one address: ts1 0, ts2 60"),
    "all on one": ([*crowd("many addresses", ts1=60), *crowd("one address", ts1=60)], {}, Verdict.FAIL, "many addresses: ts1 60"),
    "by address as declared": ([*EVEN, *crowd("one address", ts2=60)], SOURCE, Verdict.PASS, "one address: ts1 0, ts2 60"),
    "by address declared, balanced": ([*EVEN, *crowd("one address", ts1=1, ts2=59)], SOURCE, Verdict.FAIL,
                                      "although `fallback: source` is declared"),
    "all on one although by address": ([*crowd("many addresses", ts1=60), *crowd("one address", ts1=60)], SOURCE,
                                       Verdict.FAIL, "many addresses: ts1 60, ts2 0, allowed 12 to 48"),
    "not served": ([*EVEN, *crowd("one address", ts1=29, ts2=30), unserved(None, "timeout", label="one address")], {},
                   Verdict.FAIL, "no answer in 15 s"),
}  # fmt: skip


@pytest.mark.parametrize("events, declared, verdict, observed", FALLBACK.values(), ids=FALLBACK.keys())
def test_fallback(events, declared, verdict, observed):
    finding = fallback_is_followed(story(*events, servers=TWO, persistence=declared))
    assert finding.verdict is verdict
    assert observed in finding.observed


@pytest.mark.parametrize("check", [alike_clients_are_spread, fallback_is_followed, forms_of_a_name, long_names_are_told_apart])
def test_no_visit_is_no_verdict(check):
    with pytest.raises(ValueError, match="the history holds no"):
        check(story())


def forms(users: int, **same: int) -> list:
    """Users in turn on two servers; of each form so many are on the server of the plain name."""
    events = []
    for number in range(users):
        home, other = (TWO, TWO[::-1])[number % 2]
        for form in ("plain", "plain again"):
            events += served(f"u{number}", home, label=form)
        for form, count in same.items():
            events += served(f"u{number}", home if number < count else other, label=form, sent=f"{form}{number}".encode())
    return events


def test_forms_are_told_and_not_judged():
    finding = forms_of_a_name(story(*forms(24, upper=24, domain=23, behind=0), servers=TWO))
    assert finding.verdict is Verdict.MEASURED
    assert finding.observed == (
        "upper: always the same server (24 of 24 users); domain: the same server no more often than by chance (23 of 24 users); "
        "behind: never the same server (0 of 24 users)"
    )
    assert [(m["id"], m["value"], m["unit"]) for m in finding.measurements] == [
        ("same-server-upper", 24, "of 24"), ("same-server-domain", 23, "of 24"), ("same-server-behind", 0, "of 24")
    ]  # fmt: skip
    assert finding.evidence[0] == "u0: plain ts1, upper ts1, domain ts1, behind ts2"


def test_a_form_without_service_is_told():
    events = [*forms(3, upper=2), unserved("u2", "closed", label="upper")]
    assert "upper: no service for 1 of 3" in forms_of_a_name(story(*events, servers=TWO)).observed


@pytest.mark.parametrize(
    "events",
    [[*forms(4, upper=4), *served("u0", "ts2", label="plain again")], forms(1, upper=1)],
    ids=["plain names move", "all on one server"],
)
def test_forms_without_a_home_are_blocked(events):
    assert forms_of_a_name(story(*events, servers=TWO)).verdict is Verdict.BLOCKED


def pair(stem: str, one: str, other: str | None):
    second = served(f"{stem}b", other, label="pair") if other else [unserved(f"{stem}b", "closed", label="pair")]
    return [*served(f"{stem}a", one, label="pair"), *second]


LONG = {
    "apart": ([*pair("x", "ts1", "ts1"), *pair("y", "ts1", "ts2")], Verdict.PASS, "1 of 2 pairs are on one server"),
    "together": ([*pair("x", "ts1", "ts1"), *pair("y", "ts2", "ts2")], Verdict.NON_STRICT, "as if names were cut"),
    "all on one": ([*pair("x", "ts1", "ts1"), *pair("y", "ts1", "ts1")], Verdict.BLOCKED, "all users are on one server"),
    "not served": ([*pair("x", "ts1", "ts2"), *pair("y", "ts1", None)], Verdict.NON_STRICT, "closed without an answer"),
}


@pytest.mark.parametrize("events, verdict, observed", LONG.values(), ids=LONG.keys())
def test_long_names(events, verdict, observed):
    finding = long_names_are_told_apart(story(*events, servers=TWO))
    assert finding.verdict is verdict
    assert observed in finding.observed
