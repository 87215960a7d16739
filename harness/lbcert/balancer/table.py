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
    """Entries live `lifetime` seconds beyond their last session; None is for ever."""

    def __init__(self, lifetime: float | None, now: Callable[[], float]) -> None:
        self._lifetime = lifetime
        self._now = now
        self._entries: dict[bytes, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> Entry | None:
        entry = self._entries.get(key)
        if entry is None or self._lifetime is None or entry.sessions:
            return entry
        if self._now() - entry.idle_since <= self._lifetime:
            return entry
        del self._entries[key]
        return None

    def put(self, key: bytes, server: Server) -> Entry:
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
