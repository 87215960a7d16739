"""The two captured connections of a call: on the client's link, and on its server's."""

from __future__ import annotations

from ..history import Event, History
from .called import Answers, name_of
from .session import Sides, ending

SECOND = 1_000_000_000


class Ends(Sides):
    """Both captured connections of calls that were answered (`called`)."""

    def __init__(self, history: History):
        super().__init__(history)
        self.answers = Answers(history)

    def peer(self, call: Event) -> tuple[str, int, int] | None:
        """The DUT's end of the connection to the server, and when that was accepted."""
        accepted = self.answers.accept(call)
        return (*accepted["peer"][:2], accepted["t"]) if accepted else None


def closes_towards_clients(history: History, after: int) -> dict[tuple[str, int], int]:
    """When connections were closed towards their clients (address, port), by the capture on the clients' link."""
    found: dict[tuple[str, int], int] = {}
    for flow in history.of("flow", link="client:eth0"):
        stamps = [flow[key] for key in ("fin_to_client", "rst_to_client") if flow.get(key, 0) > after]
        if stamps:
            found.setdefault((flow["client"], flow["cport"]), min(stamps))
    return found


def call_echoes(history: History) -> dict[tuple[int, str], bool]:
    """(call, phase) -> whether that held call was answered once more."""
    return {(event["call"], event["phase"]): event["ok"] for event in history.of("echo") if "call" in event}


def held_on(call: Event) -> str:
    """Who holds a connection where, for a sentence."""
    return f"{name_of(call)} at {call['server']}"


__all__ = ["SECOND", "Ends", "call_echoes", "closes_towards_clients", "ending", "held_on"]
