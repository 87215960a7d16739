"""OCS-FAIL-05: all ports of a client move together, and stay together when the Front End returns. Times are kernel stamps."""

from __future__ import annotations

from collections import defaultdict

from ...dut import declares
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import History
from . import served
from .called import Answers, calls, name_of, outcome_text
from .outage import since, timeline
from .pool_fail import fallbacks, never_left


def ports_move_together(history: History) -> Finding:
    """OCS-FAIL-05: every port of a client of a dead Front End reaches one other, and the declared rule holds when it returns.

    Calls: `first` (each client's first since the fault), `moved` (its other ports, when the first was answered), `back` (all its
    ports after the return), `fresh` (new clients, until the returned Front End gets one). Clients of other Front Ends, who were there in
    `settle`, call several ports meanwhile (`others`) and after the return (`others back`).
    """
    fault, restored = history.last("fault"), history.last("restore")
    assert fault is not None and restored is not None
    dead, zero = fault["server"], fault["t"]
    returns = declares(served.setup(history)["declares"]).returns_after_recovery
    rule = f"are at {dead} again" if returns else "stay there"
    tally = Tally(f"When {dead} is dead, all ports of each of its clients are at one other Front End, and {rule} when it is back; "
                  "clients of others stay on theirs.")  # fmt: skip
    if reason := never_left(history, dead):
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    answers = Answers(history)
    moved = _ports(history, answers, tally, "first", "moved")
    home = {client: next(iter(where)) for client, where in moved.items() if len(where) == 1}
    served.some(calls(history, "first"), "client that was moved")
    for client, where in moved.items():
        if len(where) > 1:
            tally.faults.append(f"client {client} was split while {dead} was dead: {_shown(where)}")
        if dead in where:
            tally.faults.append(f"client {client} reached {dead}, which is dead, on {', '.join(where[dead])}")
    back = _ports(history, answers, tally, "back")
    followed = 0
    served.some(calls(history, "back"), "client that came back")
    for client, where in back.items():
        wanted = dead if returns else home.get(client)
        if len(where) > 1:
            tally.faults.append(f"client {client} was split after {dead} had returned: {_shown(where)}")
        elif wanted is not None and wanted not in where:
            tally.faults.append(f"client {client} was at {next(iter(where))} instead of {wanted} after {dead} had returned")
        else:
            followed += 1
    stayed, others = _bystanders(history, answers, dead, tally)
    if stand_in := fallbacks(history) & {server for where in (*moved.values(), *back.values()) for server in where}:
        reason = f"clients were at {', '.join(stand_in)} while Front Ends were up, which OCS-FAIL-07 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    if not tally.faults and not any(answers.server(call) == dead for call in calls(history, "fresh")):
        reason = f"{dead} got no new client after it had returned, which OCS-AFF-05 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    ports = max((sum(map(len, where.values())) for where in moved.values()), default=0)
    whole = sum(1 for where in moved.values() if len(where) == 1)
    observed = (f"{whole} of {len(moved)} clients were at one Front End with all of up to {ports} ports; {followed} of {len(back)} followed the declared rule after the return; {stayed} of {others} "
                "connections of clients of other Front Ends reached theirs")  # fmt: skip
    events = [(0.0, f"{dead} without power", "fault"), (since(restored["t"], zero), f"{dead} is back", "other")]
    if at := [call["answered"] for call in calls(history, "first") if answers.server(call)]:
        events.append((since(min(at), zero), "first client served elsewhere", "served"))
    if at := [call["answered"] for call in calls(history, "fresh") if answers.server(call) == dead]:
        events.append((since(min(at), zero), f"first new client at {dead}", "return"))
    return tally.finding(observed, figures=(timeline(f"{dead} dies and returns", f"{dead} without power", events),))


def _ports(history: History, answers: Answers, tally: Tally, *labels: str) -> dict[str, dict[str, list[str]]]:
    """Client -> Front End -> services, as answered in these phases; who was not answered is a fault."""
    found: dict[str, dict[str, list[str]]] = {}
    for label in labels:
        for call in calls(history, label):
            server = answers.server(call)
            if server is None:
                tally.faults.append(f"{name_of(call)}: {outcome_text(call)}")
            else:
                found.setdefault(call["client"], defaultdict(list))[server].append(call["service"])
    return found


def _shown(where: dict[str, list[str]]) -> str:
    return "; ".join(f"{server} on {', '.join(services)}" for server, services in sorted(where.items()))


def _bystanders(history: History, answers: Answers, dead: str, tally: Tally) -> tuple[int, int]:
    """How many connections of clients of other Front Ends reached the one of before the fault, and of how many."""
    home = {call["client"]: answers.server(call) for call in calls(history, "settle")}
    stayed = seen = 0
    for label, when in (("others", f"while {dead} was dead"), ("others back", f"after {dead} had returned")):
        for call in calls(history, label):
            server, wanted = answers.server(call), home[call["client"]]
            seen += 1
            if server is None:
                tally.faults.append(f"{name_of(call)} of {wanted}, {when}: {outcome_text(call)}")
            elif server != wanted:
                tally.faults.append(f"{name_of(call)} of {wanted} was moved to {server} {when}")
            else:
                stayed += 1
    return stayed, seen
