"""The switches about the table of users, about names that name nobody, and about the choice for new users."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .address import Address
from .defects import Defect
from .defects import _on as on
from .defects import _named_switch as named_switch
from .defects import _switch as switch
from .opening import Opening
from .policy import packed
from .server import Server
from .table import Entry, Table

if TYPE_CHECKING:
    from .config import Config


# -- how long an entry lives


class _FromItsStart(Table):
    """An entry lives `lifetime` seconds beyond the start of its last session, be that over or not."""

    def get(self, key: bytes) -> Entry | None:
        entry = super().get(key)
        if entry is not None:
            entry.idle_since = self._now()
        return entry

    def lives(self, entry: Entry) -> bool:
        return self._lifetime is None or self._now() - entry.idle_since <= self._lifetime

    def release(self, key: bytes) -> None:
        entry = self._entries.get(key)
        if entry is not None and entry.sessions:
            entry.sessions -= 1


class _FromItsCreation(_FromItsStart):
    """An entry lives `lifetime` seconds from the moment when it was made, however often it is used."""

    def get(self, key: bytes) -> Entry | None:
        return Table.get(self, key)


@switch("expire-in-session", on, method="table")
class _ExpireInSession(Defect):
    """Counts an entry's time from the start of its last session, so that a long session outlives it."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self.table = _FromItsStart(config.persistence.timer, now, config.persistence.size)


@switch("expire-from-creation", on, method="table")
class _ExpireFromCreation(Defect):
    """Counts an entry's time from when it was made: coming again does not prolong it."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self.table = _FromItsCreation(config.persistence.timer, now, config.persistence.size)


@switch("expire-early", lambda field: field.factor(0.01, 0.99), method="table")
class _ExpireEarly(Defect):
    """Keeps an entry only for that part of the configured lifetime."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        lifetime = config.persistence.timer
        self.table = Table(None if lifetime is None else lifetime * self.value, now, config.persistence.size)


# -- a full table


@switch("full-table", lambda field: field.choice("refuses", "keeps-oldest"), method="table")
class _FullTable(Defect):
    """Once the table is full, refuses new users, or serves them without an entry of their own."""

    def assigned(self, key: bytes) -> Server | None:
        if self.table.get(key) is None and self.table.full:
            return None if self.value == "refuses" else self.place(key)
        return super().assigned(key)

    def reassigned(self, key: bytes, tried: Collection[Server]) -> Server | None:
        if self.table.get(key) is None and self.table.full:
            return None if self.value == "refuses" else self.balance(tried)
        return super().reassigned(key, tried)


@switch("late-entry", on, method="table")
class _LateEntry(Defect):
    """Writes a new user's entry only when the connection to the server stands."""

    def assigned(self, key: bytes) -> Server | None:
        return self.place(key) if self.table.get(key) is None else super().assigned(key)

    def reassigned(self, key: bytes, tried: Collection[Server]) -> Server | None:
        return self.balance(tried) if self.table.get(key) is None else super().reassigned(key, tried)

    def served(self, key: bytes | None, server: Server) -> None:
        if key is not None and self.table.get(key) is None:
            self.table.put(key, server)
        super().served(key, server)


# -- who has no name


@named_switch("empty-name-is-a-user", on)
class _EmptyNameIsAUser(Defect):
    """Takes all clients with an empty name for one user."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        empty = opening.request is not None and opening.request.cookie == b""
        return b"" if empty else super().key(opening, client)


@named_switch("domain-is-a-user", on)
class _DomainIsAUser(Defect):
    """Takes all clients whose name was cut to its domain for one user."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        cookie = opening.request.cookie if opening.request is not None else None
        return cookie if cookie is not None and cookie.endswith(b"\\") else super().key(opening, client)


@named_switch("nameless-to-first", on)
class _NamelessToFirst(Defect):
    """Sends every client without a cookie to the first server that is up."""

    def first(self, key: bytes | None) -> Server | None:
        if key is None and not self._named:
            return next((server for server in self.servers if server.usable), None)
        return super().first(key)

    def key(self, opening: Opening, client: Address) -> bytes | None:
        self._named = opening.request is not None and opening.request.cookie is not None
        return super().key(opening, client)


@named_switch("nameless-by-source", on)
class _NamelessBySource(Defect):
    """Keeps clients without a cookie on one server by their address."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        nameless = opening.request is None or opening.request.cookie is None
        return b"\0from" + packed(client) if nameless else super().key(opening, client)


# -- who is new


@switch("ignore-load", on)
class _IgnoreLoad(Defect):
    """Sends new users to the servers in turn, whatever their load."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(replace(config, balance="roundrobin"), servers, now)


@switch("count-comers", on)
class _CountComers(Defect):
    """Takes for a server's load how many users it was ever given: nobody is counted out again."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._came = dict.fromkeys(servers, 0)

    def balance(self, but: Collection[Server] = ()) -> Server | None:
        usable = [server for server in self.servers if server.usable and server not in but]
        chosen = min(usable, key=lambda server: self._came[server], default=None)
        if chosen is not None:
            self._came[chosen] += 1
        return chosen
