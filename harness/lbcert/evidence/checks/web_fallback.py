"""TP-ADDR-06: no real server is left, and the balancer itself answers."""

from __future__ import annotations

from ... import deadlines
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served
from .outage import SECOND, bound_of


def fallback_answers(history: History) -> Finding:
    """Each call labelled `lost` has a whole answer of 200 within 1 s, from a server on the balancer or from the product itself."""
    lost = served.some(called.calls(history, "lost"), "call without a server")
    tally = Tally(f"With every real server down, each of {len(lost)} clients gets a page within {deadlines.PROMPT:g} s.")
    beyond = bound_of(history, "refused")[1]
    tally.faults += [beyond] if beyond else []
    waits, real = served.Waits(history), set(served.setup(history)["addresses"])
    good, longest, by = 0, 0.0, set()
    for call in lost:
        who = called.name_of(call)
        if call["outcome"] not in ("answered", "anonymous"):
            tally.faults.append(f"{who}: {called.outcome_text(call)} in place of a page")
            continue
        if call["server"] in real:
            tally.faults.append(f"{who}: answered by {call['server']}, which is down")
            continue
        if status := next((reply["status"] for reply in call["replies"] if reply["status"] != 200), None):
            tally.faults.append(f"{who}: status {status} in place of a page")
            continue
        took = waits.answer(call)
        by.add(call["server"] or "the product itself")
        longest = max(longest, took)
        if took > deadlines.PROMPT:
            tally.faults.append(f"{who}: a page only after {took:.2f} s")
        else:
            good += 1
    return tally.finding(
        f"{good} of {len(lost)} clients got a page in time, from {' and '.join(sorted(by)) or 'nobody'}, the slowest after {longest:.2f} s",
        window=_window(history, tally, lost), margin=deadlines.PROMPT,
    )  # fmt: skip


def _window(history: History, tally: Tally, lost: list[Event]) -> tuple[int, int] | None:
    """When lateness of ours counts: it makes waits longer, and clients that come late leave the product more time to notice."""
    first = min(call["started"] for call in lost)
    if tally.faults:
        return first, max(call["t"] for call in lost)
    crash = history.last("fault")
    return crash and (crash["t"] + int(bound_of(history, "refused")[0] * SECOND), first)
