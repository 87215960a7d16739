"""RDP clients: any Connection Request, any source address, any segmentation, thousands held at once.

A *visit* is what one client does: connect, send its first packet (cut as told), wait for the Connection
Confirm, then leave, or stay (`hold`). The history gets one `visit` event per visit when its outcome is known, and
one `session-end` event when a held session ends.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from dataclasses import dataclass

from ..loop import READ, WRITE
from ..wire import ConnectionConfirm, ConnectionRequest, Data, Decoded, Malformed, NegotiationRequest, Protocols
from ..wire.octets import summary
from . import connection
from .pour import Pour

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


class Connection(connection.Connection):
    """One visit under way, and what came of it."""

    clients: RdpClients
    visit: Visit

    def __init__(self, clients: RdpClients, number: int, visit: Visit, sock: socket.socket):
        super().__init__(clients, number, visit, sock)
        self.answer = b""
        self.echoed = b""
        self._pieces = deque(visit.pieces())
        self.sent = b"".join(piece for piece, _ in self._pieces)
        """the whole first packet"""
        self._sent_from = self._sent_to = 0
        """ns: when its first and its last piece were sent"""
        self._pour: Pour | None = None
        self._behind_confirm = 0

    @property
    def heard(self) -> bytes:
        """Everything that came from the server, the Confirm included."""
        return self.answer + self.echoed[self._behind_confirm :]

    def begin(self) -> None:
        if not self._pieces or self.done:
            return
        piece, pause = self._pieces.popleft()
        try:
            sent = self.sock.send(piece)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.send_failed(error)
            return
        self._sent_to = time.time_ns()
        self._sent_from = self._sent_from or self._sent_to
        if sent < len(piece):
            self._pieces.appendleft((piece[sent:], pause))
            self.clients.loop.call_later(0.005, self.begin)
        elif self._pieces:
            self.clients.loop.call_later(pause, self.begin)

    def received(self, data: bytes, stamp: int) -> None:
        if self.done:
            self.echoed += data
            return
        self.answer += data
        outcome = ConnectionConfirm.decode(self.answer)
        if isinstance(outcome, Decoded):
            self.answered_at = stamp
            self.server, self.connection = self.clients.identify(outcome.value.source_ref)
            self.echoed = outcome.rest
            self._behind_confirm = len(outcome.rest)
            self.finish("answered")
        elif isinstance(outcome, Malformed):
            self.answered_at = stamp
            self.finish("malformed")

    def tell(self) -> None:
        visit = self.visit
        self.clients.history.add(
            "client", "visit", visit=self.number, user=visit.user, label=visit.label, source=visit.source,
            port=self.port, started=self.started, outcome=self.outcome, answered=self.answered_at, server=self.server,
            conn=self.connection, sent=self.sent.hex(), answer=self.answer.hex(), held=visit.hold,
            **({"sending": self._sent_to - self._sent_from} if visit.segments else {}),
        )  # fmt: skip

    def settled(self) -> None:
        if self.visit.pour is not None:
            self._pour = Pour(f"client {self.number}", self.visit.pour, self.visit.finish)
            self.clients.loop.watch(self.sock.fileno(), READ | WRITE, self._on_ready)

    def tell_end(self) -> None:
        facts = {}
        if self._pour is not None:
            facts = {"poured": summary(self._pour.data), "received": summary(self.heard)}
        self.clients.history.add("client", "session-end", visit=self.number, port=self.port, how=self.ended, **facts)

    # -- a held session ---------------------------------------------------------------------------

    def _on_ready(self, events: int) -> None:
        """While a body is on its way out, both directions are watched."""
        if events & WRITE and self._pour is not None:
            self._send_on()
        if events & ~WRITE and self.ended is None:
            self.on_readable(events)

    def _send_on(self) -> None:
        assert self._pour is not None
        try:
            sent = self._pour.step(self.sock)
        except OSError:
            self.lost("reset")
            return
        if sent:
            self.clients.loop.watch(self.sock.fileno(), READ, self.on_readable)

    def send(self, payload: bytes) -> None:
        """Send one data PDU; the mock server echoes it (see `echoed`)."""
        try:
            self.sock.send(Data(payload).encode())
        except OSError:
            self.lost("reset")


class RdpClients(connection.Clients[Connection]):
    """All RDP clients of one lab."""

    def make(self, number: int, visit: Visit, sock: socket.socket) -> Connection:
        return Connection(self, number, visit, sock)

    def identify(self, reference: int) -> tuple[str | None, int]:
        """The server behind a Confirm's source reference, and its number of the connection modulo 4,096."""
        return self.names.get(reference >> 12), reference & 0xFFF
