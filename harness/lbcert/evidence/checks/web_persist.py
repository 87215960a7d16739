"""TP-TLS-03 and -09: users keep their server and their address after restarts, and in resumed sessions."""

from __future__ import annotations

from collections import defaultdict

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served
from .web_told import Told


def restarts_change_nothing(history: History) -> Finding:
    """TP-TLS-03: HTTP and HTTPS are served with the client's address, at first and after each restart (labels: what was restarted, in order)."""
    told = Told(history)
    calls = served.some(called.calls(history), "call")
    acts = [act for act in history.of("admin", action="restart")]
    tally = Tally(f"On one VIP, HTTP and HTTPS are served with the client's address, also after {len(acts)} restarts, within "
                  f"{deadlines.CONFIRM_WITHIN:g} s.")  # fmt: skip
    waits = served.Waits(history)
    good: dict[str, int] = defaultdict(int)
    for call in calls:
        where = f" after {call['label']}" if call["label"] else ""
        if fault := told.wrong(call):
            tally.faults.append(fault + where)
        elif (took := waits.answer(call)) > deadlines.CONFIRM_WITHIN:
            tally.faults.append(f"{called.name_of(call)}: answered only after {took:.2f} s{where}")
        else:
            good[call["label"] or "the start"] += 1
    observed = "served with the client's address: " + (", ".join(f"{count} after {name}" for name, count in good.items()) or "nobody")
    return tally.finding(observed, window=_window(calls), margin=deadlines.CONFIRM_WITHIN)


def _window(calls: list[Event]) -> tuple[int, int]:
    return min(call["started"] for call in calls), max(call["t"] for call in calls)


def resumption_moves_nobody(history: History) -> Finding:
    """TP-TLS-09: each user's calls, which resume the TLS session of the one before, reach the user's server, which is told each one's address."""
    tally = Tally("A user who resumes a TLS session reaches the same server, which is told the address of this very connection.")
    told = Told(history)
    people = called.by_client(history)
    resumed = total = 0
    for user, calls in people.items():
        home = told.answers.server(calls[0])
        for call in calls:
            total += 1
            resumed += call.get("tls", {}).get("resumed", False)
            if fault := told.wrong(call):
                tally.faults.append(f"{user} with {call['label']}: {fault}")
            elif (server := told.answers.server(call)) != home:
                tally.faults.append(f"{user} with {call['label']}: moved from {home} to {server}")
    return tally.finding(f"{total} requests of {len(people)} users, {resumed} of them in resumed sessions", Verdict.NON_STRICT)
