"""Who answered whom where clients call services (`clients.talk`), as both ends tell it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ..history import Event, History
from .served import setup, some

_OUTCOMES = {
    "closed": "closed without an answer",
    "reset": "reset without an answer",
    "refused": "refused",
    "unreachable": "unreachable",
    "timeout": "no answer in 15 s",
}


def calls(history: History, label: str | None = None) -> list[Event]:
    """Calls with their outcome, in the order in which the outcomes came; `label` selects a phase."""
    return [event for event in history.of("call") if label is None or event["label"] == label]


class Answers:
    """The servers' records of connections, found by what an answer says of its connection."""

    def __init__(self, history: History):
        self._accepts: dict[tuple[str, int], Event] = {}
        self._asked: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.requests: dict[tuple[str, int], list[Event]] = defaultdict(list)
        """by server and its number of the connection"""
        for event in history.events:
            if event["kind"] == "accept":
                self._accepts[event["who"], event["conn"]] = event
            elif event["kind"] == "request":
                self.requests[event["who"], event["conn"]].append(event)
                self._asked[event["who"], event["conn"]].add(event["token"])

    def accept(self, call: Event) -> Event | None:
        """The server's record of the connection that answered `call` (`peer`, `local`), where both ends agree on it.

        The server must have the connection that its answer names, and on it the very request of this call.
        """
        if call["outcome"] != "answered" or call["server"] is None:
            return None
        key = call["server"], call["conn"]
        return self._accepts.get(key) if call["token"] in self._asked.get(key, ()) else None

    def server(self, call: Event) -> str | None:
        """The server of `call`, where the client's and the server's view of the connection agree."""
        return call["server"] if self.accept(call) else None

    def port(self, call: Event) -> int | None:
        """The port at which the server had the connection of `call`."""
        accept = self.accept(call)
        return accept["local"][1] if accept else None


def own_addresses(history: History, interface: str | None = None) -> set[str]:
    """The DUT's addresses, or those of one of its interfaces (eth1: among the servers, where it has two)."""
    links = setup(history)["interfaces"]["dut"]
    return {address for name, addresses in links.items() if interface in (None, name) for address in addresses}


def is_intercepted(history: History, call: Event) -> bool:
    """Whether somebody else than a server of the lab did the TLS of `call` (OCS-APP-02 is about that)."""
    known = history.events[0].get("certificates", {}).values()
    seen = call.get("tls", {}).get("server")
    return bool(seen) and bool(known) and seen not in known


def by_client(history: History, label: str | None = None) -> dict[str, list[Event]]:
    """Calls of each client, in order; there must be some."""
    found: dict[str, list[Event]] = defaultdict(list)
    for call in some(calls(history, label), "call"):
        found[call["client"]].append(call)
    return found


def outcome_text(call: Event) -> str:
    """What a client without service saw, in words."""
    known = _OUTCOMES.get(call["outcome"])
    if known is None and call["outcome"] != "answered":
        return f"{call['outcome']}{': ' + problem if (problem := call.get('tls', {}).get('problem')) else ''}"
    return known or "answered, but not by a server of the lab that has this connection"


def name_of(call: Event) -> str:
    return f"client {call['client']} on {call['service']}"


def grid(title: str, answers: Answers, everyone: list[Event], services: list[str]) -> dict[str, Any]:
    """The report's picture of who served which of `services` of which client: of several calls of one, the last that differs."""
    rows: dict[str, dict[str, str]] = {}
    for call in everyone:
        server = answers.server(call) or ""
        cells = rows.setdefault(call["client"], {})
        if cells.get(call["service"], server) == server or server not in cells.values():
            cells[call["service"]] = server
    return {"kind": "grid", "title": title, "columns": services,
            "rows": [{"label": client, "cells": [cells.get(name) for name in services]} for client, cells in rows.items()]}  # fmt: skip
