"""From a capture to facts about each TCP connection on each link: who opened, when data, FIN and RST passed.

Times are the kernel's. A link is `host:interface`; "in" and "out" are as its host sees them. Only what a check
needs is read: Ethernet, IPv4 or IPv6 without extension headers, TCP.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10
_TCP = struct.Struct(">HHIIBB")


class CaptureError(Exception):
    """The file is no capture of ours; the message names the file and the offset."""


def packets(path: Path) -> Iterator[tuple[str, int, bool, bytes, int]]:
    """(link, time in ns, whether it goes to the link's host, bytes, original length) of each packet."""
    data = path.read_bytes()
    links: list[str] = []
    at, size = 0, len(data)
    while at + 12 <= size:
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or length % 4:
            raise CaptureError(f"{path}: block at byte {at} has the impossible length {length}")
        if at + length > size:
            return  # cut off by a crash
        if kind == 1:
            links.append(_interface_name(data, at + 16, at + length - 4))
        elif kind == 6:
            number, high, low, caught, original = struct.unpack_from("<IIIII", data, at + 8)
            options = at + 28 + (caught + 3) // 4 * 4
            inbound = struct.unpack_from("<I", data, options + 4)[0] & 3 == 1
            yield links[number], high << 32 | low, inbound, data[at + 28 : at + 28 + caught], original
        at += length


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


def flows(path: Path, ports: set[int]) -> list[dict[str, Any]]:
    """One record per connection to one of `ports` on each link, in order of the first packet.

    Keys: link, client, cport, server, sport, syns (number seen), syn, synack, data_to_server, data_to_client,
    fin_to_server, fin_to_client, rst_to_server, rst_to_client (time of the first such packet, ns, or absent).
    """
    found: dict[tuple, dict[str, Any]] = {}
    order: list[dict[str, Any]] = []
    names: dict[bytes, str] = {}
    for link, stamp, _inbound, frame, original in packets(path):
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
        sport, dport, _seq, _ack, offset, flags = _TCP.unpack_from(frame, at)
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
                    "t": stamp, "syns": 0}  # fmt: skip
            found[key] = flow
            order.append(flow)
        if new_syn:
            flow["syns"] += 1
            flow.setdefault("syn", stamp)
        elif flags & _SYN:
            flow.setdefault("synack", stamp)
        side = "server" if forward else "client"
        if payload_end - at - (offset >> 4) * 4 > 0:
            flow.setdefault(f"data_to_{side}", stamp)
        if flags & _FIN:
            flow.setdefault(f"fin_to_{side}", stamp)
            flow["over"] = True
        if flags & _RST:
            flow.setdefault(f"rst_to_{side}", stamp)
            flow["over"] = True
    for flow in order:
        flow.pop("over", None)
    return order
