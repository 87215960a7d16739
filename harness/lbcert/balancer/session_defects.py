"""The switches about live sessions and the administrator: closing, draining, reloading, keepalive."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from .defects import Defect
from .defects import _every as every
from .defects import _named_switch as named_switch
from .defects import _on as on
from .defects import _switch as switch
from .document import Field
from .opening import Opening
from .server import Server

if TYPE_CHECKING:
    from .config import Config


# -- a client that goes away


@switch("close-not-passed-every", every)
class _CloseNotPassedEvery(Defect):
    """Does not tell the server of every Nth client that has gone."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._gone = 0

    def close_delay(self, by_reset: bool) -> float | None:
        self._gone += 1
        return None if self._gone % self.value == 0 else super().close_delay(by_reset)


@switch("close-passed-late", Field.seconds)
class _ClosePassedLate(Defect):
    """Tells the server only SECONDS later that a client has gone."""

    def close_delay(self, by_reset: bool) -> float | None:
        return self.value


@switch("reset-not-passed", on)
class _ResetNotPassed(Defect):
    """Tells the server of clients that closed in order, but not of those that were reset."""

    def close_delay(self, by_reset: bool) -> float | None:
        return None if by_reset else super().close_delay(by_reset)


@named_switch("server-close-not-passed", on)
class _ServerCloseNotPassed(Defect):
    """Does not tell a client whose request it could read that the server has closed."""

    def passes_close(self, opening: Opening) -> bool:
        return opening.request is None


# -- taking a server out and putting it back


@switch("drain-ignored", on)
class _DrainIgnored(Defect):
    """Confirms that a server is drained and goes on as before."""

    def drain(self, server: Server) -> None:
        pass


@switch("drain-leaks-every", every, method="table")
class _DrainLeaksEvery(Defect):
    """Sends every Nth new user to a drained server."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._new = 0

    def balance(self, but: Collection[Server] = ()) -> Server | None:
        drained = next((server for server in self.servers if server.drained and server.up and server not in but), None)
        if drained is not None:
            self._new += 1
            if self._new % self.value == 0:
                return drained
        return super().balance(but)


@switch("drain-cuts-sessions", Field.seconds)
class _DrainCutsSessions(Defect):
    """Closes the sessions on a server SECONDS after it was drained."""

    def drain_cut_delay(self) -> float | None:
        return self.value


@switch("ready-cuts-others", on)
class _ReadyCutsOthers(Defect):
    """Closes the sessions on the other servers when one is put back, so that the load evens out."""

    def ready(self, server: Server) -> Collection[Server]:
        super().ready(server)
        return [other for other in self.servers if other is not server]


@switch("ready-ignored", on)
class _ReadyIgnored(Defect):
    """Confirms that a server is back and sends it no new user."""

    def ready(self, server: Server) -> Collection[Server]:
        return ()


# -- reading the configuration again


@switch("reload-cuts-sessions", Field.seconds)
class _ReloadCutsSessions(Defect):
    """Closes all sessions SECONDS after a reload."""

    def reloaded(self) -> float | None:
        super().reloaded()
        return self.value


@switch("reload-forgets-every", every, method="table")
class _ReloadForgetsEvery(Defect):
    """Forgets every Nth user at a reload."""

    def reloaded(self) -> float | None:
        for key in self.table.keys()[self.value - 1 :: self.value]:
            self.table.forget(key)
        return super().reloaded()


# -- keepalive


@switch("no-keepalive", lambda field: field.choice("both", "client", "server"))
class _NoKeepalive(Defect):
    """Sends no keepalive to clients, to servers, or to both."""

    def keepalive(self, side: str) -> int | None:
        return None if self.value in ("both", side) else super().keepalive(side)


@switch("keepalive-idle", every)
class _KeepaliveIdle(Defect):
    """Sends keepalives after N seconds of silence instead of those in the configuration."""

    def keepalive(self, side: str) -> int | None:
        return self.value


# -- silence


@switch("idle-early", lambda field: field.factor(0.01, 1.0))
class _IdleEarly(Defect):
    """Ends silent sessions after that part of the configured idle time."""

    def idle_timeout(self) -> float | None:
        seconds = super().idle_timeout()
        return None if seconds is None else seconds * self.value


@switch("idle-never", on)
class _IdleNever(Defect):
    """Never ends a silent session, although an idle time is configured."""

    def idle_timeout(self) -> float | None:
        return None


@switch("idle-tells", lambda field: field.choice("client", "server"))
class _IdleTells(Defect):
    """Tells only the client, or only the server, that a session was ended as idle; the other connection stays."""

    def told_when_idle(self) -> Collection[str]:
        return (self.value,)
