"""Clients of any protocol that is a Speech (`wire.talk`), over TLS or not, from any source address, held open by the thousand.

The history gets one `call` event for each call when its outcome is known, and one `call-end` when a held one ends.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..loop import READ, WRITE
from ..wire.talk import Speech
from . import connection

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True)
class Call:
    """What one client does on one connection."""

    source: str
    service: str
    """which of the VIP's services it calls"""
    speech: Speech
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    """that it asks TLS for (SNI)"""
    chain: bool = False
    """whether the certificates that the server sends are recorded"""
    session: Any = None
    """of TLS, from an earlier call with the same context, to be resumed"""
    client: str = ""
    """who calls, where that is more than an address"""
    label: str = ""
    hold: bool = False
    gated: bool = False
    patience: float = 0.0
    """s that it waits for its outcome; 0: as long as all others (`deadlines.PATIENCE`)"""
    source_port: int = 0
    """0: any"""
    host: str = "client"
    """the machine of the lab that calls"""
    address: tuple[str, int] | None = None
    """where to, if not to the VIP"""
    prefix: bytes = b""
    """said before anything else, TLS too"""


class Talk(connection.Connection):
    """One call under way, and what came of it."""

    clients: TalkClients
    visit: Call

    def __init__(self, clients: TalkClients, number: int, call: Call, sock: socket.socket):
        super().__init__(clients, number, call, sock)
        self.speech = call.speech
        self.connected_at = 0
        self.tls: Any = None
        self.problem = ""
        """what TLS complained of"""
        self.heard: list[tuple[int, bytes]] | None = None
        """what came since somebody began to listen, each with its time of receipt (ns, the kernel's)"""
        self.heard_at = 0
        """when something last came"""
        self.own = 0
        """ns of the TLS handshake that were ours: from a packet's arrival (the kernel's stamp) to our reply to it"""
        self._waiting = b""
        """bytes that the socket had no room for"""

    # -- what the connection asks for

    def begin(self) -> None:
        if self.visit.prefix:
            self._write(self.visit.prefix)
        if self.visit.tls is None:
            self._write(self.speech.begin())
            return
        from ..security.tls import Tls, log_keys

        log_keys(self.visit.tls, self.clients.key_log)
        self.tls = Tls(self.visit.tls, server_side=False, server_name=self.visit.server_name, session=self.visit.session)
        self.tls.feed()
        self._write(self.tls.take())

    def received(self, data: bytes, stamp: int) -> None:
        if self.tls is not None:
            standing = self.tls.established
            data = self._decrypted(data)
            if not standing:
                self.own += max(time.time_ns() - stamp, 0)
            if self.ended or (self.done and not self.alive):
                return
        if data:
            self._heard(data, stamp)
        if self.tls is not None and self.tls.ended and self.sock.fileno() >= 0:
            self.lost("closed")

    def _decrypted(self, data: bytes) -> bytes:
        from ..security.login import SecurityError

        before = self.tls.established
        try:
            plain = self.tls.feed(data)
        except SecurityError as error:
            self.problem = str(error)
            if self.done:
                self.lost("security-failed")
            else:
                self.finish("security-failed")
            return b""
        if self.tls.established and not before:
            self.tls.say(self.speech.begin())
        self._write(self.tls.take())
        return plain

    def _heard(self, data: bytes, stamp: int) -> None:
        self.heard_at = stamp
        if self.heard is not None:
            self.heard.append((stamp, data))
        self.answered_at = self.answered_at if self.done else stamp
        reply = self.speech.take(data)
        if reply:
            self.send(reply)
        if not self.done and self.speech.outcome is not None:
            self._settle(stamp)

    def _settle(self, stamp: int | None) -> None:
        """The speech has its outcome."""
        assert self.speech.outcome is not None
        if identity := self.speech.identity:
            self.server, self.connection = self.clients.names.get(identity.index), identity.conn
        self.answered_at = stamp
        self.finish(self.speech.outcome)

    def lost(self, how: str) -> None:
        # An answer may end with its connection.
        if not self.done and how == "closed" and (ended := getattr(self.speech, "ended", None)) is not None:
            ended()
            if self.speech.outcome is not None:
                self._settle(self.answered_at)
                return
        super().lost(how)

    # -- the wire

    def send(self, plain: bytes) -> None:
        """Send what the speech says, encrypted where TLS stands."""
        if self.sock.fileno() < 0 or not plain:
            return
        if self.tls is None:
            self._write(plain)
        else:
            self.tls.say(plain)
            self._write(self.tls.take())

    def _write(self, data: bytes) -> None:
        if self._waiting or not data:
            self._waiting += data
            return
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.send_failed(error)
            return
        if sent < len(data):
            self._waiting = data[sent:]
            self.clients.loop.watch(self.sock.fileno(), READ | WRITE, self._on_ready)

    def _on_ready(self, events: int) -> None:
        if events & WRITE:
            waiting, self._waiting = self._waiting, b""
            self._write(waiting)
            if not self._waiting and self.sock.fileno() >= 0:
                self.clients.loop.watch(self.sock.fileno(), READ, self.on_readable)
        if events & ~WRITE and self.sock.fileno() >= 0:
            self.on_readable(events)

    # -- what the history is told

    def tell(self) -> None:
        call = self.visit
        facts: dict[str, Any] = {
            "call": self.number, "client": call.client or call.source, "label": call.label, "service": call.service,
            "source": call.source, "port": self.port, "started": self.started, "outcome": self.outcome, "answered": self.answered_at,
            "server": self.server, "conn": self.connection, "token": self.speech.token, "held": call.hold,
        }  # fmt: skip
        if self.tls is not None:
            facts["own"] = self.own
            facts["tls"] = {"version": self.tls.version, "server": self.tls.peer, "problem": self.problem, "resumed": self.tls.resumed,
                            **({"chain": self.tls.chain} if call.chain else {})}
        # What every call has is not for a speech to say.
        self.clients.history.add("client", "call", **{**self.speech.told(), **facts})

    def tell_end(self) -> None:
        self.clients.history.add("client", "call-end", call=self.number, port=self.port, how=self.ended)


class TalkClients(connection.Clients[Talk]):
    """All clients of one lab's services."""

    addresses: Mapping[str, tuple[str, int]] = {}
    """service -> where the VIP offers it"""

    def make(self, number: int, visit: Call, sock: socket.socket) -> Talk:
        return Talk(self, number, visit, sock)

    def address(self, visit: Call) -> tuple[str, int]:
        return visit.address or self.addresses[visit.service]
