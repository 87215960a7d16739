"""The persistence table: which server a key belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .server import Server


@dataclass(slots=True)
class Entry:
    """`home` is the server that served the key first; `ordinal` counts users in the order of their first move."""

    server: Server
    home: Server | None = None
    moved_at: float = float("-inf")
    ordinal: int | None = None
    sessions: int = 0
    idle_since: float = 0.0


class Table:
    """Entries live `lifetime` seconds beyond their last session; None is for ever.

    `size` is how many fit in; None for any number. A new entry takes the place of the one that was used least recently.
    """

    def __init__(self, lifetime: float | None, now: Callable[[], float], size: int | None = None) -> None:
        self._lifetime = lifetime
        self._now = now
        self._size = size
        self._entries: dict[bytes, Entry] = {}
        """the least recently used first"""

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def full(self) -> bool:
        return self._size is not None and len(self._entries) >= self._size

    def get(self, key: bytes) -> Entry | None:
        entry = self._entries.pop(key, None)
        if entry is None or not self.lives(entry):
            return None
        self._entries[key] = entry
        return entry

    def lives(self, entry: Entry) -> bool:
        """Whether an entry still counts: it is in use, or its time is not over."""
        return self._lifetime is None or entry.sessions > 0 or self._now() - entry.idle_since <= self._lifetime

    def keys(self) -> list[bytes]:
        return list(self._entries)

    def put(self, key: bytes, server: Server) -> Entry:
        self._entries.pop(key, None)
        if self.full:
            # A user who is connected is needed more than one who was here more recently.
            idle = (old for old, entry in self._entries.items() if not entry.sessions)
            del self._entries[next(idle, next(iter(self._entries)))]
        entry = self._entries[key] = Entry(server, idle_since=self._now())
        return entry

    def forget(self, key: bytes) -> None:
        self._entries.pop(key, None)

    def release(self, key: bytes) -> None:
        """One session of this key has ended."""
        entry = self._entries.get(key)
        if entry is not None and entry.sessions:
            entry.sessions -= 1
            entry.idle_since = self._now()
