"""A real server as the balancer sees it."""

from __future__ import annotations

from collections.abc import Callable

from .address import Address


class Server:
    """Address, health and load of one real server. Servers start as up, before any check."""

    def __init__(self, name: str, address: Address, backup: bool = False) -> None:
        self.name = name
        self.backup = backup
        """for the time when no other is up; never checked"""
        self.address = address
        self.up = True
        self.drained = False
        self.load = 0
        self.sessions: set[Callable[[], None]] = set()
        self.in_a_row = 0
        self.proved_at = float("-inf")

    @property
    def usable(self) -> bool:
        """Whether new users may be sent here; a drained server keeps those it has."""
        return self.up and not self.drained

    def __repr__(self) -> str:
        return f"<{self.name} {'up' if self.up else 'down'} load={self.load}>"
