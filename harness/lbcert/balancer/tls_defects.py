"""The switches about TLS: a balancer that meddles with what the Confirm agreed on."""

from __future__ import annotations

import asyncio
import os
import ssl
from functools import cache

from .defects import Defect
from .defects import _on as on
from .defects import _source_switch as source_switch
from .defects import _switch as switch
from .opening import Opening
from .policy import Between
from .splice import reset

_HELLO = b"\x16\x03\x01"
"""how every TLS client begins: a handshake record (RFC 8446 section 5.1)"""
_RECORD_HEADER = 5
_PEM = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgepNcU9e7quQ8rQ13
JwmDrhzAcQ7nnJLjsMG27h38vYqhRANCAATYkLg+qOLkPM1TZ3hyOyYi49V+mhmh
oWjm3+Q+n80SAfn/ya6f0iT3H1q1S+dwoHjkwbk0zxwsh++zEjGwUtjA
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBfDCCASOgAwIBAgIUG46LbXt5m8giz0rq3wqVmaurs2owCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIYmFsYW5jZXIwIBcNMjYxMTI1MTY0NjM1WhgPMjEyNjExMDEx
NjQ2MzVaMBMxETAPBgNVBAMMCGJhbGFuY2VyMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAE2JC4Pqji5DzNU2d4cjsmIuPVfpoZoaFo5t/kPp/NEgH5/8mun9Ik9x9a
tUvncKB45MG5NM8cLIfvsxIxsFLYwKNTMFEwHQYDVR0OBBYEFNB7BNgjOyrkuMMI
OZ3tPolE07nUMB8GA1UdIwQYMBaAFNB7BNgjOyrkuMMIOZ3tPolE07nUMA8GA1Ud
EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgQoottKJrd2OOW/TAmStYxH8g
C35w/Pqk/kmX37IW/joCICfAXjdgjrL2Rf4s5lgVBWL8uMBNbFoLmvIhsNAf2Q9H
-----END CERTIFICATE-----
"""
"""The faulty balancer's own key, made for this and no secret: it cannot be made where the balancer runs."""


@cache
def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For the side of the clients, and for that of the servers, whose certificates are taken as they come."""
    shows, asks = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file = os.memfd_create("certificate")
    try:
        os.write(file, _PEM.encode())
        shows.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
    asks.check_hostname = False
    asks.verify_mode = ssl.CERT_NONE
    return shows, asks


class _End:
    """One of the two TLS connections of somebody in the middle."""

    def __init__(self, context: ssl.SSLContext, server_side: bool, transport: asyncio.Transport) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=server_side)
        self._transport = transport
        self._waiting = b""
        self._stands = False

    def feed(self, data: bytes) -> bytes:
        """Takes in what came; returns what it says in plain."""
        self._in.write(data)
        plain = b""
        try:
            if not self._stands:
                self._tls.do_handshake()
                self._stands = True
            self.say(b"")
            while piece := self._tls.read(65536):
                plain += piece
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        self._send()
        return plain

    def say(self, plain: bytes) -> None:
        """Encrypts it, now or once the connection stands."""
        self._waiting += plain
        if self._stands and self._waiting:
            self._tls.write(self._waiting)
            self._waiting = b""
            self._send()

    def _send(self) -> None:
        if data := self._out.read():
            self._transport.write(data)


class _InTheMiddle:
    """Lets sessions pass until the client begins with TLS; those it ends itself, and begins anew with the server."""

    def __init__(self, client: asyncio.Transport, server: asyncio.Transport) -> None:
        self._client, self._server = client, server
        self._held: bytes | None = b""
        self._ends: tuple[_End, _End] | None = None

    def from_client(self, data: bytes) -> bytes:
        if self._held is not None:
            data = self._held + data
            if _HELLO.startswith(data):
                self._held = data
                return b""
            self._held = None
            if data.startswith(_HELLO):
                shows, asks = _contexts()
                self._ends = _End(shows, True, self._client), _End(asks, False, self._server)
                self._ends[1].feed(b"")
        return data if self._ends is None else self._carry(data, *self._ends)

    def from_server(self, data: bytes) -> bytes:
        return data if self._ends is None else self._carry(data, *reversed(self._ends))

    def _carry(self, data: bytes, near: _End, far: _End) -> bytes:
        try:
            far.say(near.feed(data))
        except ssl.SSLError:
            reset(self._client)
            reset(self._server)
        return b""


@switch("terminate-tls", on)
class _TerminateTls(Defect):
    """Ends the clients' TLS itself, with a certificate of its own, and makes TLS of its own to the server."""

    def between(self, opening: Opening, client: asyncio.Transport, server: asyncio.Transport) -> Between:
        return _InTheMiddle(client, server)


@source_switch("terminate-tls-on", lambda field: field.whole(1, 65_535))
class _TerminateTlsOn(Defect):
    """Ends the clients' TLS itself on that port, with a certificate of its own; the server sees no client's certificate."""

    def between(self, opening: Opening, client: asyncio.Transport, server: asyncio.Transport) -> Between | None:
        return _InTheMiddle(client, server) if opening.port == self.value else super().between(opening, client, server)


class _WantsAWholeHello:
    """Looks at the client's first bytes behind the request, once."""

    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client
        self._seen = False

    def from_client(self, data: bytes) -> bytes:
        if not self._seen:
            self._seen = True
            begins = data.startswith(_HELLO) or _HELLO.startswith(data)
            if begins and len(data) < _RECORD_HEADER + int.from_bytes(data[3:5], "big"):
                reset(self._client)
                return b""
        return data

    def from_server(self, data: bytes) -> bytes:
        return data


@switch("close-split-hello", on)
class _CloseSplitHello(Defect):
    """Closes clients whose TLS ClientHello comes in more than one piece."""

    def between(self, opening: Opening, client: asyncio.Transport, server: asyncio.Transport) -> Between:
        return _WantsAWholeHello(client)
