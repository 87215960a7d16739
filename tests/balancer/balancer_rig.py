"""A balancer in a process of its own, three mock servers beside it, and clients: all on loopback.

Nothing here waits for a fixed time: `Rig.wait` returns on the event it names, or fails at its deadline.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

PATIENCE = 10.0
WORKERS = 16
"""at most so many workers of one run pick their ports apart from each other"""
CHECK_REQUEST = bytes.fromhex("030000130ee000000000000100080003000000")
RST = struct.pack("ii", 1, 0)


def request(user: bytes | str | None) -> bytes:
    """A Connection Request for `user`, put together by hand."""
    name = user.encode() if isinstance(user, str) else user
    text = b"" if name is None else b"Cookie: mstshash=" + name + b"\r\n"
    variable = text + bytes.fromhex("010008000b000000")
    return bytes([3, 0, 0, 11 + len(variable), 6 + len(variable), 0xE0, 0, 0, 0, 0, 0]) + variable


@dataclass(eq=False)
class Seen:
    """One connection as a mock server saw it."""

    server: str
    peer: tuple[str, int]
    transport: Any = None
    received: bytes = b""
    ended: str | None = None
    finished: bool = False

    def finish(self) -> None:
        """The server's FIN; it goes on reading."""
        self.finished = True
        self.transport.write_eof()

    @property
    def is_check(self) -> bool:
        return self.received == CHECK_REQUEST


