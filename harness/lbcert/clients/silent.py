"""A client that connects, says nothing, and waits until its connection is ended."""

from __future__ import annotations

import os
import socket

from ..loop import READ, WRITE, Loop


class Silent:
    """One such connection. When it began and ended is in the capture; this one only knows whether."""

    def __init__(self, loop: Loop, sock: socket.socket, address: tuple[str, int]):
        self._loop = loop
        self._sock = sock
        self.port = 0
        """ours, once connected"""
        self.failed: str | None = None
        """why there is no connection"""
        self.ended = False
        sock.setblocking(False)
        sock.connect_ex(address)
        loop.watch(sock.fileno(), WRITE, self._on_connected)

    def _on_connected(self, _events: int) -> None:
        if error := self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.failed = os.strerror(error)
            self.close()
            return
        self.port = self._sock.getsockname()[1]
        self._loop.watch(self._sock.fileno(), READ, self._on_readable)

    def _on_readable(self, _events: int) -> None:
        try:
            data = self._sock.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.ended = True
            self.close()

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.forget(self._sock.fileno())
            self._sock.close()
