"""OCS-FAIL-04 and -06: what makes each verdict of `clients_of_dead_front_end_are_told` and `others_feel_nothing`.

fe1 loses its power at second 0; detection ends at 12 s.
"""

import pytest
from evidence_rig import at, event, marks
from outage_rig import call, fault, hold, mark, opened, pool, restored, told

from lbcert.evidence.checks import clients_of_dead_front_end_are_told, others_feel_nothing
from lbcert.verdicts import Verdict

WINDOWS = marks(busy=14.0, quiet=16.0, end=18.0)


def theirs(*times: float | None):
    return [hold(f"10.1.0.{n}", "fe1", to_client={"fin_to_client": t} if t is not None else {}) for n, t in enumerate(times)]


def told_clients(*held, more=()):
    other = hold("10.1.1.1", "fe2")
    return clients_of_dead_front_end_are_told(
        pool(fault("fe1"), *held, other, *WINDOWS, call("10.1.2.1", "fe2", 14.1, label="after"), *more)
    )


STILL_TRIED = opened("fe1", 5061, 14.1, 14.2, 14.3)


@pytest.mark.parametrize(
    "held, more, verdict, words",
    [
        (theirs(11.0, 12.0, 12.9, 12.9, 13.0), [], Verdict.PASS, "5 of 5 connections on fe1 were closed, between 11.00 and 13.00 s"),
        (theirs(11.0, 12.0, 12.9, 12.9, 13.1), [], Verdict.NON_STRICT, "closed only after 13.10 s"),
        (theirs(11.0, 12.0, 12.9, 12.9, None), [], Verdict.NON_STRICT, "client 10.1.0.4 on sip at fe1: never closed"),
        (theirs(*[None] * 5), [], Verdict.NON_STRICT, "0 of 5 connections on fe1 were closed"),
        (theirs(*[None] * 5), STILL_TRIED, Verdict.BLOCKED, "fe1 was never taken out of the pool"),
        (theirs(1.0, 1.0), [], Verdict.BLOCKED, "2 clients could hold a connection on fe1"),
        ([*theirs(*[12.0] * 5), hold("10.1.3.1", "fe3", to_client={"rst_to_client": 12.0})], [], Verdict.PASS, "5 of 5 connections on fe1"),
    ],
    ids=["told", "late", "not-all", "kept", "unnoticed", "too-few", "others-cut-too"],
)  # fmt: skip
def test_of_the_dead_front_ends_clients(held, more, verdict, words):
    finding = told_clients(*held, more=more)
    assert finding.verdict is verdict
    assert words in finding.observed


def pulsing(client: str, took: float = 0.01, *, slow: tuple[float, float | None] | None = None, until: float = 30.0, **ends):
    """A connection on fe2 that asks twice a second from second -2 on; `slow`: when an answer took how long instead (None: it never came)."""
    made = hold(client, "fe2", to_client=ends)
    number = told(made)["call"]
    t = -2.0
    while t < until:
        each = slow[1] if slow and abs(t - slow[0]) < 0.01 else took
        made.append(event(t, "client", "pulse", call=number, asked=at(t), heard=None if each is None else at(t + each)))
        t += 0.5
    return made


def others(*held):
    well = [pulsing(f"10.1.0.{n}") for n in range(9)]
    return others_feel_nothing(pool(fault("fe1"), restored("fe1", 15.0), *well, *held, mark("end", 30.0)))


@pytest.mark.parametrize(
    "one, verdict, words",
    [
        (pulsing("10.1.1.1"), Verdict.PASS, "on 10 connections to other Front Ends since fe1 died; the slowest answer took 0.010 s"),
        (pulsing("10.1.1.1", slow=(12.0, 1.0)), Verdict.PASS, "the slowest answer took 1.000 s, 0.010 s was usual before"),
        (pulsing("10.1.1.1", slow=(12.0, 1.02)), Verdict.FAIL, "an answer took 1.02 s, 12.00 s after the fault"),
        (pulsing("10.1.1.1", slow=(16.0, 2.5)), Verdict.FAIL, "an answer took 2.50 s, 1.00 s after the return"),
        (pulsing("10.1.1.1", slow=(-1.5, 1.2)), Verdict.PASS, ""),
        (pulsing("10.1.1.1", slow=(-0.5, 1.7)), Verdict.FAIL, "an answer took 1.70 s"),
        (pulsing("10.1.1.1", slow=(20.0, None)), Verdict.FAIL, "no answer to what was asked 5.00 s after the return"),
        (pulsing("10.1.1.1", until=12.0, fin_to_client=12.2), Verdict.FAIL, "client 10.1.1.1 on sip at fe2: closed 12.20 s after the fault"),
        (pulsing("10.1.1.1", rst_to_client=15.5), Verdict.FAIL, "closed 0.50 s after the return"),
        (pulsing("10.1.1.1", fin_to_client=31.0), Verdict.PASS, ""),
        (pulsing("10.1.1.1", until=12.0), Verdict.FAIL, "it carried no data any more at the end"),
    ],
    ids=["nothing", "just-in-time", "held-up", "held-up-later", "before", "under-way", "unanswered", "cut", "cut-later", "closed-after-it", "silent"],
)
def test_of_the_others(one, verdict, words):
    finding = others(one)
    assert finding.verdict is verdict
    assert words in finding.observed


def test_too_few_others_tell_nothing():
    finding = others_feel_nothing(pool(fault("fe1"), restored("fe1", 15.0), pulsing("10.1.0.1"), mark("end", 30.0)))
    assert finding.verdict is Verdict.BLOCKED


@pytest.mark.parametrize("pause, verdict", [(0.9, Verdict.PASS), (1.6, Verdict.HARNESS_ERROR)])
def test_a_connection_that_was_not_asked_tells_nothing(pause, verdict):
    """A product may have stood still while we did."""
    one = pulsing("10.1.1.1")
    gap = [pulse for pulse in one if pulse["kind"] == "pulse" and at(12.0) < pulse["asked"] < at(12.0 + pause)]
    finding = others([event for event in one if event not in gap])
    assert finding.verdict is verdict
