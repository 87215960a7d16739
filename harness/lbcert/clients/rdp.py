"""RDP clients: any Connection Request, any source address, any segmentation, thousands held at once.

A *visit* is what one client does: connect, send its first packet (cut as told), wait for the Connection
Confirm, then leave, or stay (`hold`). The history gets one `visit` event per visit when its outcome is known, and
one `session-end` event when a held session ends.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..deadlines import PATIENCE, Deadline
from ..evidence.history import History
from ..loop import READ, WRITE, Loop
from ..wire import ConnectionConfirm, ConnectionRequest, Data, Decoded, Malformed, NegotiationRequest, Protocols
from ..wire.octets import summary
from .pour import Pour

_SCM_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("qq")
_ANCILLARY = socket.CMSG_SPACE(_TIMESPEC.size)

Segments = tuple[tuple[bytes, float], ...]
"""(bytes, seconds to wait after them): how a first packet is cut"""


def connection_request(user: str | None, protocols: Protocols = Protocols.SSL | Protocols.HYBRID) -> bytes:
    """The first packet of a client whose user is known (`mstshash`) or not (None)."""
    cookie = None if user is None else user.encode()
    return ConnectionRequest(cookie=cookie, negotiation=NegotiationRequest(protocols)).encode()


def cut(data: bytes, *places: int, pause: float) -> Segments:
    """`data` in pieces that end at `places`, with `pause` seconds between them."""
    edges = [0, *[place for place in places if 0 < place < len(data)], len(data)]
    pieces = [data[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    return tuple((piece, pause if number < len(pieces) - 1 else 0.0) for number, piece in enumerate(pieces))


@dataclass(frozen=True)
class Visit:
    """What one client does."""

    source: str
    user: str | None = None
    request: bytes | None = None
    """the first packet; default: connection_request(user)"""
    segments: Segments | None = None
    """the first packet, cut; default: whole"""
    hold: bool = False
    label: str = ""
    gated: bool = False
    """whether it connects and then waits with its first packet until it is released (`run_together`)"""
    pour: int | None = None
    """bytes to send after the Confirm; all that comes back is kept, and both are summed up when the session ends"""
    finish: bool = False
    """whether FIN follows these bytes while the client goes on listening"""

    def pieces(self) -> Segments:
        if self.segments is not None:
            return self.segments
        return ((self.request if self.request is not None else connection_request(self.user), 0.0),)


class Connection:
    """One visit under way, and what came of it."""

    def __init__(self, clients: RdpClients, number: int, visit: Visit, sock: socket.socket):
        self.clients = clients
        self.number = number
        self.visit = visit
        self.sock = sock
        self.outcome: str | None = None
        """answered, closed, reset, refused, unreachable, malformed, timeout; None while under way"""
        self.server: str | None = None
        self.connection: int | None = None
        """the server's own number of this connection, modulo 4,096"""
        self.answer = b""
        self.started = 0
        self.answered_at: int | None = None
        self.ended: str | None = None
        """how a held session ended: closed, reset; None while it lives"""
        self.echoed = b""
        self.port = 0
        self._pieces = deque(visit.pieces())
        self.sent = b"".join(piece for piece, _ in self._pieces)
        """the whole first packet"""
        self._pour: Pour | None = None
        self._behind_confirm = 0

    @property
    def done(self) -> bool:
        return self.outcome is not None

    @property
    def received(self) -> bytes:
        """Everything that came from the server, the Confirm included."""
        return self.answer + self.echoed[self._behind_confirm :]

    @property
    def connected(self) -> bool:
        """Its TCP connection stands, or has stood."""
        return self.port != 0

    def release(self) -> None:
        """Send a gated visit's first packet, if its connection stands."""
        if self.connected:
            self._send_next()

    @property
    def alive(self) -> bool:
        """Held, and neither end has closed it."""
        return self.outcome == "answered" and self.visit.hold and self.ended is None

    # -- life -------------------------------------------------------------------------------------

    def start(self, address: tuple[str, int]) -> None:
        self.started = time.time_ns()
        try:
            self.sock.connect(address)
        except BlockingIOError:
            pass
        except OSError as error:
            self._finish(_connect_outcome(error.errno))
            return
        self.clients.loop.watch(self.sock.fileno(), WRITE, self._on_connected)
        self.clients.loop.call_later(PATIENCE["answer"], self._on_patience)

    def _on_connected(self, _events: int) -> None:
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._finish(_connect_outcome(error))
            return
        self.port = self.sock.getsockname()[1]
        self.clients.loop.watch(self.sock.fileno(), READ, self._on_readable)
        if not self.visit.gated:
            self._send_next()

    def _send_next(self) -> None:
        if not self._pieces or self.done:
            return
        piece, pause = self._pieces.popleft()
        try:
            sent = self.sock.send(piece)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._finish("reset" if error.errno in (errno.ECONNRESET, errno.EPIPE) else "closed")
            return
        if sent < len(piece):
            self._pieces.appendleft((piece[sent:], pause))
            self.clients.loop.call_later(0.005, self._send_next)
        elif self._pieces:
            self.clients.loop.call_later(pause, self._send_next)

    def _on_ready(self, events: int) -> None:
        """While a body is on its way out, both directions are watched."""
        if events & WRITE and self._pour is not None:
            self._send_on()
        if events & ~WRITE and self.ended is None:
            self._on_readable(events)

    def _send_on(self) -> None:
        assert self._pour is not None
        try:
            sent = self._pour.step(self.sock)
        except OSError:
            self._lost("reset")
            return
        if sent:
            self.clients.loop.watch(self.sock.fileno(), READ, self._on_readable)

    def _on_readable(self, _events: int) -> None:
        try:
            data, ancillary, _flags, _address = self.sock.recvmsg(65536, _ANCILLARY)
        except BlockingIOError:
            return
        except OSError:
            self._lost("reset")
            return
        if not data:
            self._lost("closed")
        elif self.done:
            self.echoed += data
        else:
            self._take(data, _stamp(ancillary))

    def _take(self, data: bytes, stamp: int) -> None:
        self.answer += data
        outcome = ConnectionConfirm.decode(self.answer)
        if isinstance(outcome, Decoded):
            self.answered_at = stamp
            self.server, self.connection = self.clients.identify(outcome.value.source_ref)
            self.echoed = outcome.rest
            self._behind_confirm = len(outcome.rest)
            self._finish("answered")
        elif isinstance(outcome, Malformed):
            self.answered_at = stamp
            self._finish("malformed")

    def _lost(self, how: str) -> None:
        if not self.done:
            self._finish(how)
            return
        self._end(how)

    def _end(self, how: str) -> None:
        self.ended = how
        self._drop()
        facts = {}
        if self._pour is not None:
            facts = {"poured": summary(self._pour.data), "received": summary(self.received)}
        self.clients.history.add("client", "session-end", visit=self.number, port=self.port, how=how, **facts)

    def _on_patience(self) -> None:
        if not self.done:
            self._finish("timeout")

    def _finish(self, outcome: str) -> None:
        self.outcome = outcome
        visit = self.visit
        self.clients.history.add(
            "client", "visit", visit=self.number, user=visit.user, label=visit.label, source=visit.source,
            port=self.port, started=self.started, outcome=outcome, answered=self.answered_at, server=self.server,
            conn=self.connection, sent=self.sent.hex(), answer=self.answer.hex(), held=visit.hold,
        )  # fmt: skip
        if not (visit.hold and outcome == "answered"):
            self._drop()
        elif visit.pour is not None:
            self._pour = Pour(f"client {self.number}", visit.pour, visit.finish)
            self.clients.loop.watch(self.sock.fileno(), READ | WRITE, self._on_ready)
        self.clients.finished(self)

    def _drop(self) -> None:
        self.clients.loop.forget(self.sock.fileno())
        self.sock.close()

    # -- a held session ---------------------------------------------------------------------------

    def lose(self, how: str) -> None:
        """The session has ended, as whoever reads its socket in our place has seen."""
        if self.alive:
            self._end(how)

    def send(self, payload: bytes) -> None:
        """Send one data PDU; the mock server echoes it (see `echoed`)."""
        try:
            self.sock.send(Data(payload).encode())
        except OSError:
            self._lost("reset")

    def leave(self, abort: bool = False) -> None:
        """End a held session: FIN, or RST with `abort`."""
        if not self.alive:
            return
        if abort:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._end("left")


