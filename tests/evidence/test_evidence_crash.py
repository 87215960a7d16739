"""RDP-FAIL-01: what makes each verdict of `dead_server_is_left`. ts1 crashes at second 0; detection ends at 6 s."""

import pytest
from evidence_rig import CHECK, at, attempts, event, marks, served, story, unserved

from lbcert.evidence.checks import dead_server_is_left
from lbcert.verdicts import Verdict

CRASH = event(0.0, "lab", "fault", fault="crash", server="ts1")
WINDOWS = marks(busy=7.0, quiet=9.0, end=11.0)
DURING = [served("ann", "ts2", 0.1, label="during"), served("bob", "ts3", 5.9, label="during")]
AFTER = [served("ann", "ts2", 9.5, label="after"), served("eve", "ts3", 10.0, label="after")]


def crash(*more, during=DURING, after=AFTER, **setup):
    return story(CRASH, WINDOWS, *during, *after, *more, **setup)


@pytest.mark.parametrize("took, verdict", [(0.01, Verdict.PASS), (4.99, Verdict.PASS), (5.0, Verdict.PASS), (5.01, Verdict.FAIL)])
def test_a_confirm_may_take_five_seconds(took, verdict):
    finding = dead_server_is_left(crash(during=[served("ann", "ts2", 1.0, took=took, label="during")]))
    assert finding.verdict is verdict
    assert ("Confirm only after 5.01 s" in finding.observed) is (verdict is Verdict.FAIL)


@pytest.mark.parametrize("outcome, words", [("closed", "closed without an answer"), ("refused", "refused"), ("timeout", "no answer")])
@pytest.mark.parametrize("label, t", [("during", 3.0), ("after", 9.7)])
def test_a_user_without_service_is_a_failure(outcome, words, label, t):
    finding = dead_server_is_left(crash(unserved("joe", outcome, t, label=label)))
    assert finding.verdict is Verdict.FAIL
    assert finding.reason == f"user joe, {t:.2f} s after the crash: {words}" + (" in 15 s" if outcome == "timeout" else "")


@pytest.mark.parametrize(
    "quiet, busy, verdict",
    [(0, 0, Verdict.PASS), (1, 3, Verdict.PASS), (0, 2, Verdict.PASS), (0, 3, Verdict.FAIL), (20, 22, Verdict.PASS), (20, 23, Verdict.FAIL)],
)
def test_attempts_beyond_the_health_checks_are_a_failure(quiet, busy, verdict):
    tried = attempts("ts1:eth0", *[9.0 + n / 50 for n in range(quiet)], *[7.0 + n / 50 for n in range(busy)])
    finding = dead_server_is_left(crash(*tried))
    assert finding.verdict is verdict
    assert f"attempts at ts1 after the limit: {quiet} without users, {busy} with 2 users" in finding.observed


def test_attempts_elsewhere_and_outside_the_windows_do_not_count():
    tried = [*attempts("ts2:eth0", 9.1, 9.2, 9.3, 9.4), *attempts("ts1:eth0", 1.0, 2.0, 3.0, 6.9, 11.0, 12.0)]
    assert "0 without users, 0 with" in dead_server_is_left(crash(*tried)).observed


@pytest.mark.parametrize(
    "change, verdict",
    [(dict(inter=5.0, fall=3), Verdict.PASS), (dict(inter=5.1, fall=3), Verdict.FAIL), (dict(inter=2.0, fall=8), Verdict.FAIL)],
    ids=["at-the-ceiling", "beyond", "many-checks"],
)
def test_a_declared_detection_beyond_15_s_is_a_failure(change, verdict):
    finding = dead_server_is_left(crash(check={**CHECK, **change}))
    assert finding.verdict is verdict
    assert ("beyond the ceiling of 15 s" in finding.reason) is (verdict is Verdict.FAIL)


def test_undeclared_checks_are_held_to_the_ceiling():
    assert "from 7.5 s + 1 s on" in dead_server_is_left(crash(check=None)).expected


def test_without_a_visit_since_the_fault_there_is_no_verdict():
    with pytest.raises(ValueError, match="no visit since the fault"):
        dead_server_is_left(crash(served("ann", "ts1", -5.0, label="settle"), during=[], after=[]))


def test_what_it_rests_on_is_told():
    finding = dead_server_is_left(crash())
    assert finding.window == (at(0.0), at(11.0)) and finding.margin == 1.0 and finding.silence


def test_the_timeline_shows_the_last_user_who_had_to_wait():
    finding = dead_server_is_left(crash(during=[*DURING, served("joe", "ts2", 4.0, took=2.0, label="during")]))
    figure, answers = finding.figures
    assert [(row["t"], row["role"]) for row in figure["events"]] == [(0.0, "fault"), (0.11, "served"), (4.0, "detection"), (7.0, "limit")]
    assert {"t": 4.0, "took": 2.0, "server": "ts2"} in answers["visits"]
    assert "delayed (over 0.5 s) or refused: 1, the last one 4.00 s after the crash" in finding.observed
