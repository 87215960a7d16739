"""OCS-FAIL-07: what makes each verdict of `fallback_is_the_last_resort`. fe1 dies at second -20, the others at 0; all are back at 30."""

import pytest
from outage_rig import call, fault, pool, restored

from lbcert.evidence.checks import fallback_is_the_last_resort
from lbcert.verdicts import Verdict

FAULTS = [fault("fe1", -20.0, "crash"), fault("fe2"), fault("fe3", how="crash"), *[restored(name, 30.0) for name in ("fe1", "fe2", "fe3")]]
SETTLED = [call("10.1.0.1", "fe1", -30.0, label="settle")]
ONE = [call("10.1.0.1", "fe2", -10.0, label="one")]
ALL = [call("10.1.0.2", "fallback", 14.0, label="all"), call("10.1.0.3", "fallback", 14.0, label="all")]
BACK = [call("10.1.0.4", "fe1", 40.0, label="back")]
AGAIN = [call("10.1.0.2", "fe2", 40.0, label="again")]
TURNED_AWAY = [call("10.1.0.2", None, 14.0, label="all"), call("10.1.0.3", None, 14.0, label="all", outcome="refused")]


def judged(*, settled=SETTLED, one=ONE, lost=ALL, back=BACK, again=AGAIN, **setup):
    return fallback_is_the_last_resort(pool(*FAULTS, *settled, *one, *lost, *back, *again, **setup))


@pytest.mark.parametrize(
    "how, verdict, words",
    [
        ({}, Verdict.PASS, "at the fallback: 0 requests before the last Front End was lost, then 2 of 2 clients; after the return 0 of 1 new clients, "
                           "0 of 1 clients that had been there"),
        ({"settled": [call("10.1.0.1", "fallback", -30.0, label="settle")]}, Verdict.FAIL, "reached the fallback while all Front Ends were well"),
        ({"one": [call("10.1.0.1", "fallback", -10.0, label="one")]}, Verdict.FAIL, "reached the fallback while one Front End was left"),
        ({"one": [*ONE, call("10.1.0.9", "fallback", -9.0, label="other")]}, Verdict.FAIL, "the fallback saw 1 requests before"),
        ({"lost": [*ALL, call("10.1.0.9", None, 14.0, label="all")]}, Verdict.FAIL, "14.00 s after the last Front End was lost: closed"),
        ({"lost": [*ALL, call("10.1.0.9", "fe1", 14.0, label="all")]}, Verdict.FAIL, "14.00 s after the last Front End was lost: reached fe1"),
        ({"again": [call("10.1.0.2", "fallback", 40.0, label="again")]}, Verdict.FAIL,
         "1 of 1 clients that had been there reached the fallback after the Front Ends had returned"),
        ({"back": [call("10.1.0.4", "fallback", 40.0, label="back")]}, Verdict.FAIL, "1 of 1 new clients reached the fallback after"),
        ({"back": [call("10.1.0.4", None, 40.0, label="back")]}, Verdict.FAIL, "10.00 s after the return: closed"),
    ],
    ids=["last-resort", "too-early", "with-one-dead", "seen-by-itself", "turned-away", "at-a-dead-one", "stuck", "still-used", "unserved"],
)  # fmt: skip
def test_each_verdict(how, verdict, words):
    finding = judged(**how)
    assert finding.verdict is verdict
    assert words in finding.observed


@pytest.mark.parametrize(
    "lost, declares, verdict, words",
    [
        (TURNED_AWAY, {}, Verdict.FAIL, "clients have no fallback"),
        (TURNED_AWAY, {"pool": {"fallback": "none"}}, Verdict.UNSUPPORTED, "declares that it has no fallback (fallback: none); 2 of 2 clients"),
        ([*TURNED_AWAY, call("10.1.0.9", None, 14.0, label="all", outcome="timeout", took=15.0)], {"pool": {"fallback": "none"}}, Verdict.FAIL,
         "not all clients are turned away"),
        ([call("10.1.0.9", None, 14.0, label="all", took=2.5)], {"pool": {"fallback": "none"}}, Verdict.FAIL, "not all clients are turned away"),
    ],
    ids=["undeclared", "declared", "left-waiting", "told-late"],
)  # fmt: skip
def test_without_a_fallback(lost, declares, verdict, words):
    finding = judged(lost=lost, fallback=False, **declares)
    assert finding.verdict is verdict
    assert words in finding.reason
