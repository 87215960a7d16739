"""Accepting clients up to a limit; the others wait in the kernel's queue until one has gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

AGAIN = 0.1
"""s until accepting is tried again after the system had no descriptor left"""


class Acceptor:
    """Accepts on several sockets while fewer than `limit` of the clients that were accepted are still there."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, limit: int, makes_room: Callable[[], bool],
        protocol: Callable[[], asyncio.Protocol], keep: Callable[[asyncio.Task], None],
    ) -> None:  # fmt: skip
        self._loop = loop
        self._limit = limit
        self._makes_room = makes_room
        self._protocol = protocol
        self._keep = keep
        self._sockets: list[socket.socket] = []
        self._waits = False
        self.count = 0

    def listen(self, sock: socket.socket, backlog: int) -> None:
        """Takes over a bound socket."""
        sock.setblocking(False)
        sock.listen(backlog)
        self._sockets.append(sock)
        self._loop.add_reader(sock.fileno(), self._accept, sock)

    def left(self) -> None:
        """A client has gone."""
        self.count -= 1
        if self._waits and self.count < self._limit:
            self._resume()

    def _accept(self, sock: socket.socket) -> None:
        if self.count >= self._limit and not self._makes_room():
            self._pause()
            return
        try:
            conn, _ = sock.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:
            self._pause()
            self._loop.call_later(AGAIN, self._resume)
            return
        conn.setblocking(False)
        self.count += 1
        self._keep(self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, conn)))

    def _pause(self) -> None:
        self._waits = True
        for sock in self._sockets:
            self._loop.remove_reader(sock.fileno())

    def _resume(self) -> None:
        self._waits = False
        for sock in self._sockets:
            self._loop.add_reader(sock.fileno(), self._accept, sock)
