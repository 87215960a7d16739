"""RDP-SESS-06: what makes each verdict of `reload_keeps_sessions_and_users`. The reload is at second 1."""

import pytest
from evidence_rig import served, story, unserved
from session_rig import act, session

from lbcert.evidence.checks import reload_keeps_sessions_and_users
from lbcert.verdicts import Verdict

ALIVE = {"reloaded": True, "end": True}
HELD = [session("holder0", "ts1", 0, echoes=ALIVE), session("holder1", "ts2", 1, echoes=ALIVE)]
HOMES = {f"user{n}": f"ts{1 + n % 3}" for n in range(18)}
"""18 users, 6 on each of three servers: 17,153,136 ways to deal them out"""


def visits(placed: dict[str, str], label: str, t: float):
    return [served(user, server, t, label=label) for user, server in placed.items()]


def judged(held=HELD, homes=HOMES, back=None):
    back = visits(HOMES, "return", 3.0) if back is None else back
    return reload_keeps_sessions_and_users(story(*held, *visits(homes, "home", -3.0), act("reload", 1.0), *back))


CASES = {
    "gentle": ({}, Verdict.PASS, "2 of 2 sessions lived on; 18 of 18 users returned to their server"),
    "one-moved": ({"back": visits({**HOMES, "user4": "ts1"}, "return", 3.0)}, Verdict.NON_STRICT,
                  "17 of 18 users returned to their server. user user4 reached ts1 instead of ts2 after the reload"),
    "one-refused": ({"back": [*visits(HOMES, "return", 3.0)[1:], unserved("user0", "refused", 3.0, label="return")]}, Verdict.NON_STRICT,
                    "user user0, after the reload: refused"),
    "session-cut": ({"held": [HELD[0], session("holder1", "ts2", 1, echoes={"reloaded": False, "end": False},
                                               to_client={"fin_to_client": 1.2})]}, Verdict.NON_STRICT,
                    "user holder1 on ts2: the session was closed 0.20 s after the reload"),
    "session-cut-later": ({"held": [HELD[0], session("holder1", "ts2", 1, echoes={"reloaded": True, "end": False},
                                                     to_client={"rst_to_client": 4.0})]}, Verdict.NON_STRICT,
                          "1 of 2 sessions lived on"),
}  # fmt: skip


@pytest.mark.parametrize("change, verdict, observed", CASES.values(), ids=CASES.keys())
def test_reload(change, verdict, observed):
    finding = judged(**change)
    assert finding.verdict is verdict
    assert observed in finding.observed


ONE_SERVER = dict.fromkeys(HOMES, "ts1")
UNEVEN = {**ONE_SERVER, "user0": "ts2", "user1": "ts3"}
BLOCKED = {
    "one-server": ({"homes": ONE_SERVER}, "18 users on ts1 18, ts2 0, ts3 0: too uneven to tell persistence from chance"),
    "uneven": ({"homes": UNEVEN}, "18 users on ts1 16, ts2 1, ts3 1: too uneven"),
    "no-session": ({"held": [unserved("holder0", "closed", -5.0, label="held")]}, "1 of 1 users could not hold a session"),
    "no-data": ({"held": [session("holder0", "ts1", 0, echoes={"begin": False, **ALIVE})]}, "1 of 1 sessions carried no data"),
}


@pytest.mark.parametrize("change, reason", BLOCKED.values(), ids=BLOCKED.keys())
def test_too_little_to_judge(change, reason):
    finding = judged(**change)
    assert finding.verdict is Verdict.BLOCKED
    assert reason in finding.reason


def test_a_user_without_a_server_before_is_blocked_too():
    events = [*HELD, *visits(HOMES, "home", -3.0), unserved("lost", "closed", -3.0, label="home"), act("reload", 1.0),
              *visits(HOMES, "return", 3.0)]  # fmt: skip
    assert reload_keeps_sessions_and_users(story(*events)).verdict is Verdict.BLOCKED


@pytest.mark.parametrize("change, what", [({"held": []}, "held session"), ({"homes": {}}, "visit before"), ({"back": []}, "visit after")])
def test_a_phase_without_anybody_is_our_own_fault(change, what):
    with pytest.raises(ValueError, match=what):
        judged(**change)
