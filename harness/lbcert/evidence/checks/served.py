"""Who served whom, as both ends tell it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ..history import Event, History


def setup(history: History) -> Event:
    """The first event: servers, declared values, VIP."""
    return history.events[0]


def servers(history: History) -> list[str]:
    return list(setup(history)["servers"])


def visits(history: History, label: str | None = None) -> list[Event]:
    """Visits with their outcome, in the order in which the outcomes came; `label` selects a phase."""
    return [event for event in history.of("visit") if label is None or event["label"] == label]


class Requests:
    """First packets as the servers logged them, found by what a Confirm says of its connection."""

    def __init__(self, history: History):
        self._by_reference: dict[tuple[str, int], list[Event]] = defaultdict(list)
        for event in history.of("request"):
            self._by_reference[(event["who"], event["conn"] & 0xFFF)].append(event)

    def of(self, visit: Event) -> Event | None:
        """The server's record of the connection that answered `visit`; None if there is none.

        Numbers repeat after 4,096 connections: the last one before the answer is meant.
        """
        if visit["outcome"] != "answered" or visit["server"] is None:
            return None
        candidates = self._by_reference.get((visit["server"], visit["conn"]), [])
        before = [event for event in candidates if event["t"] <= visit["answered"]]
        return before[-1] if before else None

    def server(self, visit: Event) -> str | None:
        """The server of `visit`, where the client's and the server's view agree on server and first packet."""
        record = self.of(visit)
        if record is None or record["bytes"] != visit["sent"]:
            return None
        return visit["server"]


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


def distribution(title: str, placed: dict[str, int], allowed: tuple[int, int] | None = None) -> dict[str, Any]:
    """The report's chart of users per server."""
    figure: dict[str, Any] = {"kind": "distribution", "title": title, "unit": "users", "servers": placed}
    if allowed:
        figure["allowed"] = list(allowed)
    return figure
