"""A mock server that offers a service on each of its ports, over TLS where the port asks for it: one process, one identity.

What is said on a connection is a Service (`wire.talk`); this module has the sockets and TLS around it, and the reports:

    accept   conn, peer, local        a connection came
    tls      conn, version, client    TLS stands; the fingerprint of the client's certificate, or an empty one
    security-failed  conn, reason, head
    eof, close  conn, how             as the terminal server's
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..wire.digest import Digest
from ..wire.talk import Identity, MakeService, Place
from .mock import Mock, close

if TYPE_CHECKING:
    import ssl

_HANDSHAKE = b"\x16"
"""the type of TLS's first record (RFC 8446 5.1)"""
_HEAD = 64
"""bytes that are reported of what came in place of TLS"""


@dataclass(frozen=True)
class Counter:
    """What is offered on one port. `tls` makes the context of a connection; None: plain TCP.

    `either`: a client that does not begin with TLS is served without.
    """

    service: str
    make: MakeService
    tls: Callable[[], ssl.SSLContext] | None = None
    either: bool = False


class Visitor(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Desk):
        self.server = server
        self.number = server.next_number()
        self.closed_by_us: str | None = None
        self.full = False
        """whether the client is slow to take what it is sent"""
        self.tls: Any = None
        self.service: Any = None
        self.watched: tuple[Digest, Digest] | None = None
        """what came and went since somebody began to watch, inside TLS where there is any"""

    def report(self, kind: str, **facts: Any) -> None:
        self.server.report(kind, conn=self.number, **facts)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.server.visitors[self.number] = self
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peer, local = transport.get_extra_info("peername")[:2], transport.get_extra_info("sockname")[:2]
        self.port = local[1]
        self.report("accept", peer=self.peer, local=local)
        self.counter = self.server.counters[self.port]
        if self.counter.tls is None:
            self._serve()
        elif not self.counter.either:
            self._secure()

    def _secure(self) -> None:
        """From now on it is TLS."""
        from ..security.tls import Tls

        assert self.counter.tls is not None
        self.tls = Tls(self.counter.tls(), server_side=True)

    def _serve(self) -> None:
        """From now on a service answers."""
        server = self.server
        place = Place(Identity(server.index, self.number), server.name, self.port, self.peer, server.options)
        self.service = self.counter.make(place, self.report)
        self.say(self.service.begin())

    def data_received(self, data: bytes) -> None:
        if self.tls is None and self.service is None:
            self._secure() if data[:1] == _HANDSHAKE else self._serve()
        if self.tls is None:
            self._answer(data)
            return
        from ..security.login import SecurityError

        try:
            plain = self.tls.feed(data)
        except SecurityError as error:
            self.report("security-failed", reason=str(error), head=data[:_HEAD].hex())
            self._flush()
            self.close("fin")
            return
        if self.tls.established and self.service is None:
            self.report("tls", version=self.tls.version, client=self.tls.peer)
            self._serve()
        if plain:
            self._answer(plain)
        self._flush()
        if self.tls.ended:
            self.transport.close()

    def _answer(self, data: bytes) -> None:
        if self.watched:
            self.watched[0].add(data)
        self.say(self.service.take(data))
        self._go_on()

    def _go_on(self) -> None:
        """Say what is left of a long answer, as far as the client takes it, and close where the service is done."""
        while getattr(self.service, "pending", False) and not self.full and not self.transport.is_closing():
            self.say(self.service.more())
        if self.service.closing and not getattr(self.service, "pending", False):
            self.close("fin")

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        if self.service is not None:
            self._go_on()

    def say(self, data: bytes) -> None:
        """Send to the client, encrypted where TLS stands."""
        if not data or self.transport.is_closing():
            return
        if self.watched:
            self.watched[1].add(data)
        if self.tls is None:
            self.transport.write(data)
        else:
            self.tls.say(data)
            self._flush()

    def _flush(self) -> None:
        if (data := self.tls.take()) and not self.transport.is_closing():
            self.transport.write(data)

    def eof_received(self) -> bool:
        self.report("eof")
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.server.visitors.pop(self.number, None)
        self.report("close", how=self.closed_by_us or ("reset" if error else "closed"))

    def close(self, how: str) -> None:
        """Close from this side: `fin` in order, `rst` at once."""
        self.closed_by_us = f"server {how}"
        close(self.transport, how)


class Desk(Mock):
    """The counters, who is at them, and the stream of orders and events."""

    def __init__(self, control: socket.socket, config: dict[str, Any]):
        """`config`: besides what every mock server has, `name` (the machine's, in its protocols) and `options` for its services."""
        super().__init__(control, config)
        self.name: str = config["name"]
        self.options: dict[str, Any] = config.get("options", {})
        self.visitors: dict[int, Visitor] = {}
        self.counters: Mapping[int, Counter] = self.make_counters(config)

    def make_counters(self, config: dict[str, Any]) -> Mapping[int, Counter]:
        """What is offered on which port."""
        raise NotImplementedError

    def accepted(self) -> Visitor:
        return Visitor(self)

    # -- orders -----------------------------------------------------------------------------------

    async def on_push(self, conn: int, what: dict[str, Any]) -> None:
        """Have the service say something unasked to one client; reports `pushed` with the bytes."""
        visitor = self.visitors.get(conn)
        data = visitor.service.push(what) if visitor is not None and visitor.service is not None else b""
        if data:
            visitor.say(data)
        self.report("pushed", conn=conn, bytes=data.hex())

    async def on_watch(self, conn: int) -> None:
        """From now on, keep the digest of what one client says and is told; reports `watched`."""
        if visitor := self.visitors.get(conn):
            visitor.watched = Digest(), Digest()
        self.report("watched", conn=conn)

    async def on_digest(self, conn: int) -> None:
        """Report `digest` (came, went: SHA-256 and number of the bytes) of a client that is watched; of one that has left, `gone`."""
        visitor = self.visitors.get(conn)
        if visitor is None or visitor.watched is None:
            self.report("gone", conn=conn)
        else:
            self.report("digest", conn=conn, came=visitor.watched[0].told(), went=visitor.watched[1].told())

    async def on_close(self, conn: int, how: str) -> None:
        if visitor := self.visitors.get(conn):
            visitor.close(how)

    async def on_options(self, options: dict[str, Any]) -> None:
        """From now on, new connections are served with these options (merged with what there was)."""
        self.options = {**self.options, **options}
        self.report("options")