class RdpClients:
    """All RDP clients of one lab."""

    def __init__(
        self,
        loop: Loop,
        history: History,
        vip: tuple[str, int],
        open_sockets: Callable[[list[str]], list[socket.socket]],
        servers: dict[int, str],
    ):
        self.loop = loop
        self.history = history
        self.vip = vip
        self._open = open_sockets
        self._servers = servers
        self._count = 0
        self._under_way: set[Connection] = set()
        self.held: list[Connection] = []

    def identify(self, reference: int) -> tuple[str | None, int]:
        """The server and its connection number behind a Confirm's source reference."""
        return self._servers.get(reference >> 12), reference & 0xFFF

    def finished(self, connection: Connection) -> None:
        self._under_way.discard(connection)
        if connection.alive:
            self.held.append(connection)

    def start(self, visits: Sequence[Visit]) -> list[Connection]:
        """Set off all `visits` now, without waiting for what comes of them."""
        begun = []
        for visit, sock in zip(visits, self._open([visit.source for visit in visits]), strict=True):
            self._count += 1
            connection = Connection(self, self._count, visit, sock)
            self._under_way.add(connection)
            begun.append(connection)
        for connection in begun:
            connection.start(self.vip)
        return begun

    def run(self, visits: Iterable[Visit], at_once: int = 50) -> list[Connection]:
        """Make all `visits`, in order, at most `at_once` under way, and wait until each has its outcome."""
        waiting = deque(visits)
        everyone: list[Connection] = []
        pending: set[Connection] = set()
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

    def run_together(self, visits: Sequence[Visit], deadline: Deadline) -> list[Connection]:
        """Connect all `visits`, which are gated, then send their first packets one right after the other."""
        begun = self.start(visits)
        self.loop.run_until(lambda: all(connection.connected or connection.done for connection in begun), deadline)
        for connection in begun:
            connection.release()
        self.loop.run_until(lambda: all(connection.done for connection in begun), deadline)
        return begun

    def wait(self, connections: Sequence[Connection], deadline: Deadline) -> bool:
        """Wait until each of `connections` has its outcome."""
        return self.loop.run_until(lambda: all(connection.done for connection in connections), deadline)

    def close(self) -> None:
        for connection in [*self._under_way, *self.held]:
            if connection.sock.fileno() >= 0:
                connection._drop()
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
