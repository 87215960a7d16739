"""The switches about what a SIP connection carries, and about its silence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from .defects import Defect
from .defects import _on as on
from .defects import _source_switch as source_switch
from .defects import _switch as switch
from .opening import Opening
from .policy import Between

_PING, _PONG = b"\r\n\r\n", b"\r\n"
"""RFC 5626 section 4.4.1"""
_SIP = re.compile(rb"(?:[A-Z]{3,20} [^\r\n]+ SIP/2\.0|SIP/2\.0 [0-9]{3}[^\r\n]*)\r\n")


# -- bytes


def _rewritten(what: str, data: bytes) -> bytes:
    """`data` with the header of the SIP message at its beginning changed; anything else stays as it is."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end or not _SIP.match(data):
        return data
    first, *lines = head.split(b"\r\n")
    match what:
        case "via" if first.endswith(b" SIP/2.0"):
            lines.insert(0, b"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKbalancer")
        case "order":
            lines.reverse()
        case "case":
            lines = [name.lower() + colon + value for name, colon, value in (line.partition(b":") for line in lines)]
        case "expires":
            lines = [re.sub(rb"(?i)^(expires: *)[0-9]+", rb"\g<1>3599", line) for line in lines]
    return b"\r\n".join((first, *lines)) + end + rest


@source_switch("rewrite-sip", lambda field: field.choice("via", "order", "case", "expires"))
class _RewriteSip(Defect):
    """Adds a Via to SIP requests, or changes the order or the case of headers, or the time of Expires."""

    def altered(self, opening: Opening, towards: str) -> Callable[[bytes], bytes] | None:
        return lambda data: _rewritten(self.value, data)


# -- keep-alives


@source_switch("swallow-keep-alive", on)
class _SwallowKeepAlive(Defect):
    """Does not pass on the double CR LF by which a client keeps its connection alive."""

    def altered(self, opening: Opening, towards: str) -> Callable[[bytes], bytes] | None:
        return (lambda data: b"" if data == _PING else data) if towards == "server" else super().altered(opening, towards)


class _Answering:
    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client

    def from_client(self, data: bytes) -> bytes:
        if data != _PING:
            return data
        self._client.write(_PONG)
        return b""

    def from_server(self, data: bytes) -> bytes:
        return data


@source_switch("answer-keep-alive", on)
class _AnswerKeepAlive(Defect):
    """Answers a client's double CR LF itself; the server never sees it."""

    def between(self, opening: Opening, client: asyncio.Transport, server: asyncio.Transport) -> Between | None:
        return _Answering(client)


@source_switch("swallow-pong", on)
class _SwallowPong(Defect):
    """Does not pass on the CR LF by which a server answers a keep-alive."""

    def altered(self, opening: Opening, towards: str) -> Callable[[bytes], bytes] | None:
        return (lambda data: b"" if data == _PONG else data) if towards == "client" else super().altered(opening, towards)


@source_switch("keep-alive-unheard", on, needs="idle_timeout")
class _KeepAliveUnheard(Defect):
    """Passes keep-alives on and takes the session for silent all the same."""

    def heard(self, side: str, hear: Callable[[bytes], None]) -> Callable[[bytes], None] | None:
        return lambda data: None if data in (_PING, _PONG) else hear(data)


# -- silence


@switch("idle-heeds", lambda field: field.choice("client", "server"), needs="idle_timeout")
class _IdleHeeds(Defect):
    """Ends a session when the client, or the server, alone has said nothing for the idle time."""

    def heard(self, side: str, hear: Callable[[bytes], None]) -> Callable[[bytes], None] | None:
        return hear if side == self.value else None


class _Forgetful:
    """Passes nothing from the server on, once, after so long a silence."""

    def __init__(self, seconds: float, now: Callable[[], float]) -> None:
        self._seconds, self._now = seconds, now
        self._last = now()

    def from_client(self, data: bytes) -> bytes:
        self._last = self._now()
        return data

    def from_server(self, data: bytes) -> bytes:
        silent, self._last = self._now() - self._last, self._now()
        return b"" if silent > self._seconds else data


@switch("drop-after-silence", lambda field: field.factor(0.01, 1.0), needs="idle_timeout")
class _DropAfterSilence(Defect):
    """Loses what a server sends first after a silence of that part of the idle time."""

    def between(self, opening: Opening, client: asyncio.Transport, server: asyncio.Transport) -> Between | None:
        return _Forgetful(self.config.idle_timeout * self.value, self.now)
