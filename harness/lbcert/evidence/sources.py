"""Who sent packets to a host, by a capture of its link."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from .flows import packets


def sources(path: Path, link: str) -> dict[str, int]:
    """Packets of IP that reached the host of `link` (`client:eth0`), by the address that stands in them as their sender."""
    counts: dict[bytes, int] = {}
    for where, _, inbound, frame, _ in packets(path):
        if where != link or not inbound:
            continue
        if frame[12:14] == b"\x08\x00":
            raw = frame[26:30]
        elif frame[12:14] == b"\x86\xdd":
            raw = frame[22:38]
        else:
            continue
        counts[raw] = counts.get(raw, 0) + 1
    return {str(ipaddress.ip_address(raw)): count for raw, count in counts.items() if len(raw) in (4, 16)}
