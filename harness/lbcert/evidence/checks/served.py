"""Who served whom, as both ends tell it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from ..history import Event, History


def setup(history: History) -> Event:
    """The first event: servers, declared values, VIP."""
    return history.events[0]


def servers(history: History) -> list[str]:
    return list(setup(history)["servers"])


def link_of(history: History, server: str) -> str:
    """A server's own link in the capture."""
    first = setup(history)
    host = first.get("hosts", {}).get(server)
    if host is None:  # as recorded before hosts were
        host = f"ts{list(first.get('addresses') or first['servers']).index(server) + 1}"
    return f"{host}:eth0"


def visits(history: History, label: str | None = None) -> list[Event]:
    """Visits with their outcome, in the order in which the outcomes came; `label` selects a phase."""
    return [event for event in history.of("visit") if label is None or event["label"] == label]


def some(events: Collection[Any], what: str) -> Collection[Any]:
    """`events`, which must not be none at all: a check without observations has nothing to say."""
    if not events:
        raise ValueError(f"the history holds no {what}")
    return events


class Requests:
    """First packets as the servers logged them, found by what a Confirm says of its connection."""

    def __init__(self, history: History):
        self._by_reference: dict[tuple[str, int], list[Event]] = defaultdict(list)
        self._sent = {visit["sent"] for visit in history.of("visit")}
        for event in history.of("request"):
            self._by_reference[(event["who"], event["conn"] & 0xFFF)].append(event)
        for events in self._by_reference.values():
            events.sort(key=_when)

    def of(self, visit: Event) -> Event | None:
        """The server's record of the connection that answered `visit`; None if there is none.

        Numbers repeat after 4,096 connections: the last one before the answer is meant.
        """
        if visit["outcome"] != "answered" or visit["server"] is None:
            return None
        candidates = self._by_reference.get((visit["server"], visit["conn"]), [])
        before = bisect_right(candidates, visit["answered"], key=_when)
        return candidates[before - 1] if before else None

    def server(self, visit: Event) -> str | None:
        """The server of `visit`, where the client's and the server's view of the connection agree.

        The server must have the connection that its Confirm names, and not with the first packet of somebody else
        (answers delivered to the wrong client). A packet changed on its way is RDP-PARSE-01's subject alone.
        """
        record = self.of(visit)
        if record is None:
            return None
        theirs = record["bytes"]
        return None if theirs != visit["sent"] and theirs in self._sent else visit["server"]


class Waits:
    """How long clients waited for the product, by the capture on the client's link.

    That is from SYN to SYN-ACK, and from the request to its answer. The time in between, in which our client had its
    connection and had not sent yet, is no wait, nor is what it took for its own part of a TLS handshake (`own` of its call):
    with many clients at once and a busy machine both are seconds.
    """

    def __init__(self, history: History):
        self._flows: dict[tuple[str, int], list[Event]] = defaultdict(list)
        for flow in history.of("flow", link="client:eth0"):
            if "syn" in flow:
                self._flows[flow["client"], flow["cport"]].append(flow)

    def _flow(self, visit: Event) -> Event | None:
        # Ports are used again: the first connection from there since the visit began.
        return next((flow for flow in self._flows[visit["source"], visit["port"]] if flow["syn"] >= visit["started"]), None)

    def asked(self, visit: Event) -> int:
        """When the request of `visit` was sent (ns); by our own clock where the capture does not tell."""
        flow = self._flow(visit)
        return visit["started"] if flow is None else flow.get("data_to_server", visit["started"])

    def until(self, visit: Event, end: int) -> float:
        """Seconds that the client of `visit` had waited at `end` (ns); by our own clock where the capture has no such flow."""
        flow = self._flow(visit)
        if flow is None:
            return (end - visit["started"]) / 1e9
        stood, asked = flow.get("synack", end), flow.get("data_to_server", end)
        if not flow["syn"] <= stood <= asked <= end:
            return (end - flow["syn"]) / 1e9
        return max(stood - flow["syn"] + end - asked - visit.get("own", 0), 0) / 1e9

    def answer(self, visit: Event) -> float:
        """Seconds until the client of `visit` had its answer."""
        return self.until(visit, visit["answered"])


def _when(event: Event) -> int:
    return event["t"]


def outcome_text(visit: Event) -> str:
    """What a client without service saw, in words."""
    waited = ""
    return {
        "closed": "closed without an answer",
        "reset": "reset without an answer",
        "refused": "refused",
        "unreachable": "unreachable",
        "timeout": "no answer in 15 s",
        "malformed": f"answered with something that is no Connection Confirm ({visit['answer'][:40]})",
    }.get(visit["outcome"], "answered, but not with the server's own Confirm") + waited


def name_of(visit: Event) -> str:
    return f"user {visit['user']}" if visit["user"] is not None else f"client {visit['source']}"


def counts(placed: list[str], known: list[str]) -> dict[str, int]:
    """Users per server, every known server listed."""
    return {server: placed.count(server) for server in known}


def answers(requests: Requests, waits: Waits, title: str, zero: str, since: int, everyone: list[Event],
            limit: float | None) -> dict[str, Any]:  # fmt: skip
    """The report's chart of users' waits after a fault at `since` (ns); `limit` in s, where one is judged."""
    rows = []
    for visit in everyone:
        server = requests.server(visit)
        took = waits.answer(visit) if server else None
        rows.append({"t": round((visit["started"] - since) / 1e9, 3), "took": took and round(max(took, 0.0), 4), "server": server})
    return {"kind": "answers", "title": title, "zero": zero, "limit": limit, "visits": rows}


def distribution(title: str, placed: dict[str, int], allowed: tuple[int, int] | None = None, unit: str = "users") -> dict[str, Any]:
    """The report's chart of users (or other things, `unit`) per server."""
    figure: dict[str, Any] = {"kind": "distribution", "title": title, "unit": unit, "servers": placed}
    if allowed:
        figure["allowed"] = list(allowed)
    return figure
