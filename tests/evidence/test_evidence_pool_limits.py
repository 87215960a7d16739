"""OCS-NET-06 and -09 with literal histories; four ports and five connections stand for hundreds."""

from __future__ import annotations

import pytest
from calls_rig import answered, echo, left, pool, unanswered
from evidence_rig import event

from lbcert.evidence.checks import fullness_is_graceful, ports_run_out_gracefully
from lbcert.verdicts import Verdict


def live(count: int, *sources: str, label: str = "filling", t: float = 0.0) -> list[list]:
    return [answered(f"10.1.{len(label)}.{n}", "sip", "fe1", t + n / 100, label=label, held=True,
                     peer=(sources or ("10.10.2.20",))[n % max(1, len(sources))]) for n in range(count)]  # fmt: skip


def full(calls: list, *beyond, newcomers: int = 2, ok: bool = True) -> list:
    return [*calls, *beyond, *(echo(call, ok=ok) for call in calls), *live(newcomers, label="newcomer", t=9)]


def refused(outcome: str = "closed", took: float = 1.0):
    return unanswered("10.1.0.9", "sip", outcome, 3, took=took, label="filling")


SHORTAGE = {
    "as declared": (full(live(4), refused()), 1, Verdict.PASS, "4 sessions lived, from 10.10.2.20; 1 clients beyond"),
    "more live, since there are more servers": (full(live(9), refused("reset")), 1, Verdict.PASS, "9 sessions"),
    "fewer live": (full(live(3), refused()), 1, Verdict.FAIL, "only 3 sessions live, not 4"),
    "hangs": (full(live(4), refused("timeout", 15)), 1, Verdict.FAIL, "no answer in 15 s"),
    "late": (full(live(4), refused(took=6.0)), 1, Verdict.FAIL, "was told only after 6.0 s"),
    "harms": (full(live(4), refused(), ok=False), 1, Verdict.FAIL, "4 of 4 live connections did not answer"),
    "cuts": ([*full(calls := live(4), refused()), left(calls[0], 4, "closed")], 1, Verdict.FAIL, "1 live connections were closed"),
    "leaves": ([*full(calls, refused()), left(calls[0], 6)], 1, Verdict.PASS, "4 sessions"),
    "stays full": (full(live(4), refused(), unanswered("c", "sip", "closed", 9, label="newcomer")), 1, Verdict.FAIL, "1 of 3 clients"),
    "turned to the fallback": (full(live(4), answered("c", "sip", "fallback", 3, label="filling")), 1, Verdict.PASS, "1 clients beyond"),
    "newcomers to the fallback": ([*full(live(4), refused(), newcomers=0), answered("c", "sip", "fallback", 9, label="newcomer")], 1,
                                  Verdict.FAIL, "1 of 1 clients that came when as many had left were not served: fallback"),
    "not in force": (full(live(9)), 1, Verdict.BLOCKED, "not in force"),
    "two addresses": (full(live(8, "10.10.2.20", "10.10.2.21"), refused()), 2, Verdict.PASS, "from 10.10.2.20, 10.10.2.21"),
    "the second is not used": (full(live(8), refused()), 2, Verdict.FAIL, "see 1 address(es) of the product, not 2"),
    "the second brings nothing": (full(live(4, "10.10.2.20", "10.10.2.21"), refused()), 2, Verdict.FAIL, "only 4 sessions live, not 8"),
}  # fmt: skip


@pytest.mark.parametrize("events, addresses, verdict, observed", SHORTAGE.values(), ids=SHORTAGE.keys())
def test_shortage_of_ports(events, addresses, verdict, observed):
    finding = ports_run_out_gracefully(pool(*events), ports=4, addresses=addresses)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_nobody_afterwards_is_no_verdict():
    with pytest.raises(ValueError, match="nobody came"):
        ports_run_out_gracefully(pool(*full(live(4), refused(), newcomers=0)), ports=4, addresses=1)


def busy(*beyond, held=None, ok: bool = True, newcomers: list | None = None) -> list:
    held = live(5, label="held") if held is None else held
    return [*held, *(echo(call, ok=ok) for call in held if isinstance(call, list)), *beyond, event(6, "harness", "mark", name="room"),
            *(live(1, label="newcomer", t=9) if newcomers is None else newcomers)]  # fmt: skip


def beyond(outcome: str = "", t: float = 2.0, took: float = 5.0):
    if outcome:
        return unanswered("10.1.0.9", "sip", outcome, t, took=took, label="beyond")
    return answered("10.1.0.9", "sip", "fe2", t, took=took, label="beyond")


FULL = {
    "waits": (busy(beyond(), beyond()), Verdict.PASS, "0 were served at once, 2 when there was room, 0 turned away"),
    "refused": (busy(beyond("refused", took=0.1)), Verdict.PASS, "1 turned away"),
    "one slips in": (busy(beyond(took=0.1), beyond()), Verdict.PASS, "1 were served at once"),
    "not in force": (busy(beyond(took=0.1), beyond(took=0.1)), Verdict.BLOCKED, "not in force"),
    "forgotten in the queue": (busy(beyond("timeout", took=15)), Verdict.FAIL, "although there was room"),
    "live ones are silent": (busy(beyond(), ok=False), Verdict.FAIL, "5 of 5 live connections"),
    "a live one is closed": ([*busy(beyond(), held=(held := live(5, label="held"))), left(held[0], 4, "reset")], Verdict.FAIL, "(reset)"),
    "not even those": (busy(beyond(), held=[*live(4, label="held"), unanswered("c", "sip", "closed", label="held")]),
                       Verdict.FAIL, "one of the first 5"),
    "stays full": (busy(beyond("refused", took=0.1), newcomers=[unanswered("c", "sip", "refused", 9, label="newcomer")]),
                   Verdict.FAIL, "who came when there was room again"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", FULL.values(), ids=FULL.keys())
def test_fullness(events, verdict, observed):
    finding = fullness_is_graceful(pool(*events), limit=5)
    assert finding.verdict is verdict
    assert observed in finding.observed


@pytest.mark.parametrize("events", [busy(), busy(beyond(), held=[]), busy(beyond(), newcomers=[])], ids=["beyond", "held", "newcomer"])
def test_fullness_without_one_of_the_groups_is_no_verdict(events):
    with pytest.raises(ValueError, match="the history holds no"):
        fullness_is_graceful(pool(*events), limit=5)
