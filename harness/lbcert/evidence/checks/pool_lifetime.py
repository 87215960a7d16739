"""OCS-AFF-03: how long a client's Front End is remembered, and that each return starts that time again."""

from __future__ import annotations

from ...dut import declares
from ...dut_model import POOL_LIFETIME_FLOOR, SHORT_LIFETIME
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import History
from ..statistics import binomial_region
from . import called, served
from .idle import NoClock, clock_of, text
from .outage import bound_of

_SECOND = 1_000_000_000
_TOO_LATE = 0.97
"""of the lifetime: who comes back later than that may have been forgotten rightly, through lateness of ours"""
_ENOUGH = 0.8
"""of the returns must have come in time, or the machine is too slow"""


def affinity_lasts(history: History, lifetime: float | None, returns: list[str]) -> Finding:
    """Clients (label `first`, then `returns` one after the other) stay on their Front End; those `away` are balanced anew.

    `lifetime` is that of an entry; None if the deployment declares to forget nobody, and then those who stayed away for longer
    (`away again`) are held to that. The declared lifetime has a floor.
    """
    timer = declares(served.setup(history)["declares"]).timer
    tally = Tally(f"A client that comes back within the lifetime is on the same Front End, {len(returns)} times in a row; the "
                  f"declared lifetime is at least {POOL_LIFETIME_FLOOR:g} s, or there is none.")  # fmt: skip
    if timer != "none" and (timer is None or timer < POOL_LIFETIME_FLOOR):
        told = "no lifetime is declared" if timer is None else f"the declared lifetime is {timer:g} s"
        tally.faults.append(f"{told}, and a client must be remembered for {POOL_LIFETIME_FLOOR:g} s")
    answers, waits = called.Answers(history), served.Waits(history)
    homes, before = _first(history, answers, "first", tally)
    late: set[str] = set()
    kept = counted = 0
    for label in returns:
        for call in served.some(called.calls(history, label), f"call {label}"):
            client = call["client"]
            if client not in homes:
                continue
            if lifetime and (waits.asked(call) - before[client]) / _SECOND > _TOO_LATE * lifetime:
                late.add(client)
            before[client] = call["started"]
            if client in late:
                continue
            counted += 1
            server = answers.server(call)
            if server is None:
                tally.faults.append(f"{called.name_of(call)}, {label}: {called.outcome_text(call)}")
            elif server != homes[client]:
                tally.faults.append(f"{called.name_of(call)} was on {homes[client]}, then on {server} ({label})")
            else:
                kept += 1
    if counted < _ENOUGH * len(returns) * len(homes):
        reason = f"machine too slow: only {counted} of {len(returns) * len(homes)} returns came within the lifetime"
        return Finding(Verdict.HARNESS_ERROR, tally.expected, reason, reason)
    theirs, _ = _first(history, answers, "away", tally)
    stayed = 0
    for call in served.some(called.calls(history, "away again"), "call away again"):
        server = answers.server(call)
        stayed += server is not None and server == theirs.get(call["client"])
        if lifetime is None and server != theirs.get(call["client"]):
            tally.faults.append(f"{called.name_of(call)} was forgotten, although `timer: none` is declared")
    known = served.servers(history)
    placed = served.counts(list(homes.values()), known)
    observed = (f"{kept} of {counted} returns reached the client's Front End; {stayed} of {len(theirs)} clients who stayed away for "
                f"longer did; declared lifetime: {f'{timer:g} s' if isinstance(timer, (int, float)) else timer}")  # fmt: skip
    figure = served.distribution("Clients per Front End", placed, unit="clients")
    if not tally.faults and max(placed.values()) > 0.9 * len(homes):
        reason = f"{max(placed.values())} of {len(homes)} clients are on one Front End, so nothing is kept apart (OCS-AFF-05)"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    allowed = binomial_region(len(theirs), len(known))[1]
    if not tally.faults and lifetime and stayed > allowed:
        reason = (f"the variant's lifetime of {lifetime:g} s is not in force: {stayed} of {len(theirs)} clients who stayed away "
                  f"longer are still known (by chance at most {allowed}); if nobody is ever forgotten, declare `timer: none` and "
                  "leave the variant out")  # fmt: skip
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    return tally.finding(observed, figures=(figure,))


