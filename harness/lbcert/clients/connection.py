"""What clients of all protocols have in common: a connection from any source address, its outcome, and thousands held at once."""

from __future__ import annotations

import errno
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from ..deadlines import PATIENCE, Deadline
from ..evidence.history import History
from ..loop import READ, WRITE, Loop

_SCM_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("qq")
_ANCILLARY = socket.CMSG_SPACE(_TIMESPEC.size)
_MOST = 65536
"""bytes taken from a socket at once"""


class Plan(Protocol):
    """What a client intends, as far as its connection is concerned."""

    source: str
    hold: bool
    """whether it stays when it has its answer"""
    gated: bool
    """whether it connects and then waits with its first bytes until it is released (`run_together`)"""


class Connection:
    """One connection under way, and what came of it. A protocol's own class says what is sent and what an answer is."""

    def __init__(self, clients: Clients, number: int, visit: Plan, sock: socket.socket):
        self.clients = clients
        self.number = number
        self.visit: Any = visit
        self.sock = sock
        self.outcome: str | None = None
        """answered, closed, reset, refused, unreachable, malformed, timeout; None while under way"""
        self.server: str | None = None
        self.connection: int | None = None
        """the server's own number of this connection"""
        self.started = 0
        self.answered_at: int | None = None
        self.ended: str | None = None
        """how a held connection ended: closed, reset, left; None while it lives"""
        self.port = 0
        """our own, once connected"""

    @property
    def done(self) -> bool:
        return self.outcome is not None

    @property
    def connected(self) -> bool:
        """Its TCP connection stands, or has stood."""
        return self.port != 0

    @property
    def alive(self) -> bool:
        """Held, and neither end has closed it."""
        return self.outcome == "answered" and self.visit.hold and self.ended is None

    # -- for the protocol to say

    def begin(self) -> None:
        """Send the first bytes."""
        raise NotImplementedError

    def received(self, data: bytes, stamp: int) -> None:
        """Bytes came (`stamp`: ns, the kernel's)."""
        raise NotImplementedError

    def tell(self) -> None:
        """Record the outcome."""
        raise NotImplementedError

    def tell_end(self) -> None:
        """Record how a held connection ended."""
        raise NotImplementedError

    def settled(self) -> None:
        """A held connection has its outcome; its socket stays open."""

    # -- life

    def start(self, address: tuple[str, int]) -> None:
        self.started = time.time_ns()
        try:
            self.sock.connect(address)
        except BlockingIOError:
            pass
        except OSError as error:
            self.finish(_connect_outcome(error.errno))
            return
        self.clients.loop.watch(self.sock.fileno(), WRITE, self._on_connected)
        self.clients.loop.call_later(getattr(self.visit, "patience", 0.0) or PATIENCE["answer"], self._on_patience)

    def _on_connected(self, _events: int) -> None:
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.finish(_connect_outcome(error))
            return
        self.port = self.sock.getsockname()[1]
        self.clients.loop.watch(self.sock.fileno(), READ, self.on_readable)
        if not self.visit.gated:
            self.begin()

    def release(self) -> None:
        """Send a gated client's first bytes, if its connection stands."""
        if self.connected and not self.done:
            self.begin()

    def on_readable(self, _events: int) -> None:
        try:
            data, ancillary, _flags, _address = self.sock.recvmsg(_MOST, _ANCILLARY)
        except BlockingIOError:
            return
        except OSError:
            self.lost("reset")
            return
        if data:
            self.received(data, _stamp(ancillary))
        else:
            self.lost("closed")

    def lost(self, how: str) -> None:
        """The connection has ended, by the other end or by an error."""
        if not self.done:
            self.finish(how)
        else:
            self._end(how)

    def send_failed(self, error: OSError) -> None:
        self.lost("reset" if error.errno in (errno.ECONNRESET, errno.EPIPE) else "closed")

    def _on_patience(self) -> None:
        if not self.done:
            self.finish("timeout")

    def finish(self, outcome: str) -> None:
        """The outcome is known."""
        self.outcome = outcome
        self.tell()
        if self.visit.hold and outcome == "answered":
            self.settled()
        else:
            self.drop()
        self.clients.finished(self)

    def _end(self, how: str) -> None:
        if self.ended is None:
            self.ended = how
            self.drop()
            self.tell_end()

    def drop(self) -> None:
        if self.sock.fileno() >= 0:
            self.clients.loop.forget(self.sock.fileno())
            self.sock.close()

    # -- while it is held

    def lose(self, how: str) -> None:
        """It has ended, as whoever reads its socket in our place has seen."""
        if self.alive:
            self._end(how)

    def leave(self, abort: bool = False) -> None:
        """End a held connection: FIN, or RST with `abort`."""
        if not self.alive:
            return
        if abort:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._end("left")


