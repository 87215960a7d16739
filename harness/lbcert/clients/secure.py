"""A client's end of a secured session: after the Confirm it does the TLS, and the login, that the Confirm chose."""

from __future__ import annotations

import time

from ..loop import READ, WRITE
from ..security.credssp import CredsspClient
from ..security.login import Manner, SecurityError
from ..security.tls import Tls, client_context, fingerprint, log_keys
from ..wire import ConnectionConfirm, Decoded, NegotiationResponse, Protocols
from ..wire.certificate import subject_public_key
from ..wire.octets import stream
from .rdp import Connection

HELLO_CUTS = (1, 5, 6, 60, 61)
"""bytes after which a first flight in pieces is cut: inside the record's header, behind it, inside the hello"""
HELLO_PAUSE = 0.02
"""s between these pieces; each is a packet of its own"""

class Securing:
    """One held session on its way through TLS, login and echo. `outcome` is None while that lasts."""

    def __init__(self, connection: Connection, manner: Manner):
        self.connection = connection
        self.manner = manner
        self.outcome: str | None = None
        """complete, closed, reset, timeout, or what was wrong"""
        self._loop = connection.clients.loop
        self._protocol = _chosen(connection.answer)
        context = client_context(manner.tls)
        log_keys(context, connection.clients.key_log)
        self._tls = Tls(context, server_side=False)
        self._login: CredsspClient | None = None
        self._logged_in: bool | None = None
        self._certificate = b""
        self._bound: bool | None = None
        self._body = stream(f"secured {connection.number}", manner.body)
        self._heard = b""
        self._said = False
        self._waiting: list[bytes] = []

    @property
    def done(self) -> bool:
        return self.outcome is not None

    def start(self) -> None:
        connection = self.connection
        if not connection.alive:
            self._end("closed" if connection.ended is None else connection.ended)
        elif self._protocol is None:
            self._end("the Confirm chose neither TLS nor CredSSP")
        else:
            self._tls.feed()
            self._waiting = _pieces(self._tls.take()) if self.manner.in_pieces else [self._tls.take()]
            self._loop.watch(connection.sock.fileno(), READ, self._on_ready)
            self._send()

    def give_up(self) -> None:
        """No more patience."""
        if not self.done:
            self._end("timeout")

    # -- the wire

    def _send(self) -> None:
        if self.done or not self._waiting:
            return
        piece = self._waiting[0]
        try:
            sent = self.connection.sock.send(piece)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lost("reset")
            return
        self._waiting[0] = piece[sent:]
        if not self._waiting[0]:
            del self._waiting[0]
        if not self._waiting:
            self._loop.watch(self.connection.sock.fileno(), READ, self._on_ready)
        elif self.manner.in_pieces and not self._tls.established:
            self._loop.call_later(HELLO_PAUSE, self._send)
        else:
            self._loop.watch(self.connection.sock.fileno(), READ | WRITE, self._on_ready)

    def _on_ready(self, events: int) -> None:
        if events & WRITE:
            self._send()
        if events & ~WRITE and not self.done:
            self._receive()

    def _receive(self) -> None:
        try:
            data = self.connection.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self._lost("reset")
            return
        if not data:
            self._lost("closed")
            return
        try:
            self._take(self._tls.feed(data))
        except SecurityError as error:
            self._end(str(error))
            return
        if more := self._tls.take():
            self._waiting.append(more)
            self._send()
        if self._said and len(self._heard) >= len(self._body):
            self._end("complete" if self._heard == self._body else "what was said inside came back changed")
        elif self._tls.ended:
            self._lost("closed")

    def _lost(self, how: str) -> None:
        self._end(how)
        self.connection.lose(how)

    # -- inside

    def _take(self, plain: bytes) -> None:
        if not self._tls.established:
            return
        if not self._certificate:
            self._begin()
        if self._login is not None and plain:
            self._step(self._login, plain)
        elif self._said:
            self._heard += plain
        elif plain:
            raise SecurityError("the server spoke first")

    def _begin(self) -> None:
        """TLS stands: log in, or with TLS alone speak."""
        self._certificate = self._tls.certificate
        if self._protocol != Protocols.HYBRID:
            self._say()
            return
        try:
            key = subject_public_key(self._certificate)
        except ValueError as error:
            raise SecurityError(f"TLS: {error}") from None
        self._logged_in = False
        self._login = CredsspClient(self.manner.login, key, self.manner.credssp)
        self._tls.say(self._login.start())

    def _step(self, login: CredsspClient, plain: bytes) -> None:
        try:
            self._tls.say(login.hear(plain))
        finally:
            self._bound = login.bound
        if login.done:
            self._logged_in, self._login = True, None
            self._say()

    def _say(self) -> None:
        self._said = True
        self._tls.say(self._body)

    def _end(self, outcome: str) -> None:
        self.outcome = outcome
        connection = self.connection
        connection.clients.history.add(
            "client", "secured", time.time_ns(), visit=connection.number, outcome=outcome,
            protocol={Protocols.SSL: "tls", Protocols.HYBRID: "credssp"}.get(self._protocol),
            certificate=fingerprint(self._certificate) if self._certificate else None, version=self._tls.version,
            bound=self._bound, login=self._logged_in, echoed=len(self._heard),
        )  # fmt: skip


def _chosen(answer: bytes) -> Protocols | None:
    """The security protocol of a Confirm, if it is one that is spoken here."""
    outcome = ConnectionConfirm.decode(answer)
    negotiation = outcome.value.negotiation if isinstance(outcome, Decoded) else None
    selected = negotiation.selected if isinstance(negotiation, NegotiationResponse) else None
    return selected if selected in (Protocols.SSL, Protocols.HYBRID) else None


def _pieces(data: bytes) -> list[bytes]:
    edges = [0, *HELLO_CUTS, len(data)]
    return [data[a:b] for a, b in zip(edges, edges[1:], strict=False)]
