"""RDP-SESS-07: what makes each verdict of `keepalive_is_sent`."""

import pytest
from evidence_rig import event, story, unserved
from session_rig import session

from lbcert.evidence.checks import keepalive_is_sent
from lbcert.verdicts import Verdict

TO_CLIENT = {"keepalive_to_client": 1.0, "quiet_to_client": 1.0}
TO_SERVER = {"keepalive_to_server": 2.0, "quiet_to_server": 1.5}
LIVES = {"end": True}


def one(number: int, to_client=TO_CLIENT, at_server=TO_SERVER, echoes=LIVES):
    return session(f"user{number}", "ts1", number, echoes=echoes, to_client=to_client, at_server=at_server)


def timers(client: float | None, server: float | None, number: int = 2):
    """What the kernel of the DUT host says of the two connections of one session."""
    return event(0.0, "dut", "timers", connections=[
        {"local": ["192.168.0.10", 3389], "remote": ["10.1.0.1", 40000 + number], **_timer(client)},
        {"local": ["192.168.0.10", 50000 + number], "remote": ["192.168.0.11", 3389], **_timer(server)},
    ])  # fmt: skip


def _timer(due: float | None):
    return {"timer": "none", "due": 0.0} if due is None else {"timer": "keepalive", "due": due}


def judged(*events):
    return keepalive_is_sent(story(*events))


NONE_TO_CLIENT, NONE_TO_SERVER = dict(to_client={}), dict(at_server={})
CASES = {
    "both": ([one(1), one(2), timers(1.0, 1.0)], Verdict.PASS, "keepalive to the client on 2 of 2 silent sessions, the first after 1.00 s or less; "
             "keepalive to the server on 2 of 2 silent sessions, the first after 1.50 s or less"),
    "packets-decide-not-timers": ([one(1), one(2), timers(None, 7200.0)], Verdict.PASS, "2 of 2"),
    "not-to-a-client": ([one(1), one(2, **NONE_TO_CLIENT), timers(None, 1.0)], Verdict.NON_STRICT,
                        "user user2: no keepalive to the client, and the kernel will send none"),
    "not-to-a-server": ([one(1), one(2, **NONE_TO_SERVER), timers(1.0, None)], Verdict.NON_STRICT,
                        "user user2: no keepalive to the server, and the kernel will send none"),
    "two-hours": ([one(1), one(2, **NONE_TO_CLIENT), timers(7199.9, 1.0)], Verdict.NON_STRICT, "the kernel would send the first after 7,200 s"),
    "an-hour": ([one(1), one(2, **NONE_TO_SERVER), timers(1.0, 3600.0)], Verdict.NON_STRICT, "the kernel would send the first after 3,600 s"),
    "promised-but-not-seen": ([one(1), one(2, **NONE_TO_CLIENT), timers(1.0, 1.0)], Verdict.NON_STRICT,
                              "no keepalive to the client, though the kernel was to send one after 1.0 s"),
    "no-timers-known": ([one(1), one(2, **NONE_TO_CLIENT)], Verdict.NON_STRICT, "no keepalive to the client, and the kernel will send none"),
    "from-the-other-end": ([one(1), one(2, to_client={"keepalive_to_server": 1.0, "quiet_to_server": 1.0}), timers(None, 1.0)],
                           Verdict.NON_STRICT, "keepalive to the client on 1 of 2"),
    "ended": ([one(1), one(2, echoes={"end": False}), timers(1.0, 1.0)], Verdict.NON_STRICT, "user user2 on ts1: the silent session was ended"),
    "later-than-a-test-waits": ([one(1), one(2, **NONE_TO_CLIENT), timers(300.0, 1.0)], Verdict.NOT_RUN,
                                "keepalives are due after 300 s of silence, longer than this test waits (20 s)"),
    "later-here-never-there": ([one(1), one(2, to_client={}, at_server={}), timers(300.0, None)], Verdict.NON_STRICT,
                               "no keepalive to the server, and the kernel will send none"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", CASES.values(), ids=CASES.keys())
def test_keepalive(events, verdict, observed):
    finding = judged(*events)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_a_setting_never_makes_a_pass():
    assert judged(one(2, to_client={}, at_server={}), timers(1.0, 1.0)).verdict is Verdict.NON_STRICT


@pytest.mark.parametrize(
    "events, reason",
    [
        ([unserved("user1", "closed", -5.0, label="held")], "1 of 1 users could not hold a session"),
        ([one(1, echoes={"begin": False, "end": False})], "1 of 1 sessions carried no data"),
    ],
    ids=["no-service", "no-data"],
)
def test_without_a_session_nothing_is_said(events, reason):
    finding = judged(*events)
    assert finding.verdict is Verdict.BLOCKED
    assert reason in finding.reason


def test_what_it_rests_on_is_told():
    good, bad = judged(one(1)), judged(one(1, **NONE_TO_CLIENT))
    assert (good.silence, bad.silence) == (False, True)
    assert [(m["id"], m["value"]) for m in good.measurements] == [("keepalive-after", 1.5)]
