"""Who is connected to a mock server of a lab that stays up, as its own reports tell it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..endpoints.control import MockServer
from ..topology.plan import DUT_HOST
from ..wire import ConnectionRequest, Decoded

CHECKS_ARE_SHORT = 1.0
"""s after which a connection that could be a health check is none"""
_LONGEST = 100
"""characters that are shown of what a client sent"""
_STATES = {"crash": "crashed", "hang": "hung", "refuse": "refuses"}


@dataclass
class Guest:
    """A connection that a real server has."""

    address: str
    port: int
    """of the far end, as the server sees it"""
    local: int
    """the server's own port"""
    since: float
    """time.time()"""
    name: str | None = None
    """what the client calls itself; empty: nothing; None: it has not said enough to be counted"""
    did: str = ""
    """its first request, in a word or two"""
    known: bool = False
    """whether it is no health check for certain"""
    told: bool = False
    """whether its coming was news"""

    @property
    def is_user(self) -> bool:
        """Health checks say nothing, or nothing with a name in it, and leave at once."""
        return self.known or (self.name is not None and time.time() - self.since > CHECKS_ARE_SHORT)

    @property
    def peer(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass
class Seat:
    """A mock server, its fault if it has one (of some ports, or all), and its guests by connection number."""

    server: MockServer
    host: str
    fault: str | None = None
    ports: tuple[int, ...] = ()
    guests: dict[int, Guest] = field(default_factory=dict)

    @property
    def fallback(self) -> bool:
        """Whether it runs on the balancer itself."""
        return self.host == DUT_HOST

    @property
    def terminal(self) -> bool:
        """Whether it is a terminal server, whose users have names; the others have many ports, and clients with addresses."""
        return self.server.kind == "terminal-server"

    @property
    def state(self) -> str:
        return " ".join([_STATES.get(self.fault or "", self.fault or "up"), *map(str, self.ports)])

    @property
    def users(self) -> list[Guest]:
        return [guest for guest in self.guests.values() if guest.is_user]

    # -- what it reports --------------------------------------------------------------------------

    def take(self, event: Mapping[str, Any]) -> list[str]:
        """Take in one of the server's reports; returns news, if it is any."""
        kind, guest = event["kind"], self.guests.get(event.get("conn", 0))
        if kind == "accept":
            (address, port), (_, local) = event["peer"], event["local"]
            # What is not asked for a name counts by its address.
            self.guests[event["conn"]] = Guest(address, port, local, event["t"] / 1e9, None if self.terminal else "")
        elif guest is None:
            return []
        elif kind == "request":
            if self.terminal:
                guest.name = name_in(bytes.fromhex(event["bytes"]))
                guest.known = bool(guest.name)
            elif not guest.known:
                guest.name, guest.did, guest.known = requested(event)
            return self.greet(guest) if guest.known else []
        elif kind in ("security-failed", "malformed") and not self.terminal:
            guest.known = True
            return [*self.greet(guest), f"{self.server.name}: {who(guest)} on {guest.local}: {_said(kind, event)}"]
        elif kind == "close":
            del self.guests[event["conn"]]
            return [f"{self.server.name}: {self._called(guest)} left ({event['how']})"] if guest.told else []
        return []

    def greet(self, guest: Guest) -> list[str]:
        """News of a guest who has come, once it is certain that it is one."""
        if guest.told or not guest.is_user:
            return []
        guest.told = True
        came = f", from {guest.peer}" if guest.name or self.terminal else ""
        return [f"{self.server.name}: {self._called(guest)} connected{came}{f': {guest.did}' if guest.did else ''}"]

    def greet_all(self) -> list[str]:
        return [line for guest in self.guests.values() for line in self.greet(guest)]

    def _called(self, guest: Guest) -> str:
        return (clean(guest.name or "") or "(no name)") if self.terminal else f"{who(guest)} on {guest.local}"


def who(guest: Guest) -> str:
    """The name of a client of a pool or a site, or where it comes from."""
    return guest.name or guest.peer


def name_in(request: bytes) -> str:
    """The user's name in a first packet of RDP; empty where there is none."""
    outcome = ConnectionRequest.decode(request)
    cookie = outcome.value.cookie if isinstance(outcome, Decoded) else None
    return cookie.decode("latin-1") if cookie else ""


def requested(event: Mapping[str, Any]) -> tuple[str, str, bool]:
    """Who asks in a `request` that is not RDP's, what, and whether no health check would ask like that."""
    if "target" in event:  # a web request
        headers = {name.lower(): value for name, value in event["headers"]}
        client = event["proxy"][0] if event.get("proxy") else headers.get("x-forwarded-for", "")
        did = f"{event['method']} {event['target'].partition('?')[0]}"
        return clean(client), clean(did), bool(client or event["token"] or "user-agent" in headers)
    if "source" in event:  # SIP
        return clean(event["source"].partition(":")[2]), clean(event["method"]), event["method"] != "OPTIONS"
    return "", clean(event.get("operation") or event.get("uri") or "its first line"), True


def _said(kind: str, event: Mapping[str, Any]) -> str:
    return clean(event["reason"] if kind == "security-failed" else f"not what is spoken there: {event['reason']}")


def clean(text: str) -> str:
    """What a client sent, safe for a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)[:_LONGEST]


def age(since: float) -> str:
    """How long ago: 5 s, 3 min, 2 h."""
    seconds = max(0.0, time.time() - since)
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