class _Protocol(asyncio.Protocol):
    """Answers the first packet with a confirm that says which server this is, then echoes."""

    def __init__(self, server: RealServer) -> None:
        self.server = server
        self.confirmed = False

    def connection_made(self, transport) -> None:
        self.seen = Seen(self.server.name, transport.get_extra_info("peername")[:2], transport)
        with self.server.rig.changed:
            self.server.connections.append(self.seen)
            self.server.rig.changed.notify_all()
        if self.server.deaf:
            transport.pause_reading()
        if self.server.greeting:
            transport.write(self.server.greeting)

    def data_received(self, data: bytes) -> None:
        self._note(received=self.seen.received + data)
        if self.server.answer == "silent":
            return
        if self.server.answer == "sip":
            asked = self.seen.received.startswith(b"OPTIONS ")
            self.seen.transport.write(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n" if asked else data)
            return
        if self.server.answer == "garbage":
            self.seen.transport.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            return
        if not self.confirmed:
            data = self.seen.received
            if data[:1] == b"\x03":
                if len(data) < 4 or len(data) < int.from_bytes(data[2:4], "big"):
                    return
                self.confirmed = True
                self.seen.transport.write(bytes.fromhex("0300000b06d00000") + bytes([0x10, self.server.index, 0]))
                data = data[int.from_bytes(data[2:4], "big"):]
        if not self.seen.finished:
            self.seen.transport.write(data)

    def eof_received(self) -> bool:
        self._note(ended="fin")
        return self.server.keeps_half_open

    def connection_lost(self, error) -> None:
        self._note(ended="rst" if error else self.seen.ended or "closed")

    def _note(self, **values) -> None:
        with self.server.rig.changed:
            for name, value in values.items():
                setattr(self.seen, name, value)
            self.server.rig.changed.notify_all()


class RealServer:
    """A mock server. `answer`: confirm, silent, garbage, or sip (answers OPTIONS, echoes all else)."""

    def __init__(self, rig: Rig, name: str, index: int, host: str) -> None:
        self.rig, self.name, self.index, self.host = rig, name, index, host
        self.port = free_port(host)
        self.answer = "confirm"
        self.greeting = b""
        self.keeps_half_open = False
        self.deaf = False
        self.connections: list[Seen] = []
        self._listener: asyncio.Server | None = None
        self._plugs: list[socket.socket] = []

    @property
    def users(self) -> list[Seen]:
        """Connections that are not health checks."""
        return [seen for seen in self.connections if seen.received and not seen.is_check]

    def start(self) -> None:
        async def start() -> None:
            self._listener = await asyncio.get_running_loop().create_server(
                lambda: _Protocol(self), self.host, self.port, backlog=1000
            )

        for plug in self._plugs:
            plug.close()
        self._plugs.clear()
        self.rig.call(start)

    def kill(self) -> None:
        """As a killed process leaves it: port refuses, connections are closed by the kernel."""

        async def kill() -> None:
            self._listener.close()
            for seen in self.connections:
                seen.transport.close()

        self.rig.call(kill)

    def darken(self) -> None:
        """New connections get no answer, those that stand stay silent."""

        async def darken() -> None:
            self._listener.close()

        self.rig.call(darken)
        # Loopback drops the SYN for a full accept queue: as near to a dark host as one gets without a firewall.
        plug = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        plug.bind((self.host, self.port))
        plug.listen(0)
        self._plugs.append(plug)
        for _ in range(3):
            filler = socket.socket(plug.family)
            filler.setblocking(False)
            filler.connect_ex((self.host, self.port))
            self._plugs.append(filler)


@dataclass
class Session:
    """A client's connection after the server's confirm."""

    sock: socket.socket
    server: str
    rest: bytes = b""
    source: tuple[str, int] = field(default=("", 0))

    def echo(self, data: bytes = b"ping") -> bytes:
        self.sock.sendall(data)
        return receive(self.sock, len(data))

    def ending(self) -> str:
        """`fin` or `rst`: how the connection ends; socket.timeout if it does not."""
        try:
            while self.sock.recv(65536):
                pass
            return "fin"
        except ConnectionResetError:
            return "rst"

    def close(self) -> None:
        self.sock.close()

    def abort(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        self.sock.close()


class Rig:
    """What one test needs. Give the deviations from `DEFAULTS` as keywords."""

    DEFAULTS = {
        "mode": "ideal",
        "connect_timeout": 0.5,
        "health_check": {"inter": 0.03, "fall": 2, "rise": 2, "timeout": 0.5},
    }

    def __init__(self, zygote: socket.socket, host: str = "127.0.0.1", servers: int = 3, **config: Any) -> None:
        self.prepare(host)
        self.servers = {f"ts{n}": RealServer(self, f"ts{n}", n, host) for n in range(1, servers + 1)}
        for server in self.servers.values():
            server.start()
        self.port = free_port(host)
        self.config = {
            **(self.DEFAULTS if config.get("mode") != "null" else {}),
            "listen": [address(host, self.port)],
            "servers": {name: address(host, server.port) for name, server in self.servers.items()},
            **config,
        }
        self.launch(zygote)

    def prepare(self, host: str) -> None:
        """A thread for the mocks."""
        self.changed = threading.Condition()
        self.log: list[str] = []
        self.host = host
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def launch(self, zygote: socket.socket) -> None:
        """The balancer."""
        read, write = os.pipe()
        socket.send_fds(zygote, [yaml.safe_dump(self.config).encode()], [write])
        os.close(write)
        self.pid = int(zygote.recv(64))
        self.call(self._follow, read)
        self.wait("the balancer listens", lambda: any("listening on" in line for line in self.log))

    def close(self) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            # The test has done it.
            pass

        async def stop() -> None:
            for server in self.servers.values():
                server._listener.close()
                for seen in server.connections:
                    seen.transport.abort()
            self._pipe.close()

        for server in self.servers.values():
            for plug in server._plugs:
                plug.close()
        self.call(stop)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()

    # -- the mocks' side

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a coroutine function in the mocks' thread."""
        return asyncio.run_coroutine_threadsafe(function(*arguments), self.loop).result(PATIENCE)

    def wait(self, what: str, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """The first true value of `condition`, asked again at every event."""
        with self.changed:
            value = self.changed.wait_for(condition, seconds)
        assert value, f"not within {seconds} s: {what}; log: {self.log}"
        return value

    def wait_state(self, server: str, state: str, count: int = 1) -> None:
        """Until the balancer has said `count` times that `server` is UP or DOWN."""
        self.wait(f"{server} {state}", lambda: sum(f" {server} {state}:" in line for line in self.log) >= count)

    def wait_seen(self, server: str, user: bytes) -> Seen:
        """The connection on which `server` got a request with this user."""
        return self.wait(
            f"{user!r} at {server}",
            lambda: next((s for s in self.servers[server].connections if user in s.received), None),
        )

    async def _follow(self, read: int) -> None:
        rig = self

        class Lines(asyncio.Protocol):
            rest = b""

            def data_received(self, data: bytes) -> None:
                *lines, self.rest = (self.rest + data).split(b"\n")
                with rig.changed:
                    rig.log.extend(line.decode() for line in lines)
                    rig.changed.notify_all()

        self._pipe, _ = await self.loop.connect_read_pipe(Lines, os.fdopen(read, "rb", 0))

    # -- the clients' side

    def connect(self, source: str | None = None) -> socket.socket:
        return socket.create_connection(
            (self.host, self.port), PATIENCE, (source, 0) if source else None
        )

    def open(self, user: bytes | str | None, source: str | None = None, pieces: tuple[int, ...] = ()) -> Session:
        """A session of `user`; `pieces` are offsets at which the request is cut, each part seen before the next."""
        return self.send(request(user), source, pieces)

    def send(self, data: bytes, source: str | None = None, pieces: tuple[int, ...] = ()) -> Session:
        sock = self.connect(source)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            cuts = (0, *pieces, len(data))
            for start, end in zip(cuts, cuts[1:]):
                sock.sendall(data[start:end])
                if end < len(data):
                    drain(sock)
            confirm = receive(sock, 11)
        except BaseException:
            sock.close()
            raise
        return Session(sock, f"ts{confirm[9]}", source=sock.getsockname()[:2])

    def visit(self, user: bytes | str | None, source: str | None = None, pieces: tuple[int, ...] = ()) -> str:
        """The server that serves `user`; the connection is closed again."""
        session = self.open(user, source, pieces)
        session.close()
        return session.server


def receive(sock: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes; ConnectionError if the stream ends before."""
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise ConnectionError(f"closed after {len(data)} of {count} bytes")
        data += more
    return data


def drain(sock: socket.socket) -> None:
    """Until the balancer has read what was sent: acknowledged bytes may still wait in its socket, read ones do not."""
    peer = sock.getpeername()
    own = sock.getsockname()
    pause = threading.Event()
    for _ in range(5000):
        if _unread(peer, own) == 0:
            return
        pause.wait(0.001)
    raise AssertionError("the balancer does not read")


def ask_control(path: str, order: str) -> str:
    """Give the balancer an order; returns its answer."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(path)
        sock.sendall(order.encode() + b"\n")
        return sock.makefile().readline().rstrip("\n")


def keepalive_due(local: tuple, remote: tuple) -> float | None:
    """Seconds until the kernel probes a silent connection, once all that was sent is acknowledged; None for never."""
    wanted = (_hex(local), _hex(remote))
    pause = threading.Event()
    for _ in range(5000):
        with open("/proc/net/tcp") as table:
            rows = [columns for line in table if tuple((columns := line.split())[1:3]) == wanted]
        timer, ticks = rows[0][5].split(":")
        if timer != "01":
            return int(ticks, 16) / os.sysconf("SC_CLK_TCK") if timer == "02" else None
        pause.wait(0.001)
    raise AssertionError("what was sent is never acknowledged")


def _unread(local: tuple, remote: tuple) -> int | None:
    """Bytes in the receive queue of the loopback connection `local` <- `remote`, from the kernel's table."""
    wanted = (_hex(local), _hex(remote))
    with open("/proc/net/tcp") as table:
        for line in table:
            columns = line.split()
            if (columns[1], columns[2]) == wanted:
                return int(columns[4].split(":")[1], 16)
    return None


def _hex(end: tuple) -> str:
    return f"{int.from_bytes(socket.inet_aton(end[0]), 'little'):08X}:{end[1]:04X}"


def address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def free_port(host: str) -> int:
    return free_ports([host], 1)[0]


def free_ports(hosts: list[str], count: int) -> list[int]:
    """Ports that are free on all of these addresses, that were not given before, and that no other worker of this run gives."""
    return list(itertools.islice((port for port in _PORTS if all(_is_free(host, port) for host in hosts)), count))


def _ports() -> Iterator[int]:
    """Below the ephemeral range: there, a connect to a dead server's port can take that very port and reach itself."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    mine = list(range(10_000 + worker, 30_000, WORKERS))
    random.shuffle(mine)  # two runs at once
    return itertools.cycle(mine)


_PORTS = _ports()


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        try:
            sock.bind((host, port))
        except OSError:
            return False
        return True
