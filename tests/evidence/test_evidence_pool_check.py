"""OCS-FAIL-01 and -03: what makes each verdict of `refusal_is_found` and `hung_front_end_is_left`.

fe1's SIP ports refuse, or it hangs, at second 0; detection ends at 6 s, or 12 s.
"""

import pytest
from evidence_rig import CHECK, marks
from outage_rig import call, fault, mark, opened, pool

from lbcert.evidence.checks import hung_front_end_is_left, refusal_is_found
from lbcert.evidence.checks.outage import Attempts
from lbcert.verdicts import Verdict

REFUSED = fault("fe1", how="refuse", ports=[5060, 5061])
WINDOWS = marks(busy=7.1, quiet=9.0, end=11.0)
CHECKS = [opened(name, 5061, *[-7.5 + 2 * n for n in range(4)]) for name in ("fe1", "fe2", "fe3")]
AFTER = [call("10.1.0.1", "fe2", 7.2, label="after"), call("10.1.0.2", "fe3", 8.0, label="after", service="focus")]


def refusal(*more, seen=CHECKS, after=AFTER, **setup):
    return refusal_is_found(pool(mark("watch", -8.0), *seen, mark("settle", -0.5), opened("fe3", 5061, -0.1), REFUSED, *WINDOWS, *after, *more, **setup))


@pytest.mark.parametrize(
    "more, verdict, words",
    [
        ({}, Verdict.PASS, "checks by port in 7.5 s: 5061 12, the longest pause 2.00 s; attempts at fe1"),
        ({"seen": CHECKS[:2]}, Verdict.FAIL, "fe3 saw no connection to 5060 or 5061 in 7.5 s"),
        ({"seen": [*CHECKS[:2], opened("fe3", 444, -7, -5, -3, -1)]}, Verdict.FAIL, "fe3 saw no connection to 5060 or 5061 in 7.5 s"),
        ({"seen": [*CHECKS[:2], opened("fe3", 5060, -7, -5, -3, -1)]}, Verdict.PASS, "5060 4, 5061 8"),
        ({"seen": [*CHECKS[:2], opened("fe3", 5061, -7.5, -4.49, -2)]}, Verdict.FAIL, "fe3 saw no connection to 5060 or 5061 for 3.01 s"),
        ({"seen": [*CHECKS[:2], opened("fe3", 5061, -7.5, -4.5, -2)]}, Verdict.PASS, "the longest pause 3.00 s"),
        ({"after": [call("10.1.0.1", "fe1", 7.2, label="after", service="focus")]}, Verdict.FAIL,
         "client 10.1.0.1 on focus, 7.20 s after the fault: reached fe1"),
        ({"after": [call("10.1.0.1", None, 7.2, label="after")]}, Verdict.FAIL, "client 10.1.0.1 on sip, 7.20 s after the fault: closed"),
    ],
    ids=["well", "unchecked", "wrong-port", "other-sip-port", "too-seldom", "just-often-enough", "served-there", "unserved"],
)  # fmt: skip
def test_of_the_monitor(more, verdict, words):
    finding = refusal(**more)
    assert finding.verdict is verdict
    assert words in finding.observed


@pytest.mark.parametrize("t, verdict", [(0.5, Verdict.PASS), (6.99, Verdict.PASS), (7.01, Verdict.FAIL), (9.5, Verdict.FAIL)])
def test_a_client_at_the_dead_front_end_after_the_limit_is_a_failure(t, verdict):
    finding = refusal(opened("fe1", 444, t))
    assert finding.verdict is verdict
    assert f"the last client was sent to fe1 {t:.2f} s after the refusal" in finding.observed


@pytest.mark.parametrize("busy, verdict", [(2, Verdict.PASS), (3, Verdict.FAIL)])
def test_attempts_at_the_sip_ports_beyond_the_checks_are_a_failure(busy, verdict):
    finding = refusal(opened("fe1", 5061, *[7.2 + n / 10 for n in range(busy)]))
    assert finding.verdict is verdict


def test_an_interval_beyond_the_ceiling_fails_whatever_the_traffic_shows():
    slow = {**CHECK, "inter": 6.0, "fall": 1}
    assert refusal(check=slow).reason == "the declared check interval of 6 s is beyond the ceiling of 5 s"


@pytest.mark.parametrize("seen, verdict", [([], Verdict.UNSUPPORTED), ([opened("fe1", 5061, -5.0)], Verdict.FAIL)])
def test_a_product_that_declares_no_checks(seen, verdict):
    finding = refusal_is_found(pool(mark("watch", -6.0), *seen, mark("settle", 0.0), check={**CHECK, "kind": "passive"}))
    assert finding.verdict is verdict
    assert "declares no health check of its own" in finding.reason


def hung(*more, after):
    windows = marks(busy=13.0, quiet=15.0, end=17.0)
    return hung_front_end_is_left(pool(fault("fe1", how="hang"), *windows, *after, *more))


@pytest.mark.parametrize(
    "more, after, verdict",
    [
        ([], [call("10.1.0.1", "fe2", 13.1, label="after")], Verdict.PASS),
        ([], [call("10.1.0.1", None, 13.1, label="after", outcome="unanswered")], Verdict.NON_STRICT),
        (opened("fe1", 5061, 13.1, 13.2, 13.3), [call("10.1.0.1", "fe2", 13.1, label="after")], Verdict.NON_STRICT),
        (opened("fe1", 444, 13.1), [call("10.1.0.1", "fe2", 13.1, label="after")], Verdict.NON_STRICT),
    ],
    ids=["left", "unanswered", "tried-at-sip", "tried-elsewhere"],
)
def test_of_a_hung_front_end(more, after, verdict):
    assert hung(*more, after=after).verdict is verdict


@pytest.mark.parametrize("quiet, busy, still", [(1, 3, False), (1, 4, True), (17, 20, False), (17, 40, True)])
def test_a_product_that_was_held_up_makes_fewer_checks(quiet, busy, still):
    assert Attempts("fe1", quiet, busy, 60).still_in_a_pool is still
