"""RDP-FAIL: what happens when a server dies and returns. Times are kernel stamps; zero is the fault."""

from __future__ import annotations

from ... import deadlines
from ...dut import declares
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .outage import SECOND, attempts_at, bound_of, since, timeline, undetected

def dead_server_is_left(history: History) -> Finding:
    """RDP-FAIL-01: users of a crashed server get another's Confirm within 5 s, and soon nobody tries the dead one.

    Visits: `during` (from the fault on) and `after` (in the first of two windows after the detection limit, of which
    the second is without any client, to tell health checks from users).
    """
    fault = history.last("fault")
    assert fault is not None
    dead, zero = fault["server"], fault["t"]
    bound, beyond = bound_of(history, "refused")
    limit = zero + int((bound + deadlines.MARGIN) * SECOND)
    tally = Tally(f"While {dead} is being detected as dead, each of its users gets a Confirm within "
                  f"{deadlines.CONFIRM_WITHIN:g} s; from {bound:g} s + {deadlines.MARGIN:g} s on, nobody tries it.")  # fmt: skip
    if beyond:
        tally.faults.append(beyond)
    requests, waits = served.Requests(history), served.Waits(history)
    events = [(0.0, f"{dead} crashed", "fault"), (since(limit, zero), "declared detection + 1 s", "limit")]
    slow: list[Event] = []
    first: Event | None = None
    everyone = [visit for visit in served.visits(history) if visit["label"] in ("during", "after")]
    for visit in served.some(everyone, "visit since the fault"):
        server = requests.server(visit)
        at = since(visit["started"], zero)
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}, {at:.2f} s after the crash: {served.outcome_text(visit)}")
            slow.append(visit)
            continue
        took = waits.answer(visit)
        if took > deadlines.CONFIRM_WITHIN:
            tally.faults.append(f"{served.name_of(visit)}, {at:.2f} s after the crash: Confirm only after {took:.2f} s")
        if took > 0.5:
            slow.append(visit)
        if first is None or visit["answered"] < first["answered"]:
            first = visit
    attempts = attempts_at(history, dead)
    if attempts.still_in_pool:
        tally.faults.append(f"{dead} was still tried: {attempts}")
    if first:
        events.append((since(first["answered"], zero), "first user served elsewhere", "served"))
    if slow:
        last = max(slow, key=lambda visit: visit["started"])
        events.append((since(last["started"], zero), "last user delayed or refused", "detection"))
    good = sum(1 for visit in everyone if requests.server(visit))
    observed = f"{good} of {len(everyone)} connections were served"
    if slow:
        observed += f"; delayed (over 0.5 s) or refused: {len(slow)}, the last one {events[-1][0]:.2f} s after the crash"
    observed += f"; {attempts}"
    end = max(mark["t"] for mark in history.of("mark"))
    figures = [timeline(f"{dead} crashed", f"{dead} crashed", events)]
    if everyone:
        figures.append(served.answers(requests, waits, f"Wait of each of {len(everyone)} users, and who answered",
                                      f"{dead} crashed", zero, everyone, deadlines.CONFIRM_WITHIN))  # fmt: skip
    return tally.finding(
        observed, figures=tuple(figures),
        window=(zero, end), margin=deadlines.MARGIN, silence=True,
    )  # fmt: skip


def _cuts(history: History, after: int) -> dict[tuple[str, int], int]:
    """When the balancer closed connections towards their clients (address, port), by the capture on the client's link."""
    found: dict[tuple[str, int], int] = {}
    for flow in history.of("flow", link="client:eth0"):
        stamps = [flow[key] for key in ("fin_to_client", "rst_to_client") if flow.get(key, 0) > after]
        if stamps:
            found.setdefault((flow["client"], flow["cport"]), min(stamps))
    return found