def half_an_hour_is_remembered(history: History) -> Finding:
    """Clients (label `came`) who come again (`came back`) when nearly half an hour of the product's clock has passed are on their Front End.

    On the variant with the short lifetime, where there is no faster clock, the same of that lifetime.
    """
    pace = history.last("pace")
    assert pace is not None
    lifetime = SHORT_LIFETIME if pace["how"] == "variant" else POOL_LIFETIME_FLOOR
    tally = Tally(f"A client that comes back when {text(pace['span'])} have nearly passed is on the same Front End.")
    try:
        clock = clock_of(history, pace)
    except NoClock as reason:
        return Finding(Verdict.HARNESS_ERROR, tally.expected, str(reason), str(reason))
    answers, waits = called.Answers(history), served.Waits(history)
    homes, begun = _first(history, answers, "came", tally)
    pauses = []
    kept = 0
    for call in served.some(called.calls(history, "came back"), "call came back"):
        client = call["client"]
        if client not in homes or (pause := clock.seconds(begun[client], waits.asked(call))) > _TOO_LATE * lifetime:
            continue
        pauses.append(pause)
        server = answers.server(call)
        if server == homes[client]:
            kept += 1
        else:
            where = f"then on {server}" if server else called.outcome_text(call)
            tally.faults.append(f"{called.name_of(call)} was on {homes[client]}, {text(pause)} later {where}")
    if len(pauses) < _ENOUGH * len(homes):
        reason = f"machine too slow: only {len(pauses)} of {len(homes)} clients came back within {text(lifetime)}"
        return Finding(Verdict.HARNESS_ERROR, tally.expected, reason, reason)
    placed = served.counts(list(homes.values()), served.servers(history))
    observed = f"{kept} of {len(pauses)} clients who came back were on their Front End"
    observed += f", {text(min(pauses))} to {text(max(pauses))} later, {clock.text}" if pauses else ""
    if not tally.faults and max(placed.values()) > 0.9 * len(homes):
        reason = f"{max(placed.values())} of {len(homes)} clients are on one Front End, so nothing is kept apart (OCS-AFF-05)"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    # On a faster clock a busy machine may fail health checks in no time, and the product moves clients for that.
    window = (min(begun.values()), max(call["t"] for call in called.calls(history, "came back"))) if tally.faults and begun else None
    return tally.finding(observed, figures=(served.distribution("Clients per Front End", placed, unit="clients"),), window=window,
                         margin=4 * bound_of(history, "hung")[0] / clock.rate)  # fmt: skip


def many_are_remembered(history: History) -> Finding:
    """Of very many clients (label `came`) the first and the last come again (`came back`): they are on their Front End, or the table is full."""
    answers = called.Answers(history)
    came = served.some(called.calls(history, "came"), "call came")
    tally = Tally(f"When {len(came)} clients have come, the first and the last of them are on their Front Ends when they come again.")
    homes, _ = _first(history, answers, "came", tally)
    back = [call for call in served.some(called.calls(history, "came back"), "call came back") if call["client"] in homes]
    kept = 0
    for call in back:
        server = answers.server(call)
        if server == homes[call["client"]]:
            kept += 1
        else:
            where = f"then on {server}" if server else called.outcome_text(call)
            tally.faults.append(f"{called.name_of(call)} was on {homes[call['client']]}, {where}")
    placed = served.counts(list(homes.values()), served.servers(history))
    observed = f"{kept} of {len(back)} clients who came back were on their Front End, with {len(homes)} clients known"
    if not tally.faults and max(placed.values()) > 0.9 * len(homes):
        reason = f"{max(placed.values())} of {len(homes)} clients are on one Front End, so nothing is kept apart (OCS-AFF-05)"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    return tally.finding(observed)


def _first(history: History, answers: called.Answers, label: str, tally: Tally) -> tuple[dict[str, str], dict[str, int]]:
    """Where these clients were first, and when they began."""
    homes, begun = {}, {}
    for call in served.some(called.calls(history, label), f"call {label}"):
        if server := answers.server(call):
            homes[call["client"]], begun[call["client"]] = server, call["started"]
        else:
            tally.faults.append(f"{called.name_of(call)}: {called.outcome_text(call)}")
    return homes, begun
