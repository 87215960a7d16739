"""The balancer at work: clients in, servers out, policy in between."""

from __future__ import annotations

import asyncio
import os
import socket
import time
import traceback

from .acceptor import Acceptor
from .address import Address
from .config import Config
from .defects import policy_for
from .health import Watch
from .idle import Idle
from .opening import NOTHING, Opening
from .policy import Policy
from .server import Server
from .sides import Back, Client
from .sources import Exhausted, Origin
from .stats import Page
from .control import listen_for_orders
from .splice import connect, keep_alive, reset

BACKLOG = 4096
EXIT_BUG = 70


class Balancer:
    """One running balancer."""

    def __init__(self, config: Config, loop: asyncio.AbstractEventLoop) -> None:
        self.config = config
        self.loop = loop
        self.servers = [Server(name, address) for name, address in config.servers.items()]
        self.backups = [Server(name, address, backup=True) for name, address in config.backup.items()]
        self.policy: Policy = policy_for(config, self.servers, loop.time, self.backups)
        self._origin = Origin(config.sources)
        self._acceptor: Acceptor | None = None
        if config.maxconn:
            self._acceptor = Acceptor(loop, config.maxconn, self.policy.makes_room, lambda: Client(self), self._keep)
        self.inspected = 0
        """clients whose request is being waited for"""
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Binds and accepts; OSError if an address is not to be had."""
        for address in self.policy.listens():
            sock = _bound(address)
            if self._acceptor:
                self._acceptor.listen(sock, BACKLOG)
            else:
                await self.loop.create_server(lambda: Client(self), sock=sock, backlog=BACKLOG)
        if self.config.stats:
            for address in self.policy.shows_statistics():
                await self.loop.create_server(lambda: Page(self), sock=_bound(address))
        if self.config.control:
            await listen_for_orders(self, self.config.control)
        _say(f"listening on {', '.join(map(str, self.config.listen))}")

    def gone(self) -> None:
        """A client's connection is over."""
        if self._acceptor:
            self._acceptor.left()

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
        if not any(server.up for server in self.policy.pool()):
            self.policy.refuse(client.transport)
        elif not self.policy.has_room(self.inspected):
            reset(client.transport)
        elif delay is None:
            # Not from here: in Python 3.11.2 (Debian 12) asyncio starts reading after this, even if reading was paused.
            self.loop.call_soon(client.decide, NOTHING)
        else:
            client.inspect(delay)

    def start(self, client: Client, opening: Opening) -> None:
        self._keep(self.loop.create_task(self._serve(client, opening)))

    async def _serve(self, client: Client, opening: Opening) -> None:
        """Finds a server that can be reached, and splices."""
        key = self.policy.key(opening, client.address)
        tried: list[Server] = []
        moves = len(self.servers)  # a client whose place changes all the time is served somewhere in the end
        server = self.policy.first(key)
        while server is not None and not client.lost:
            remembered = self.policy.where(key)
            try:
                sock = await self._reach(server, self.policy.target(server, opening))
            except Exhausted:
                # Another server would part the client's connections, for a lack that is ours.
                self.policy.without_port(client.transport)
                return
            if sock is None:
                tried.append(server)
                server = self.policy.after_failure(key, tried)
            elif moves and remembered is not None and self.policy.where(key) not in (remembered, None):
                # Another connection of the same client could not reach this server, and all of them move together.
                sock.close()
                server.load -= 1
                moves -= 1
                server = self.policy.first(key)
            else:
                await self._splice(client, opening, key, server, sock)
                return
        self.policy.refuse(client.transport)

    async def _reach(self, server: Server, address: Address) -> socket.socket | None:
        """A connection to `server`, counted in its load; None if there is none to be had; Exhausted if that is our lack."""
        was_up = server.up
        server.load += 1
        try:
            sock = await connect(self.loop, address, self.policy.connect_timeout(), self._origin.start)
        except Exhausted:
            server.load -= 1
            raise
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
        idle: Idle | None = None

        def ended() -> None:
            if idle is not None:
                idle.cancel()
            server.sessions.discard(client.cut)
            server.load -= 1
            self.policy.left(key)

        def connected(back: Back) -> None:
            nonlocal idle
            if client.lost:
                server.load -= 1
                reset(back.transport)
                return
            client.join(back, ended)
            client.alter = self.policy.altered(opening, "server")
            back.alter = self.policy.altered(opening, "client")
            if between := self.policy.between(opening, client.transport, back.transport):
                client.alter, back.alter = between.from_client, between.from_server
            back.keeps_client = not self.policy.passes_close(opening)
            keep_alive(back.transport, self.policy.keepalive("server"))
            server.sessions.add(client.cut)
            idle = self._watch_silence(client, back)
            self.policy.served(key, server)
            if not client.finished:
                # Before the write, which may already stop the reading again.
                client.transport.resume_reading()
            back.transport.write(client.take(opening))
            if client.finished:
                client.pass_fin()

        await self.loop.create_connection(lambda: Back(connected), sock=sock)

    def _watch_silence(self, client: Client, back: Back) -> Idle | None:
        """Has a session ended when neither side has said anything for the idle time; both are told, in order."""
        seconds = self.policy.idle_timeout()
        if seconds is None:
            return None
        sides = {"client": client, "server": back}

        def expired() -> None:
            client.part()
            for name in self.policy.told_when_idle():
                sides[name].transport.close()

        idle = Idle(self.loop, seconds, expired)
        for name, side in sides.items():
            side.heard = self.policy.heard(name, idle.heard)
        return idle

    def changed(self, server: Server, reason: str) -> None:
        """A server went down or came up."""
        _say(f"{server.name} {'UP' if server.up else 'DOWN'}: {reason}")
        if not server.up:
            self._end_sessions(server, self.policy.cut_delay())

    def _end_sessions(self, server: Server, delay: float | None) -> None:
        """Ends the sessions that `server` has now, after `delay` seconds."""
        if delay is None:
            return
        sessions = tuple(server.sessions)
        if delay:
            self.loop.call_later(delay, _cut, server, sessions)
        else:
            _cut(server, sessions)

    # -- the administrator

    def drain(self, server: Server) -> None:
        self.policy.drain(server)
        self._end_sessions(server, self.policy.drain_cut_delay())

    def ready(self, server: Server) -> None:
        for other in self.policy.ready(server):
            self._end_sessions(other, 0.0)

    def reload(self) -> None:
        """What a new configuration would bring: the same servers, whose state, users and sessions must outlast it."""
        delay = self.policy.reloaded()
        for server in self.servers:
            self._end_sessions(server, delay)

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


def _bound(address: Address) -> socket.socket:
    """A socket bound to `address`; OSError with its words if that is not to be had."""
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address.host, address.port))
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"cannot listen on {address}: {os.strerror(error.errno or 0)}") from None
    return sock


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
