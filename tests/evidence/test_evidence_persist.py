"""RDP-PERSIST: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import served, story, unserved

from lbcert.evidence.checks import one_server_per_user, users_are_spread
from lbcert.verdicts import Verdict

TWO_HOMES = [served("ann", "ts1"), served("bob", "ts2"), served("ann", "ts1"), served("bob", "ts2")]

ONE_SERVER = {
    "kept": (TWO_HOMES, Verdict.PASS, "2 of 2 users were always on one server"),
    "split": ([*TWO_HOMES[:3], served("bob", "ts3")], Verdict.FAIL, "user bob was on ts2 1 times, ts3 1 times"),
    "lost-once": ([*TWO_HOMES[:3], unserved("bob", "closed")], Verdict.FAIL, "user bob from 10.1.0.1: closed without an answer"),
    "never-served": ([*TWO_HOMES[::2], unserved("bob", "timeout"), unserved("bob", "reset")], Verdict.FAIL,
                     "no answer in 15 s"),
    "all-on-one": ([served("ann", "ts1"), served("bob", "ts1"), served("ann", "ts1"), served("bob", "ts1")], Verdict.BLOCKED,
                   "all 2 users are on one server"),
    "answered-by-nobody-known": ([*TWO_HOMES[:3], [{**one, "server": None} for one in served("bob", "ts2")]], Verdict.FAIL,
                                 "answered, but not with the server's own Confirm"),
    "answered-in-the-same-moment": ([*TWO_HOMES[:3], served("bob", "ts2", took=0.0)], Verdict.PASS, "2 of 2"),
    "company-does-not-count": ([*TWO_HOMES, served("eve", "ts1", label="other"), served("eve", "ts2", label="other"),
                                unserved("joe", "reset", label="other")], Verdict.PASS, "2 of 2"),
    "server-knows-of-no-such-connection": ([*TWO_HOMES[:3], served("bob", "ts2", recorded_by="ts3")], Verdict.FAIL,
                                           "answered, but not with the server's own Confirm"),
    "somebody-elses-answer": ([*TWO_HOMES[:3], served("bob", "ts2", received=b"packet of ann")], Verdict.FAIL,
                              "answered, but not with the server's own Confirm"),
    "answered-before-the-server-had-it": ([*TWO_HOMES[:3], served("bob", "ts2", took=-1.0)], Verdict.FAIL,
                                          "answered, but not with the server's own Confirm"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", ONE_SERVER.values(), ids=ONE_SERVER.keys())
def test_one_server_per_user(events, verdict, observed):
    finding = one_server_per_user(story(*events), visits_each=2)
    assert finding.verdict is verdict
    assert observed in finding.observed
    assert bool(finding.reason) is (verdict is not Verdict.PASS)


def test_users_per_server_are_drawn():
    (figure,) = one_server_per_user(story(*TWO_HOMES), visits_each=2).figures
    assert figure["servers"] == {"ts1": 1, "ts2": 1, "ts3": 0}


@pytest.mark.parametrize("events", [[], TWO_HOMES[:3], [served("x", "ts1", label="other")]], ids=["none", "one-short", "only-company"])
def test_a_history_that_is_not_what_was_planned_is_no_verdict(events):
    with pytest.raises(ValueError, match="visit"):
        one_server_per_user(story(*events), visits_each=2)


@pytest.mark.parametrize("number, later", [(1, 4097), (4095, 8191), (4096, 8192)])
def test_numbers_that_repeat_after_4096_connections_are_told_apart(number, later):
    first = served("ann", "ts1", 0.0, conn=number)
    second = served("bob", "ts1", 60.0, conn=later)
    rest = [served("ann", "ts1", 90.0), served("bob", "ts1", 90.0), served("eve", "ts2"), served("eve", "ts2")]
    assert one_server_per_user(story(first, second, *rest), visits_each=2).verdict is Verdict.PASS


def family(label: str, **counts: int) -> list:
    users = [(server, number) for server, count in counts.items() for number in range(count)]
    return [served(f"{label}{server}{number}", server, label=label) for server, number in users]


SPREAD = {
    "three-at-the-lower-edge": (("ts1", "ts2", "ts3"), dict(ts1=36, ts2=64, ts3=100), Verdict.PASS),
    "three-one-below": (("ts1", "ts2", "ts3"), dict(ts1=35, ts2=65, ts3=100), Verdict.FAIL),
    "three-one-above": (("ts1", "ts2", "ts3"), dict(ts1=36, ts2=63, ts3=101), Verdict.FAIL),
    "two-at-both-edges": (("ts1", "ts2"), dict(ts1=66, ts2=134), Verdict.PASS),
    "two-beyond-both-edges": (("ts1", "ts2"), dict(ts1=65, ts2=135), Verdict.FAIL),
    "all-on-one": (("ts1", "ts2"), dict(ts1=200, ts2=0), Verdict.FAIL),
    "one-server-is-all-there-is": (("ts1",), dict(ts1=200), Verdict.PASS),
}


@pytest.mark.parametrize("servers, counts, verdict", SPREAD.values(), ids=SPREAD.keys())
def test_users_are_spread_within_the_exact_region(servers, counts, verdict):
    finding = users_are_spread(story(*family("names", **counts), servers=servers))
    assert finding.verdict is verdict
    assert finding.figures[0]["servers"] == counts


def test_every_family_counts_for_itself():
    even, odd = family("even", ts1=100, ts2=100), family("odd", ts1=0, ts2=200)
    finding = users_are_spread(story(*even, *odd, servers=("ts1", "ts2")))
    assert finding.verdict is Verdict.FAIL
    assert finding.reason == "odd: ts1 0, ts2 200, allowed 66 to 134 each"
    assert [figure["allowed"] for figure in finding.figures] == [[66, 134], [66, 134]]


def test_a_user_without_service_fails_the_family():
    events = [*family("names", ts1=100, ts2=99), unserved("late", "refused", label="names")]
    finding = users_are_spread(story(*events, servers=("ts1", "ts2")))
    assert (finding.verdict, finding.reason) == (Verdict.FAIL, "user late: refused")


def test_nobody_served_is_a_failure_and_nobody_at_all_is_no_verdict():
    finding = users_are_spread(story(unserved("ann", "closed")))
    assert finding.verdict is Verdict.FAIL and finding.observed.startswith("none of 1 users was served")
    with pytest.raises(ValueError, match="no visit"):
        users_are_spread(story())