def sessions_are_cut(history: History, fault: str) -> Finding:
    """RDP-FAIL-05: sessions held on a server that went dark (or hung) are closed within the detection bound.

    Visits: `held` sessions on all servers; `after`, users who come anew after the limit, which tells a balancer that
    keeps sessions from one that did not notice.
    """
    event = history.last("fault")
    assert event is not None
    dead, zero = event["server"], event["t"]
    bound, beyond = bound_of(history, fault)
    limit = bound + deadlines.MARGIN
    tally = Tally(f"Sessions held on a server that went {fault} are closed towards their clients within {bound:g} s "
                  f"+ {deadlines.MARGIN:g} s; sessions on other servers live on.")  # fmt: skip
    if beyond:
        tally.faults.append(beyond)
    held = [visit for visit in served.visits(history, "held") if visit["outcome"] == "answered"]
    theirs = [visit for visit in held if visit["server"] == dead]
    if not theirs:
        reason = f"no user could hold a session on {dead}, which RDP-PERSIST-01 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    cuts: list[float] = []
    closed = _cuts(history, zero)
    for session in theirs:
        cut = closed.get((session["source"], session["port"]))
        if cut is None:
            tally.faults.append(f"{served.name_of(session)}: the session was never closed")
        else:
            cuts.append(since(cut, zero))
            if cuts[-1] > limit:
                tally.faults.append(f"{served.name_of(session)}: closed only after {cuts[-1]:.2f} s")
    for session in held:
        if session["server"] != dead and (cut := closed.get((session["source"], session["port"]))):
            tally.faults.append(f"{served.name_of(session)} on {session['server']}: cut {since(cut, zero):.2f} s after {dead} died")
    events = [(0.0, f"{dead} {fault}", "fault"), (limit, "declared detection + 1 s", "limit")]
    if cuts:
        events += [(min(cuts), "first session closed", "close"), (max(cuts), "last session closed", "close")]
    figure = timeline(f"{dead} {fault}", f"{dead} {fault}", events)
    end = zero + int(limit * SECOND)
    if not cuts and not beyond:
        if reason := undetected(history, attempts_at(history, dead)):
            return Finding(Verdict.BLOCKED, tally.expected, reason, reason, figures=(figure,))
    observed = f"{len(cuts)} of {len(theirs)} sessions on {dead} were closed"
    if cuts:
        observed += f", between {min(cuts):.2f} and {max(cuts):.2f} s after the fault"
    measured = [{"id": f"session-cut-{fault}", "value": max(cuts), "unit": "s", "error": 0.001,
                 "requirement": "RDP-FAIL-05"}] if cuts else []  # fmt: skip
    return tally.finding(observed, Verdict.NON_STRICT, figures=(figure,), window=(zero, end), margin=deadlines.MARGIN,
                         silence=True, measurements=tuple(measured))  # fmt: skip


def return_rule_is_kept(history: History) -> Finding:
    """RDP-FAIL-06: when a server returns, all users that it lost go back, or all stay, as declared; nobody else moves at all.

    Visits: `moved` (the last one of each user before the return), `back` (one of each user after it), `fresh`
    (new users, the first of whom on the returned server shows that it is in use again). Users of other servers, who were
    there in `settle`, come while it is known as dead (`others`) and after its return (`others back`).
    """
    fault, restored = history.last("fault"), history.last("restore")
    assert fault is not None and restored is not None
    dead, zero = fault["server"], fault["t"]
    returns = declares(served.setup(history)["declares"]).returns_after_recovery
    rule = "go back to it" if returns else "stay on the server they were moved to"
    tally = Tally(f"When {dead} is back, 100 % of the users it lost {rule}, as declared; users of other servers stay on theirs.")
    requests = served.Requests(history)
    if reason := undetected(history, attempts_at(history, dead)):
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    moved = {visit["user"]: requests.server(visit) for visit in served.visits(history, "moved")}
    fresh = [visit for visit in served.visits(history, "fresh") if requests.server(visit) == dead]
    events = [(0.0, f"{dead} crashed", "fault"), (since(restored["t"], zero), f"{dead} started again", "other")]
    first_elsewhere = min((v["answered"] for v in served.visits(history, "moved") if requests.server(v)), default=None)
    if first_elsewhere:
        events.append((since(first_elsewhere, zero), "first user served elsewhere", "served"))
    if fresh:
        events.append((since(min(v["answered"] for v in fresh), zero), f"first new user on {dead}", "return"))
    else:
        tally.faults.append(f"{dead} got no new user after it had returned")
    followed = 0
    back = served.some(served.visits(history, "back"), "visit of a user who came back")
    for visit in back:
        server = requests.server(visit)
        wanted = dead if returns else moved[visit["user"]]
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}: {served.outcome_text(visit)}")
        elif server != wanted:
            tally.faults.append(f"{served.name_of(visit)} reached {server} instead of {wanted}")
        else:
            followed += 1
    observed = f"{followed} of {len(back)} users followed the declared rule"
    stayed, others = _bystanders(history, requests, dead, tally)
    observed += f"; {stayed} of {others} visits of other servers' users reached theirs" if others else ""
    figure = timeline(f"{dead} crashed and returned", f"{dead} crashed", events)
    return tally.finding(observed, figures=(figure,))


def _bystanders(history: History, requests: served.Requests, dead: str, tally: Tally) -> tuple[int, int]:
    """How many visits of users of other servers reached the server of before the fault, and of how many."""
    home = {visit["user"]: requests.server(visit) for visit in served.visits(history, "settle")}
    phases = {"others": f"while {dead} was dead", "others back": f"after {dead} had returned"}
    stayed = seen = 0
    for label, when in phases.items():
        for visit in served.visits(history, label):
            server, wanted = requests.server(visit), home[visit["user"]]
            seen += 1
            if server is None:
                tally.faults.append(f"{served.name_of(visit)} of {wanted}, {when}: {served.outcome_text(visit)}")
            elif server != wanted:
                tally.faults.append(f"{served.name_of(visit)} of {wanted} was moved to {server} {when}")
            else:
                stayed += 1
    return stayed, seen
