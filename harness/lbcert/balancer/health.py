"""Health checks: one task per server, independent of each other, their starts spread over one interval."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from .address import Address
from .deadline import Deadline
from .policy import Policy
from .questions import QUESTIONS
from .server import Server
from .splice import connect


class CheckFailed(Exception):
    """Why a server did not pass a check."""


class _Question(asyncio.Protocol):
    """Asks on a fresh connection and resolves `answer` when what came back is whole, or wrong.

    `read` gives None as long as more must come, an empty text for a good answer, and what is wrong with a bad one.
    """

    def __init__(self, question: bytes, read: Callable[[bytes], str | None], answer: asyncio.Future[None]) -> None:
        self._question = question
        self._read = read
        self._answer = answer
        self._buffer = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.write(self._question)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        problem = self._read(self._buffer)
        if problem is not None:
            self._settle(problem)

    def connection_lost(self, error: Exception | None) -> None:
        self._settle("closed without an answer")

    def _settle(self, problem: str) -> None:
        if not self._answer.done():
            if not problem:
                self._answer.set_result(None)
            else:
                self._answer.set_exception(CheckFailed(problem))
        self._transport.close()


async def check(address: Address, kind: str, timeout: float, sip_port: int = 0) -> None:
    """One check; CheckFailed or OSError if the server does not pass (see `config.HealthCheck`).

    Each step has `timeout` seconds of its own: what is left of one sum would be less by every pause of this process.
    """
    loop = asyncio.get_running_loop()
    sock = await connect(loop, address, timeout)
    if kind == "sip":
        sock.close()
        sock = await connect(loop, address._replace(port=sip_port), timeout)
    elif kind == "tcp":
        sock.close()
        return
    question, read = QUESTIONS[kind](sock)
    answer = loop.create_future()

    def expired() -> None:
        if not answer.done():
            answer.set_exception(CheckFailed("no answer in time"))

    deadline = Deadline(loop, timeout, expired)
    transport, _ = await loop.create_connection(lambda: _Question(question, read, answer), sock=sock)
    try:
        await answer
    finally:
        deadline.cancel()
        transport.close()


class Watch:
    """Applies `fall` and `rise` to one server and tells `changed` about each DOWN and UP."""

    def __init__(self, policy: Policy, server: Server, changed: Callable[[Server, str], None]) -> None:
        self._policy = policy
        self._server = server
        self._changed = changed
        self._open: list[socket.socket] = []
        """connections of rude checks that are never closed"""

    async def run(self, delay: float) -> None:
        """Checks for ever, the first time after `delay` seconds."""
        settings = self._policy.config.health_check
        while True:
            await asyncio.sleep(delay)
            began = self._policy.now()
            try:
                await check(self._address(), self._policy.check_kind(), settings.timeout, settings.sip_port)
            except (CheckFailed, OSError) as error:
                self.failed(error.strerror if isinstance(error, OSError) and error.strerror else str(error))
            else:
                self.passed(began)
                if rude := self._policy.rude_check():
                    await self._be_rude(*rude, settings.timeout)
            delay = self._policy.check_interval()

    def _address(self) -> Address:
        return Address(self._server.address.host, self._policy.check_port(self._server))

    async def _be_rude(self, data: bytes, end: str, timeout: float) -> None:
        """One more connection, as no check should be."""
        try:
            sock = await connect(asyncio.get_running_loop(), self._address(), timeout)
        except OSError:
            return
        try:
            sock.send(data)
        except OSError:
            pass
        if end == "never":
            self._open.append(sock)
            return
        if end == "rst":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def passed(self, began: float) -> None:
        server = self._server
        server.proved_at = began
        server.in_a_row = 0 if server.up else server.in_a_row + 1
        if not server.up and self._policy.marks_up(server):
            passed, server.up, server.in_a_row = server.in_a_row, True, 0
            self._changed(server, f"{passed} checks passed")

    def failed(self, reason: str) -> None:
        server = self._server
        server.in_a_row = server.in_a_row + 1 if server.up else self._policy.after_failed_check(server)
        if server.up and server.in_a_row >= self._policy.config.health_check.fall and self._policy.marks_down(server):
            server.up, server.in_a_row = False, 0
            self._changed(server, reason)
