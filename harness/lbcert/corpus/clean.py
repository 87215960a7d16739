"""A first packet without what it tells of people and networks, of the same length and form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from ..wire import COOKIE_PREFIX, LINE_END, TOKEN_PREFIX, ConnectionRequest, decode_token, encode_token
from .names import Pseudonyms, coarse

CORRELATION_ID = bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90")
"""instead of the client's own; that of vector CR-09"""

_COOKIE = re.compile(rb"\s*cookie:\s*mstshash\s*=", re.IGNORECASE)
"""a name, also where the spelling keeps servers from taking it for one"""
_KEPT = re.compile(rb"(Cookie: msts=|tsv://(?:MS Terminal Services Plugin\.1\.)?|mth://|)(.*)", re.DOTALL)
"""what of a token's line says which kind it is, and the rest"""


def _number(ip: str | IPv4Address) -> bytes:
    """An address as a token spells it."""
    return encode_token(ip, 0)[len(TOKEN_PREFIX) :].partition(b".")[0]


_INSTEAD = [_number(network[last]) for last in range(256)
            for network in map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))]  # fmt: skip
"""addresses of documentation (RFC 5737)"""


class Cleaner:
    """Replaces names, addresses and ids in the packets of one import, the same ones alike."""

    def __init__(self, requests: Iterable[ConnectionRequest], keep_tokens: bool = False):
        self._keep_tokens = keep_tokens
        self._names = Pseudonyms(name for request in requests for name in _names(request))
        self._numbers: dict[str, bytes] = {}

    def clean(self, request: ConnectionRequest) -> ConnectionRequest:
        """The request with everything replaced; bytes that have no meaning become zeros."""
        lines = request.extra_text.split(LINE_END)
        return replace(
            request,
            cookie=None if request.cookie is None else self._names.of(request.cookie),
            routing_token=None if request.routing_token is None else self._line(request.routing_token),
            extra_text=LINE_END.join(map(self._line, lines)),
            correlation=request.correlation and replace(request.correlation, correlation_id=CORRELATION_ID, reserved=bytes(16)),
            trailing=bytes(len(request.trailing)),
        )

    def _line(self, line: bytes) -> bytes:
        """A line of text that is not the first cookie."""
        if name := _COOKIE.match(line):
            return line[: name.end()] + self._names.of(line[name.end() :])
        if self._keep_tokens:
            return line
        if address := decode_token(line):
            rest = line[len(TOKEN_PREFIX) :].partition(b".")[2]
            return TOKEN_PREFIX + self._number(address.ip) + b"." + rest
        kept, rest = _KEPT.fullmatch(line).groups()
        pseudonym = self._names.of(rest)
        # A token that names no address must not come to name one.
        return kept + (pseudonym if decode_token(kept + pseudonym) is None else re.sub(rb"\d", b"9", rest))

    def _number(self, ip: str) -> bytes:
        """What stands for an address in a token: an address of documentation whose number has as many digits."""
        if ip not in self._numbers:
            own, given = _number(ip), set(self._numbers.values())
            fitting = [number for number in _INSTEAD if len(number) == len(own) and number != own]
            # Only network addresses such as 10.1.0.0 have numbers too short for that.
            fitting = fitting or [b"9" * len(own)]
            self._numbers[ip] = next((one for one in fitting if one not in given), fitting[len(given) % len(fitting)])
        return self._numbers[ip]


def _names(request: ConnectionRequest) -> Iterable[bytes]:
    """Everything in a request that may be, or hold, a name."""
    yield request.cookie or b""
    for line in (request.routing_token or b"", *request.extra_text.split(LINE_END)):
        found = _COOKIE.match(line)
        yield line[found.end() :] if found else _KEPT.fullmatch(line)[2]


def alike(request: ConnectionRequest) -> bytes:
    """What packets have in common that differ in a name's letters and digits only."""
    def text(line: bytes | None) -> bytes | None:
        return None if line is None else coarse(line).encode("utf-8", "surrogateescape")

    head = b"" if request.cookie is None else COOKIE_PREFIX + (text(request.cookie) or b"")
    token = b"" if request.routing_token is None else _coarse_token(request.routing_token)
    bare = replace(request, cookie=None, routing_token=None, extra_text=b"").encode()
    return b"\0".join((head, token, bytes([request.cookie_first]), text(request.extra_text) or b"", bare))


def _coarse_token(line: bytes) -> bytes:
    kept, rest = _KEPT.fullmatch(line).groups()
    kind = b"address " if decode_token(line) else b""
    return kind + kept + coarse(rest).encode("utf-8", "surrogateescape")
