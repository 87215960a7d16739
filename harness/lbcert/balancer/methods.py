"""Who is served where: by a table, by a hash, or by nothing at all."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from .policy import Policy
from .server import Server
from .table import Entry, Table

if TYPE_CHECKING:
    from .config import Config


class TablePolicy(Policy):
    """Persistence by a table from keys to servers."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self.table = Table(config.persistence.timer, now, config.persistence.size)
        self._moved = 0

    def assigned(self, key: bytes) -> Server | None:
        entry = self.table.get(key)
        if entry is None:
            server = self.place(key)
            if server is not None:
                # Written before the connection stands: two first connections of one user must agree.
                self.table.put(key, server)
            return server
        if self.returns(entry) and self._home_is_back(entry):
            entry.server = entry.home
        elif self.abandons(entry.server):
            server = self.place(key)
            if server is None:
                return None
            self.move(entry, server)
        return entry.server

    def reassigned(self, key: bytes, tried: Collection[Server]) -> Server | None:
        server = self.assigned(key)
        if server is None or server not in tried:
            return server
        server = self.balance(tried)
        if server is not None and self.stores_redispatch():
            self.move(self.table.get(key), server)
        return server

    def where(self, key: bytes | None) -> Server | None:
        entry = self.table.get(key) if key is not None else None
        return entry.server if entry is not None else None

    def served(self, key: bytes | None, server: Server) -> None:
        entry = self.table.get(key) if key is not None else None
        if entry is not None:
            entry.sessions += 1
            if entry.home is None:
                entry.home = server

    def left(self, key: bytes | None) -> None:
        if key is not None:
            self.table.release(key)

    def move(self, entry: Entry, server: Server) -> None:
        """Rewrites an entry whose server could not serve."""
        if entry.ordinal is None and entry.home is not None:
            self._moved += 1
            entry.ordinal = self._moved
        entry.server = server
        entry.moved_at = self.now()

    def abandons(self, server: Server) -> bool:
        """Whether the users that the table has on `server` are sent elsewhere."""
        return not server.up or server not in self.pool()

    def stores_redispatch(self) -> bool:
        """Whether the table learns where a user was served whose own server could not be reached."""
        return True

    def returns(self, entry: Entry) -> bool:
        """Whether a moved user goes home once home is up again."""
        return self.config.persistence.returns_after_recovery

    def _home_is_back(self, entry: Entry) -> bool:
        home = entry.home
        # A server that refused a user can still count as up: only a check begun since then shows that it serves.
        return home is not None and home is not entry.server and home.up and home.proved_at > entry.moved_at


class HashPolicy(Policy):
    """Persistence by highest random weight: a server's absence moves its own users and nobody else."""

    def assigned(self, key: bytes) -> Server | None:
        return self.reassigned(key, ())

    def reassigned(self, key: bytes, tried: Collection[Server]) -> Server | None:
        usable = [server for server in self.pool() if server.usable and server not in tried]
        return max(usable, key=lambda server: _weight(key, server), default=None)


class NullPolicy(Policy):
    """A plain forwarder: each connection to the next server, whatever it says and whatever happens."""

    checks = False

    def inspect_delay(self) -> float | None:
        return None

    def after_failure(self, key: bytes | None, tried: Collection[Server]) -> Server | None:
        return None

    def refuse(self, transport: asyncio.Transport) -> None:
        transport.close()


def _weight(key: bytes, server: Server) -> bytes:
    return hashlib.blake2b(key, digest_size=8, key=server.name.encode()).digest()
