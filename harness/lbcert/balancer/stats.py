"""The statistics page: one small page over HTTP, for those who know the password (RFC 9110, RFC 7617)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .address import Address, parse_address
from .document import Field

if TYPE_CHECKING:
    from .proxy import Balancer

LONGEST = 8192
"""bytes of a request's head"""
PATIENCE = 5.0
"""s for a request to be whole"""
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 405: "Method Not Allowed"}


@dataclass(frozen=True, slots=True)
class Stats:
    listen: Address
    user: str
    password: str


def read_stats(value: Field, others: Sequence[Address]) -> Stats:
    """`{listen: "192.0.2.10:7777", user: admin, password: ...}`"""
    fields = value.mapping(("listen", "user", "password"), required=("listen", "user", "password"))
    listen = parse_address(fields["listen"].text())
    if listen is None:
        fields["listen"].wrong(f"{fields['listen'].text()[:60]!r} is not a numeric address with a port",
                               'write "192.0.2.1:7777", in quotes')  # fmt: skip
    if listen in others:
        fields["listen"].wrong(f"{listen} is for clients already", "choose another port")
    if ":" in fields["user"].text():
        fields["user"].wrong("a name with a colon cannot be sent", "write another name (RFC 7617 section 2)")
    return Stats(listen, fields["user"].text(), fields["password"].text())


class Page(asyncio.Protocol):
    """One connection: one request, one answer."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._head = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._timer = self._balancer.loop.call_later(PATIENCE, transport.abort)

    def connection_lost(self, error: Exception | None) -> None:
        self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._head += data
        if b"\r\n\r\n" in self._head:
            self._answer(self._head.split(b"\r\n\r\n")[0])
        elif len(self._head) > LONGEST:
            self._say(400, "")

    def _answer(self, head: bytes) -> None:
        line, *fields = head.split(b"\r\n")
        words = line.split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            self._say(400, "")
        elif words[0] not in (b"GET", b"HEAD"):
            self._say(405, "")
        elif not self._balancer.policy.lets_see(credentials(fields)):
            self._say(401, "", 'WWW-Authenticate: Basic realm="statistics", charset="UTF-8"\r\n')
        else:
            self._say(200, page(self._balancer), with_body=words[0] == b"GET")

    def _say(self, status: int, text: str, more: str = "", with_body: bool = True) -> None:
        body = text.encode()
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
            f"{more}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self._transport.write(head.encode() + (body if with_body else b""))
        self._transport.close()


def credentials(fields: Sequence[bytes]) -> bytes | None:
    """`user:password` as the request has it; None if it has none, or more than one."""
    found = [value.strip() for name, _, value in (field.partition(b":") for field in fields) if name.lower() == b"authorization"]
    if len(found) != 1:
        return None
    scheme, _, token = found[0].partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        return base64.b64decode(token.strip(), validate=True)
    except binascii.Error:
        return None


def matches(stats: Stats, given: bytes | None) -> bool:
    """Whether these are the configured credentials; how long this takes says nothing about them."""
    wanted = f"{stats.user}:{stats.password}".encode()
    return hmac.compare_digest(wanted, given or b"")


def page(balancer: Balancer) -> str:
    """The servers, their states and how many connections each has; names hold nothing that HTML would take for its own."""
    rows = "".join(
        f"<tr><td>{server.name}</td><td>{server.address.host}</td><td>{_state(server)}</td><td>{server.load}</td></tr>\n"
        for server in (*balancer.servers, *balancer.backups)
    )
    head = "<tr><th>server</th><th>address</th><th>state</th><th>connections</th></tr>\n"
    return f"<!DOCTYPE html>\n<title>Statistics</title>\n<table>\n{head}{rows}</table>\n"


def _state(server) -> str:
    if server.backup:
        return "backup"
    return ("drained" if server.drained else "UP") if server.up else "DOWN"
