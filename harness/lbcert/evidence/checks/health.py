"""RDP-FAIL-04 and -08: the health check itself. Times are kernel stamps.

A check is known by what it is not: a connection to a real server whose first packet no client of ours has sent. Many
checks never reach the server's application (SYN, SYN/ACK, RST), so they are counted in the capture, not in its log.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .outage import SECOND, attempts_at, check_of, since, timeline, undetected

_NEVER = 1 << 63
"""ns: later than anything"""
_FLAPS, _EXPOSED = 2, 10
"""returns for too few good checks, and users who came after the last of these checks, without which nothing can be said"""


def checks_are_harmless(history: History, wanted: int) -> Finding:
    """RDP-FAIL-04: of at least `wanted` checks, seen while no client was there, none looks like a broken client.

    Harmless is a check that leaves before the handshake is complete (the application never hears of it), one that
    closes in order without a byte, and one that sends a valid Connection Request and waits for the answer. An
    error is what a Terminal Server would log as one: bytes that are no Request, or not a whole one; a reset
    instead of a close before the server has answered; a connection that is left open.
    """
    tally = Tally(f"Of {wanted} health checks none makes a server see a broken client.")
    end = next(history.of("mark", name="end"))["t"]
    check = check_of(history)
    patient = int((check.timeout + deadlines.MARGIN) * SECOND)
    kinds: Counter[str] = Counter()
    for name in _known(history):
        reports = _Reports(history, name)
        for flow in _towards(history, name):
            if flow["syn"] >= end:
                continue
            kind, fault = _judged(flow, reports.of(flow), flow["syn"] < end - patient)
            kinds[kind] += 1
            if fault:
                tally.faults.append(f"a check of {name}: {fault}")
    seen = sum(kinds.values())
    if check.passive and not seen:
        watched = since(end, served.setup(history)["t"])
        reason = f"declares no health check of its own (kind: passive), and none was seen in {watched:.1f} s"
        return Finding(Verdict.UNSUPPORTED, tally.expected, reason, reason, silence=True)
    observed = f"{seen} health checks: " + (", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "none")
    if seen < wanted and not tally.faults:
        reason = f"only {seen} of {wanted} health checks were seen, which RDP-FAIL-01 and -02 are about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    return tally.finding(observed, Verdict.NON_STRICT, silence=True)


def _judged(flow: Event, record: dict[str, Any], long_ago: bool) -> tuple[str, str | None]:
    """What kind of check this connection was, and what is wrong with it."""
    request, close = record.get("request"), record.get("close")
    ends = [flow[key] for key in ("fin_to_server", "rst_to_server", "fin_to_client", "rst_to_client") if key in flow]
    answered = flow.get("data_to_client")
    reset = flow.get("rst_to_server")
    by_reset = reset is not None and reset == min(ends)
    if request is not None and request.get("malformed"):
        return "malformed", f"the server cannot read its first packet ({request['malformed']}; {request['bytes'][:40]})"
    if request is not None and request["rest"]:
        return "too much", f"{request['rest']} bytes follow its request before the server has answered"
    if request is None and (flow.get("data_to_server") or (close and close.get("unanswered"))):
        left = (close or {}).get("unanswered", "")[:40] or "some bytes"
        return "cut short", f"it leaves after {left}, which is no whole first packet"
    if not ends:
        return ("left open", "its connection is never closed") if long_ago else ("under way", None)
    if request is not None:
        if by_reset and (answered is None or reset < answered):
            return "reset", "it resets the connection before the server has answered its request"
        return "with a valid request", None
    if "accept" not in record:
        return "over before the handshake was", None
    if by_reset:
        return "reset", "it resets the connection without a byte"
    return "closed in order without a byte", None


def rise_is_respected(history: History) -> Finding:
    """RDP-FAIL-08: a server that was down gets its first user only after `rise` good checks in a row.

    The server refuses. Then it returns and refuses again several times, each time with fewer good checks than `rise`; at
    last it returns for good. Each return begins with the mark `flap`, at which the product must hold the server for dead.
    Visits: `after`, in the windows before the first return, and `flap`, users all the time from then on: new ones, those whom
    the failure moved, and users of the server who had not come since.
    """
    restores, faults = [list(history.of(kind)) for kind in ("restore", "fault")]
    dead, zero, final = faults[0]["server"], faults[0]["t"], restores[-1]["t"]
    check = check_of(history)
    used_by = deadlines.recovery(check) + deadlines.MARGIN
    tally = Tally(f"After its return no user reaches {dead} before {check.rise} good checks in a row; once it stays, "
                  f"some do within {used_by:g} s.")  # fmt: skip
    if reason := undetected(history, attempts_at(history, dead)):
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    reports = _Reports(history, dead)
    users = _users(history)
    opened = [(flow, users.get(id(reports.of(flow).get("request")))) for flow in _towards(history, dead)]
    ask = any(user is None and "data_to_client" in flow for flow, user in opened)
    came = [visit["started"] for visit in served.visits(history, "flap")]
    starts = [mark["t"] for mark in history.of("mark", name="flap")]
    tested = exposed = 0
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], _NEVER], strict=True), 1):
        good, ready_at = 0, None
        for t, what, user in _moments([(flow, user) for flow, user in opened if start <= flow["syn"] < end], ask):
            if good >= check.rise:
                break
            if what == "user":
                tally.faults.append(f"user {user} reached {dead}, return {number}, after {good} good checks of {check.rise}")
            good = good + 1 if what == "good" else good if what == "user" else 0
            ready_at = t if what == "good" else ready_at
        if number < len(starts) and ready_at is not None and good < check.rise:
            over = min((fault["t"] for fault in faults if fault["t"] > start), default=end)
            tested += 1
            exposed += sum(1 for started in came if ready_at <= started < over)
    arrived = min((flow["syn"] for flow, user in opened if user is not None and flow["syn"] >= final), default=None)
    events = [(0.0, f"{dead} refuses", "fault"), (since(final, zero), f"{dead} is back for good", "other")]
    observed = (f"{dead} returned {tested} times for fewer than {check.rise} good checks, "
                f"with {exposed} users after the last of them")  # fmt: skip
    if arrived is None:
        tally.faults.append(f"no user reached {dead} after it had returned for good")
    else:
        events.append((since(arrived, zero), f"first user on {dead}", "return"))
        took = since(arrived, final)
        observed += f"; back for good, it got its first user after {took:.2f} s"
        if took > used_by:
            tally.faults.append(f"the first user reached {dead} only {took:.2f} s after it had returned for good")
    if check.rise > 1 and not tally.faults and (tested < _FLAPS or exposed < _EXPOSED):
        reason = f"{observed}: too little to judge"
        return Finding(Verdict.BLOCKED, tally.expected, observed, reason)
    return tally.finding(observed, figures=(timeline(f"{dead} flaps", f"{dead} refuses", events),),
                         window=(zero, final + int(used_by * SECOND)), margin=deadlines.MARGIN, silence=True)  # fmt: skip


def _moments(opened: list[tuple[Event, str | None]], ask: bool) -> list[tuple[int, str, str | None]]:
    """What happened at the server, in order: a user's connection, a check that was good by then, the start of a bad one.

    Where checks ask for something, those are good that are answered, else those that are accepted; bad is what is refused.
    Anything else counts as nothing: whether such connections do harm is RDP-FAIL-04's subject.
    """
    found = []
    for flow, user in opened:
        proof = flow.get("data_to_client" if ask else "synack")
        if user is not None:
            found.append((flow["syn"], "user", user))
        elif proof is not None:
            found.append((proof, "good", None))
        elif "synack" not in flow:
            found.append((flow["syn"], "bad", None))
    return sorted(found, key=lambda moment: moment[0])


def _users(history: History) -> dict[int, str]:
    """Which first packets at the servers were users', and whose: those that a user's Confirm names, or that a user sent.

    The rest are health checks. The packets are told by `id()` of their events.
    """
    requests = served.Requests(history)
    sent = {visit["sent"]: visit["user"] for visit in history.of("visit")}
    found = {id(request): sent[request["bytes"]] for request in history.of("request") if request["bytes"] in sent}
    found |= {id(record): visit["user"] for visit in history.of("visit") if (record := requests.of(visit))}
    return found


class _Reports:
    """What a server's application reported of each connection: accept, request, close."""

    def __init__(self, history: History, server: str):
        self._by_peer: dict[tuple[str, int], list[dict[str, Event]]] = defaultdict(list)
        current: dict[int, dict[str, Event]] = {}
        for event in history.events:
            if event["who"] != server or event["kind"] not in ("accept", "request", "close"):
                continue
            if event["kind"] == "accept":
                current[event["conn"]] = {"accept": event}
                self._by_peer[tuple(event["peer"])].append(current[event["conn"]])
            elif event["conn"] in current:
                current[event["conn"]][event["kind"]] = event

    def of(self, flow: Event) -> dict[str, Event]:
        """The record of a captured connection; empty where the application never had it."""
        records = self._by_peer.get((flow["client"], flow["cport"]), [])
        return next((record for record in records if record["accept"]["t"] >= flow["syn"]), {})


def _known(history: History) -> list[str]:
    """All real servers of the lab, those included that take no new users."""
    return list(served.setup(history).get("addresses") or served.servers(history))


def _towards(history: History, server: str) -> list[Event]:
    """Connections opened towards a server, as captured on its link, in order."""
    return [flow for flow in history.of("flow", link=served.link_of(history, server)) if "syn" in flow]
