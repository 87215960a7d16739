"""What a server says that stands in for a pool of which nobody is left: whatever protocol the client begins with.

A real one would say that the pool is down. This one answers like a Front End, so that who was there is seen on every port.
"""

from __future__ import annotations

from typing import Any

from ..wire.nrtp import MAGIC
from ..wire.talk import MakeService, Place, Report
from .http import Web
from .mapper import Mapper
from .monitor import HELLO, Monitor
from .remoting import Remoting
from .sip import SipService

_RPC = b"\x05"
"""the version of DCE/RPC, which is the first byte of each PDU"""
_LONGEST = 8192
"""bytes without an end of a line, after which it is taken for SIP"""


class StandIn:
    """One connection. What it reports is what the service reports that it turned out to need."""

    def __init__(self, place: Place, report: Report):
        self._place, self._report = place, report
        self._head = b""
        self._service: Any = None

    @property
    def closing(self) -> bool:
        return self._service is not None and self._service.closing

    @property
    def pending(self) -> bool:
        """Whether there is more of a long answer."""
        return bool(getattr(self._service, "pending", False))

    def begin(self) -> bytes:
        return b""

    def more(self) -> bytes:
        return self._service.more()

    def push(self, what: dict[str, Any]) -> bytes:
        return b"" if self._service is None else self._service.push(what)

    def take(self, data: bytes) -> bytes:
        if self._service is None:
            self._head += data
            make = protocol_of(self._head)
            if make is None:
                return b""
            self._service = make(self._place, self._report)
            data, self._head = self._head, b""
        return self._service.take(data)


def protocol_of(head: bytes) -> MakeService | None:
    """The service that understands a client which begins so; None while that cannot be told."""
    if head.startswith(_RPC):
        return Mapper
    if head.startswith(MAGIC):
        return Remoting
    if head.startswith(HELLO):
        return Monitor
    line, end, _ = head.partition(b"\n")
    if line.rstrip(b"\r").endswith((b"HTTP/1.1", b"HTTP/1.0")):
        return Web
    return SipService if end or len(head) > _LONGEST else None
