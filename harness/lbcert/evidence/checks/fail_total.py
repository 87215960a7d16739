"""RDP-FAIL-07: no server is left. Times are kernel stamps."""

from __future__ import annotations

from collections import defaultdict

from ... import deadlines
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .outage import bound_of, check_of, since, timeline

_TOLD = ("closed", "reset", "refused")
"""outcomes of a client that was turned away"""


def total_loss_is_answered(history: History) -> Finding:
    """RDP-FAIL-07: with every server dead, clients are turned away (or served by a fallback) within 2 s, and served later.

    Visits: `settle` (before: which servers are used at all), `lost` (after the last server must be known as dead), `waiting`
    (from the return of the servers until the product must use them) and `back` (after that).
    """
    faults, restores = list(history.of("fault")), list(history.of("restore"))
    zero, returned = max(fault["t"] for fault in faults), max(restore["t"] for restore in restores)
    bound, beyond = bound_of(history, "dark")
    back_by = deadlines.recovery(check_of(history)) + deadlines.MARGIN
    tally = Tally(f"With all {len(faults)} servers known as dead, each client is closed or served within "
                  f"{deadlines.TURNED_AWAY_WITHIN:g} s; {back_by:g} s after their return everybody is served, by all of them.")  # fmt: skip
    if beyond:
        tally.faults.append(beyond)
    requests, waits = served.Requests(history), served.Waits(history)
    longest = 0.0
    lost = served.some(served.visits(history, "lost"), "visit without a server")
    turned = fallback = 0
    captured = _by_client(history)
    for visit in lost:
        who = f"{served.name_of(visit)} with no server left"
        took = waits.until(visit, _end_of(captured, visit))
        if visit["outcome"] == "answered":
            fallback += 1
        elif visit["outcome"] in _TOLD:
            turned += 1
        else:
            tally.faults.append(f"{who}: {served.outcome_text(visit)}")
            continue
        longest = max(longest, took)
        if took > deadlines.TURNED_AWAY_WITHIN:
            tally.faults.append(f"{who}: {visit['outcome']} only after {took:.2f} s")
    events = [(0.0, "no server is left", "fault"), (since(returned, zero), "all servers are back", "other"),
              (bound + deadlines.MARGIN, "declared detection + 1 s", "limit")]  # fmt: skip
    waiting = [visit for visit in served.visits(history, "waiting") if requests.server(visit)]
    if waiting:
        events.append((since(min(visit["answered"] for visit in waiting), zero), "first user served again", "return"))
    back = served.some(served.visits(history, "back"), "visit after the return")
    good = 0
    unused = {server for visit in served.visits(history, "settle") if (server := requests.server(visit))}
    for visit in back:
        if server := requests.server(visit):
            good += 1
            unused.discard(server)
        else:
            at = since(visit["started"], returned)
            tally.faults.append(f"{served.name_of(visit)}, {at:.2f} s after the servers' return: "
                                f"{served.outcome_text(visit)}")  # fmt: skip
    for server in sorted(unused):
        tally.faults.append(f"{server} got none of the {len(back)} users who came when all servers had to be used again")
    observed = f"with no server left {turned} of {len(lost)} clients were turned away"
    observed += f" and {fallback} served by a fallback" if fallback else ""
    observed += f", the slowest after {longest:.2f} s; {good} of {len(back)} were served after the servers' return"
    return tally.finding(
        observed, figures=(timeline("All servers dead", "last server lost", events),), silence=True,
        window=(zero, max(visit["started"] for visit in back)), margin=deadlines.MARGIN,
    )  # fmt: skip


def _by_client(history: History) -> dict[str, list[Event]]:
    """The connections on the clients' link, by the client's address."""
    found: dict[str, list[Event]] = defaultdict(list)
    for flow in history.of("flow", link="client:eth0"):
        found[flow["client"]].append(flow)
    return found


def _end_of(captured: dict[str, list[Event]], visit: Event) -> int:
    """When the client had its answer, or the close: by the capture on its link; by our clock where it did not see any."""
    if visit["answered"] is not None:
        return visit["answered"]
    ends = [flow[key] for flow in captured.get(visit["source"], ())
            if flow.get("syn", 0) >= visit["started"] and visit["port"] in (0, flow["cport"])
            for key in ("fin_to_client", "rst_to_client") if key in flow]  # fmt: skip
    return min(ends, default=visit["t"])
