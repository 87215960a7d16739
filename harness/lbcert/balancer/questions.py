"""What a health check asks a server, and which answers are good ones. No sockets are read here."""

from __future__ import annotations

import secrets
import socket
import ssl
from collections.abc import Callable

from lbcert.wire import ConnectionConfirm, ConnectionRequest, Decoded, NegotiationRequest, NeedMore, Protocols

Read = Callable[[bytes], str | None]
"""gives None as long as more must come, an empty text for a good answer, and what is wrong with a bad one"""

# A client without a name: the server must not take the check for a user.
_CONNECTION_REQUEST = ConnectionRequest(negotiation=NegotiationRequest(Protocols.SSL | Protocols.HYBRID)).encode()
_HANDSHAKE, _ALERT = 22, 21
"""RFC 8446 section 5.1"""
_LONGEST_STATUS_LINE = 256


def _rdp(sock: socket.socket) -> tuple[bytes, Read]:
    return _CONNECTION_REQUEST, _read_confirm


def _read_confirm(data: bytes) -> str | None:
    match ConnectionConfirm.decode(data):
        case Decoded():
            return ""
        case NeedMore():
            return None
        case malformed:
            return f"no connection confirm: {malformed.reason}"


def _tls(sock: socket.socket) -> tuple[bytes, Read]:
    outgoing = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read(), _read_record


def _read_record(data: bytes) -> str | None:
    """A server that answers with an alert is there, and says that it cannot be used."""
    if data[0] == _HANDSHAKE:
        return ""
    return "a TLS alert" if data[0] == _ALERT else "no TLS record"


def _sip(sock: socket.socket) -> tuple[bytes, Read]:
    """OPTIONS to the server itself (RFC 3261 section 11)."""
    host, port = sock.getsockname()[:2]
    there, its_port = sock.getpeername()[:2]
    here, there = (f"[{name}]" if ":" in name else name for name in (host, there))
    unique = secrets.token_hex(8)
    lines = (
        f"OPTIONS sip:{there}:{its_port};transport=tcp SIP/2.0",
        f"Via: SIP/2.0/TCP {here}:{port};branch=z9hG4bK{unique}",
        "Max-Forwards: 70",
        f"From: <sip:check@{here}>;tag={unique}",
        f"To: <sip:{there}>",
        f"Call-ID: {unique}@{here}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:{here}:{port};transport=tcp>",
        "Content-Length: 0",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n", _read_status


def _read_status(data: bytes) -> str | None:
    """Any final answer shows that the server works, but for those by which it says that it does not."""
    line, end, _ = data.lstrip(b"\r\n").partition(b"\r\n")
    if not end:
        return None if len(data) < _LONGEST_STATUS_LINE else "no SIP status line"
    words = line.split(b" ", 2)
    if words[0] != b"SIP/2.0" or len(words) < 2 or not (len(words[1]) == 3 and words[1].isdigit()):
        return "no SIP status line"
    if words[1].startswith(b"1"):
        # A provisional one: what follows its header is looked at on its own.
        _, whole, rest = data.partition(b"\r\n\r\n")
        return _read_status(rest) if whole and rest else None
    return "SIP 503: service unavailable" if words[1] == b"503" else ""


QUESTIONS: dict[str, Callable[[socket.socket], tuple[bytes, Read]]] = {"rdp": _rdp, "tls": _tls, "sip": _sip}
