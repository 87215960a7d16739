"""Two TCP connections joined: bytes, back-pressure, FIN and RST go across in both directions."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Callable

from .address import Address
from .deadline import Deadline

_NO_LINGER = struct.pack("ii", 1, 0)


def reset(transport: asyncio.Transport) -> None:
    """Ends a connection with RST, unsent bytes dropped."""
    try:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    except OSError:
        pass
    transport.abort()


def keep_alive(transport: asyncio.Transport, seconds: int | None) -> None:
    """Has the kernel probe a silent peer every so many seconds."""
    if seconds is None:
        return
    sock = transport.get_extra_info("socket")
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds)
    except OSError:
        # Already reset by its peer; reading will tell.
        pass


def begin(address: Address) -> socket.socket:
    """A socket on its way to `address`, from wherever the kernel likes."""
    sock = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    code = sock.connect_ex((address.host, address.port))
    if code not in (0, errno.EINPROGRESS):
        sock.close()
        raise OSError(code, os.strerror(code))
    return sock


def connect(
    loop: asyncio.AbstractEventLoop, address: Address, timeout: float, start: Callable[[Address], socket.socket] = begin
) -> asyncio.Future[socket.socket]:
    """A connected, non-blocking socket, or an OSError (TimeoutError among them). No thread, no name lookup."""
    future = loop.create_future()
    try:
        sock = start(address)
    except OSError as error:
        future.set_exception(error)
        return future

    def finish(error: OSError | None) -> None:
        if future.done():
            return
        loop.remove_writer(descriptor)
        deadline.cancel()
        if error is None:
            future.set_result(sock)
        else:
            sock.close()
            future.set_exception(error)

    def answered() -> None:
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        finish(OSError(code, os.strerror(code)) if code else None)

    deadline = Deadline(loop, timeout, lambda: finish(TimeoutError(errno.ETIMEDOUT, "no answer")))
    # By number: for a socket object asyncio would format its representation, twice a connection.
    descriptor = sock.fileno()
    loop.add_writer(descriptor, answered)
    return future


class Side(asyncio.Protocol):
    """One end of a session; `other` is the opposite one while there is one."""

    transport: asyncio.Transport
    other: Side | None = None
    ended: Callable[[], None] | None = None
    finished = False
    lost = False
    heard: Callable[[bytes], None] | None = None
    """called with each piece of data, for the idle timer"""

    def join(self, other: Side, ended: Callable[[], None]) -> None:
        """Splices two connected sides; `ended` is called once, when the first of them is gone."""
        self.other, other.other = other, self
        self.ended = other.ended = ended

    def cut(self) -> None:
        """Ends the session with RST towards both sides."""
        other = self.other
        reset(self.transport)
        if other is not None:
            reset(other.transport)

    def part(self) -> None:
        """Takes the two sides of a session apart; it is over, and whatever happens to one is not passed on."""
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            self.ended()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        try:
            # asyncio does this by itself only for sockets whose protocol number was given explicitly.
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            # Already reset by its peer; reading will tell.
            pass

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            if self.heard is not None:
                self.heard(data)
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        # After a FIN there is nothing more to read, and asyncio would report the FIN again.
        if self.other is not None and not self.other.finished:
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        if not self.finished:
            self.finished = True
            if self.other is not None:
                self.pass_fin()
        return True

    def pass_fin(self) -> None:
        """Hands this side's FIN to the other; the second FIN of a session ends it."""
        other = self.other
        if other.finished:
            self.transport.close()
            other.transport.close()
            return
        try:
            other.transport.write_eof()
        except OSError:
            # The other side has just been reset; its own loss ends the session.
            pass

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        other, self.other = self.other, None
        if other is None:
            return
        other.other = None
        if error is None:
            other.transport.close()
        else:
            reset(other.transport)
        self.ended()
