"""The two text lines that a balancer reads in a Connection Request, each without its CR LF (MS-RDPBCGR 2.2.1.1).

The *cookie* is `Cookie: mstshash=NAME`. A *routing token* is any other line; the `msts` form names a server:

    Cookie: msts=A.P.0000

A is the address, its four wire bytes read as a little-endian number; P is the port, its two wire bytes read likewise.
10.0.0.5 is 0a 00 00 05, so 0x0500000a = 83886090; 3389 is 0d 3d, so 0x3d0d = 15629.
Sources: "Routing Token Format" in Microsoft's session directory paper [MSFT-SDLBTS]; for the padding space, the client
control's property LoadBalanceInfo.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import NamedTuple

COOKIE_PREFIX = b"Cookie: mstshash="
TOKEN_PREFIX = b"Cookie: msts="
LINE_END = b"\r\n"

# One spelling for each number, so that a token has one meaning; the zeros may be absent, the dot before them may not.
_TOKEN = re.compile(rb"Cookie: msts=(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,4})\.(?:0000)? ?")


class TokenAddress(NamedTuple):
    """Where a token points, in the form of a socket address: dotted IPv4 address, TCP port."""

    ip: str
    port: int


def encode_cookie(user: bytes) -> bytes:
    """The cookie line for `user`, whatever its bytes are."""
    return COOKIE_PREFIX + user


def decode_cookie(line: bytes) -> bytes | None:
    """The user name of a cookie line, possibly empty; None for any other line.

    The prefix is compared exactly, as MS-RDPBCGR 2.2.1.1 spells it. Trailing spaces belong to the name.
    """
    return line[len(COOKIE_PREFIX):] if line.startswith(COOKIE_PREFIX) else None


def encode_token(ip: str | IPv4Address, port: int, *, zeros: bool = True, pad: bool = False) -> bytes:
    """The `msts` line for an address.

    `zeros=False` leaves out the reserved zeros but not their dot. `pad=True` adds one space if the length would be odd, as
    the Windows client control wants it. ValueError for anything but an IPv4 address and a port of 0 to 65535.
    """
    if not 0 <= port <= 0xFFFF:
        raise ValueError(f"port {port} is not within 0 to 65535")
    address_number = int.from_bytes(IPv4Address(ip).packed, "little")
    port_number = int.from_bytes(port.to_bytes(2, "big"), "little")
    line = b"%s%d.%d.%s" % (TOKEN_PREFIX, address_number, port_number, b"0000" if zeros else b"")
    return line + b" " if pad and len(line) % 2 else line


def decode_token(line: bytes) -> TokenAddress | None:
    """Where an `msts` line points; None if the line is opaque, that is, names no address.

    Reserved zeros may be absent and one padding space may follow (RDP-TOKEN-05). Opaque are other prefixes (`tsv://`,
    `mth://`), `msts` values of another shape, a missing last dot, leading zeros, and numbers over 32 or 16 bits, which
    must not be wrapped into an address (RDP-TOKEN-10).
    """
    match = _TOKEN.fullmatch(line)
    if match is None:
        return None
    address_number, port_number = int(match[1]), int(match[2])
    if address_number > 0xFFFFFFFF or port_number > 0xFFFF:
        return None
    ip = ".".join(map(str, address_number.to_bytes(4, "little")))
    return TokenAddress(ip, int.from_bytes(port_number.to_bytes(2, "little"), "big"))
