"""What mock servers of all protocols have in common: a process in one host of the lab, its listeners, orders and reports.

It is steered over a stream of JSON lines, on which it also reports, as events, everything it sees. An order is a line with
`cmd`; it is carried out by the method `on_<cmd>` and confirmed by an event.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Collection
from typing import Any, NoReturn

BACKLOG = 4096
LAG_TICK = 0.05
FAULTY = 70
"""the status of a mock server that a fault of ours has ended (sysexits.h: EX_SOFTWARE)"""
UNHURRIED = frozenset(("accept", "eof", "close"))
"""reports that may wait for others: each one that is sent by itself wakes pytest's process"""
GATHER = 0.002
"""s that they wait at the most; every other report is sent at once, with those that wait, before what it is about is answered"""
_encode = json.JSONEncoder(separators=(",", ":")).encode


class Mock:
    """The listeners and the stream of orders and events. A server's own class makes a protocol object for each connection."""

    def __init__(self, control: socket.socket, config: dict[str, Any]):
        """`config`: `index` (1 to 15, its identity inside its protocols), `listen` (pairs of address and port)."""
        self.control = control
        self.index: int = config["index"]
        self.addresses: list[tuple[str, int]] = [tuple(pair) for pair in config["listen"]]
        self.listeners: dict[tuple[str, int], asyncio.Server] = {}
        self.count = 0
        self.lags: list[tuple[int, float]] = []
        self._gathered: list[str] = []

    def accepted(self) -> asyncio.Protocol:
        """Who talks to the client that has just come."""
        raise NotImplementedError

    def next_number(self) -> int:
        self.count += 1
        return self.count

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_on_exception)
        reader = asyncio.StreamReader(limit=1 << 24)
        transport, _ = await loop.connect_accepted_socket(lambda: asyncio.StreamReaderProtocol(reader), self.control)
        self.out = transport
        await self.listen(self.addresses)
        self._probe_lag(loop, loop.time() + LAG_TICK)
        self.report("listening")
        while line := await reader.readline():
            command = json.loads(line)
            await getattr(self, "on_" + command.pop("cmd"))(**command)
        os._exit(0)

    def report(self, kind: str, **facts: Any) -> None:
        """An event for the history, with the time of now; the facts must go into JSON."""
        self._gathered.append(_encode({"t": time.time_ns(), "kind": kind, **facts}))
        if kind not in UNHURRIED:
            self._send_reports()
        elif len(self._gathered) == 1:
            asyncio.get_running_loop().call_later(GATHER, self._send_reports)

    def _send_reports(self) -> None:
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self.out.write("".join(f"{line}\n" for line in gathered).encode())

    def _probe_lag(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        late = loop.time() - due
        if late > 0.01:
            self.lags.append((time.time_ns(), late))
        following = loop.time() + LAG_TICK
        loop.call_at(following, self._probe_lag, loop, following)

    async def listen(self, addresses: Collection[tuple[str, int]]) -> None:
        loop = asyncio.get_running_loop()
        for host, port in addresses:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(BACKLOG)
            sock.setblocking(False)
            # start_server calls listen() again with its own idea of the backlog, 100 unless told otherwise.
            self.listeners[host, port] = await loop.create_server(self.accepted, sock=sock, backlog=BACKLOG)

    # -- orders -----------------------------------------------------------------------------------

    async def on_refuse(self, ports: list[int] | None = None) -> None:
        """Close the listeners, or those on `ports` alone; connections go on."""
        for address in [one for one in self.listeners if ports is None or one[1] in ports]:
            self.listeners.pop(address).close()
        self.report("refusing", ports=ports)

    async def on_listen(self) -> None:
        """Open the listeners again that are closed."""
        await self.listen([address for address in self.addresses if address not in self.listeners])
        self.report("listening")

    async def on_lag(self) -> None:
        """Report the late wake-ups of this process since the last time."""
        lags, self.lags = self.lags, []
        self.report("lag", lags=lags)


def _on_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """End with a traceback where our own code fails: asyncio would only drop the client, for which the product would be blamed."""
    loop.default_exception_handler(context)
    if not isinstance(context.get("exception"), OSError | None):
        sys.stderr.flush()
        os._exit(FAULTY)


def close(transport: asyncio.Transport, how: str) -> None:
    """Close from this side: `fin` in order, `rst` at once."""
    if how == "rst":
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()


def run(server: type[Mock], control: socket.socket, config: dict[str, Any]) -> NoReturn:
    """Be the mock server until the control stream ends."""
    # The broker gives its children what a shell would: the default, which is to end at a write to a closed connection.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    control.setblocking(False)
    asyncio.run(server(control, config).run())
    os._exit(0)
