"""TP-ROUTE: packets that do not come back the way they should. Times are kernel stamps.

Lateness of ours can make a wait longer, so a fault, and no pass.
"""

from __future__ import annotations

from typing import Any

from ... import deadlines
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served

LIMIT = deadlines.LOST_WITHIN + deadlines.MARGIN
"""s within which a client must have an answer, or be told that there is none"""
AT_ONCE = 2.0
"""s within which a page comes where nothing is wrong (TP-ROUTE-01)"""
FALLBACK = "fallback"
"""the server on the balancer itself"""
_TOLD = ("closed", "reset", "refused", "short", "anonymous")
"""outcomes of a client that knows that it will not be served; `anonymous`: the product has a page for that"""


def pages_come(history: History) -> Finding:
    """TP-ROUTE-01: every call is answered by a real server within 2 s: after the start (label `start`), and again with strict filters of
    the reverse path (label `strict`)."""
    calls = served.some(called.calls(history), "call")
    tally = Tally(f"After the start of the machine, and with rp_filter, each of {len(calls)} clients has its page within {AT_ONCE:g} s.")
    answers, waits, real = called.Answers(history), served.Waits(history), served.setup(history)["addresses"]
    good, longest = 0, 0.0
    for call in calls:
        who = f"{called.name_of(call)}{' with rp_filter' if call['label'] == 'strict' else ''}"
        if answers.server(call) == FALLBACK:
            tally.faults.append(f"{who}: answered by the fallback, as if no server were left")
            continue
        if answers.server(call) not in real:
            by_itself = f"status {call['replies'][-1]['status']} of the balancer's own" if call["outcome"] == "anonymous" else ""
            tally.faults.append(f"{who}: {by_itself or called.outcome_text(call)}")
            continue
        took = waits.answer(call)
        longest = max(longest, took)
        if took > AT_ONCE:
            tally.faults.append(f"{who}: answered only after {took:.2f} s")
        else:
            good += 1
    return tally.finding(f"{good} of {len(calls)} clients had their page in time, the slowest after {longest:.2f} s",
                         window=_window(tally, calls), margin=AT_ONCE)  # fmt: skip


def lost_servers_are_no_silence(history: History) -> Finding:
    """TP-ROUTE-02: with servers whose answers go elsewhere (event `bypassed`), each client has a page or an error in time.

    For who got no page of a real server, a line of the log names both the client and a server that was tried for it. Who was not sent
    to such a server waits for nothing. One that was reached all the same (it needs no route to the client) may serve.
    """
    lost = next(history.of("bypassed"))["servers"]
    calls = served.some(called.calls(history), "call")
    names = lost[0] if len(lost) == 1 else f"{len(lost)} servers"
    tally = Tally(f"Although {names} answer past the balancer, each client has a page or an error within {LIMIT:g} s; where it was no page "
                  "of a server, the log names one that was tried.")  # fmt: skip
    ends = _Ends(history)
    tried = _tried(history, lost)
    counts = {"served": 0, "told": 0}
    longest, named = 0.0, 0
    for call in calls:
        who = called.name_of(call)
        kind, took = ends.judge(call, tally)
        longest = max(longest, took)
        if kind:
            counts[kind] += 1
        if kind and took > deadlines.PROMPT and call["source"] not in tried:
            tally.faults.append(f"{who}: waited {took:.2f} s, and was not sent to {names}")
        if kind == "told" and call["source"] in tried:
            if _named(history, call, lost):
                named += 1
            else:
                tally.faults.append(f"{who}: {call['outcome']}, and no line of the log names it and a server that was tried")
    by_lost = sum(1 for call in calls if ends.answers.server(call) in lost)
    observed = (f"{counts['served']} of {len(calls)} clients were served ({by_lost} by {names}), {counts['told']} were told ({named} of them "
                f"stand in the log with a server), the slowest after {longest:.2f} s; {len(tried)} clients had been sent to {names} in vain")  # fmt: skip
    return tally.finding(observed, window=_window(tally, calls), margin=deadlines.PROMPT)


