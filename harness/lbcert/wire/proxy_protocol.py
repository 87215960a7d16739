"""The PROXY protocol's header, versions 1 and 2 (HAProxy's doc/proxy-protocol.txt, sections 2.1 and 2.2).

A sender is held to the letter: version 1 has single spaces, no leading zeros, at most 107 bytes.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from dataclasses import dataclass, replace

from .crc32c import crc32c
from .outcome import Decoded, Malformed, NeedMore, Outcome

LONGEST_V1 = 107
"""bytes, CR LF with them"""
V1 = b"PROXY "
V2 = b"\r\n\r\n\0\r\nQUIT\n"
CRC32C, SSL = 0x03, 0x20
SSL_VERSION, SSL_CN, SSL_CIPHER = 0x21, 0x22, 0x23
"""types of TLVs, the last three inside SSL"""
FAMILIES = {"UNSPEC": 0x00, "TCP4": 0x11, "UDP4": 0x12, "TCP6": 0x21, "UDP6": 0x22, "UNIX": 0x31, "UNIX_DGRAM": 0x32}
_NAMES = {code: name for name, code in FAMILIES.items()}
_WIDTH = {0x10: 4, 0x20: 16, 0x30: 108}
"""upper half of a family -> bytes of one address"""
_COMMANDS = ("LOCAL", "PROXY")
_V1_LINE = re.compile(r"PROXY (TCP[46]) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})")

End = tuple[str, int]
"""address and port; of a UNIX socket its path and 0"""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """One header. `family`: a key of FAMILIES; in version 1 `UNKNOWN` in place of UNSPEC."""

    version: int
    command: str
    family: str
    source: End | None = None
    destination: End | None = None
    tlvs: tuple[tuple[int, bytes], ...] = ()
    ignored: bytes = b""
    """what receivers have to skip: behind UNKNOWN, or the block of LOCAL and UNSPEC"""

    def encode(self) -> bytes:
        """ValueError for addresses that are not of the family, and for more than fits."""
        if self.version == 1:
            ends = (self.source, self.destination)
            text = self.ignored.decode("latin-1") if None in ends else " {0[0]} {1[0]} {0[1]} {1[1]}".format(*ends)
            return f"PROXY {self.family}{text}\r\n".encode("latin-1")
        block = self.ignored + self._ends() + b"".join(struct.pack(">BH", kind, len(value)) + value for kind, value in self.tlvs)
        if len(block) > 0xFFFF:
            raise ValueError(f"{len(block)} bytes behind the header's fixed part")
        head = bytes((0x20 | _COMMANDS.index(self.command), FAMILIES[self.family]))
        return V2 + head + struct.pack(">H", len(block)) + block

    def summed(self) -> ProxyHeader:
        """The same with a TLV of CRC-32C behind the others (2.2.5)."""
        blank = replace(self, tlvs=(*(one for one in self.tlvs if one[0] != CRC32C), (CRC32C, bytes(4))))
        return replace(blank, tlvs=(*blank.tlvs[:-1], (CRC32C, struct.pack(">I", crc32c(blank.encode())))))

    def tlv(self, kind: int) -> bytes | None:
        return next((value for one, value in self.tlvs if one == kind), None)

    def _ends(self) -> bytes:
        if self.source is None or self.destination is None:
            return b""
        family = FAMILIES[self.family] & 0xF0
        if family == 0x30:
            return b"".join(path.encode("latin-1").ljust(108, b"\0") for path, _ in (self.source, self.destination))
        hosts = [ipaddress.ip_address(end[0]).packed for end in (self.source, self.destination)]
        if {len(one) for one in hosts} != {_WIDTH.get(family)}:
            raise ValueError(f"addresses that are not of {self.family}")
        return b"".join(hosts) + struct.pack(">HH", self.source[1], self.destination[1])

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[ProxyHeader]:
        """Take one header off the front; Malformed at the first byte that is wrong, or at the line or block that is."""
        for start, read in ((V1, _version_1), (V2, _version_2)):
            if buffer[:1] == start[:1] or not buffer:
                shared = min(len(buffer), len(start))
                if buffer[:shared] != start[:shared]:
                    return Malformed(next(i for i in range(shared) if buffer[i] != start[i]), "no PROXY header")
                return NeedMore(1 if shared == 0 else len(start) - shared) if shared < len(start) else read(buffer)
        return Malformed(0, "no PROXY header")


def _version_1(buffer: bytes) -> Outcome[ProxyHeader]:
    end = buffer.find(b"\n", 0, LONGEST_V1)
    if end < 0:
        return NeedMore(1) if len(buffer) < LONGEST_V1 else Malformed(LONGEST_V1 - 1, f"no end of line in {LONGEST_V1} bytes")
    if buffer[end - 1 : end] != b"\r":
        return Malformed(end, "LF without CR")
    line = buffer[: end - 1].decode("latin-1")
    rest = buffer[end + 1 :]
    if line == "PROXY UNKNOWN" or line.startswith("PROXY UNKNOWN "):
        return Decoded(ProxyHeader(1, "PROXY", "UNKNOWN", ignored=line.removeprefix("PROXY UNKNOWN").encode("latin-1")), rest)
    match = _V1_LINE.fullmatch(line)
    if match is None:
        return Malformed(len(V1), f"{line!r} is not the line that the protocol has")
    family, here, there, *ports = match.groups()
    if not (_is_host(here, family) and _is_host(there, family)) or max(map(int, ports)) > 0xFFFF:
        return Malformed(len(V1), f"{line!r} has an address or a port that is none of {family}")
    return Decoded(ProxyHeader(1, "PROXY", family, (here, int(ports[0])), (there, int(ports[1]))), rest)


def _is_host(text: str, family: str) -> bool:
    kind = ipaddress.IPv4Address if family == "TCP4" else ipaddress.IPv6Address
    try:
        kind(text)
    except ValueError:
        return False
    return text.isascii() and "%" not in text


def _version_2(buffer: bytes) -> Outcome[ProxyHeader]:
    fixed = len(V2) + 4
    if len(buffer) > 12 and (buffer[12] >> 4 != 2 or buffer[12] & 0xF > 1):
        return Malformed(12, f"version and command {buffer[12]:#04x}")
    if len(buffer) > 13 and buffer[13] not in _NAMES:
        return Malformed(13, f"family {buffer[13]:#04x}")
    if len(buffer) < fixed:
        return NeedMore(fixed - len(buffer))
    (length,) = struct.unpack_from(">H", buffer, 14)
    command, family = _COMMANDS[buffer[12] & 0xF], _NAMES[buffer[13]]
    width = _WIDTH.get(buffer[13] & 0xF0, 0)
    ends = 2 * width + (4 if width in (4, 16) else 0)
    if command == "PROXY" and length < ends:
        return Malformed(14, f"{length} bytes are too few for the addresses of {family}")
    if len(buffer) < fixed + length:
        return NeedMore(fixed + length - len(buffer))
    block, rest = buffer[fixed : fixed + length], buffer[fixed + length :]
    if command == "LOCAL":
        return Decoded(ProxyHeader(2, command, family, ignored=block), rest)
    outcome = _tlvs(block[ends:], fixed + ends)
    if not isinstance(outcome, Decoded):
        return outcome
    source, destination = _read_ends(block, width)
    header = ProxyHeader(2, command, family, source, destination, outcome.value)
    told = header.tlv(CRC32C)
    if told is not None and not _sum_right(header, told):
        return Malformed(fixed + ends, f"the CRC-32C {told.hex()} is not that of the header")
    if header.encode() != buffer[: fixed + length]:
        return Malformed(fixed, "a path has bytes behind its end")
    return Decoded(header, rest)


def _read_ends(block: bytes, width: int) -> tuple[End | None, End | None]:
    if not width:
        return None, None
    hosts = block[:width], block[width : 2 * width]
    if width == 108:
        return tuple((one.partition(b"\0")[0].decode("latin-1"), 0) for one in hosts)  # type: ignore[return-value]
    ports = struct.unpack_from(">HH", block, 2 * width)
    texts = [str(ipaddress.ip_address(one)) for one in hosts]
    return (texts[0], ports[0]), (texts[1], ports[1])


def _tlvs(block: bytes, start: int) -> Outcome[tuple[tuple[int, bytes], ...]]:
    found, at = [], 0
    while at < len(block):
        if len(block) < at + 3 or len(block) < at + 3 + (length := int.from_bytes(block[at + 1 : at + 3], "big")):
            return Malformed(start + at, "a TLV is cut short")
        found.append((block[at], block[at + 3 : at + 3 + length]))
        at += 3 + length
    return Decoded(tuple(found))


def _sum_right(header: ProxyHeader, told: bytes) -> bool:
    blank = tuple((kind, bytes(len(value)) if kind == CRC32C else value) for kind, value in header.tlvs)
    return told == struct.pack(">I", crc32c(replace(header, tlvs=blank).encode()))


@dataclass(frozen=True, slots=True)
class Ssl:
    """The TLV about the client's TLS (2.2.6). `client`: bits 1 TLS, 2 certificate on this connection, 4 in this session."""

    client: int
    verified: bool
    """whether a certificate was shown and held good"""
    parts: tuple[tuple[int, bytes], ...] = ()

    def encode(self) -> bytes:
        """The TLV's value."""
        parts = b"".join(struct.pack(">BH", kind, len(value)) + value for kind, value in self.parts)
        return struct.pack(">BI", self.client, 0 if self.verified else 1) + parts

    @classmethod
    def decode(cls, value: bytes) -> Outcome[Ssl]:
        """A whole value."""
        if len(value) < 5:
            return Malformed(len(value), f"a TLV about TLS has 5 bytes or more, not {len(value)}")
        parts = _tlvs(value[5:], 5)
        if not isinstance(parts, Decoded):
            return parts
        return Decoded(cls(value[0], value[1:5] == bytes(4), parts.value))


PROXY_VECTORS = {
    "PP-1": bytes.fromhex("50524f585920544350342031302e35302e302e31302031302e35302e302e313432203333323935203435300d0a"),
    "PP-2": bytes.fromhex("0d0a0d0a000d0a515549540a2111000c0a32000a0a32008e820f01c2"),
    "PP-3": bytes.fromhex("0d0a0d0a000d0a515549540a20000000"),
}
"""known headers: 10.50.0.10:33295 to 10.50.0.142:450 in both versions, and LOCAL as for a health check"""
