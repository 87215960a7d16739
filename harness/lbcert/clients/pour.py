"""Sending a long body over a non-blocking socket."""

from __future__ import annotations

import socket

from ..wire.octets import stream


class Pour:
    """The body of one connection on its way out; its bytes follow from its name."""

    def __init__(self, name: str, length: int, finish: bool):
        self.data = stream(name, length)
        self.sent = 0
        self._finish = finish

    def step(self, sock: socket.socket) -> bool:
        """Send what the socket takes; whether all is sent (and the FIN, if wanted). OSError when the connection is gone."""
        while self.sent < len(self.data):
            try:
                self.sent += sock.send(self.data[self.sent : self.sent + 65536])
            except BlockingIOError:
                return False
        if self._finish:
            sock.shutdown(socket.SHUT_WR)
        return True