C = TypeVar("C", bound=Connection)


class Clients(Generic[C]):
    """All clients of one lab."""

    def __init__(self, loop: Loop, history: History, vip: tuple[str, int],
                 open_sockets: Callable[[list[Any]], list[socket.socket]], servers: dict[int, str]):  # fmt: skip
        """`open_sockets` makes one socket for each plan, bound as it says; `servers`: names by number."""
        self.loop = loop
        self.history = history
        self.vip = vip
        self.names = servers
        self._open = open_sockets
        self._count = 0
        self._under_way: set[C] = set()
        self.held: list[C] = []
        self.key_log = ""
        """the file to which the secrets of TLS connections go; none without it"""

    # -- for the protocol to say

    def make(self, number: int, visit: Any, sock: socket.socket) -> C:
        raise NotImplementedError

    def address(self, visit: Any) -> tuple[str, int]:
        """Where this client connects to."""
        return self.vip

    # -- life

    def finished(self, connection: C) -> None:
        self._under_way.discard(connection)
        if connection.alive:
            self.held.append(connection)

    def start(self, visits: Sequence[Any]) -> list[C]:
        """Set off all `visits` now, without waiting for what comes of them."""
        begun = []
        for visit, sock in zip(visits, self._open(list(visits)), strict=True):
            self._count += 1
            connection = self.make(self._count, visit, sock)
            self._under_way.add(connection)
            begun.append(connection)
        for connection in begun:
            connection.start(self.address(connection.visit))
        return begun

    def run(self, visits: Iterable[Any], at_once: int = 50) -> list[C]:
        """Make all `visits`, in order, at most `at_once` under way, and wait until each has its outcome."""
        waiting = deque(visits)
        everyone: list[C] = []
        pending: set[C] = set()
        while waiting or pending:
            room = min(at_once - len(pending), len(waiting))
            # Refill in bulk: one request to the broker opens a handful of sockets.
            if room >= min(10, at_once, len(waiting)) and room:
                begun = self.start([waiting.popleft() for _ in range(room)])
                everyone += begun
                pending.update(begun)
            self.loop.step(0.25)
            pending = {connection for connection in pending if not connection.done}
        return everyone

    def run_together(self, visits: Sequence[Any], deadline: Deadline) -> list[C]:
        """Connect all `visits`, which are gated, then send their first bytes one right after the other."""
        begun = self.start(visits)
        self.loop.run_until(lambda: all(connection.connected or connection.done for connection in begun), deadline)
        for connection in begun:
            connection.release()
        self.loop.run_until(lambda: all(connection.done for connection in begun), deadline)
        return begun

    def wait(self, connections: Sequence[C], deadline: Deadline) -> bool:
        """Wait until each of `connections` has its outcome."""
        return self.loop.run_until(lambda: all(connection.done for connection in connections), deadline)

    def close(self) -> None:
        for connection in [*self._under_way, *self.held]:
            connection.drop()
        self._under_way.clear()
        self.held.clear()


def _connect_outcome(number: int) -> str:
    if number == errno.ECONNREFUSED:
        return "refused"
    return "reset" if number == errno.ECONNRESET else "unreachable"


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The kernel's time of receipt in ns; our own clock where it gives none."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SCM_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
            return seconds * 1_000_000_000 + nanoseconds
    return time.time_ns()
