"""RDP-FAIL: what happens when a server dies and returns. Times are kernel stamps; zero is the fault."""

from __future__ import annotations

from typing import Any

from ... import deadlines
from ...dut import declares
from ...dut_model import DETECTION_CEILING, HealthCheck
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served

_SECOND = 1_000_000_000
_SPARE_CHECKS = 2
"""health checks by which two equal windows may differ: one at either edge"""


def _check(history: History) -> HealthCheck:
    return declares(served.setup(history)["declares"]).health_check


def _since(t: int, zero: int) -> float:
    return round((t - zero) / _SECOND, 3)


def _bound(history: History, fault: str) -> tuple[float, str | None]:
    """The detection bound of a fault without margin, and why it cannot count if it is beyond the ceiling."""
    bound = deadlines.detection(_check(history), fault)
    if bound > DETECTION_CEILING:
        return bound, f"the declared detection of {bound:g} s is beyond the ceiling of {DETECTION_CEILING:g} s"
    return bound, None


def _figure(title: str, zero: str, events: list[tuple[float, str, str]]) -> dict[str, Any]:
    rows = [{"t": t, "label": label, "role": role} for t, label, role in sorted(events)]
    return {"kind": "timeline", "title": title, "zero": zero, "events": rows}


def _attempts(history: History, server: str, start: int, end: int) -> int:
    """Connections that were opened towards `server` between two times, as captured on its own link."""
    index = served.servers(history).index(server) + 1
    flows = history.of("flow", link=f"ts{index}:eth0")
    return sum(1 for flow in flows if "syn" in flow and start <= flow["syn"] < end)


def dead_server_is_left(history: History) -> Finding:
    """RDP-FAIL-01: users of a crashed server get another's Confirm within 5 s, and soon nobody tries the dead one.

    Phases: visits labelled `during` (from the fault on) and `after`; the marks `quiet` and `busy` open two windows of
    equal length after the detection limit, the first without any client, to tell health checks from users.
    """
    fault = history.last("fault")
    assert fault is not None
    dead, zero = fault["server"], fault["t"]
    bound, beyond = _bound(history, "refused")
    limit = zero + int((bound + deadlines.MARGIN) * _SECOND)
    tally = Tally(f"While {dead} is being detected as dead, each of its users gets a Confirm within "
                  f"{deadlines.CONFIRM_WITHIN:g} s; from {bound:g} s + {deadlines.MARGIN:g} s on, nobody tries it.")  # fmt: skip
    if beyond:
        tally.faults.append(beyond)
    requests = served.Requests(history)
    events = [(0.0, f"{dead} crashed", "fault"), (_since(limit, zero), "declared detection + 1 s", "limit")]
    slow: list[Event] = []
    first: Event | None = None
    everyone = [visit for visit in served.visits(history) if visit["label"] in ("during", "after")]
    for visit in everyone:
        server = requests.server(visit)
        at = _since(visit["started"], zero)
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}, {at:.2f} s after the crash: {served.outcome_text(visit)}")
            slow.append(visit)
            continue
        took = (visit["answered"] - visit["started"]) / _SECOND
        if took > deadlines.CONFIRM_WITHIN:
            tally.faults.append(f"{served.name_of(visit)}, {at:.2f} s after the crash: Confirm only after {took:.2f} s")
        if took > 0.5:
            slow.append(visit)
        if first is None or visit["answered"] < first["answered"]:
            first = visit
    marks = {mark["name"]: mark["t"] for mark in history.of("mark")}
    quiet = _attempts(history, dead, marks["quiet"], marks["busy"])
    busy = _attempts(history, dead, marks["busy"], marks["end"])
    users = sum(1 for visit in everyone if visit["started"] >= marks["busy"])
    if busy > quiet + _SPARE_CHECKS:
        tally.faults.append(f"after the limit {dead} was still tried: {busy} attempts while {users} users connected, "
                            f"{quiet} in as long a time without users (health checks)")  # fmt: skip
    if first:
        events.append((_since(first["answered"], zero), "first user served elsewhere", "served"))
    if slow:
        last = max(slow, key=lambda visit: visit["started"])
        events.append((_since(last["started"], zero), "last user delayed or refused", "detection"))
    good = sum(1 for visit in everyone if requests.server(visit))
    observed = f"{good} of {len(everyone)} connections were served"
    if slow:
        observed += f"; delayed (over 0.5 s) or refused: {len(slow)}, the last one {events[-1][0]:.2f} s after the crash"
    observed += f"; attempts at {dead} after the limit: {quiet} without users, {busy} with {users} users"
    return tally.finding(
        observed, figures=(_figure(f"{dead} crashed", f"fault: {dead} crashed", events),),
        window=(zero, marks["end"]), margin=deadlines.MARGIN, silence=True,
    )  # fmt: skip


def _cut_at(history: History, session: Event, after: int) -> int | None:
    """When the balancer closed a held session towards its client, by the capture on the client's link."""
    for flow in history.of("flow", link="client:eth0", client=session["source"], cport=session["port"]):
        stamps = [flow[key] for key in ("fin_to_client", "rst_to_client") if flow.get(key, 0) > after]
        if stamps:
            return min(stamps)
    return None


