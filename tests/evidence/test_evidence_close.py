"""RDP-SESS-02: what makes each verdict of `departures_are_passed_on`. The clients leave at second 1."""

import pytest
from evidence_rig import at, event, story, unserved
from session_rig import session

from lbcert.evidence.checks import departures_are_passed_on
from lbcert.verdicts import Verdict


def closer(number: int, told: float | None, how: str = "fin", server: str = "ts1", **more):
    at_server = {} if told is None else {f"{how}_to_server": told}
    return session(f"closer{number}", server, number, label="fin", to_client={"fin_to_server": 1.0}, at_server=at_server, **more)


def crasher(number: int, told: float | None, how: str = "rst", server: str = "ts2", **more):
    at_server = {} if told is None else {f"{how}_to_server": told}
    return session(f"crasher{number}", server, number, label="rst", to_client={"rst_to_server": 1.0}, at_server=at_server, **more)


def judged(*events):
    return departures_are_passed_on(story(*events))


CASES = {
    "at-once": ([closer(1, 1.001), crasher(2, 1.002)], Verdict.PASS, "FIN: 1 of 1 reached the server, the slowest after 0.001 s; RST: 1 of 1"),
    "a-reset-becomes-a-fin": ([closer(1, 1.001), crasher(2, 1.001, "fin")], Verdict.PASS, "RST: 1 of 1 reached the server"),
    "a-fin-becomes-a-reset": ([closer(1, 1.001, "rst"), crasher(2, 1.001)], Verdict.PASS, "FIN: 1 of 1 reached the server"),
    "at-the-limit": ([closer(1, 2.0), crasher(2, 2.0)], Verdict.PASS, "the slowest after 1.000 s"),
    "fin-late": ([closer(1, 2.01), crasher(2, 1.001)], Verdict.FAIL, "user closer1 on ts1: the FIN reached the server after 1.01 s"),
    "reset-late": ([closer(1, 1.001), crasher(2, 4.0)], Verdict.FAIL, "user crasher2 on ts2: the RST reached the server after 3.00 s"),
    "fin-never": ([closer(1, None), crasher(2, 1.001)], Verdict.FAIL, "user closer1 on ts1: the FIN never reached the server"),
    "reset-never": ([closer(1, 1.001), crasher(2, None)], Verdict.FAIL, "user crasher2 on ts2: the RST never reached the server"),
    "one-of-many": ([*(closer(n, 1.001) for n in range(3, 9)), closer(1, None), crasher(2, 1.001)], Verdict.FAIL, "FIN: 6 of 7 reached"),
    "closed-before": ([closer(1, 0.5), crasher(2, 1.001)], Verdict.FAIL, "closed towards the server 0.50 s before the client left"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", CASES.values(), ids=CASES.keys())
def test_departures(events, verdict, observed):
    finding = judged(*events)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_the_servers_own_close_is_no_news_for_it():
    events = session("closer1", "ts1", 1, label="fin", to_client={"fin_to_server": 1.0}, at_server={"fin_to_client": 1.1})
    assert judged(events, crasher(2, 1.001)).verdict is Verdict.FAIL


def test_another_connection_from_the_same_port_is_not_meant():
    earlier = event(-9.0, "capture", "flow", link="ts1:eth0", client="192.168.0.10", cport=50001, fin_to_server=at(1.001))
    later = event(5.0, "capture", "flow", link="ts1:eth0", client="192.168.0.10", cport=50001, fin_to_server=at(1.001))
    assert "the FIN never" in judged(earlier, closer(1, None), later, crasher(2, 1.001)).observed


BLOCKED = {
    "no-service": ([unserved("closer1", "closed", -5.0, label="fin"), crasher(2, 1.001)], "1 of 2 users could not hold a session"),
    "no-data": ([closer(1, 1.001, echoes={"begin": False}), crasher(2, 1.001)], "1 of 2 sessions carried no data"),
}


@pytest.mark.parametrize("events, reason", BLOCKED.values(), ids=BLOCKED.keys())
def test_without_a_session_nothing_is_said(events, reason):
    finding = judged(*events)
    assert finding.verdict is Verdict.BLOCKED
    assert reason in finding.reason


@pytest.mark.parametrize("events", [[crasher(2, 1.001)], [closer(1, 1.001)], []], ids=["no-fin", "no-reset", "nobody"])
def test_both_kinds_must_have_been_seen(events):
    with pytest.raises(ValueError, match="the history holds no visit"):
        judged(*events)


def test_a_capture_without_the_clients_packet_is_our_own_fault():
    silent = session("closer1", "ts1", 1, label="fin", at_server={"fin_to_server": 1.0})
    with pytest.raises(ValueError, match="the capture holds no FIN of user closer1"):
        judged(silent, crasher(2, 1.001))


def test_what_it_rests_on_is_told():
    finding = judged(closer(1, 1.25), crasher(2, 1.001))
    assert finding.window == (at(1.0), at(3.0)) and finding.margin == 1.0 and finding.silence
    (measured,) = finding.measurements
    assert (measured["id"], measured["value"], measured["unit"]) == ("close-passed-on", 0.25, "s")
