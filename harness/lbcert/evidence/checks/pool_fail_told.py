"""OCS-FAIL-04 and -06: held connections when a Front End dies, its own and those of the others. Times are kernel stamps."""

from __future__ import annotations

from collections import defaultdict

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .called import Answers, calls
from .ends import SECOND, closes_towards_clients, held_on
from .outage import bound_of, since, timeline
from .pool_fail import never_left

_FEW, _OTHERS = 5, 10
"""connections on the dead Front End, and on others, without which nothing can be said"""
_PULSES = 10
"""answers that each connection must have had before the fault and after the return"""


def clients_of_dead_front_end_are_told(history: History) -> Finding:
    """OCS-FAIL-04: connections held on a Front End that lost its power are closed towards their clients within the detection bound.

    Calls: `held` on all Front Ends; what becomes of those on others is OCS-FAIL-06's subject. `after`: new clients after the limit,
    who tell a balancer that keeps connections from one that did not notice.
    """
    fault = history.last("fault")
    assert fault is not None
    dead, zero = fault["server"], fault["t"]
    bound, beyond = bound_of(history, "dark")
    limit = bound + deadlines.MARGIN
    tally = Tally(f"When {dead} loses its power, the connections of its clients are closed towards them within {bound:g} s "
                  f"+ {deadlines.MARGIN:g} s.")  # fmt: skip
    tally.faults += [beyond] if beyond else []
    answers = Answers(history)
    held = [call for call in served.some(calls(history, "held"), "held call") if answers.server(call)]
    theirs = [call for call in held if call["server"] == dead]
    if len(theirs) < _FEW:
        reason = f"{len(theirs)} clients could hold a connection on {dead}, of {_FEW} that are needed, which OCS-AFF-05 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    closed = closes_towards_clients(history, zero)
    cuts: list[float] = []
    for call in theirs:
        cut = closed.get((call["source"], call["port"]))
        if cut is None:
            tally.faults.append(f"{held_on(call)}: never closed")
        else:
            cuts.append(since(cut, zero))
            if cuts[-1] > limit:
                tally.faults.append(f"{held_on(call)}: closed only after {cuts[-1]:.2f} s")
    if not cuts and not beyond and (reason := never_left(history, dead)):
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    observed = f"{len(cuts)} of {len(theirs)} connections on {dead} were closed"
    events = [(0.0, f"{dead} without power", "fault"), (limit, "declared detection + 1 s", "limit")]
    measured = []
    if cuts:
        observed += f", between {min(cuts):.2f} and {max(cuts):.2f} s after the fault"
        events += [(min(cuts), "first connection closed", "close"), (max(cuts), "last connection closed", "close")]
        measured = [{"id": "clients-told-dark", "value": max(cuts), "unit": "s", "error": 0.001, "requirement": "OCS-FAIL-04"}]
    return tally.finding(observed, Verdict.NON_STRICT, figures=(timeline(f"{dead} without power", f"{dead} without power", events),),
                         window=(zero, zero + int(limit * SECOND)) if tally.faults else None, margin=deadlines.MARGIN, silence=True,
                         measurements=tuple(measured))  # fmt: skip


