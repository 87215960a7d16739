"""RDP-FAIL-07: all servers die at second 0 and are back at second 20; they must be used from second 29 on."""

import pytest
from evidence_rig import at, event, served, story, unserved

from lbcert.evidence.checks import total_loss_is_answered
from lbcert.verdicts import Verdict

LOSS = [event(0.0, "lab", "fault", fault=fault, server=name) for name, fault in (("ts1", "crash"), ("ts2", "dark"), ("ts3", "crash"))]
RETURN = [event(20.0, "lab", "restore", fault="crash", server=name) for name in ("ts1", "ts2", "ts3")]
BACK = [served("ann", "ts1", 29.5, label="back"), served("new", "ts2", 29.6, label="back")]
WAITING = [unserved("early", "reset", 21.0, label="waiting"), served("later", "ts3", 24.0, label="waiting")]


def told(user, outcome, t, after, source):
    """A client that is turned away at t + after, as the capture on its link tells it."""
    key = "fin_to_client" if outcome == "closed" else "rst_to_client"
    flow = event(t, "capture", "flow", link="client:eth0", client=source, cport=40000, syn=at(t), **{key: at(t + after)})
    return [unserved(user, outcome, t, label="lost", source=source), flow]


def judged(*lost, back=BACK, waiting=WAITING):
    return total_loss_is_answered(story(LOSS, RETURN, *lost, *waiting, *back))


CASES = {
    "closed": ([told("ann", "closed", 14.0, 0.1, "10.1.0.1")], Verdict.PASS, "1 of 1 clients were turned away"),
    "reset": ([told("ann", "reset", 14.0, 2.0, "10.1.0.1")], Verdict.PASS, "the slowest after 2.00 s"),
    "closed-late": ([told("ann", "closed", 14.0, 2.01, "10.1.0.1")], Verdict.FAIL, "user ann with no server left: closed only after 2.01 s"),
    "hanging": ([unserved("ann", "timeout", 14.0, label="lost")], Verdict.FAIL, "no answer in 15 s"),
    "nobody-home": ([unserved("ann", "unreachable", 14.0, label="lost")], Verdict.FAIL, "unreachable"),
    "fallback": ([served("ann", "ts3", 14.0, took=1.0, label="lost")], Verdict.PASS, "1 served by a fallback"),
    "fallback-late": ([served("ann", "ts3", 14.0, took=2.5, label="lost")], Verdict.FAIL, "answered only after 2.50 s"),
    "an-earlier-close-from-there": (
        [told("ann", "closed", 14.0, 3.0, "10.1.0.1"), event(0.0, "capture", "flow", link="client:eth0", client="10.1.0.1", cport=40000,
                                                             syn=at(1.0), fin_to_client=at(1.1))],
        Verdict.FAIL, "only after 3.00 s"),
}  # fmt: skip


@pytest.mark.parametrize("lost, verdict, observed", CASES.values(), ids=CASES)
def test_clients_are_told_within_two_seconds(lost, verdict, observed):
    finding = judged(*lost)
    assert finding.verdict is verdict
    assert observed in finding.observed


TOLD = told("ann", "closed", 14.0, 0.1, "10.1.0.1")


def test_service_that_does_not_return_is_a_failure():
    finding = judged(TOLD, back=[BACK[0], unserved("new", "reset", 29.6, label="back")])
    assert (finding.verdict, finding.reason) == (Verdict.FAIL, "user new, 9.60 s after the servers' return: reset without an answer")


def test_a_server_that_gets_nobody_any_more_is_a_failure():
    used = [served("eve", server, -5.0, label="settle") for server in ("ts1", "ts2", "ts3")]
    finding = judged(TOLD, *used)
    assert (finding.verdict, finding.reason) == (
        Verdict.FAIL, "ts3 got none of the 2 users who came when all servers had to be used again")  # fmt: skip
    assert judged(TOLD, *used[:2]).verdict is Verdict.PASS


def test_waiting_clients_are_not_judged_but_shown():
    (figure,) = judged(TOLD, waiting=WAITING[:1]).figures
    assert [row["role"] for row in figure["events"]] == ["fault", "limit", "other"]
    (figure,) = judged(TOLD).figures
    assert (24.01, "return") in [(row["t"], row["role"]) for row in figure["events"]]


@pytest.mark.parametrize("lost, back", [([], BACK), ([TOLD], [])])
def test_without_visits_there_is_no_verdict(lost, back):
    with pytest.raises(ValueError, match="the history holds no visit"):
        judged(*lost, back=back)
