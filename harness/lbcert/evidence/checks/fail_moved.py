"""RDP-FAIL-09: a user whom a failure moved is not sent to the dead server again. Times are kernel stamps."""

from __future__ import annotations

from ... import deadlines
from ...dut import declares
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .outage import SECOND, SPARE_CHECKS, attempts_at, check_of, since, timeline, undetected

_OURS = 0.25
"""share of the time until a server may be marked down that we ourselves may use up"""


def moved_users_go_straight(history: History) -> Finding:
    """RDP-FAIL-09: the next connection of a moved user opens none to the dead server.

    Visits: `first`, each moved user's first since the fault; `second`, all of them again in one volley after every
    first one was answered (`again` to `again-over`): whatever is opened to the dead server meanwhile is theirs, or one
    of the few checks that fit into so short a time. `control` are users of the dead server who come last, for the first time:
    if they try it, it was in the pool until then. Products that declare to send users back keep no entry that could be
    rewritten: their first visits, too, come when the server must be known as dead.
    """
    fault = history.last("fault")
    assert fault is not None
    dead, zero = fault["server"], fault["t"]
    hashes = declares(served.setup(history)["declares"]).returns_after_recovery
    when = "once it must be known as dead" if hashes else "as soon as the first was answered"
    tally = Tally(f"The second connection since {dead} died, {when}, reaches the server of the first, "
                  f"and none is opened to {dead}.")  # fmt: skip
    requests, waits = served.Requests(history), served.Waits(history)
    firsts = {visit["user"]: visit for visit in served.some(served.visits(history, "first"), "first visit")}
    lost = [visit for visit in firsts.values() if requests.server(visit) is None]
    if lost:
        reason = f"{len(lost)} of {len(firsts)} users of {dead} were not served elsewhere, which RDP-FAIL-01 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    if hashes and (reason := undetected(history, attempts_at(history, dead))):
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    seconds = served.some(served.visits(history, "second"), "second visit")
    straight = 0
    for visit in seconds:
        server, moved_to = requests.server(visit), requests.server(firsts[visit["user"]])
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}, second connection: {served.outcome_text(visit)}")
        elif server != moved_to:
            tally.faults.append(f"{served.name_of(visit)}, second connection: {server} instead of {moved_to}")
        else:
            straight += 1
    marks = {mark["name"]: mark["t"] for mark in history.of("mark")}
    length = (marks["again-over"] - marks["again"]) / SECOND
    allowed = SPARE_CHECKS + int(length / check_of(history).inter)
    tried = _opened(history, dead, marks["again"], marks["again-over"])
    if tried > allowed:
        tally.faults.append(f"{tried} connections were opened to {dead} while {len(seconds)} moved users connected again, "
                            f"{allowed} of which can have been health checks")  # fmt: skip
    window = (zero, marks["again-over"])
    down_after = (check_of(history).fall - 1) * check_of(history).inter
    in_pool = hashes is False and _opened(history, dead, marks["control"], marks["control-over"]) > SPARE_CHECKS
    if not hashes and not tally.faults and not in_pool and since(marks["again-over"], zero) > down_after:
        ours = _ours(zero, list(firsts.values()), seconds)
        if ours > _OURS * down_after:
            reason = (f"machine too slow: {ours:.3f} s of the {down_after:g} s until {dead} can be marked down "
                      "went by between our own steps")  # fmt: skip
            return Finding(Verdict.HARNESS_ERROR, tally.expected, reason, reason)
    observed = f"{straight} of {len(seconds)} second connections reached the server of the first"
    observed += f"; {tried} connections to {dead} in these {length:.3f} s, {allowed} can have been health checks"
    if not hashes:
        observed += f" ({dead} was {'still in the pool' if in_pool else 'not tried any more'} after that)"
    events = [(0.0, f"{dead} crashed", "fault"), (since(marks["again"], zero), "all moved users connect again", "other"),
              (since(min(visit["answered"] for visit in firsts.values()), zero), "first user served elsewhere", "served")]  # fmt: skip
    everyone = [*firsts.values(), *seconds]
    figures = (timeline(f"{dead} crashed", f"{dead} crashed", events),
               served.answers(requests, waits, f"Wait of {len(firsts)} users, twice each, and who answered", f"{dead} crashed", zero,
                              everyone, None))  # fmt: skip
    return tally.finding(observed, figures=figures, window=window, margin=deadlines.MARGIN, silence=True)


def _opened(history: History, dead: str, start: int, end: int) -> int:
    """Connections opened towards the dead server, as captured on its link."""
    return sum(1 for flow in history.of("flow", link=served.link_of(history, dead)) if start <= flow.get("syn", 0) < end)


def _ours(zero: int, firsts: list[Event], seconds: list[Event]) -> float:
    """Seconds since the fault in which no user was waiting for the product."""
    waiting = sorted((visit["started"], visit["answered"] or visit["t"]) for visit in [*firsts, *seconds])
    idle, until = 0, zero
    for start, end in waiting:
        idle += max(0, start - until)
        until = max(until, end)
    return idle / SECOND
