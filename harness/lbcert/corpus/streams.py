"""From segments to what each client sent first, put in order by sequence numbers."""

from __future__ import annotations

from collections.abc import Iterable

from .segments import ACK, SYN, Segment

KEPT = 1024
"""bytes of each connection: a Connection Request has 259 at most"""
_HALF, _WHOLE = 1 << 31, 1 << 32


class Stream:
    """The first bytes of one client's connection. What arrived first counts, as for a server."""

    def __init__(self, initial: int):
        self.initial = initial
        self._octets: dict[int, int] = {}

    def add(self, seq: int, payload: bytes) -> None:
        """Add a segment's payload; repeated, overlapping and early ones are welcome."""
        at = (seq - self.initial) % _WHOLE
        at = at - _WHOLE if at >= _HALF else at
        for place, octet in enumerate(payload[: max(KEPT - at, 0)], at):
            if place >= 0:
                self._octets.setdefault(place, octet)

    def begin(self) -> bytes:
        """The bytes up to the first gap."""
        found = bytearray()
        while (octet := self._octets.get(len(found))) is not None:
            found.append(octet)
        return bytes(found)


class Streams:
    """Connections to one port, from their clients' side."""

    def __init__(self, port: int):
        self.port = port
        self.found: list[Stream] = []
        self._open: dict[tuple[bytes, int, bytes], Stream] = {}
        self._without_begin: set[tuple[bytes, int, bytes]] = set()

    @property
    def joined_late(self) -> int:
        """Connections that began before the capture: what they sent first is not in it."""
        return len(self._without_begin)

    def take(self, segments: Iterable[Segment]) -> None:
        """Add segments in the order in which they were captured."""
        for one in segments:
            if one.dport != self.port:
                continue
            key = (one.source, one.sport, one.target)
            stream = self._open.get(key)
            begins = one.flags & SYN and not one.flags & ACK
            if begins:
                initial = (one.seq + 1) % _WHOLE
                if stream is None or stream.initial != initial:
                    stream = self._open[key] = Stream(initial)
                    self.found.append(stream)
                stream.add(initial, one.payload)
            elif stream is not None:
                stream.add(one.seq, one.payload)
            elif one.payload and not one.flags & SYN:
                self._without_begin.add(key)
