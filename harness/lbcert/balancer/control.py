"""The administrator's socket: one order a line, one line in answer. `drain NAME`, `ready NAME`, `reload`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .proxy import Balancer

DONE = "done"
LONGEST = 200
"""bytes of an order"""


async def listen_for_orders(balancer: Balancer, path: str) -> None:
    """Takes orders on the UNIX socket `path`, whose folder is made if need be; OSError if that cannot be had."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    await balancer.loop.create_unix_server(lambda: Orders(balancer), path)


def obey(balancer: Balancer, order: str) -> str:
    """Carries out an order; the answer is `DONE` or says what is wrong."""
    match order.split():
        case ["reload"]:
            balancer.reload()
        case ["drain" | "ready" as what, name]:
            server = next((server for server in (*balancer.servers, *balancer.backups) if server.name == name), None)
            if server is None:
                return f"no server {name}; known: {', '.join(server.name for server in balancer.servers)}"
            getattr(balancer, what)(server)
        case _:
            return "unknown order; known: drain NAME, ready NAME, reload"
    return DONE


class Orders(asyncio.Protocol):
    """One connection to the socket."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._buffer = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._transport.write(obey(self._balancer, line.decode(errors="replace")).encode() + b"\n")
        if len(self._buffer) > LONGEST:
            self._transport.abort()
