"""A mock Terminal Server: answers Connection Requests, remembers their exact bytes, knows who is connected.

It runs as a process in the namespaces of one real server and is steered over a stream of JSON lines, on
which it also reports, as events, everything it sees. After the Connection Confirm it echoes what it gets, so
that a held session can be proved alive from both ends.

A connection is identified inside the protocol: the source reference of the Confirm (X.224 13.4, free for the
server to choose) carries the server's number in its upper four bits and the connection's in the lower twelve.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, NoReturn

from ..wire import (
    ConnectionConfirm,
    ConnectionRequest,
    Decoded,
    Malformed,
    NeedMore,
    NegotiationResponse,
    Protocols,
)
from .conversation import Conversation
from .mock import Mock, close, run

if TYPE_CHECKING:
    from .secure import Means, Secured

FIRST_PACKET_LIMIT = 65536
"""bytes kept of a first packet that never becomes complete"""


def identity(index: int, number: int) -> int:
    """The Confirm's source reference for connection `number` of server `index` (1 to 15)."""
    return (index & 0xF) << 12 | (number & 0xFFF)


def confirm_for(request: ConnectionRequest, reference: int) -> ConnectionConfirm:
    """The answer that MS-RDPBCGR 3.3.5.3.2 asks for: negotiation data only if the client sent some."""
    if request.negotiation is None:
        return ConnectionConfirm(source_ref=reference)
    wanted = int(request.negotiation.protocols)
    selected = next((p for p in (Protocols.HYBRID, Protocols.SSL) if wanted & p), Protocols.RDP)
    return ConnectionConfirm(negotiation=NegotiationResponse(selected), source_ref=reference)


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: TerminalServer):
        self.server = server
        self.number = server.next_number()
        self.buffer = b""
        self.answered = False
        self.closed_by_us: str | None = None
        self.talk: Conversation | Secured | None = None
        """what follows the Confirm, where it is not the plain echo"""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.server.sessions[self.number] = self
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self.server.report("accept", conn=self.number, peer=peer[:2], local=local[:2])
        if self.server.greet_after is not None:
            asyncio.get_running_loop().call_later(self.server.greet_after, self._greet)

    def _greet(self) -> None:
        """Tell a client that has said nothing whole yet whose connection this is."""
        if not self.answered and not self.transport.is_closing():
            self.transport.write(ConnectionConfirm(source_ref=identity(self.server.index, self.number)).encode())
            self.server.report("greeted", conn=self.number)

    def data_received(self, data: bytes) -> None:
        if self.talk:
            self.talk.hear(data)
            return
        if self.answered:
            self.transport.write(data)
            return
        self.buffer += data
        outcome = ConnectionRequest.decode(self.buffer)
        if isinstance(outcome, NeedMore) and len(self.buffer) < FIRST_PACKET_LIMIT:
            return
        first = self.buffer
        if isinstance(outcome, Decoded) and outcome.rest:
            first = self.buffer[: -len(outcome.rest)]
        facts: dict[str, Any] = {"conn": self.number, "bytes": first.hex(), "rest": len(self.buffer) - len(first)}
        if isinstance(outcome, Malformed):
            facts["malformed"] = outcome.reason
        self.answered = True
        self.server.report("request", **facts)
        self._answer(outcome)

    def _answer(self, outcome) -> None:
        told = self.server.answer
        cookie = outcome.value.cookie if isinstance(outcome, Decoded) else None
        user = cookie.decode("latin-1") if cookie else None
        if user in self.server.plans:
            name = f"server {self.server.index} connection {self.number}"
            self.talk = self.server.conversations[self.number] = Conversation(
                self.transport, user, name, self.server.plans[user]
            )
            if outcome.rest:
                self.talk.hear(outcome.rest)
        elif told is not None:
            if told:
                self.transport.write(told)
        elif isinstance(outcome, Decoded):
            confirm = confirm_for(outcome.value, identity(self.server.index, self.number))
            if self._secure(confirm):
                self.transport.write(confirm.encode())
                self.talk.hear(outcome.rest)
            else:
                self.transport.write(confirm.encode() + outcome.rest)
        else:
            # MS-RDPBCGR 3.3.5.3.1: what cannot be read as a Connection Request is dropped.
            self.close("fin")

    def _secure(self, confirm: ConnectionConfirm) -> bool:
        """Whether what `confirm` chose is now meant: TLS or CredSSP, on a server that was told to."""
        means, negotiation = self.server.means, confirm.negotiation
        if means is None or not isinstance(negotiation, NegotiationResponse) or negotiation.selected == Protocols.RDP:
            return False
        from .secure import Secured

        def report(kind: str, **facts: Any) -> None:
            self.server.report(kind, conn=self.number, **facts)

        self.talk = Secured(means, negotiation.selected, self.transport, report)
        return True

    def eof_received(self) -> bool:
        self.server.report("eof", conn=self.number)
        return self.talk.end() if self.talk else False

    def connection_lost(self, error: Exception | None) -> None:
        self.server.sessions.pop(self.number, None)
        how = self.closed_by_us or ("reset" if error else "closed")
        facts: dict[str, Any] = {} if self.answered else {"unanswered": self.buffer.hex()}
        self.server.report("close", conn=self.number, how=how, **facts)

    def close(self, how: str) -> None:
        """Close from this side: `fin` in order, `rst` at once."""
        self.closed_by_us = f"server {how}"
        close(self.transport, how)


