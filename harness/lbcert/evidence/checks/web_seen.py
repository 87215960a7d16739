"""What web clients asked and were answered, request by request, beside what the servers saw of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from ...verdicts import Verdict
from ...wire.cookies import Cookie, read
from ...wire.http import read_server_value
from ..finding import Finding
from ..history import Event, History
from .called import calls
from .served import setup


@dataclass(frozen=True)
class Exchange:
    """One request of one call."""

    call: Event
    number: int
    """within its call, from 0"""
    method: str
    target: str
    shown: list[str]
    """the Cookie headers that it carried"""
    reply: dict[str, Any] | None
    """as `Reply.told`; None: no whole answer"""
    request: Event | None
    """the record of the server that the answer names: its connection, this very token"""

    @property
    def client(self) -> str:
        return self.call["client"]

    @property
    def name(self) -> str:
        return f"{self.client} on {self.call['service']}"

    @property
    def server(self) -> str | None:
        """Who answered, where both ends agree on it."""
        return None if self.request is None else self.request["who"]

    @property
    def trouble(self) -> str | None:
        """In words, what came in place of a server's answer; None where a server answered, or the client had to ask again."""
        if self.reply is None:
            return None if _closed_in_order(self.call, self.number) else f"{self.name}: {self.call['outcome']}, no answer to {self.target}"
        if self.request is None:
            return f"{self.name}: {self.target} was answered ({self.reply['status']}), and not by a server that saw this request"
        return None


def exchanges(history: History, *labels: str) -> Iterator[Exchange]:
    """Every request of the calls with one of these labels (all without any), in the order in which the calls ended."""
    names = list(setup(history)["hosts"])
    records: dict[tuple[str, int, str], list[Event]] = defaultdict(list)
    for event in history.of("request"):
        if event["token"] is not None:
            records[event["who"], event["conn"], event["token"]].append(event)
    for call in calls(history):
        if (labels and call["label"] not in labels) or "asked" not in call:
            continue
        for number, (method, target) in enumerate(call["asked"]):
            reply = call["replies"][number] if number < len(call["replies"]) else None
            shown = call["shown"][number] if number < len(call["shown"]) else []
            yield Exchange(call, number, method, target, shown, reply, _record(call, reply, names, records))


def unserved(seen: Collection[Exchange], expected: str) -> Finding | None:
    """Blocked, where a service serves nobody at all: that is another requirement's subject, and nothing else shows then."""
    served = {one.call["service"] for one in seen if one.server is not None}
    for one in seen:
        if (service := one.call["service"]) not in served:
            reason = f"TP-TLS-03: no client of {service} is served"
            return Finding(Verdict.BLOCKED, expected, f"{reason} ({one.trouble or one.call['outcome']})", reason=reason)
    return None


def header(fields: Collection[Any], name: str) -> list[str]:
    """The values of every header of that name (lower case), in order."""
    return [value for key, value in fields if key.lower() == name]


def added(reply: dict[str, Any], site: Collection[str] = ()) -> list[str]:
    """The Set-Cookie lines of an answer that the site (its own lines) did not send."""
    return [line for line in reply["set_cookie"] if line not in site]


def cookies(lines: Collection[str], target: str) -> list[Cookie]:
    """Set-Cookie lines as a client reads them."""
    return [one for line in lines if (one := read(line, target)) is not None]


def names_added(history: History, site: Collection[str] = ()) -> set[str]:
    """The names of the cookies that the balancer set, anywhere in the history."""
    return {one.name for call in calls(history) for reply in call.get("replies", ()) for one in cookies(added(reply, site), "/")}


def _record(call: Event, reply: dict[str, Any] | None, names: list[str], records: dict) -> Event | None:
    who = read_server_value((reply or {}).get("server") or "")
    if who is None or not 0 < who[0] <= len(names):
        return None
    found = records.get((names[who[0] - 1], who[1], call["token"]))
    return found.pop(0) if found else None


def _closed_in_order(call: Event, number: int) -> bool:
    """Whether the answer before said that it is the last on its connection: what was asked behind it is asked anew."""
    replies = call["replies"]
    if not replies or number < len(replies):
        return False
    last = replies[-1]
    said = {one.strip().lower() for value in header(last["headers"], "connection") for one in value.split(",")}
    return "close" in said or last["version"] == "1.0"
