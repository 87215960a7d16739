"""Beginnings of connections that a receiver of PROXY headers has to drop (proxy-protocol.txt 2.1, 2.2 and 4), and their parts."""

from __future__ import annotations

from .proxy_protocol import LONGEST_V1, V2, ProxyHeader

_ENDS = "203.0.113.9 198.51.100.1 40009 80"
_V2_ENDS = bytes.fromhex("cb007109 c6336401 9c49 0050")


def _v2(version_command: int, family: int, block: bytes) -> bytes:
    return V2 + bytes((version_command, family)) + len(block).to_bytes(2, "big") + block


MALFORMED_PROXY = {
    "no header": b"",
    "version 1 in small letters": f"proxy TCP4 {_ENDS}\r\n".encode(),
    "version 1 with two spaces": f"PROXY TCP4  {_ENDS}\r\n".encode(),
    "version 1 of an unknown family": f"PROXY TCP5 {_ENDS}\r\n".encode(),
    "version 1 without its second port": b"PROXY TCP4 203.0.113.9 198.51.100.1 40009\r\n",
    "version 1 with a name": b"PROXY TCP4 client.lbcert.test 198.51.100.1 40009 80\r\n",
    "version 1 of 108 bytes": b"PROXY UNKNOWN ".ljust(LONGEST_V1 + 1, b"x") + b"\r\n",
    "version 2 that calls itself 3": _v2(0x31, 0x11, _V2_ENDS),
    "version 2 with an unknown command": _v2(0x22, 0x11, _V2_ENDS),
    "version 2 of an unknown family": _v2(0x21, 0x44, _V2_ENDS),
    "version 2 too short for its addresses": _v2(0x21, 0x11, _V2_ENDS[:4]),
    "a signature with one wrong byte": V2[:-1] + b"\r" + _v2(0x21, 0x11, _V2_ENDS)[12:],
}
"""name -> what stands before a request"""
LENIENT = {
    "version 1 with half an address": b"PROXY TCP4 203.0.113 198.51.100.1 40009 80\r\n",
    "version 1 with a port of 65536": b"PROXY TCP4 203.0.113.9 198.51.100.1 65536 80\r\n",
    "version 1 with zeros before the port": b"PROXY TCP4 203.0.113.9 198.51.100.1 040009 080\r\n",
}
"""the same, of lines whose form is right and whose addresses are not: widespread receivers make something of them"""
PIECES = " in two pieces"
"""how the names of headers end that do not come at once"""


def headers(number: int, to: tuple[str, int]) -> dict[str, ProxyHeader]:
    """Headers of both versions that name a client of the family of `to` which is nobody's, another for each number (below 240)."""
    family, net = ("TCP6", "2001:db8::") if ":" in to[0] else ("TCP4", "203.0.113.")
    client = (f"{net}{10 + number}", 40000 + number)
    return {
        "version 1": ProxyHeader(1, "PROXY", family, client, to),
        "version 2": ProxyHeader(2, "PROXY", family, client, to),
        "version 2 with extensions": ProxyHeader(2, "PROXY", family, client, to, ((0x04, bytes(8)), (0xEA, b"lbcert"))).summed(),
    }
