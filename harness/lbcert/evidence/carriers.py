"""Which machines carried packets, by the MAC addresses in a capture."""

from __future__ import annotations

import ipaddress
from collections import Counter
from pathlib import Path

from .flows import packets


def carriers(path: Path, link: str, address: str, ports: set[int]) -> dict[str, dict[str, int]]:
    """Of TCP packets on `link` between its host and `address` on one of `ports`: who sent those to the host, who got the others.

    Keys: `to_client` and `to_server`; values: owner -> packets. An owner is a link of the lab, which is known by what it sent, or
    the MAC address itself where nobody sent anything from it.
    """
    owners: dict[bytes, str] = {}
    ways: dict[str, Counter[bytes]] = {"to_client": Counter(), "to_server": Counter()}
    raw = ipaddress.ip_address(address).packed
    for where, _stamp, inbound, frame, _original in packets(path):
        if len(frame) < 54:
            continue
        if not inbound:
            owners.setdefault(frame[6:12], where)
        if where != link:
            continue
        if frame[12:14] == b"\x08\x00" and frame[23] == 6:
            at, source, target = 14 + (frame[14] & 0xF) * 4, frame[26:30], frame[30:34]
        elif frame[12:14] == b"\x86\xdd" and frame[20] == 6:
            at, source, target = 54, frame[22:38], frame[38:54]
        else:
            continue
        sport, dport = int.from_bytes(frame[at : at + 2]), int.from_bytes(frame[at + 2 : at + 4])
        if inbound and source == raw and sport in ports:
            ways["to_client"][frame[6:12]] += 1
        elif not inbound and target == raw and dport in ports:
            ways["to_server"][frame[0:6]] += 1
    return {way: {owners.get(mac, mac.hex(":")): count for mac, count in seen.items()} for way, seen in ways.items()}
