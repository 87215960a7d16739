"""From frames to TCP segments: Ethernet with any VLAN tags, Linux cooked captures, raw IP, BSD loopback; IPv4 and IPv6."""

from __future__ import annotations

import struct
from typing import NamedTuple

ETHERNET, COOKED, COOKED_2, LOOPBACK, OPENBSD_LOOPBACK = 1, 113, 276, 0, 108
RAW = (12, 14, 101, 228, 229)
READ = (ETHERNET, COOKED, COOKED_2, LOOPBACK, OPENBSD_LOOPBACK, *RAW)
"""link types that are read"""
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

_TAGS = (0x8100, 0x88A8, 0x9100)
_IPV4, _IPV6 = 0x0800, 0x86DD
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION, _TCP = 0, 43, 44, 60, 6


class Segment(NamedTuple):
    """A TCP segment, as far as the capture has it."""

    source: bytes
    sport: int
    target: bytes
    dport: int
    seq: int
    flags: int
    payload: bytes


def segment(link: int, data: bytes) -> Segment | None:
    """The segment in a frame; None for whatever else it holds, fragments of IP packets included."""
    try:
        packet = _ip(link, data)
        return None if packet is None else _segment(packet)
    except (IndexError, struct.error):
        return None  # not caught far enough


def _ip(link: int, data: bytes) -> bytes | None:
    """The IP packet in a frame."""
    if link in RAW:
        return data
    if link in (LOOPBACK, OPENBSD_LOOPBACK):
        return data[4:]  # the family's number differs between systems; the IP version does not
    at = {ETHERNET: 12, COOKED: 14, COOKED_2: 0}.get(link)
    if at is None:
        return None
    kind = int.from_bytes(data[at : at + 2], "big")
    at = 20 if link == COOKED_2 else at + 2
    while kind in _TAGS:
        kind = int.from_bytes(data[at + 2 : at + 4], "big")
        at += 4
    return data[at:] if kind in (_IPV4, _IPV6) else None


def _segment(packet: bytes) -> Segment | None:
    if packet[0] >> 4 == 4:
        length, fragment = struct.unpack_from(">H2xH", packet, 2)
        if packet[9] != _TCP or fragment & 0x3FFF:
            return None
        source, target, at = packet[12:16], packet[16:20], (packet[0] & 0xF) * 4
    elif packet[0] >> 4 == 6:
        length = int.from_bytes(packet[4:6], "big")
        length = length and length + 40
        source, target, at, following = packet[8:24], packet[24:40], 40, packet[6]
        while following in (_HOP_BY_HOP, _ROUTING, _DESTINATION, _FRAGMENT):
            if following == _FRAGMENT and struct.unpack_from(">H", packet, at + 2)[0] & 0xFFF9:
                return None
            size = 8 if following == _FRAGMENT else 8 + packet[at + 1] * 8
            following, at = packet[at], at + size
        if following != _TCP:
            return None
    else:
        return None
    # A length of 0 is what offloading leaves in packets that were captured before they were cut.
    end = length or len(packet)
    sport, dport, seq, offset, flags = struct.unpack_from(">HHI4xBB", packet, at)
    return Segment(source, sport, target, dport, seq, flags, packet[at + (offset >> 4) * 4 : end])
