"""One connection to a live VIP: request, Confirm, TLS until the server's certificate is there, and an orderly end."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from functools import cache

from ..deadlines import PATIENCE
from ..evidence.history import History
from ..loop import READ, WRITE, Loop
from ..security.login import SecurityError
from ..security.tls import Tls, client_context, fingerprint
from ..wire import ConnectionConfirm, Decoded, FailureCode, Malformed, NegotiationFailure, NegotiationResponse, Protocols
from .scheme import AT_ONCE, Call

SERVED = "served"
"""the server's certificate was seen"""
CONFIRMED = "confirmed"
"""a Connection Confirm came, and no TLS was asked for"""
GOODBYE = 2.0
"""s that the server has to close after we have"""
GIVE_UP = 10
"""users without service, one after the other, after which the VIP is left alone"""
Opener = Callable[[str], socket.socket]
"""(source address, or "") -> a socket bound to it"""


def open_socket(family: int) -> Opener:
    """Sockets of this machine."""

    def opened(source: str) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        if source:
            sock.bind((source, 0))
        return sock

    return opened


@cache
def _context() -> ssl.SSLContext:
    """TLS as old as a server may have it: the certificate is looked at, and nothing is confided."""
    context = client_context("1.3")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


class Visit:
    """One such connection. `outcome` is None while it is under way."""

    def __init__(self, loop: Loop, call: Call, sock: socket.socket):
        self.call = call
        self.outcome: str | None = None
        self.closed = False
        self.certificate = b""
        self.answer = b""
        self.started = time.time_ns()
        self.answered: int | None = None
        self.peer: tuple[str, int] = ("", 0)
        """our own end"""
        self._loop, self._sock = loop, sock
        self._tls: Tls | None = None

    def start(self, address: tuple[str, int]) -> None:
        try:
            self._sock.connect(address)
        except BlockingIOError:
            pass
        except OSError as error:
            self._end(_unconnected(error.errno))
            return
        self._loop.watch(self._sock.fileno(), WRITE, self._on_connected)
        self._loop.call_later(PATIENCE["answer"], self._on_patience)

    def _on_connected(self, _events: int) -> None:
        if error := self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._end(_unconnected(error))
            return
        self.peer = self._sock.getsockname()[:2]
        self._loop.watch(self._sock.fileno(), READ, self._on_readable)
        self._send(self.call.request)

    def _send(self, data: bytes) -> None:
        """Some hundred bytes, for which a connection's buffer always has room."""
        try:
            self._sock.send(data)
        except OSError:
            self._end("reset")

    def _on_readable(self, _events: int) -> None:
        try:
            data = self._sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self._end("reset")
            return
        if not data:
            self._end("closed")
        elif self.outcome is None:
            self._take(data)

    def _take(self, data: bytes) -> None:
        if self._tls is not None:
            self._handshake(data)
            return
        self.answer += data
        outcome = ConnectionConfirm.decode(self.answer)
        if isinstance(outcome, Malformed):
            self._end("an answer that is no Connection Confirm")
        elif isinstance(outcome, Decoded):
            self.answered = time.time_ns()
            self._on_confirm(outcome.value)

    def _on_confirm(self, confirm: ConnectionConfirm) -> None:
        chosen = confirm.negotiation
        if self.call.phase in ("bare", "named-bare"):
            self._leave(_refusal(chosen) if isinstance(chosen, NegotiationFailure) else CONFIRMED)
        elif isinstance(chosen, NegotiationFailure):
            self._leave(_refusal(chosen))
        elif not isinstance(chosen, NegotiationResponse) or chosen.selected not in (Protocols.SSL, Protocols.HYBRID):
            self._leave("a Confirm without TLS, so no certificate")
        else:
            self._tls = Tls(_context(), server_side=False)
            self._handshake(b"")

    def _handshake(self, data: bytes) -> None:
        assert self._tls is not None
        try:
            self._tls.feed(data)
        except SecurityError as error:
            self._leave(str(error))
            return
        if flight := self._tls.take():
            self._send(flight)
        if self._tls.established and not self.outcome:
            self.certificate = self._tls.certificate
            self._leave(SERVED if self.certificate else "TLS without a certificate")

    def _leave(self, outcome: str) -> None:
        """It is known; close as a client does who has changed his mind, and let the server close as well."""
        if self.closed:
            return
        self.outcome = outcome
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        self._loop.call_later(GOODBYE, lambda: self._end("left"))

    def _on_patience(self) -> None:
        where = "of TLS" if self._tls else "of a Confirm" if self.peer[1] else "of a connection"
        self._end(f"nothing {where} in {PATIENCE['answer']:g} s")

    def _end(self, how: str) -> None:
        self.outcome = self.outcome or how
        if not self.closed:
            self.closed = True
            self._loop.forget(self._sock.fileno())
            self._sock.close()


class Caller:
    """Makes connections at a rate, and records each."""

    def __init__(self, loop: Loop, history: History, vip: tuple[str, int], opener: Opener, rate: float,
                 progress: Callable[[int], None]):  # fmt: skip
        self._loop, self._history, self._vip, self._open = loop, history, vip, opener
        self._every, self._progress = 1 / rate, progress
        self._next = time.monotonic()
        self._unserved = 0
        self.given_up = False
        self.count = 0
        self.under_way: set[Visit] = set()

    def run(self, calls: Iterable[Call]) -> None:
        """Make these connections, and wait until each has ended."""
        waiting = list(calls)[::-1]
        while waiting or self.under_way:
            if self.given_up:
                waiting.clear()
            now = time.monotonic()
            if waiting and len(self.under_way) < AT_ONCE and now >= self._next:
                self._start(waiting.pop())
                self._next = now + self._every
                continue
            soon = self._next - now if waiting and len(self.under_way) < AT_ONCE else 0.25
            self._loop.step(min(0.25, max(0.0, soon)))
            for visit in [visit for visit in self.under_way if visit.closed]:
                self._ended(visit)

    def _start(self, call: Call) -> None:
        visit = Visit(self._loop, call, self._open(call.source))
        self.under_way.add(visit)
        visit.start(self._vip)

    def _ended(self, visit: Visit) -> None:
        self.under_way.discard(visit)
        self.count += 1
        self._progress(self.count)
        call = visit.call
        # Others may be refused for what they lack, which says nothing about whether the VIP is well.
        if call.phase in ("look", "round", "roaming", "control"):
            self._unserved = 0 if visit.outcome == SERVED else self._unserved + 1
            self.given_up = self.given_up or self._unserved >= GIVE_UP
        printed = fingerprint(visit.certificate) if visit.certificate else None
        if printed and not any(self._history.of("certificate", certificate=printed)):
            self._history.add("client", "certificate", certificate=printed, der=visit.certificate.hex())
        self._history.add(
            "client", "visit", visit=self.count, phase=call.phase, turn=call.turn, user=call.user,
            source=visit.peer[0] or call.source, port=visit.peer[1], started=visit.started, answered=visit.answered,
            outcome=visit.outcome, sent=call.request.hex(), answer=visit.answer.hex(), certificate=printed,
        )  # fmt: skip

    def close(self) -> None:
        """End what is under way; nothing more is recorded of it."""
        for visit in self.under_way:
            visit._end("interrupted")
        self.under_way.clear()


def _unconnected(number: int) -> str:
    return f"no connection: {os.strerror(number)}"


def _refusal(failure: NegotiationFailure) -> str:
    code = failure.code
    name = code.name.lower().replace("_", " ") if isinstance(code, FailureCode) else f"code {code}"
    return f"refused by the server: {name}"
