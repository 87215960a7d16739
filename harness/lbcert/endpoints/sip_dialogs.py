"""How a Front End reaches a client, and dialogs with it (RFC 3261 section 12), notifications of a subscription (RFC 6665)."""

from __future__ import annotations

import os
import re

from ..wire.sip import Message, write

_VIA = re.compile(r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z]+)\s+\[?([^\s;:,\]]+)", re.IGNORECASE)


def received(request: Message, peer: tuple[str, int], cid: str) -> str:
    """What is put behind the request's Via: where it came from (RFC 3261 18.2.1), and by which connection."""
    address, port = peer[:2]
    found = _VIA.match(request.first("via"))
    differs = f"received={address};" if found and found[2] != address else ""
    return f"{differs}ms-received-port={port};ms-received-cid={cid}"


def reached(request: Message, peer: tuple[str, int], cid: str) -> str:
    """The client as it is reached: by this connection only."""
    address, port = peer[:2]
    found = _VIA.match(request.first("via"))
    host = f"[{address}]" if ":" in address else address
    return f"<sip:{host}:{port};transport={found[1].lower() if found else 'tcp'};ms-received-cid={cid}>"


def new_tag() -> str:
    """As long as OCS's: 32 hexadecimal digits."""
    return os.urandom(16).hex().upper()


def dialog_of(request: Message) -> tuple[str, str, str]:
    """Call-ID, the client's tag, the server's tag (empty outside of a dialog)."""
    return request.call_id, request.address("from").tag, request.address("to").tag


class Subscription:
    """One client's subscription; `seconds` is what was granted last, 0 ends it."""

    def __init__(self, request: Message, target: str):
        """`target`: the URI by which the client is reached."""
        self._target = target
        self._source, self._to = request.first("to"), request.first("from")
        self._event = request.first("event")
        self._routes = _routes(request)
        self.call_id = request.call_id
        self.tag = new_tag()
        self.number = 0
        self.seconds = 0

    def notify(self, host: str, server: tuple[str, str], body: bytes) -> bytes:
        """The next NOTIFY."""
        self.number += 1
        state = f"active;expires={self.seconds}" if self.seconds else "terminated;reason=timeout"
        fields = [
            ("Via", f"SIP/2.0/TCP {host};branch=z9hG4bK{os.urandom(8).hex()}"), ("Max-Forwards", "70"),
            ("From", f"{self._source};tag={self.tag}"), ("To", self._to), ("Call-ID", self.call_id),
            ("CSeq", f"{self.number} NOTIFY"), *(("Route", one) for one in self._routes), ("Contact", f"<sip:{host}>"),
            ("Event", self._event), ("Subscription-State", state), server,
        ]  # fmt: skip
        if body:
            fields.append(("Content-Type", "text/plain"))
        clean = [(name, value.replace("\r", " ").replace("\n", " ")) for name, value in fields]
        return write(f"NOTIFY {self._target} SIP/2.0", clean, body)


def _routes(request: Message) -> list[str]:
    """The way back that proxies asked for, in a list of its own (RFC 3261 12.1.1)."""
    if "record-route" not in request.fields:
        return []
    full = request.full
    return full.get_header_values("record-route") if full else request.fields["record-route"]
