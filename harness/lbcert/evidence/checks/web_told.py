"""What a server is told of its client: by the far end of the TCP connection, by a PROXY header, by X-Forwarded-For.

Only the first two count as told: an HTTP header is written by whoever likes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served
from .web_path import path_of

HEADERS = ("proxy-v1", "proxy-v2")
"""values of the declared `transparency.by` under which the PROXY header tells"""
FORWARDED = "x-forwarded-for"
DIFFERENT = 0.75
"""of the connections whose port must not be the client's, where that is declared: some may be so by chance"""


class Told:
    """The servers' records of requests, and what these say of the client, by the declared means."""

    def __init__(self, history: History):
        self.declared: dict[str, Any] = served.setup(history)["declares"].get("transparency", {})
        self.by_header = self.declared.get("by") in HEADERS
        self._requests: dict[str, list[Event]] = defaultdict(list)
        for request in history.of("request"):
            self._requests[request["token"]].append(request)
        self.answers = called.Answers(history)

    @property
    def means(self) -> str:
        return "PROXY header" if self.by_header else "far end of the connection"

    def requests(self, call: Event) -> list[Event]:
        """The requests of `call` as servers had them; none where the two ends disagree about who answered, or about how many.

        A product may end a connection behind any whole answer (`short`).
        """
        found = self._requests[call["token"]]
        good = [reply for reply in call.get("replies", ()) if reply["status"] == 200 and reply["server"]]
        if call["outcome"] == "short" and good and len(good) == len(call["replies"]) == len(found):
            return found
        return found if self.answers.accept(call) and len(found) >= len(good) else []

    def address(self, request: Event) -> str | None:
        """Whom the server takes for the client; None if it is not told."""
        end = self._end(request)
        return None if end is None else end[0]

    def port(self, request: Event) -> int | None:
        end = self._end(request)
        return None if end is None else end[1]

    def _end(self, request: Event) -> list[Any] | None:
        return request["proxy"] if self.by_header else request["peer"]

    def wrong(self, call: Event) -> str | None:
        """Why `call` was not served by servers that were told its client's address, if so."""
        who = called.name_of(call)
        requests = self.requests(call)
        if not requests:
            return f"{who}: {called.outcome_text(call)}"
        for request in requests:
            if (told := self.address(request)) != call["source"]:
                return f"{who}: the {self.means} at {request['who']} is {told or 'missing'}"
        return None


def address_is_told(history: History) -> Finding:
    """TP-ADDR-01: for each request of each call the server was told its client's address. Calls labelled `path` are for the drawing."""
    told = Told(history)
    calls = served.some([call for call in called.calls(history) if call["label"] != "path"], "call")
    tally = Tally(f"Each of {len(calls)} clients is served, and the {told.means} at the server is the client's address.")
    faults = {call["call"]: fault for call in calls if (fault := told.wrong(call))}
    tally.faults += faults.values()
    services = list(dict.fromkeys(call["service"] for call in calls))
    parts = []
    for service in services:
        theirs = [call for call in calls if call["service"] == service]
        good = sum(1 for call in theirs if call["call"] not in faults)
        parts.append(f"{good} of {len(theirs)} over {service}")
    drawn = [figure for call in called.calls(history, "path") if (figure := path_of(history, call))]
    return tally.finding(f"the {told.means} was the client's address for {', '.join(parts)}",
                         figures=(kept(history, told, calls, services), *drawn))  # fmt: skip


def kept(history: History, told: Told, calls: list[Event], services: list[str]) -> dict[str, Any]:
    """The report's table of what reaches the servers of a client's address and port, by each means."""
    rows = []
    for service in services:
        asked = [(call, request) for call in calls if call["service"] == service for request in told.requests(call)[:1]]
        row: dict[str, Any] = {"service": service, "total": sum(1 for call in calls if call["service"] == service)}
        for name, ends in (("tcp", [one["peer"] for _, one in asked]), ("proxy", [one["proxy"] for _, one in asked])):
            sent = [end for end in ends if end is not None]
            pairs = [(call, end) for (call, _), end in zip(asked, ends, strict=True) if end is not None]
            row[name] = {"address": sum(1 for call, end in pairs if end[0] == call["source"]),
                         "port": sum(1 for call, end in pairs if end[1] == call["port"])} if sent else None  # fmt: skip
        values = [(call, forwarded(request)) for call, request in asked]
        row["forwarded"] = {"address": sum(1 for call, value in values if value[-1:] == [call["source"]])} \
            if any(value for _, value in values) else None  # fmt: skip
        rows.append(row)
    declared = {"by": told.declared.get("by", "tcp"), "port": told.declared.get("port")}
    return {"kind": "kept", "title": "What the servers learn of the client", "declared": declared, "rows": rows}


def forwarded(request: Event) -> list[str]:
    """The values of X-Forwarded-For, all lines read as one list."""
    lines = [value for name, value in request["headers"] if name.lower() == FORWARDED]
    return [one.strip() for line in lines for one in line.split(",")]


def port_is_as_declared(history: History) -> Finding:
    """TP-ADDR-03: the port that servers are told is the client's own, or is not, as `transparency.port` says."""
    told = Told(history)
    declared = told.declared.get("port")
    calls = served.some(called.calls(history), "call")
    if declared is None:
        reason = "dut.yaml does not say what becomes of the client's port (declares: transparency: port)"
        return Finding(Verdict.NOT_RUN, "The port is as declared.", reason, reason)
    seen = [(call, told.requests(call)[:1]) for call in calls]
    lost = [call for call, requests in seen if not requests]
    same = [call for call, requests in seen if requests and told.port(requests[0]) == call["port"]]
    tally = Tally(f"The port that a server is told by the {told.means} is the client's own for each of {len(calls)} connections."
                  if declared else f"As declared, the port that servers are told is not the client's own ({len(calls)} connections).")  # fmt: skip
    tally.faults += [f"{called.name_of(call)}: {called.outcome_text(call)}" for call in lost]
    for call, requests in seen if declared else ():
        if requests and call not in same:
            port = told.port(requests[0])
            tally.faults.append(f"{called.name_of(call)}, port {call['port']}: {requests[0]['who']} was told {port or 'none'}")
    if not declared and len(calls) - len(same) < DIFFERENT * len(calls):
        tally.faults.append(f"the port is kept after all, for {len(same)} of {len(calls)} connections: declare transparency.port")
    return tally.finding(f"the client's port was kept for {len(same)} of {len(calls)} connections", Verdict.NON_STRICT)


def balancer_is_seen(history: History) -> Finding:
    """TP-ADDR-08: with transparency switched off, every connection of a client's request comes from the DUT's own address."""
    told = Told(history)
    calls = served.some(called.calls(history), "call")
    own = called.own_addresses(history)
    tally = Tally(f"With transparency switched off, the servers see an address of the balancer for each of {len(calls)} clients.")
    seen: set[str] = set()
    for call in calls:
        requests = told.requests(call)
        if not requests:
            tally.faults.append(f"{called.name_of(call)}: {called.outcome_text(call)}")
        for request in requests:
            seen.add(request["peer"][0])
            if request["peer"][0] not in own:
                tally.faults.append(f"{called.name_of(call)}: {request['who']} sees {request['peer'][0]}")
            if request["proxy"] is not None:
                tally.faults.append(f"{called.name_of(call)}: {request['who']} is told {request['proxy'][0]} by a PROXY header")
    shown = ", ".join(sorted(seen)[:4]) or "nobody"
    return tally.finding(f"the servers saw {shown} over {len(calls)} connections", Verdict.NON_STRICT)
