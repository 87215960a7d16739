"""The switches about the failure of a pool's server: its check, its clients' ports, bystanders, and the fallback."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from .address import Address
from .defects import Defect
from .defects import _every as every
from .defects import _on as on
from .defects import _source_switch as source_switch
from .defects import _switch as switch
from .document import Field
from .opening import Opening
from .pool_defects import port
from .server import Server
from .table import Entry

if TYPE_CHECKING:
    from .config import Config

_STAYS = b"\0stays"


# -- the check


@source_switch("check-port", port)
class _CheckPort(Defect):
    """Checks that port instead of the one in the configuration."""

    def check_port(self, server: Server) -> int:
        return self.value


# -- a client's ports


@source_switch("port-stays-on-dead", port, method="table")
class _PortStaysOnDead(Defect):
    """Leaves that port of a client on its first server, dead or not; the client's other ports move."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        key = super().key(opening, client)
        return key + _STAYS if key is not None and opening.port == self.value else key

    def first(self, key: bytes | None) -> Server | None:
        if key is None or not key.endswith(_STAYS):
            return super().first(key)
        if (known := self.where(key)) is not None:
            return known
        server = super().first(key.removesuffix(_STAYS))
        if server is not None:
            self.table.put(key, server)
        return server

    def after_failure(self, key: bytes | None, tried: Collection[Server]) -> Server | None:
        return None if key is not None and key.endswith(_STAYS) else super().after_failure(key, tried)


@source_switch("ports-move-apart", on, method="table")
class _PortsMoveApart(Defect):
    """Finds a new server for each port of a dead server's client on its own, the next one in turn."""

    _moves = 0

    def key(self, opening: Opening, client: Address) -> bytes | None:
        key = super().key(opening, client)
        home = self.where(key)
        return key + b"\0to" + opening.port.to_bytes(2, "big") if home is not None and self.abandons(home) else key

    def place(self, key: bytes) -> Server | None:
        usable = [server for server in self.pool() if server.usable]
        if b"\0to" not in key or not usable:
            return super().place(key)
        self._moves += 1
        return usable[self._moves % len(usable)]

    def move(self, entry: Entry, server: Server) -> None:
        pass


# -- bystanders


@switch("down-cuts-others-every", every)
class _DownCutsOthersEvery(Defect):
    """Resets every Nth session on the other servers when one is marked down."""

    def marks_down(self, server: Server) -> bool:
        down = super().marks_down(server)
        if down:
            sessions = [cut for other in self.servers if other is not server for cut in other.sessions]
            for cut in sessions[self.value - 1 :: self.value]:
                cut()
        return down


@switch("down-stalls", Field.seconds)
class _DownStalls(Defect):
    """Does nothing at all for SECONDS when a server is marked down."""

    def marks_down(self, server: Server) -> bool:
        down = super().marks_down(server)
        if down:
            time.sleep(self.value)
        return down


# -- the fallback


@switch("fallback-every", every, method="table", needs="backup")
class _FallbackEvery(Defect):
    """Sends every Nth new client to the fallback first, while other servers are up."""

    _new = 0

    def place(self, key: bytes) -> Server | None:
        if self.where(key) is not None:
            return super().place(key)
        self._new += 1
        return self.backups[0] if self._new % self.value == 0 else super().place(key)


@switch("fallback-after-one", on, needs="backup")
class _FallbackAfterOne(Defect):
    """Takes the fallback for one more server as soon as a single one is down."""

    def pool(self) -> Sequence[Server]:
        return self.servers if all(server.up for server in self.servers) else (*self.servers, *self.backups)


@switch("fallback-never", on, needs="backup")
class _FallbackNever(Defect):
    """Turns clients away while no server is up, although there is a fallback."""

    def pool(self) -> Sequence[Server]:
        return self.servers


@switch("fallback-for-good", on, needs="backup")
class _FallbackForGood(Defect):
    """Once the fallback was needed, sends everybody there, whoever is up again."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._needed = False

    def pool(self) -> Sequence[Server]:
        self._needed = self._needed or not any(server.up for server in self.servers)
        return self.backups if self._needed else self.servers


@switch("fallback-keeps-clients", on, method="table", needs="backup")
class _FallbackKeepsClients(Defect):
    """Leaves clients on the fallback that came to it, when a server is up again; new ones never see it."""

    def abandons(self, server: Server) -> bool:
        return not server.backup and super().abandons(server)
