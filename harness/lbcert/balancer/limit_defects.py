"""The switches about what runs out, and about the statistics page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .address import Address
from .defects import Defect
from .defects import _on as on
from .defects import _switch as switch
from .pool_defects import port
from .server import Server

if TYPE_CHECKING:
    from .config import Config

_DEFAULTS = (b"admin:admin", b"admin:password", b"loadbalancer:loadbalancer")


# -- connections and ports


def _cut_one(servers: Sequence[Server]) -> None:
    for server in servers:
        for cut in server.sessions:
            cut()
            return


@switch("maxconn-cuts-one", on)
class _MaxconnCutsOne(Defect):
    """Resets a session for each client that comes beyond `maxconn`, and serves that one."""

    def makes_room(self) -> bool:
        _cut_one(self.servers)
        return True


@switch("exhausted", lambda field: field.choice("cuts-one", "holds"))
class _Exhausted(Defect):
    """When no source port is left, resets a session that stands, or keeps the client waiting for ever."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        # asyncio forgets, and closes, a connection from which nobody reads.
        self._held: list[asyncio.Transport] = []

    def without_port(self, transport: asyncio.Transport) -> None:
        if self.value == "holds":
            self._held.append(transport)
        else:
            _cut_one(self.servers)
            super().without_port(transport)


# -- the statistics page


@switch("stats-open", on, needs="stats")
class _StatsOpen(Defect):
    """Shows the statistics page to everybody."""

    def lets_see(self, credentials: bytes | None) -> bool:
        return True


@switch("stats-any-password", on, needs="stats")
class _StatsAnyPassword(Defect):
    """Shows the statistics page to everybody who knows the user's name, whatever the password."""

    def lets_see(self, credentials: bytes | None) -> bool:
        return (credentials or b"").partition(b":")[0] == self.config.stats.user.encode()


@switch("stats-take-defaults", on, needs="stats")
class _StatsTakeDefaults(Defect):
    """Takes well-known names and passwords for the statistics page, beside the configured ones."""

    def lets_see(self, credentials: bytes | None) -> bool:
        return credentials in _DEFAULTS or super().lets_see(credentials)


@switch("stats-also-on", port, needs="stats")
class _StatsAlsoOn(Defect):
    """Has the statistics page on that port of the clients' address too, which nobody asked for."""

    def shows_statistics(self) -> Sequence[Address]:
        return (*super().shows_statistics(), Address(self.config.listen[0].host, self.value))
