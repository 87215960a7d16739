"""From faults to a finding, and when our own lateness or losses take a finding back."""

from types import SimpleNamespace

import pytest
from evidence_rig import at, event, story

from lbcert.evidence.finding import Finding, Tally
from lbcert.lab import LAG_SHARE, Lab
from lbcert.verdicts import Verdict


def test_without_faults_it_is_a_pass_without_a_reason():
    finding = Tally("all is well").finding("9 of 9", margin=1.0)
    assert finding == Finding(Verdict.PASS, "all is well", "9 of 9", margin=1.0)


@pytest.mark.parametrize(
    "count, observed",
    [(1, "n. f0"), (5, "n. f0; f1; f2; f3; f4"), (6, "n. f0; f1; f2; f3; f4; and 1 more"), (99, "n. f0; f1; f2; f3; f4; and 94 more")],
)
def test_the_first_faults_are_shown_and_the_rest_counted(count, observed):
    finding = Tally("e", [f"f{number}" for number in range(count)]).finding("n")
    assert (finding.verdict, finding.observed, finding.reason) == (Verdict.FAIL, observed, "f0")


def test_a_should_is_non_strict():
    assert Tally("e", ["f"]).finding("n", Verdict.NON_STRICT).verdict is Verdict.NON_STRICT
    assert Tally("e").finding("n", Verdict.NON_STRICT).verdict is Verdict.PASS


def trusted(finding: Finding, *events) -> Finding:
    return Lab._trusted(SimpleNamespace(history=story(*events)), finding)


def lag(ended: float, late: float, who: str = "harness"):
    return event(100.0, who, "lag", lags=[[at(ended), late]])


def counts(dropped: int):
    return event(100.0, "capture", "counts", packets=1000, dropped=dropped)


def finding(verdict=Verdict.PASS, **more) -> Finding:
    return Finding(verdict, "expected", "observed", **more)


BOUND = dict(window=(at(0.0), at(10.0)), margin=1.0)


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.FAIL, Verdict.NON_STRICT])
def test_silence_does_not_count_where_packets_were_lost(verdict):
    judged = trusted(finding(verdict, silence=True), counts(3))
    assert (judged.verdict, judged.reason) == (Verdict.HARNESS_ERROR, "the capture lost 3 packets")
    assert judged.observed == "the capture lost 3 packets. observed"


@pytest.mark.parametrize(
    "judged, events",
    [
        (finding(silence=True), [counts(0)]),
        (finding(silence=False), [counts(3)]),
        (finding(silence=True), [counts(3), counts(0)]),
        (finding(Verdict.BLOCKED, silence=True), [counts(3)]),
        (finding(Verdict.NOT_RUN, silence=True, **BOUND), [counts(3), lag(5.0, 2.0)]),
        (finding(**BOUND), [lag(5.0, LAG_SHARE)]),
        (finding(**BOUND), [lag(-0.1, 9.0)]),
        (finding(**BOUND), [lag(10.4, 0.3)]),
        (finding(window=None, margin=1.0), [lag(5.0, 9.0)]),
    ],
    ids=["nothing-lost", "not-about-silence", "the-last-count-counts", "blocked-anyway", "not-run-anyway", "a-quarter-of-the-margin",
         "before-the-window", "began-after-the-window", "no-window"],
)  # fmt: skip
def test_it_stands(judged, events):
    assert trusted(judged, *events) is judged


@pytest.mark.parametrize(
    "events",
    [
        [lag(5.0, 0.26)],
        [lag(0.0, 0.3)],
        [lag(10.2, 0.3)],
        [lag(200.0, 195.0)],
        [lag(5.0, 0.01), lag(5.0, 0.3, "ts1")],
        [lag(5.0, 0.3, "lab")],
    ],
    ids=["inside", "ends-at-the-beginning", "begins-before-the-end", "lasts-for-ever", "of-a-mock-server", "of-the-broker"],
)
def test_a_lag_inside_the_window_takes_it_back(events):
    judged = trusted(finding(Verdict.FAIL, **BOUND), *events)
    assert judged.verdict is Verdict.HARNESS_ERROR
    assert judged.reason.startswith("machine too slow: the harness woke up ") and "allowed 0.250 s" in judged.reason