def sessions_are_cut(history: History, fault: str) -> Finding:
    """RDP-FAIL-05: sessions held on a server that went dark (or hung) are closed within the detection bound.

    Visits: `held` sessions on all servers; `known` users of the dead server who come anew after the limit, which
    tells a balancer that keeps sessions from one that did not notice.
    """
    event = history.last("fault")
    assert event is not None
    dead, zero = event["server"], event["t"]
    bound, beyond = _bound(history, fault)
    limit = bound + deadlines.MARGIN
    tally = Tally(f"Sessions held on a server that went {fault} are closed towards their clients within {bound:g} s "
                  f"+ {deadlines.MARGIN:g} s; sessions on other servers live on.")  # fmt: skip
    if beyond:
        tally.faults.append(beyond)
    held = [visit for visit in served.visits(history, "held") if visit["outcome"] == "answered"]
    theirs = [visit for visit in held if visit["server"] == dead]
    cuts: list[float] = []
    for session in theirs:
        cut = _cut_at(history, session, zero)
        if cut is None:
            tally.faults.append(f"{served.name_of(session)}: the session was never closed")
        else:
            cuts.append(_since(cut, zero))
            if cuts[-1] > limit:
                tally.faults.append(f"{served.name_of(session)}: closed only after {cuts[-1]:.2f} s")
    for session in held:
        if session["server"] != dead and (cut := _cut_at(history, session, zero)):
            tally.faults.append(f"{served.name_of(session)} on {session['server']}: cut {_since(cut, zero):.2f} s after {dead} died")
    events = [(0.0, f"{dead} {fault}", "fault"), (limit, "declared detection + 1 s", "limit")]
    if cuts:
        events += [(min(cuts), "first session closed", "close"), (max(cuts), "last session closed", "close")]
    figure = _figure(f"{dead} {fault}", f"fault: {dead} {fault}", events)
    end = zero + int(limit * _SECOND)
    if not cuts and theirs and not beyond:
        requests = served.Requests(history)
        known = served.visits(history, "known")
        lost = [visit for visit in known if requests.server(visit) is None]
        if lost:
            reason = (f"blocked: {len(lost)} of {len(known)} users of {dead} got no service after the limit, so it was never "
                      "taken out of the pool, which RDP-FAIL-01 and RDP-FAIL-02 are about")  # fmt: skip
            return Finding(Verdict.BLOCKED, tally.expected, reason, reason, figures=(figure,))
    observed = f"{len(cuts)} of {len(theirs)} sessions on {dead} were closed"
    if cuts:
        observed += f", between {min(cuts):.2f} and {max(cuts):.2f} s after the fault"
    measured = [{"id": f"session-cut-{fault}", "value": max(cuts), "unit": "s", "error": 0.001,
                 "requirement": "RDP-FAIL-05"}] if cuts else []  # fmt: skip
    return tally.finding(observed, Verdict.NON_STRICT, figures=(figure,), window=(zero, end), margin=deadlines.MARGIN,
                         silence=True, measurements=tuple(measured))  # fmt: skip


def return_rule_is_kept(history: History) -> Finding:
    """RDP-FAIL-06: when a server returns, all users that it lost go back, or all stay, as declared.

    Visits: `moved` (the last one of each user before the return), `back` (one of each user after it), `fresh`
    (new users, the first of whom on the returned server shows that it is in use again).
    """
    fault, restored = history.last("fault"), history.last("restore")
    assert fault is not None and restored is not None
    dead, zero = fault["server"], fault["t"]
    returns = declares(served.setup(history)["declares"]).returns_after_recovery
    rule = "go back to it" if returns else "stay on the server they were moved to"
    tally = Tally(f"When {dead} is back, 100 % of the users it lost {rule}, as declared.")
    requests = served.Requests(history)
    moved = {visit["user"]: requests.server(visit) for visit in served.visits(history, "moved")}
    fresh = [visit for visit in served.visits(history, "fresh") if requests.server(visit) == dead]
    events = [(0.0, f"{dead} crashed", "fault"), (_since(restored["t"], zero), f"{dead} started again", "other")]
    first_elsewhere = min((v["answered"] for v in served.visits(history, "moved") if requests.server(v)), default=None)
    if first_elsewhere:
        events.append((_since(first_elsewhere, zero), "first user served elsewhere", "served"))
    if fresh:
        events.append((_since(min(v["answered"] for v in fresh), zero), f"first new user on {dead}", "return"))
    else:
        tally.faults.append(f"{dead} got no new user after it had returned")
    followed = 0
    back = served.visits(history, "back")
    for visit in back:
        server = requests.server(visit)
        wanted = dead if returns else moved[visit["user"]]
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}: {served.outcome_text(visit)}")
        elif server != wanted:
            tally.faults.append(f"{served.name_of(visit)} reached {server} instead of {wanted}")
        else:
            followed += 1
    observed = f"{followed} of {len(back)} users followed the declared rule" if back else "no user could come back"
    figure = _figure(f"{dead} crashed and returned", f"fault: {dead} crashed", events)
    return tally.finding(observed, figures=(figure,))
