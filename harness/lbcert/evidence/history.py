"""The history of a test: every event, in the order it became known, kept as a file of JSON lines.

An event is a flat dictionary: `t` (kernel or wall clock, ns since 1970), `who` (client, a server's name, dut,
lab, capture, harness), `kind`, and facts. Checks read nothing else, so a history can be judged again later.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]

_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().decode


class History:
    """Events in memory and, where a path is given, on disk."""

    def __init__(self, path: Path | None = None, events: list[Event] | None = None):
        self.events: list[Event] = list(events or [])
        self._file = path.open("w", buffering=1 << 16) if path else None

    def add(self, who: str, kind: str, t: int | None = None, **facts: Any) -> Event:
        """Record one event; `t` defaults to now."""
        event = {"t": time.time_ns() if t is None else t, "who": who, "kind": kind, **facts}
        self.events.append(event)
        if self._file:
            self._file.write(_encode(event) + "\n")
        return event

    def add_line(self, who: str, line: str) -> Event:
        """Record an event that a mock server has written down itself: a JSON object with `t`, `kind` and facts."""
        event = _decode(line)
        event["who"] = who
        self.events.append(event)
        if self._file:
            self._file.write(f'{{"who":{_encode(who)},{line[1:]}\n')
        return event

    def of(self, kind: str, **facts: Any) -> Iterator[Event]:
        """Events of one kind whose facts equal `facts`."""
        for event in self.events:
            if event["kind"] == kind and all(event.get(name) == value for name, value in facts.items()):
                yield event

    def last(self, kind: str, **facts: Any) -> Event | None:
        found = None
        for found in self.of(kind, **facts):  # noqa: B007  the last one is wanted
            pass
        return found

    def flush(self) -> None:
        if self._file:
            self._file.flush()

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    @classmethod
    def load(cls, path: Path) -> History:
        """Read a history back; a last line that a crash cut off is left out."""
        events = []
        with path.open() as file:
            for line in file:
                if line.endswith("\n"):
                    events.append(json.loads(line))
        return cls(events=events)
