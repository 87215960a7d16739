"""The two ends of a session as the balancer has them: a client, which may be inspected first, and a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from .address import Address
from .opening import NOTHING, Opening
from .splice import Side, keep_alive

if TYPE_CHECKING:
    from .proxy import Balancer


class Client(Side):
    """A client's connection: first read for the request, then spliced with a server's."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._buffer = b""
        self._decided = False
        self._timer: asyncio.TimerHandle | None = None
        self.alter: Callable[[bytes], bytes] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        if peer is None:
            # Gone between accept and here.
            transport.abort()
            return
        self.address = Address(*peer[:2])
        self.port = transport.get_extra_info("sockname")[1]
        keep_alive(transport, self._balancer.policy.keepalive("client"))
        self._balancer.accepted(self)

    def inspect(self, seconds: float) -> None:
        """Waits for the request, at most so long."""
        self._balancer.inspected += 1
        self._timer = self._balancer.loop.call_later(seconds, self.decide, NOTHING)

    def data_received(self, data: bytes) -> None:
        if self._decided:
            super().data_received(self.alter(data) if self.alter else data)
            return
        self._buffer += data
        opening = self._balancer.policy.read(self._buffer)
        if opening is not None:
            self.decide(opening)
        elif not self._balancer.policy.bounds(self._buffer):
            self._cancel_timer()

    def eof_received(self) -> bool:
        if self._decided:
            return super().eof_received()
        if not self._buffer:
            return False
        self.finished = True
        self.decide(NOTHING)
        return True

    def decide(self, opening: Opening) -> None:
        """Ends the inspection; from here on the server's pace rules."""
        self._decided = True
        self._end_inspection()
        if not self._balancer.policy.admits(opening):
            self.transport.close()
            return
        self.transport.pause_reading()
        self._balancer.start(self, replace(opening, port=self.port))

    def take(self, opening: Opening) -> bytes:
        """The first bytes for the server."""
        buffer, self._buffer = self._buffer, b""
        return self._balancer.policy.forwarded(opening, buffer) if buffer else b""

    def pass_fin(self) -> None:
        # Later, the session may have ended otherwise.
        self._after(self._balancer.policy.close_delay(by_reset=False), lambda: self.other and Side.pass_fin(self))

    def connection_lost(self, error: Exception | None) -> None:
        self._balancer.gone()
        self._end_inspection()
        # Only its RST is the client's own doing: without an error we have closed it, and a FIN came before.
        went = error is not None and self.other is not None and not self.finished
        delay = self._balancer.policy.close_delay(by_reset=True) if went else 0.0
        self.lost = True
        self._after(delay, lambda: Side.connection_lost(self, error))

    def _after(self, delay: float | None, action: Callable[[], None]) -> None:
        """Does it now, later, or never; in our own books the session is over in any case."""
        if delay == 0:
            action()
            return
        self.ended()
        for side in (self, self.other):
            side.ended = _nothing
        if delay is not None:
            self._balancer.loop.call_later(delay, action)

    def _end_inspection(self) -> None:
        if self._timer is not None:
            self._balancer.inspected -= 1
        self._cancel_timer()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Back(Side):
    """A server's connection; spliced before its first byte is read."""

    def __init__(self, connected: Callable[[Back], None]) -> None:
        self._connected = connected
        self.alter: Callable[[bytes], bytes] | None = None
        self.keeps_client = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._connected(self)

    def data_received(self, data: bytes) -> None:
        super().data_received(self.alter(data) if self.alter else data)

    def pass_fin(self) -> None:
        if not self.keeps_client:
            super().pass_fin()


def _nothing() -> None:
    """The end of a session that is in the books already."""
