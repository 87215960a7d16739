"""From a capture to facts about each TCP connection on each link: who opened, when data, FIN and RST passed.

Times are the kernel's. A link is `host:interface`; "in" and "out" are as its host sees them. Only what a check
needs is read: Ethernet, IPv4 or IPv6 without extension headers, TCP.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10
_TCP = struct.Struct(">HHIIBB")
Packet = tuple[str, int, bool, bytes, int]
_WORKING = ("over", "next", "last")
"""keys of a flow that only its making needs"""


class CaptureError(Exception):
    """The file is no capture of ours; the message names the file and the offset."""


def packets(path: Path) -> Iterator[Packet]:
    """(link, time in ns, whether it goes to the link's host, bytes, original length) of each packet."""
    yield from _packets(path, path.read_bytes(), [])


def _packets(path: Path, data: bytes, links: list[str]) -> Generator[Packet, None, int]:
    """The packets of whole blocks in `data`, of a capture whose `links` so far are known; returns the bytes that they took."""
    at, size = 0, len(data)
    while at + 12 <= size:
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or length % 4:
            raise CaptureError(f"{path}: block at byte {at} has the impossible length {length}")
        if at + length > size:
            return at  # cut off by a crash, or still being written
        if kind == 1:
            links.append(_interface_name(data, at + 16, at + length - 4))
        elif kind == 6:
            number, high, low, caught, original = struct.unpack_from("<IIIII", data, at + 8)
            options = at + 28 + (caught + 3) // 4 * 4
            if options + 12 > at + length or number >= len(links):
                raise CaptureError(f"{path}: the packet block at byte {at} is none of ours")
            inbound = struct.unpack_from("<I", data, options + 4)[0] & 3 == 1
            yield links[number], high << 32 | low, inbound, data[at + 28 : at + 28 + caught], original
        at += length
    return at


def _interface_name(data: bytes, at: int, end: int) -> str:
    while at + 4 <= end:
        code, length = struct.unpack_from("<HH", data, at)
        if code == 2:
            return data[at + 4 : at + 4 + length].decode()
        if code == 0:
            break
        at += 4 + (length + 3) // 4 * 4
    return ""


def _address(raw: bytes) -> str:
    import ipaddress

    if len(raw) == 4:
        return "%d.%d.%d.%d" % tuple(raw)
    return str(ipaddress.IPv6Address(raw))


def _is_keepalive(following: int | None, seq: int, length: int, flags: int) -> bool:
    """Whether a segment only repeats the last byte that was sent, or none, to have an answer (RFC 9293 3.8.4)."""
    return following is not None and length <= 1 and not flags & (_SYN | _FIN | _RST) and (seq + 1 - following) % (1 << 32) == 0


def _follow(following: dict[str, int], side: str, end: int) -> None:
    """Keep the highest sequence number that was sent to `side`."""
    known = following.get(side)
    if known is None or 0 < (end - known) % (1 << 32) < 1 << 31:
        following[side] = end % (1 << 32)


def flows(path: Path, ports: set[int]) -> list[dict[str, Any]]:
    """One record per connection to one of `ports` on each link, in order of the first packet.

    Keys: link, client, cport, server, sport, syns (number seen), syn, synack, data_to_server, data_to_client,
    fin_to_server, fin_to_client, rst_to_server, rst_to_client, keepalive_to_server, keepalive_to_client (time of the
    first such packet, ns, or absent); quiet_to_server, quiet_to_client (ns without any packet before that keepalive);
    last_data (the latest payload in either direction), and of the longest silence between two payloads pause_from (its
    start) and pause (ns).
    """
    known = Connections(ports)
    known.take(packets(path))
    return known.records()


class Connections:
    """The connections among packets, as far as these have been seen."""

    def __init__(self, ports: set[int]):
        self.ports = ports
        self._found: dict[tuple, dict[str, Any]] = {}
        self._order: list[dict[str, Any]] = []
        self._names: dict[bytes, str] = {}

    def records(self) -> list[dict[str, Any]]:
        """One record per connection, as `flows` describes it, in order of the first packet."""
        return [{key: value for key, value in flow.items() if key not in _WORKING} for flow in self._order]

    def on(self, link: str, since: int) -> list[dict[str, Any]]:
        """The connections on `link` that were opened at `since` (ns) or later, in order."""
        recent = itertools.takewhile(lambda flow: flow["t"] >= since, reversed(self._order))
        return [flow for flow in recent if flow["link"] == link and flow.get("syn", 0) >= since][::-1]

    def take(self, packets: Iterable[Packet]) -> None:
        """Add what more packets say."""
        ports, found, order, names = self.ports, self._found, self._order, self._names
        for link, stamp, _inbound, frame, original in packets:
            if len(frame) < 54:
                continue
            if frame[12:14] == b"\x08\x00":
                at = 14 + (frame[14] & 0xF) * 4
                protocol, source, target = frame[23], frame[26:30], frame[30:34]
                payload_end = 14 + (frame[16] << 8 | frame[17]) if original <= 65549 else original
            elif frame[12:14] == b"\x86\xdd":
                at, protocol, source, target = 54, frame[20], frame[22:38], frame[38:54]
                payload_end = 54 + (frame[18] << 8 | frame[19])
            else:
                continue
            if protocol != 6 or len(frame) < at + 14:
                continue
            sport, dport, seq, _ack, offset, flags = _TCP.unpack_from(frame, at)
            if dport in ports and not (sport in ports and flags & _SYN and flags & _ACK):
                key, forward = (link, source, sport, target, dport), True
            elif sport in ports:
                key, forward = (link, target, dport, source, sport), False
            else:
                continue
            flow = found.get(key)
            new_syn = forward and flags & _SYN and not flags & _ACK
            if flow is None or (new_syn and flow.get("over")):
                for raw in (key[1], key[3]):
                    if raw not in names:
                        names[raw] = _address(raw)
                flow = {"link": link, "client": names[key[1]], "cport": key[2], "server": names[key[3]], "sport": key[4],
                        "t": stamp, "syns": 0, "next": {}, "last": stamp}  # fmt: skip
                found[key] = flow
                order.append(flow)
            if new_syn:
                flow["syns"] += 1
                flow.setdefault("syn", stamp)
            elif flags & _SYN:
                flow.setdefault("synack", stamp)
            side = "server" if forward else "client"
            length = payload_end - at - (offset >> 4) * 4
            if _is_keepalive(flow["next"].get(side), seq, length, flags):
                if f"keepalive_to_{side}" not in flow:
                    flow[f"keepalive_to_{side}"] = stamp
                    flow[f"quiet_to_{side}"] = stamp - flow["last"]
            elif length > 0:
                flow.setdefault(f"data_to_{side}", stamp)
                if stamp - flow.get("last_data", stamp) > flow.get("pause", 0):
                    flow["pause"], flow["pause_from"] = stamp - flow["last_data"], flow["last_data"]
                flow["last_data"] = stamp
            _follow(flow["next"], side, seq + length + bool(flags & _SYN) + bool(flags & _FIN))
            flow["last"] = stamp
            if flags & _FIN:
                flow.setdefault(f"fin_to_{side}", stamp)
                flow["over"] = True
            if flags & _RST:
                flow.setdefault(f"rst_to_{side}", stamp)
                flow["over"] = True


class Growing:
    """A capture that is still being written; what was captured before `since` (ns) is skipped."""

    def __init__(self, path: Path, ports: set[int], since: int = 0):
        self._path = path
        self._since = since
        self._links: list[str] = []
        self._unread = b""
        self._offset = 0
        self.connections = Connections(ports)

    def read(self) -> Connections:
        """What the file says by now."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        self._offset += len(data)
        self._unread += data
        self.connections.take(packet for packet in self._whole() if packet[1] >= self._since)
        return self.connections

    def _whole(self) -> Iterator[Packet]:
        taken = yield from _packets(self._path, self._unread, self._links)
        self._unread = self._unread[taken:]