def neighbour_is_told(history: History) -> Finding:
    """TP-ROUTE-03: clients in the servers' network (label `inside`) are served or told in time; others (`outside`) are served within 1 s."""
    inside = served.some(called.calls(history, "inside"), "call from the servers' network")
    outside = served.some(called.calls(history, "outside"), "call from the clients' network")
    tally = Tally(f"A client in the servers' network has a page or an error within {LIMIT:g} s; the others are served as before.")
    ends = _Ends(history, "neighbour:eth0")
    counts = {"served": 0, "told": 0}
    longest, outcomes = 0.0, []
    for call in inside:
        kind, took = ends.judge(call, tally)
        if kind:
            counts[kind] += 1
            longest = max(longest, took)
            outcomes.append(call["outcome"])
    answers, waits = called.Answers(history), served.Waits(history)
    for call in outside:
        if answers.accept(call) is None:
            tally.faults.append(f"{called.name_of(call)}, from outside: {called.outcome_text(call)}")
        elif (took := waits.answer(call)) > deadlines.PROMPT:
            tally.faults.append(f"{called.name_of(call)}, from outside: answered only after {took:.2f} s")
    direct = _direct(history)
    observed = (f"of {len(inside)} requests from the servers' network {counts['served']} were served and {counts['told']} told "
                f"({', '.join(dict.fromkeys(outcomes)) or 'none'}), the slowest after {longest:.2f} s; {len(outside)} from outside; "
                + (f"servers answered the client directly {direct} times" if direct else "no server answered the client directly"))  # fmt: skip
    return tally.finding(observed, window=_window(tally, [*inside, *outside]), margin=deadlines.PROMPT)


class _Ends:
    """How calls ended, and when, by the capture on the client's link."""

    def __init__(self, history: History, link: str = "client:eth0"):
        self.answers = called.Answers(history)
        self._real = served.setup(history)["addresses"]
        self._flows = [flow for flow in history.of("flow", link=link) if "syn" in flow]

    def judge(self, call: Event, tally: Tally) -> tuple[str | None, float]:
        """`served` or `told`, with the seconds that it took; None with a fault in the tally."""
        who = called.name_of(call)
        took = self._took(call)
        if self.answers.server(call) in self._real:
            kind = "served"
        elif self.answers.server(call) == FALLBACK or call["outcome"] in _TOLD or call["outcome"].startswith("status 5"):
            kind = "told"
        else:
            tally.faults.append(f"{who}: {called.outcome_text(call)}")
            return None, took
        if took > LIMIT:
            tally.faults.append(f"{who}: {call['outcome']} only after {took:.2f} s")
            return None, took
        return kind, took

    def _took(self, call: Event) -> float:
        """Seconds from the first packet of the call to its end."""
        flow = next((flow for flow in self._flows
                     if (flow["client"], flow["cport"]) == (call["source"], call["port"]) and flow["syn"] >= call["started"]), None)  # fmt: skip
        start = call["started"] if flow is None else flow["syn"]
        ends = [] if flow is None else [flow[key] for key in ("fin_to_client", "rst_to_client") if key in flow]
        end = call["answered"] or min(ends, default=call["t"])
        return (end - start) / 1e9


def _tried(history: History, lost: list[str]) -> set[str]:
    """Who stands as the client in connections that reached a server of `lost` and never carried a byte to it; without health checks."""
    own = called.own_addresses(history)
    links = {served.link_of(history, name) for name in lost}
    return {flow["client"] for flow in history.of("flow")
            if flow["link"] in links and "syn" in flow and "data_to_server" not in flow and flow["client"] not in own}  # fmt: skip


def _named(history: History, call: Event, lost: list[str]) -> bool:
    """Whether a line of the log names the client of `call` and one of the servers, by its name or its address."""
    addresses = served.setup(history)["addresses"]
    known: list[Any] = [*lost, *(pair[0] for name in lost for pair in addresses[name])]
    return any(call["source"] in event["text"] and any(name in event["text"] for name in known) for event in history.of("log"))


def _direct(history: History) -> int:
    """Connections that servers accepted on the way to a client in their network, seen there."""
    servers = {address for pairs in served.setup(history)["addresses"].values() for address, _ in pairs}
    return sum(1 for flow in history.of("flow", link="neighbour:eth0") if flow["server"] in servers and "synack" in flow)


def _window(tally: Tally, calls: list[Event]) -> tuple[int, int] | None:
    return (min(call["started"] for call in calls), max(call["t"] for call in calls)) if tally.faults else None
