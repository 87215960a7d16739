"""Histories as literals: seconds instead of nanoseconds, connection numbers and packets made up where they do not matter."""

from __future__ import annotations

import itertools
from typing import Any

from lbcert.evidence.history import Event, History

ZERO = 1_700_000_000_000_000_000
"""ns: second 0 of every story"""
SERVERS = ("ts1", "ts2", "ts3")
CHECK = {"inter": 2.0, "fall": 3, "rise": 2, "timeout": 2.0, "kind": "tcp"}
"""detection: refused 6 s, dark or hung 12 s"""

_numbers, _visits = itertools.count(1), itertools.count(1)


def at(seconds: float) -> int:
    return ZERO + round(seconds * 1e9)


def packet(user: str | None) -> bytes:
    """A stand-in for a user's first packet; the checks compare bytes, they do not read names."""
    return f"packet of {user}".encode()


def event(t: float, who: str, kind: str, **facts: Any) -> Event:
    return {"t": at(t), "who": who, "kind": kind, **facts}


def story(*events: Event | list[Event], servers=SERVERS, check=CHECK, returns: bool | None = None,
          persistence: dict[str, Any] | None = None) -> History:  # fmt: skip
    """A history that begins as every test's does."""
    declares: dict[str, Any] = {"health_check": check} if check else {}
    if returns is not None:
        declares["persistence"] = {"returns_after_recovery": returns}
    if persistence is not None:
        declares["persistence"] = persistence
    first = event(-10, "harness", "setup", servers=list(servers), declares=declares)
    flat = [one for each in events for one in (each if isinstance(each, list) else [each])]
    return History(events=[first, *flat])


def served(user: str | None, server: str, t: float = 0.0, *, took: float = 0.01, label: str = "", source: str = "10.1.0.1",
           port: int = 40000, held: bool = False, conn: int | None = None, sent: bytes | None = None,
           received: bytes | None = None, rest: int = 0, recorded_by: str | None = None) -> list[Event]:  # fmt: skip
    """A visit that `server` answered, as the server and the client tell it."""
    conn = next(_numbers) if conn is None else conn
    sent = packet(user) if sent is None else sent
    received = sent if received is None else received
    request = event(t + took / 2, recorded_by or server, "request", conn=conn, bytes=received.hex(), rest=rest)
    return [request, _visit(user, t, "answered", label, source, port, held, sent, server, conn & 0xFFF, at(t + took))]


def unserved(user: str | None, outcome: str, t: float = 0.0, *, label: str = "", source: str = "10.1.0.1",
             sent: bytes | None = None) -> Event:  # fmt: skip
    """A visit that no server answered."""
    return _visit(user, t, outcome, label, source, 40000, False, packet(user) if sent is None else sent, None, None, None)


def _visit(user, t, outcome, label, source, port, held, sent, server, conn, answered) -> Event:
    return event(t, "client", "visit", visit=next(_visits), user=user, label=label, source=source, port=port,
                 started=at(t), outcome=outcome, answered=answered, server=server, conn=conn, sent=sent.hex(), answer="", held=held)  # fmt: skip


def marks(busy: float, quiet: float, end: float) -> list[Event]:
    """The two windows in which attempts at the dead server are counted."""
    named = {"busy": busy, "over": quiet, "quiet": quiet, "end": end}
    return [event(t, "harness", "mark", name=name) for name, t in named.items()]


def attempts(link: str, *times: float) -> list[Event]:
    """Connections opened towards a server, as captured on its link."""
    return [event(t, "capture", "flow", link=link, syn=at(t)) for t in times]


def ended(visit: list[Event], t: float, how: str = "left") -> Event:
    """The end of a held session."""
    return event(t, "client", "session-end", visit=visit[-1]["visit"], port=visit[-1]["port"], how=how)
