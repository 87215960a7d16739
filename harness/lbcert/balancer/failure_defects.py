"""The switches about dead servers: dark, hung, all at once, flapping; and about the health check itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .defects import Defect
from .defects import _every as every
from .defects import _on as on
from .defects import _switch as switch
from .document import Field
from .server import Server

if TYPE_CHECKING:
    from .config import Config

_HALF_REQUEST = bytes.fromhex("030000130ee00000")
_RUDE = {
    "http": (b"GET / HTTP/1.0\r\n\r\n", "fin"),
    "half": (_HALF_REQUEST, "fin"),
    "reset": (b"", "rst"),
    "open": (b"", "never"),
}


# -- dark and hung servers


@switch("wait-for-dark", Field.seconds)
class _WaitForDark(Defect):
    """Waits SECONDS for a server that does not answer before it tries another."""

    def connect_timeout(self) -> float:
        return self.value


@switch("checks-only-connect", on)
class _ChecksOnlyConnect(Defect):
    """Is content when a server accepts the check's connection, whatever kind of check is configured."""

    def check_kind(self) -> str:
        return "tcp"


@switch("known-to-dead", on, method="table")
class _KnownToDead(Defect):
    """Goes on trying a dead server first for the users that the table has on it; new users never see it."""

    def abandons(self, server: Server) -> bool:
        return False


@switch("redispatch-not-stored", every, method="table")
class _RedispatchNotStored(Defect):
    """Every Nth user who is served elsewhere, because the own server could not be reached, is sent to the dead one again."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._moves = 0

    def stores_redispatch(self) -> bool:
        self._moves += 1
        return self._moves % self.value != 0


@switch("forget-at-down", on, method="table")
class _ForgetAtDown(Defect):
    """Forgets all users, those of the other servers too, when a server is marked down."""

    def marks_down(self, server: Server) -> bool:
        down = super().marks_down(server)
        for key in self.table.keys() if down else ():
            self.table.forget(key)
        return down


# -- no server left


@switch("hold-without-server", on)
class _HoldWithoutServer(Defect):
    """While no server is up, accepts clients and leaves them alone."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        # asyncio forgets, and closes, a connection from which nobody reads.
        self._held: list[asyncio.Transport] = []

    def refuse(self, transport: asyncio.Transport) -> None:
        if any(server.up for server in self.servers):
            super().refuse(transport)
        else:
            self._held.append(transport)


@switch("turn-away-late", Field.seconds)
class _TurnAwayLate(Defect):
    """While no server is up, keeps clients waiting for SECONDS before it turns them away."""

    def refuse(self, transport: asyncio.Transport) -> None:
        if any(server.up for server in self.servers):
            super().refuse(transport)
        else:
            asyncio.get_running_loop().call_later(self.value, super().refuse, transport)


@switch("stay-down-after-total-loss", lambda field: field.choice("all", "last"))
class _StayDownAfterTotalLoss(Defect):
    """Once all servers were down at the same time, none of them is used again, or all but the last one in the list."""

    _lost = False

    def marks_up(self, server: Server) -> bool:
        self._lost = self._lost or not any(server.up for server in self.servers)
        concerned = self.value == "all" or server is self.servers[-1]
        return super().marks_up(server) and not (self._lost and concerned)


# -- returning servers


@switch("rise-after-one", on)
class _RiseAfterOne(Defect):
    """Uses a server again after its first good check."""

    def marks_up(self, server: Server) -> bool:
        return True


@switch("rise-not-reset", on)
class _RiseNotReset(Defect):
    """Counts good checks of a dead server that do not follow each other."""

    def after_failed_check(self, server: Server) -> int:
        return server.in_a_row


@switch("known-early", on, method="table")
class _KnownEarly(Defect):
    """Sends users there whom the table has on a dead server from its first good check on; new ones wait for `rise`."""

    def abandons(self, server: Server) -> bool:
        return super().abandons(server) and not server.in_a_row


# -- the check itself


@switch("rude-check", lambda field: field.choice(*_RUDE))
class _RudeCheck(Defect):
    """After each good check, one that sends HTTP, or half a request, or resets, or stays open."""

    def rude_check(self) -> tuple[bytes, str] | None:
        return _RUDE[self.value]


@switch("rude-check-every", every)
class _RudeCheckEvery(Defect):
    """After every Nth good check, one that sends half a request."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._good = 0

    def rude_check(self) -> tuple[bytes, str] | None:
        self._good += 1
        return _RUDE["half"] if self._good % self.value == 0 else super().rude_check()