def others_feel_nothing(history: History) -> Finding:
    """OCS-FAIL-06: connections on Front Ends that are well are neither cut nor held up while another one fails and returns.

    Calls `held`, each of which asks again and again (`pulse`: asked, and heard when the answer came); those on the Front End of the
    fault are not judged. The mark `end` closes it. What an answer took before the fault is what it takes.
    """
    fault, restored = history.last("fault"), history.last("restore")
    assert fault is not None and restored is not None
    dead, zero = fault["server"], fault["t"]
    over = next(history.of("mark", name="end"))["t"]
    tally = Tally(f"While {dead} fails and returns, no connection on another Front End is closed, and no answer there comes more than "
                  f"{deadlines.PROMPT:g} s later than before.")  # fmt: skip
    answers = Answers(history)
    others = [call for call in served.some(calls(history, "held"), "held call") if answers.server(call) not in (None, dead)]
    pulses: dict[int, list[Event]] = defaultdict(list)
    for pulse in history.of("pulse"):
        pulses[pulse["call"]].append(pulse)
    before = [pulse["heard"] - pulse["asked"] for call in others for pulse in pulses[call["call"]] if (pulse["heard"] or zero) < zero]
    if len(others) < _OTHERS or not before:
        reason = f"{len(others)} connections on other Front Ends carried data before the fault, of {_OTHERS} that are needed"
        return Finding(Verdict.BLOCKED, tally.expected, reason, f"{reason}, which OCS-AFF-05 is about")
    usual = sorted(before)[len(before) // 2]
    closed = closes_towards_clients(history, zero)
    asked = 0
    longest = 0.0
    for call in others:
        cut = closed.get((call["source"], call["port"]))
        cut = None if cut is not None and cut >= over else cut
        if cut is not None:
            tally.faults.append(f"{held_on(call)}: closed {_when(cut, zero, restored['t'])}")
        # What was under way at the fault counts.
        since_fault = [pulse for pulse in pulses[call["call"]] if (pulse["heard"] or zero) >= zero]
        if cut is None and sum(1 for pulse in since_fault if pulse["asked"] > restored["t"]) < _PULSES:
            tally.faults.append(f"{held_on(call)}: it carried no data any more at the end")
        asked += len(since_fault)
        took = {pulse["asked"]: (pulse["heard"] - pulse["asked"]) / SECOND for pulse in since_fault if pulse["heard"]}
        late = [asked_at for asked_at, seconds in took.items() if seconds - usual / SECOND > deadlines.PROMPT]
        for asked_at in late[:1]:
            tally.faults.append(f"{held_on(call)}: an answer took {took[asked_at]:.2f} s, {_when(asked_at, zero, restored['t'])}")
        waiting = [pulse["asked"] for pulse in since_fault if not pulse["heard"] and over - pulse["asked"] > deadlines.PROMPT * SECOND]
        if cut is None and waiting:
            tally.faults.append(f"{held_on(call)}: no answer to what was asked {_when(waiting[0], zero, restored['t'])}")
        longest = max(longest, *took.values(), 0.0)
    observed = (f"{asked} requests on {len(others)} connections to other Front Ends since {dead} died; the slowest answer took "
                f"{longest:.3f} s, {usual / SECOND:.3f} s was usual before")  # fmt: skip
    measured = [{"id": "others-slowest-answer", "value": round(longest, 4), "unit": "s", "error": 0.001, "requirement": "OCS-FAIL-06"}]
    if not tally.faults and (unasked := _unasked(pulses, others, zero, over)) > deadlines.PROMPT:
        reason = f"machine too slow: a connection was not asked anything for {unasked:.2f} s"
        return Finding(Verdict.HARNESS_ERROR, tally.expected, observed, reason)
    return tally.finding(observed, window=(zero, over) if tally.faults else None, margin=deadlines.PROMPT, silence=True,
                         measurements=tuple(measured))  # fmt: skip


def _unasked(pulses: dict[int, list[Event]], others: list[Event], zero: int, over: int) -> float:
    """The longest time, s, for which nothing was asked on a connection and nothing was being answered."""
    longest = 0
    for call in others:
        quiet = zero
        for pulse in sorted(pulses[call["call"]], key=lambda pulse: pulse["asked"]):
            if pulse["asked"] > zero:
                longest = max(longest, pulse["asked"] - quiet)
            quiet = max(quiet, pulse["heard"] or over)
        longest = max(longest, over - quiet)
    return longest / SECOND


def _when(t: int, zero: int, restored: int) -> str:
    if t < restored:
        return f"{since(t, zero):.2f} s after the fault"
    return f"{since(t, restored):.2f} s after the return"
