"""RDP-FAIL-09: ts1 crashes at second 0; its users come, come again at second 1.1 to 1.2; other users of it from 1.3 to 1.4."""

import pytest
from evidence_rig import attempts, event, marks, served, story, unserved

from lbcert.evidence.checks import moved_users_go_straight
from lbcert.verdicts import Verdict

CRASH = event(0.0, "lab", "fault", fault="crash", server="ts1")
MARKS = [event(t, "harness", "mark", name=name)
         for t, name in ((1.1, "again"), (1.2, "again-over"), (1.3, "control"), (1.4, "control-over"))]  # fmt: skip
FIRST = [served("ann", "ts2", 0.01, took=1.0, label="first"), served("bob", "ts3", 0.01, took=1.0, label="first")]
SECOND = [served("ann", "ts2", 1.11, label="second"), served("bob", "ts3", 1.11, label="second")]
IN_POOL = attempts("ts1:eth0", 1.31, 1.32, 1.33)
BLOCKED = Verdict.BLOCKED


def judged(*more, first=FIRST, second=SECOND, control=IN_POOL, returns=False, **setup):
    return moved_users_go_straight(story(CRASH, MARKS, *first, *second, *control, *more, returns=returns, **setup))


CASES = {
    "straight": (dict(), Verdict.PASS, "2 of 2 second connections"),
    "two-checks-meanwhile": (dict(control=[*IN_POOL, *attempts("ts1:eth0", 1.11, 1.15)]), Verdict.PASS, "2 connections to ts1"),
    "dead-server-tried": (dict(control=attempts("ts1:eth0", 1.11, 1.12, 1.13)), Verdict.FAIL, "3 connections were opened to ts1"),
    "tried-before-and-after": (dict(control=attempts("ts1:eth0", 0.1, 0.2, 0.3, 1.09, 1.2, 1.3, 1.31)), Verdict.PASS, "0 connections"),
    "elsewhere-tried": (dict(control=attempts("ts2:eth0", 1.11, 1.12, 1.13)), Verdict.PASS, "0 connections"),
    "to-a-third": (dict(second=[SECOND[0], served("bob", "ts2", 1.11, label="second")]), Verdict.FAIL, "user bob, second connection: ts2 "
                   "instead of ts3"),
    "lost": (dict(second=[SECOND[0], unserved("bob", "closed", 1.11, label="second")]), Verdict.FAIL, "closed without an answer"),
    "first-not-served": (dict(first=[FIRST[0], unserved("bob", "closed", 0.01, label="first")]), BLOCKED, "1 of 2 users of ts1 were not"),
    "fast-checks": (dict(control=[*IN_POOL, *attempts("ts1:eth0", *[1.1 + n / 100 for n in range(5)])], check={"inter": 0.03, "fall": 3, "rise": 2}),
                    Verdict.PASS, "5 can have been"),
}  # fmt: skip


@pytest.mark.parametrize("change, verdict, observed", CASES.values(), ids=CASES)
def test_the_second_connection_goes_straight(change, verdict, observed):
    finding = judged(**change)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_it_says_whether_the_server_was_still_in_the_pool():
    assert "still in the pool after that" in judged().observed
    assert "not tried any more after that" in judged(control=[]).observed


def test_both_connections_of_each_user_are_on_the_curve():
    timeline, curve = judged().figures
    assert [event["label"] for event in timeline["events"]] == [
        "ts1 crashed", "first user served elsewhere", "all moved users connect again"]  # fmt: skip
    assert [(visit["t"], visit["server"]) for visit in curve["visits"]] == [
        (0.01, "ts2"), (0.01, "ts3"), (1.11, "ts2"), (1.11, "ts3")]  # fmt: skip


QUICK = {"inter": 0.4, "fall": 3, "rise": 2}
"""marked down after 0.8 s at the earliest"""


def test_too_late_through_the_product_is_a_pass():
    assert judged(control=[], check=QUICK).verdict is Verdict.PASS


def test_too_late_through_our_own_fault_is_none():
    late = [served(user, server, 0.6, took=0.4, label="first") for user, server in (("ann", "ts2"), ("bob", "ts3"))]
    assert judged(first=late, control=[], check=QUICK).verdict is Verdict.HARNESS_ERROR
    assert judged(first=late, check=QUICK).verdict is Verdict.PASS, "the others show that it was in time"


def test_a_product_that_sends_users_back_must_have_noticed():
    windows = marks(busy=-4, quiet=-2, end=0)
    assert judged(windows, returns=True).verdict is Verdict.PASS
    finding = judged(windows, attempts("ts1:eth0", -3.9, -3.8, -3.7), returns=True)
    assert (finding.verdict, "never taken out" in finding.reason) == (BLOCKED, True)


def test_without_second_visits_there_is_no_verdict():
    with pytest.raises(ValueError, match="no second visit"):
        judged(second=[])
