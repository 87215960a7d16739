"""RDP-SESS-04: what makes each verdict of `drain_harms_nobody`. ts1 is drained at second 1 and put back at second 5."""

import pytest
from evidence_rig import served, story, unserved
from session_rig import act, session

from lbcert.evidence.checks import drain_harms_nobody
from lbcert.verdicts import Verdict

ALIVE = {"drained": True, "end": True}
ACTS = [act("drain", 1.0, "ts1"), act("ready", 5.0, "ts1")]
NEW = [served(f"new{n}", f"ts{2 + n % 2}", 2.0, label="new") for n in range(10)]
KNOWN = [served("user0-ts1", "ts1", 3.0, label="known")]
BACK = [served("late0", "ts2", 6.0, label="back"), served("late1", "ts1", 6.0, label="back")]


def held(*, but: dict[int, dict] | None = None, per_server: int = 20, servers: int = 3):
    """That many sessions on each server; `but` holds what differs, by number (20 to 39 are on ts2)."""
    made = []
    for number in range(per_server * servers):
        more = {"echoes": ALIVE, **(but or {}).get(number, {})}
        made += session(f"user{number}", f"ts{1 + number // per_server}", number, **more)
    return made


def judged(*, sessions=None, new=NEW, known=KNOWN, back=BACK):
    return drain_harms_nobody(story(sessions or held(), *ACTS, *new, *known, *back))


CUT = {"drained": False, "end": False}
CASES = {
    "gentle": ({}, Verdict.PASS, "60 of 60 sessions lived on; 0 of 10 new users reached ts1 while it was drained, 1 of 1 of its own users did; "
                                 "1 of 2 new users reached it afterwards"),
    "its-users-go-elsewhere": ({"known": [served("user0", "ts2", 3.0, label="known")]}, Verdict.PASS, "0 of 1 of its own users did"),
    "cut-there": ({"sessions": held(but={3: {"echoes": CUT, "to_client": {"rst_to_client": 1.5}}})}, Verdict.FAIL,
                  "59 of 60 sessions lived on; 0 of 10 new users"),
    "cut-there-in-words": ({"sessions": held(but={3: {"echoes": CUT, "to_client": {"rst_to_client": 1.5}}})}, Verdict.FAIL,
                           "user user3 on ts1: the session was closed 0.50 s after the drain"),
    "cut-elsewhere": ({"sessions": held(but={25: {"echoes": CUT, "at_server": {"fin_to_server": 1.2}}})}, Verdict.FAIL,
                      "user user25 on ts2: the session was closed 0.20 s after the drain"),
    "cut-when-put-back": ({"sessions": held(but={25: {"echoes": {"drained": True, "end": False}, "to_client": {"fin_to_client": 5.1}}})},
                          Verdict.FAIL, "user user25 on ts2: the session was closed 0.10 s after the ready"),
    "deaf": ({"sessions": held(but={3: {"echoes": CUT}})}, Verdict.FAIL, "user3 on ts1: the session carries no data any more, though nobody closed"),
    "closed-before": ({"sessions": held(but={3: {"echoes": CUT, "to_client": {"fin_to_client": 0.5}}})}, Verdict.FAIL,
                      "user3 on ts1: the session was closed before the administrator did anything"),
    "a-new-user-there": ({"new": [*NEW, served("new11", "ts1", 2.0, label="new")]}, Verdict.FAIL, "1 of 11 new users reached ts1 while it was drained"),
    "a-new-user-nowhere": ({"new": [*NEW, unserved("new11", "closed", 2.0, label="new")]}, Verdict.FAIL,
                           "user new11, while ts1 was drained: closed without an answer"),
    "its-user-nowhere": ({"known": [unserved("user0", "reset", 3.0, label="known")]}, Verdict.FAIL, "user user0, while ts1 was drained: reset"),
    "never-used-again": ({"back": BACK[:1]}, Verdict.FAIL, "ts1 got none of 1 new users after it was put back"),
}  # fmt: skip


@pytest.mark.parametrize("change, verdict, observed", CASES.values(), ids=CASES.keys())
def test_drain(change, verdict, observed):
    finding = judged(**change)
    assert finding.verdict is verdict
    assert observed in finding.observed


BLOCKED = {
    "too-few": (held(per_server=19), "sessions on ts1 19, ts2 19, ts3 19 of 20 that are needed on each server, which RDP-PERSIST-03 is about"),
    "none-elsewhere": (held(servers=1), "sessions on ts2 0, ts3 0 of 20"),
    "no-service": ([*held(), unserved("user99", "closed", -5.0, label="held")], "1 of 61 users could not hold a session"),
    "no-data": (held(but={7: {"echoes": {"begin": False, **ALIVE}}}), "1 of 60 sessions carried no data before anything was done"),
}


@pytest.mark.parametrize("sessions, reason", BLOCKED.values(), ids=BLOCKED.keys())
def test_too_little_to_judge(sessions, reason):
    finding = judged(sessions=sessions)
    assert finding.verdict is Verdict.BLOCKED
    assert reason in finding.reason


@pytest.mark.parametrize("change, what", [({"new": []}, "new user while"), ({"back": []}, "new user after")])
def test_a_phase_without_users_is_our_own_fault(change, what):
    with pytest.raises(ValueError, match=what):
        judged(**change)
