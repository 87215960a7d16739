"""Numeric socket addresses. Names are refused: resolving one would need a thread and a network."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import NamedTuple

_SHAPE = re.compile(r"(?:\[([^\]%]*)\]|([^:\[\]]*)):([0-9]{1,5})")


class Address(NamedTuple):
    """`port` 0 stands for whatever port the client has chosen."""

    host: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    def __str__(self) -> str:
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address | None:
    """`192.0.2.1:3389` or `[2001:db8::1]:3389`; None for anything else."""
    match = _SHAPE.fullmatch(text)
    if not match:
        return None
    bracketed, plain, port = match.groups()
    try:
        if bracketed is not None:
            host = str(ipaddress.IPv6Address(bracketed))
        else:
            host = str(ipaddress.IPv4Address(plain))
    except ValueError:
        return None
    return Address(host, int(port)) if 1 <= int(port) <= 65535 else None


def parse_host(text: str) -> Address | None:
    """`192.0.2.1` or `2001:db8::1` without a port, which is then 0; None for anything else."""
    try:
        return None if "%" in text else Address(str(ipaddress.ip_address(text)), 0)
    except ValueError:
        return None
