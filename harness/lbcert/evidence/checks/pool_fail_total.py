"""OCS-FAIL-07: the fallback. Times are kernel stamps; zero is the loss of the last Front End."""

from __future__ import annotations

from collections import Counter

from ... import deadlines
from ...dut import declares
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .called import Answers, calls, name_of, outcome_text
from .outage import bound_of, check_of, since, timeline
from .pool_fail import fallbacks, window

_TURNED_AWAY = ("closed", "reset", "refused")
_BEFORE = {"settle": "while all Front Ends were well", "one": "while one Front End was left"}
_AFTER = {"back": "new clients", "again": "clients that had been there"}


def fallback_is_the_last_resort(history: History) -> Finding:
    """OCS-FAIL-07: the fallback gets nobody before all Front Ends are dead, then every client, and nobody when they are back.

    Calls: `settle` (all well), `one` (all but one are dead), `all` (all must be known as dead), and after the return, when the product must
    have found it, `back` (new clients) and `again` (those of `all`). What the fallback itself reports counts too.
    """
    faults, restores = list(history.of("fault")), list(history.of("restore"))
    zero, returned = max(fault["t"] for fault in faults), max(restore["t"] for restore in restores)
    bound, beyond = bound_of(history, "dark")
    back_by = deadlines.recovery(check_of(history)) + deadlines.MARGIN
    resort = fallbacks(history)
    tally = Tally(f"The fallback gets nobody while a Front End is up, every new client from {bound:g} s + {deadlines.MARGIN:g} s after "
                  f"the loss of the last one, and nobody from {back_by:g} s after their return on.")  # fmt: skip
    answers = Answers(history)
    lost = served.some(calls(history, "all"), "call while all Front Ends were dead")
    if not resort:
        return _without(history, tally, lost)
    tally.faults += [beyond] if beyond else []
    counts: Counter[str] = Counter()
    for label, when in _BEFORE.items():
        for call in served.some(calls(history, label), f"call {label}"):
            server = answers.server(call)
            counts[label] += 1
            if server is None:
                tally.faults.append(f"{name_of(call)}, {when}: {outcome_text(call)}")
            elif server in resort:
                tally.faults.append(f"{name_of(call)} reached the fallback {when}")
    early = sum(1 for name in resort for request in history.of("request") if request["who"] == name and request["t"] < zero)
    if early and not tally.faults:
        tally.faults.append(f"the fallback saw {early} requests before all Front Ends were dead")
    there = 0
    for call in lost:
        server = answers.server(call)
        if server in resort:
            there += 1
        else:
            seen = f"reached {server}" if server else outcome_text(call)
            tally.faults.append(f"{name_of(call)}, {since(call['started'], zero):.2f} s after the last Front End was lost: {seen}")
    stuck: Counter[str] = Counter()
    for label, who in _AFTER.items():
        for call in served.some(calls(history, label), f"call {label}"):
            server = answers.server(call)
            counts[label] += 1
            if server is None:
                tally.faults.append(f"{name_of(call)}, {since(call['started'], returned):.2f} s after the return: {outcome_text(call)}")
            elif server in resort:
                stuck[label] += 1
        if stuck[label]:
            tally.faults.append(f"{stuck[label]} of {counts[label]} {who} reached the fallback after the Front Ends had returned")
    observed = (f"at the fallback: {early} requests before the last Front End was lost, then {there} of {len(lost)} clients; after the "
                "return " + ", ".join(f"{stuck[label]} of {counts[label]} {who}" for label, who in _AFTER.items()))  # fmt: skip
    return tally.finding(observed, figures=(_figure(history, lost, zero, returned, bound),), silence=True, margin=deadlines.MARGIN,
                         window=window(history, tally, bound, "all"))  # fmt: skip


def _without(history: History, tally: Tally, lost: list[Event]) -> Finding:
    """A deployment without a fallback: unsupported, if clients are turned away as one would expect of that."""
    declared = declares(served.setup(history)["declares"]).stands_alone
    waits = served.Waits(history)
    turned = [call for call in lost if call["outcome"] in _TURNED_AWAY]
    slow = [call for call in turned if waits.until(call, call["t"]) > deadlines.TURNED_AWAY_WITHIN]
    observed = f"no server is there for when all Front Ends are dead; {len(turned)} of {len(lost)} clients were turned away then"
    if declared and len(turned) == len(lost) and not slow:
        reason = f"declares that it has no fallback (fallback: none); {len(turned)} of {len(lost)} clients were turned away"
        return Finding(Verdict.UNSUPPORTED, tally.expected, observed, reason)
    broken = "declares that it has no fallback, but not all clients are turned away"
    tally.faults.append(broken if declared else "clients have no fallback")
    return tally.finding(observed)


def _figure(history: History, lost: list[Event], zero: int, returned: int, bound: float):
    events = [(0.0, "the last Front End is lost", "fault"), (since(returned, zero), "all Front Ends are back", "other"),
              (bound + deadlines.MARGIN, "declared detection + 1 s", "limit")]  # fmt: skip
    if at := [call["answered"] for call in lost if call["answered"]]:
        events.append((since(min(at), zero), "first client at the fallback", "served"))
    if at := [call["answered"] for label in _AFTER for call in calls(history, label) if call["answered"]]:
        events.append((since(min(at), zero), "first client at a Front End again", "return"))
    return timeline("All Front Ends dead", "the last Front End is lost", events)
