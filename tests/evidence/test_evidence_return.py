"""RDP-FAIL-06: what makes each verdict of `return_rule_is_kept`. ts1 crashes at second 0 and is back at second 20."""

import pytest
from evidence_rig import attempts, event, marks, served, story, unserved

from lbcert.evidence.checks import return_rule_is_kept
from lbcert.verdicts import Verdict

CRASH = event(0.0, "lab", "fault", fault="crash", server="ts1")
RESTORE = event(20.0, "lab", "restore", fault="crash", server="ts1")
WINDOWS = marks(busy=10.0, quiet=12.0, end=14.0)
MOVED = [served("ann", "ts2", 8.0, label="moved"), served("bob", "ts3", 8.0, label="moved")]
FRESH = [served("new", "ts2", 22.0, label="fresh"), served("newer", "ts1", 25.0, label="fresh")]
WENT_BACK = [served("ann", "ts1", 30.0, label="back"), served("bob", "ts1", 30.0, label="back")]
STAYED = [served("ann", "ts2", 30.0, label="back"), served("bob", "ts3", 30.0, label="back")]


def judged(*back, returns, fresh=FRESH, more=()):
    return return_rule_is_kept(story(CRASH, RESTORE, WINDOWS, *MOVED, *fresh, *back, *more, returns=returns))


CASES = {
    "all-back": (WENT_BACK, True, Verdict.PASS, "2 of 2 users followed the declared rule"),
    "all-stayed": (STAYED, False, Verdict.PASS, "2 of 2"),
    "one-stayed": ([WENT_BACK[0], STAYED[1]], True, Verdict.FAIL, "user bob reached ts3 instead of ts1"),
    "one-went-back": ([STAYED[0], WENT_BACK[1]], False, Verdict.FAIL, "user bob reached ts1 instead of ts3"),
    "one-to-the-third": ([STAYED[0], served("bob", "ts2", 30.0, label="back")], False, Verdict.FAIL, "reached ts2 instead of ts3"),
    "one-lost": ([WENT_BACK[0], unserved("bob", "refused", 30.0, label="back")], True, Verdict.FAIL, "user bob: refused"),
    "undeclared-means-stay": (STAYED, None, Verdict.PASS, "2 of 2"),
}


@pytest.mark.parametrize("back, returns, verdict, observed", CASES.values(), ids=CASES.keys())
def test_the_declared_rule_is_kept_by_all(back, returns, verdict, observed):
    finding = judged(*back, returns=returns)
    assert finding.verdict is verdict
    assert observed in finding.observed


SETTLED = [served("cid", "ts2", -5.0, label="settle"), served("dan", "ts3", -5.0, label="settle")]
BYSTANDERS = {
    "stay": ("ts2", "ts2", Verdict.PASS, "4 of 4 visits of other servers' users reached theirs"),
    "moved-when-it-died": ("ts3", "ts2", Verdict.FAIL, "user cid of ts2 was moved to ts3 while ts1 was dead"),
    "moved-when-it-returned": ("ts2", "ts1", Verdict.FAIL, "user cid of ts2 was moved to ts1 after ts1 had returned"),
    "lost": (None, "ts2", Verdict.FAIL, "user cid of ts2, while ts1 was dead: reset without an answer"),
}


@pytest.mark.parametrize("dead, back, verdict, observed", BYSTANDERS.values(), ids=BYSTANDERS)
def test_users_of_other_servers_stay_where_they_are(dead, back, verdict, observed):
    meanwhile = served("cid", dead, 9.0, label="others") if dead else unserved("cid", "reset", 9.0, label="others")
    more = [*meanwhile] if dead else [meanwhile]
    more += [*served("dan", "ts3", 9.0, label="others")]
    more += [*served("cid", back, 30.0, label="others back"), *served("dan", "ts3", 30.0, label="others back")]
    finding = judged(*STAYED, returns=False, more=[*[one for each in SETTLED for one in each], *more])
    assert finding.verdict is verdict
    assert observed in f"{finding.observed}; {finding.reason}"


def test_a_server_that_is_never_used_again_is_a_failure():
    finding = judged(*STAYED, returns=False, fresh=FRESH[:1])
    assert (finding.verdict, finding.reason) == (Verdict.FAIL, "ts1 got no new user after it had returned")


@pytest.mark.parametrize(
    "more, reason",
    [
        (attempts("ts1:eth0", 10.1, 10.2, 10.3), "ts1 was never taken out of the pool"),
        ([unserved("joe", "closed", 12.5, label="after")], "1 of 1 users got no service after the detection limit"),
    ],
    ids=["still-in-the-pool", "no-service"],
)
def test_without_a_move_there_is_no_return(more, reason):
    finding = judged(*WENT_BACK, returns=True, more=more)
    assert finding.verdict is Verdict.BLOCKED
    assert reason in finding.reason


def test_without_a_user_who_came_back_there_is_no_verdict():
    with pytest.raises(ValueError, match="no visit of a user who came back"):
        judged(returns=True)


def test_the_timeline_shows_fault_move_return():
    (figure,) = judged(*WENT_BACK, returns=True).figures
    assert [(row["t"], row["role"]) for row in figure["events"]] == [(0.0, "fault"), (8.01, "served"), (20.0, "other"), (25.01, "return")]
