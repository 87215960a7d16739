"""The balancer's decisions, without sockets; who is served where is for `methods` to say.

The methods are the hooks that `defects` override one at a time; `defects.policy_for` picks the class for a configuration.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from .address import Address
from .opening import Opening, read_opening
from .server import Server
from .splice import reset
from .stats import matches

if TYPE_CHECKING:
    from .config import Config


class Between(Protocol):
    """Gets what each side sends; what it returns goes to the other side, behind what it has written there itself."""

    def from_client(self, data: bytes) -> bytes: ...

    def from_server(self, data: bytes) -> bytes: ...


class Policy:
    """Decisions that do not depend on the method of persistence."""

    backups: Sequence[Server] = ()
    """used while none of `servers` is up"""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        self.config = config
        self.servers = servers
        self.now = now
        self._turn = 0

    # -- addresses of ours

    def listens(self) -> Sequence[Address]:
        """Where clients are awaited."""
        return self.config.listen

    def shows_statistics(self) -> Sequence[Address]:
        """Where the statistics page is."""
        return (self.config.stats.listen,) if self.config.stats else ()

    def lets_see(self, credentials: bytes | None) -> bool:
        """Whether somebody who says `user:password` may see the statistics page."""
        return matches(self.config.stats, credentials)

    # -- the first packet

    def read(self, buffer: bytes) -> Opening | None:
        """What the client's bytes so far say; None to wait for more."""
        return read_opening(buffer)

    def admits(self, opening: Opening) -> bool:
        """Whether this client is served at all."""
        return True

    def forwarded(self, opening: Opening, buffer: bytes) -> bytes:
        """The bytes that the server gets for the bytes that came."""
        return buffer

    def bounds(self, buffer: bytes) -> bool:
        """Whether the inspection timer still runs for a client whose request is not whole yet."""
        return True

    def has_room(self, inspected: int) -> bool:
        """Whether one more client is let in while the requests of so many are being waited for."""
        return True

    def altered(self, opening: Opening, towards: str) -> Callable[[bytes], bytes] | None:
        """What becomes of the bytes behind the request (`towards` the server or the client); None: they pass as they are."""
        return None

    def between(self, opening: Opening, client: asyncio.Transport, server: asyncio.Transport) -> Between | None:
        """Who sits in the middle of the session, with both connections in hand; None: nobody, what comes is passed on."""
        return None

    def passes_close(self, opening: Opening) -> bool:
        """Whether the client is told when its server closes."""
        return True

    def key(self, opening: Opening, client: Address) -> bytes | None:
        """What persistence goes by; None to balance the connection on its own."""
        return packed(client) if self.config.persistence.key == "source" else opening.user

    # -- the server

    def target(self, server: Server, opening: Opening) -> Address:
        """Where a connection to `server` goes; a server without a port is reached on the one that the client chose."""
        return server.address if server.address.port else Address(server.address.host, opening.port)

    def where(self, key: bytes | None) -> Server | None:
        """The server that is remembered for this key; None if there is none."""
        return None

    def first(self, key: bytes | None) -> Server | None:
        """The server to try first; None if there is none."""
        return self.balance() if key is None else self.assigned(key)

    def after_failure(self, key: bytes | None, tried: Collection[Server]) -> Server | None:
        """The server to try after those in `tried` could not be reached."""
        return self.balance(tried) if key is None else self.reassigned(key, tried)

    def served(self, key: bytes | None, server: Server) -> None:
        """A connection with this key has reached `server`."""

    def left(self, key: bytes | None) -> None:
        """A connection that was `served` has ended."""

    def assigned(self, key: bytes) -> Server | None:
        raise NotImplementedError

    def reassigned(self, key: bytes, tried: Collection[Server]) -> Server | None:
        raise NotImplementedError

    def place(self, key: bytes) -> Server | None:
        """The server for a key that has none."""
        return self.balance()

    def pool(self) -> Sequence[Server]:
        """The servers to choose from: the backups only while no other is up."""
        return self.servers if not self.backups or any(server.up for server in self.servers) else self.backups

    def balance(self, but: Collection[Server] = ()) -> Server | None:
        """The next server that is up, in turn or by least load (in turn among equals)."""
        pool = self.pool()
        count = len(pool)
        best = None
        for step in range(count):
            index = (self._turn + step) % count
            server = pool[index]
            if not server.usable or server in but:
                continue
            if best is None or server.load < pool[best].load:
                best = index
            if self.config.balance == "roundrobin":
                break
        if best is None:
            return None
        self._turn = (best + 1) % count
        return pool[best]

    # -- the client

    def inspect_delay(self) -> float | None:
        """Seconds to wait for a request; None not to read one at all."""
        return None if self.config.persistence.key == "source" else self.config.inspect_delay

    def connect_timeout(self) -> float:
        """Seconds to wait for a server's answer to a connection."""
        return self.config.connect_timeout

    def refuse(self, transport: asyncio.Transport) -> None:
        """Turns a client away that no server can be found for."""
        reset(transport)

    def makes_room(self) -> bool:
        """Whether one more client is accepted although as many as `maxconn` are there."""
        return False

    def without_port(self, transport: asyncio.Transport) -> None:
        """Turns a client away because no port of ours is left for its connection."""
        reset(transport)

    # -- sessions, and the administrator's wishes

    def keepalive(self, side: str) -> int | None:
        """Seconds of silence until the kernel probes a peer; None for never. `side` is client or server."""
        return self.config.keepalive

    def idle_timeout(self) -> float | None:
        """Seconds of silence after which a session is ended; None for never."""
        return self.config.idle_timeout

    def heard(self, side: str, hear: Callable[[bytes], None]) -> Callable[[bytes], None] | None:
        """What gets the data of one side (client, server), to know that the session is not silent."""
        return hear

    def told_when_idle(self) -> Collection[str]:
        """The sides (client, server) whose connection is closed when a session has been idle for too long."""
        return ("client", "server")

    def close_delay(self, by_reset: bool) -> float | None:
        """Seconds until a client's FIN or RST is passed on to the server; None to keep it to ourselves."""
        return 0.0

    def drain(self, server: Server) -> None:
        """Takes a server out for new users; its own users and its sessions stay."""
        server.drained = True

    def drain_cut_delay(self) -> float | None:
        """Seconds from a drain to the end of the server's sessions; None to leave them open."""
        return None

    def ready(self, server: Server) -> Collection[Server]:
        """Puts a drained server back; returns the servers whose sessions must end for it: none."""
        server.drained = False
        return ()

    def reloaded(self) -> float | None:
        """The configuration was read again; seconds until all sessions end, None to leave them open."""
        return None

    # -- health

    checks = True

    def check_interval(self) -> float:
        """Seconds between two checks of a server."""
        return self.config.health_check.inter

    def check_kind(self) -> str:
        """What a check does (see `config.HealthCheck`)."""
        return self.config.health_check.kind

    def check_port(self, server: Server) -> int:
        """Where a check's first connection goes."""
        return self.config.health_check.port or server.address.port

    def rude_check(self) -> tuple[bytes, str] | None:
        """What another connection after a good check sends, and how it ends (fin, rst, never); None for no such connection."""
        return None

    def marks_down(self, server: Server) -> bool:
        """Whether a server that failed its checks leaves the pool."""
        return True

    def marks_up(self, server: Server) -> bool:
        """Whether a server that is down and passed a check gets users again."""
        return server.in_a_row >= self.config.health_check.rise

    def after_failed_check(self, server: Server) -> int:
        """What is left of a dead server's good checks in a row when one fails."""
        return 0

    def cut_delay(self) -> float | None:
        """Seconds from a server's DOWN to the end of its sessions; None to leave them open."""
        return 0.0 if self.config.on_marked_down == "shutdown-sessions" else None


def packed(client: Address) -> bytes:
    """A client's address as a key."""
    return ipaddress.ip_address(client.host).packed