class TerminalServer(Mock):
    """The listener, its sessions, and the stream of commands and events."""

    def __init__(self, control: socket.socket, config: dict[str, Any]):
        super().__init__(control, config)
        self.answer: bytes | None = None
        self.plans: dict[str | None, dict[str, Any]] = {}
        self.greet_after: float | None = None
        self.certificate: dict[str, str] | None = config.get("certificate")
        self.means: Means | None = None
        self.conversations: dict[int, Conversation] = {}
        self.sessions: dict[int, Session] = {}

    def accepted(self) -> Session:
        return Session(self)

    # -- commands ---------------------------------------------------------------------------------

    async def on_answer(self, data: str | None) -> None:
        """Answer every request with these bytes (hex; empty: stay silent); null: as specified."""
        self.answer = None if data is None else bytes.fromhex(data)
        self.report("answering")

    async def on_converse(self, plans: dict[str, dict[str, Any]]) -> None:
        """Hold a conversation (see `Conversation`) with each of these users, by the name in the cookie."""
        self.plans = dict(plans)
        self.report("conversing")

    async def on_greet(self, after: float | None) -> None:
        """Send an unasked Confirm to each client that has sent no first packet `after` seconds after its connection."""
        self.greet_after = after
        self.report("greeting")

    async def on_secure(self, accounts: dict[str, str]) -> None:
        """From now on mean it when a Confirm chooses TLS or CredSSP; `accounts` (user -> password) may log in."""
        from .secure import Means

        self.means = Means(self.certificate, accounts, f"TS{self.index}")
        self.report("secure", certificate=self.means.fingerprint)

    async def on_conversations(self) -> None:
        """Report what was said and heard in all conversations since the last time."""
        told, self.conversations = self.conversations, {}
        for number, conversation in told.items():
            self.report("conversation", conn=number, **conversation.told())
        self.report("conversations")

    async def on_close(self, conn: int, how: str) -> None:
        if session := self.sessions.get(conn):
            session.close(how)

    async def on_send(self, conn: int, data: str) -> None:
        if session := self.sessions.get(conn):
            session.transport.write(bytes.fromhex(data))


def serve(control: socket.socket, config: dict[str, Any]) -> NoReturn:
    """Be the mock server until the control stream ends.

    `config`: `index` (1 to 15, its identity on the wire), `listen` (pairs of address and port), and `certificate` where it
    may be told to use one (`security.certificates`).
    """
    run(TerminalServer, control, config)
