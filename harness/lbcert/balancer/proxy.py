"""The balancer at work: clients in, servers out, policy in between."""

from __future__ import annotations

import asyncio
import os
import socket
import time
import traceback
from collections.abc import Callable

from .address import Address
from .config import Config
from .defects import policy_for
from .health import Watch
from .opening import NOTHING, Opening
from .policy import Policy
from .server import Server
from .splice import Side, connect, reset

BACKLOG = 4096
EXIT_BUG = 70


class Client(Side):
    """A client's connection: first read for the request, then spliced with a server's."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._buffer = b""
        self._decided = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        if peer is None:
            # Gone between accept and here.
            transport.abort()
            return
        self.address = Address(*peer[:2])
        self._balancer.accepted(self)

    def inspect(self, seconds: float) -> None:
        """Waits for the request, at most so long."""
        self._timer = self._balancer.loop.call_later(seconds, self.decide, NOTHING)

    def data_received(self, data: bytes) -> None:
        if self._decided:
            super().data_received(data)
            return
        self._buffer += data
        opening = self._balancer.policy.read(self._buffer)
        if opening is not None:
            self.decide(opening)

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
        self._cancel_timer()
        if not self._balancer.policy.admits(opening):
            self.transport.close()
            return
        self.transport.pause_reading()
        self._balancer.start(self, opening)

    def take(self, opening: Opening) -> bytes:
        """The first bytes for the server."""
        buffer, self._buffer = self._buffer, b""
        return self._balancer.policy.forwarded(opening, buffer) if buffer else b""

    def connection_lost(self, error: Exception | None) -> None:
        self._cancel_timer()
        super().connection_lost(error)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Back(Side):
    """A server's connection; spliced before its first byte is read."""

    def __init__(self, connected: Callable[[Back], None]) -> None:
        self._connected = connected

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._connected(self)


class Balancer:
    """One running balancer."""

    def __init__(self, config: Config, loop: asyncio.AbstractEventLoop) -> None:
        self.config = config
        self.loop = loop
        self.servers = [Server(name, address) for name, address in config.servers.items()]
        self.policy: Policy = policy_for(config, self.servers, loop.time)
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Binds and accepts; OSError if an address is not to be had."""
        for address in self.config.listen:
            sock = socket.socket(address.family, socket.SOCK_STREAM)
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if address.family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind((address.host, address.port))
                await self.loop.create_server(lambda: Client(self), sock=sock, backlog=BACKLOG)
            except OSError as error:
                sock.close()
                raise OSError(error.errno, f"cannot listen on {address}: {os.strerror(error.errno or 0)}") from None

    def watch(self) -> None:
        """Starts the health checks."""
        if not self.policy.checks:
            return
        interval = self.policy.check_interval()
        for index, server in enumerate(self.servers):
            delay = interval * index / len(self.servers)
            self._keep(self.loop.create_task(Watch(self.policy, server, self.changed).run(delay)))

    def accepted(self, client: Client) -> None:
        delay = self.policy.inspect_delay()
        if not any(server.up for server in self.servers):
            reset(client.transport)
        elif delay is None:
            client.decide(NOTHING)
        else:
            client.inspect(delay)

    def start(self, client: Client, opening: Opening) -> None:
        self._keep(self.loop.create_task(self._serve(client, opening)))

    async def _serve(self, client: Client, opening: Opening) -> None:
        """Finds a server that can be reached, and splices."""
        key = self.policy.key(opening, client.address)
        tried: list[Server] = []
        server = self.policy.first(key)
        while server is not None and not client.lost:
            sock = await self._reach(server)
            if sock is not None:
                await self._splice(client, opening, key, server, sock)
                return
            tried.append(server)
            server = self.policy.after_failure(key, tried)
        self.policy.refuse(client.transport)

    async def _reach(self, server: Server) -> socket.socket | None:
        """A connection to `server`, counted in its load; None if there is none to be had."""
        was_up = server.up
        server.load += 1
        try:
            sock = await connect(self.loop, server.address, self.config.connect_timeout)
        except OSError:
            server.load -= 1
            return None
        if was_up and not server.up:
            # Marked down while connecting: its sessions have been cut, a new one would be left behind.
            sock.close()
            server.load -= 1
            return None
        return sock

    async def _splice(
        self, client: Client, opening: Opening, key: bytes | None, server: Server, sock: socket.socket
    ) -> None:
        def ended() -> None:
            server.sessions.discard(client.cut)
            server.load -= 1
            self.policy.left(key)

        def connected(back: Back) -> None:
            if client.lost:
                server.load -= 1
                reset(back.transport)
                return
            client.join(back, ended)
            server.sessions.add(client.cut)
            self.policy.served(key, server)
            back.transport.write(client.take(opening))
            if client.finished:
                client.pass_fin()
            else:
                client.transport.resume_reading()

        await self.loop.create_connection(lambda: Back(connected), sock=sock)

    def changed(self, server: Server, reason: str) -> None:
        """A server went down or came up."""
        _say(f"{server.name} {'UP' if server.up else 'DOWN'}: {reason}")
        delay = self.policy.cut_delay()
        if server.up or delay is None:
            return
        sessions = tuple(server.sessions)
        if delay:
            self.loop.call_later(delay, _cut, server, sessions)
        else:
            _cut(server, sessions)

    def _keep(self, task: asyncio.Task[None]) -> None:
        # The event loop itself holds tasks weakly.
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # A control that goes on without its checks would spoil verdicts quietly.
            traceback.print_exception(task.exception())
            os._exit(EXIT_BUG)


def _cut(server: Server, sessions) -> None:
    for cut in sessions:
        if cut in server.sessions:
            cut()


def _say(line: str) -> None:
    try:
        os.write(2, f"{time.time():.6f} {line}\n".encode())
    except OSError:
        # Nobody reads: no reason to stop balancing.
        pass
