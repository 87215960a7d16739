"""OCS-IDLE-03 and -04: what keeps a connection open, where the idle time is short. All times are the kernel's.

Connections are held on the SIP ports and answer once (phase `begin`). Between the marks `kept` and `over`, more than five idle
times apart, somebody says something on each of them every two thirds of the idle time: on the calls `keepalive` the client,
who sends the double CRLF of the protocol; on the calls `from-client` the client, who gets no answer; on the calls `from-server` the
Front End, and the client does not answer. At the end each asks once more (phase `end`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .called import calls
from .ends import SECOND, Ends, call_echoes, ending, held_on
from .outage import bound_of

IDLE_TIMES = 5
"""idle times for which a connection must be kept open"""
SHARE = 2 / 3
"""of the idle time passes between two things that are said; clients of OCS use two thirds of what the server names"""
KEEPALIVE = b"\r\n\r\n"
"""MS-CONMGMT 2.2.1 and RFC 5626 3.5.1"""


class _Kept:
    """The connections of one label, and whether they outlived their idle times."""

    def __init__(self, history: History, label: str, idle: float):
        self.span = idle
        marks = {mark["name"]: mark["t"] for mark in history.of("mark")}
        self.start, self.over = marks["kept"], marks["over"]
        if self.over - self.start < IDLE_TIMES * self.span * SECOND:
            raise ValueError(f"connections were looked at for {(self.over - self.start) / SECOND:.1f} s, not {IDLE_TIMES} idle times")
        self._ends, self._echoes = Ends(history), call_echoes(history)
        self.everyone = served.some(calls(history, label), f"call {label}")
        self.calls = [call for call in self.everyone if self._ends.peer(call) and self._echoes.get((call["call"], "begin"))]

    @property
    def unfit(self) -> str | None:
        if len(self.calls) < len(self.everyone):
            return (f"{len(self.everyone) - len(self.calls)} of {len(self.everyone)} connections carried no data to begin with, which "
                    "OCS-NET-02 is about")  # fmt: skip
        return None

    def ended(self, call: Event) -> str | None:
        """That a connection did not live until the end, in words."""
        if self._echoes.get((call["call"], "end")):
            return None
        at = self._end(call)
        after = f"closed {(at - self.start) / SECOND:.2f} s after its last answer" if at else "it carried no data any more"
        return f"{held_on(call)}: {after}"

    def _end(self, call: Event) -> int | None:
        stamps = [stamp for stamp in (ending(self._ends.client(call), "client"), ending(self._ends.server(call), "server")) if stamp]
        return min(stamps, default=None)

    def late(self, call: Event, said: list[int]) -> float:
        """The longest pause between two things that were said, or before the first or after the last of them, s.

        After a connection's end nothing can be said.
        """
        until = min(self.over, self._end(call) or self.over)
        moments = [self.start, *sorted(t for t in said if t < until), until]
        between = max(later - earlier for earlier, later in zip(moments, moments[1:], strict=False))
        # As the packets have it, too: what is said may leave late.
        seen = [flow.get("pause", 0) for flow in (self._ends.client(call), self._ends.server(call)) if flow]
        return max(between, min(seen, default=0)) / SECOND


def keepalives_pass_and_count(history: History, idle: float) -> Finding:
    """OCS-IDLE-03: each keep-alive arrives unchanged (`sent` by the client, `keepalive` at the Front End), and keeps the connection."""
    tally = Tally("A client's double CRLF every two thirds of the idle time arrives unchanged, and its connection outlives "
                  f"{IDLE_TIMES} idle times.")  # fmt: skip
    kept = _Kept(history, "keepalive", idle)
    if reason := kept.unfit:
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    sent = _said(history.of("sent"), "call")
    arrived = _said(history.of("keepalive"), "who", "conn")
    alive = total = good = 0
    for call in kept.calls:
        mine, theirs = sent[(call["call"],)], arrived[call["server"], call["conn"]]
        served.some(mine, "keep-alive")
        if reason := _own_lateness(kept, call, [event["t"] for event in mine]):
            return Finding(Verdict.HARNESS_ERROR, tally.expected, reason, reason)
        if ended := kept.ended(call):
            tally.faults.append(ended)
        else:
            alive += 1
        total += len(mine)
        whole = b"".join(bytes.fromhex(event["bytes"]) for event in mine)
        got = b"".join(bytes.fromhex(event["bytes"]) for event in theirs)
        good += len(got) // len(KEEPALIVE) if whole.startswith(got) else 0
        if got != whole and (alive or not whole.startswith(got)):
            last = got[-8:].hex(" ") or "none"
            tally.faults.append(f"{held_on(call)}: {len(got)} of {len(whole)} bytes of keep-alives arrived ({last})")
    services = Counter(call["service"] for call in kept.calls)
    observed = (f"{good} of {total} keep-alives arrived as `0d 0a 0d 0a`; {alive} of {len(kept.calls)} connections "
                f"({', '.join(f'{service} {count}' for service, count in services.items())}) were open after "
                f"{(kept.over - kept.start) / SECOND:.1f} s, with an idle time of {kept.span:g} s")  # fmt: skip
    return tally.finding(observed, **_held_up(history, kept, tally))


def one_way_is_enough(history: History, idle: float) -> Finding:
    """OCS-IDLE-04: a connection on which only one end says something lives on (`sent` by the client, `pushed` by the Front End)."""
    tally = Tally("A connection on which only the client, or only the Front End, says something every two thirds of the idle time "
                  f"outlives {IDLE_TIMES} idle times.")  # fmt: skip
    said = {"from-client": _said(history.of("sent"), "call"), "from-server": _said(history.of("pushed"), "who", "conn")}
    parts = []
    kept = None
    for label, who in (("from-client", "client"), ("from-server", "Front End")):
        kept = _Kept(history, label, idle)
        if reason := kept.unfit:
            return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
        alive = 0
        for call in kept.calls:
            key = (call["call"],) if label == "from-client" else (call["server"], call["conn"])
            ended = kept.ended(call)
            if reason := _own_lateness(kept, call, [event["t"] for event in said[label][key]]):
                return Finding(Verdict.HARNESS_ERROR, tally.expected, reason, reason)
            alive += not ended
            tally.faults += [f"only the {who} spoke: {ended}"] if ended else []
        parts.append(f"{alive} of {len(kept.calls)} connections on which only the {who} spoke")
    assert kept is not None
    observed = f"{' and '.join(parts)} were open after {(kept.over - kept.start) / SECOND:.1f} s, with an idle time of {kept.span:g} s"
    return tally.finding(observed, **_held_up(history, kept, tally))


def _held_up(history: History, kept: _Kept, tally: Tally) -> dict[str, Any]:
    """When lateness of ours counts: a Front End that stands still for as long as its checks need to find it dead loses its connections."""
    # A quarter of a margin is what lateness may be.
    return {"window": (kept.start, kept.over) if tally.faults else None, "margin": 4 * bound_of(history, "hung")[0]}


def _said(events, *keys: str) -> dict[tuple, list[Event]]:
    found: dict[tuple, list[Event]] = defaultdict(list)
    for event in events:
        found[tuple(event.get(key) for key in keys)].append(event)
    return found


def _own_lateness(kept: _Kept, call: Event, said: list[int]) -> str | None:
    """Why the connection may have been silent for too long by our own fault."""
    longest = kept.late(call, said)
    # A connection that is ended for being idle ends when the idle time is over, or later.
    if longest <= deadlines.IDLE_SHARES[0] * kept.span:
        return None
    return f"machine too slow: {longest:.2f} s between two keep-alives, with an idle time of {kept.span:g} s"
