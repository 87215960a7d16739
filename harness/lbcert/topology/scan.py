"""All TCP ports of one address, tried by connecting: runs inside the lab, as a process of the host that looks."""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import struct
import time

PORTS = range(1, 65536)
AT_ONCE = 256
PATIENCE = 1.0
"""s for a port that neither accepts nor refuses"""

_ACCEPTED = (0, errno.ECONNRESET, errno.EPIPE)
"""errors of a connection that stood; one that was not accepted is refused, or times out"""
_BIND_NO_PORT = 24
"""IP_BIND_ADDRESS_NO_PORT (linux/in.h): the local port is chosen when the destination is known"""


def serve(out: int, source: str, address: str) -> None:
    """Write `{"tried": number, "open": [ports]}` and end."""
    opened: list[int] = []
    for start in range(PORTS.start, PORTS.stop, AT_ONCE):
        opened += _accepting(source, address, range(start, min(start + AT_ONCE, PORTS.stop)))
    _write(out, json.dumps({"tried": len(PORTS), "open": opened}).encode())
    os._exit(0)


def _write(out: int, data: bytes) -> None:
    while data:
        data = data[os.write(out, data) :]


def _accepting(source: str, address: str, ports: range) -> list[int]:
    """Those of `ports` that accept a connection; it is reset at once."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    poll, waiting = select.poll(), {}
    for port in ports:
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        # No connection of a scan is left behind, neither here (TIME_WAIT) nor at the other end.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, _BIND_NO_PORT, 1)
        sock.bind((source, 0))
        sock.connect_ex((address, port))
        waiting[sock.fileno()] = sock, port
        poll.register(sock, select.POLLOUT)
    opened = []
    deadline = time.monotonic() + PATIENCE
    while waiting and (left := deadline - time.monotonic()) > 0:
        for fd, _ in poll.poll(left * 1000):
            sock, port = waiting.pop(fd)
            poll.unregister(fd)
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in _ACCEPTED:
                opened.append(port)
            sock.close()
    for sock, _ in waiting.values():
        sock.close()
    return sorted(opened)
