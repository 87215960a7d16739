"""The endpoint mapper's calls ept_map and ept_lookup in NDR, and protocol towers ([C706] appendices I, L and O)."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from uuid import UUID

from .outcome import Decoded, Malformed, Outcome
from .rpc import NDR, Syntax

PORT = 135
MAPPER = Syntax(UUID("e1af8308-5d1f-11c9-91a4-08002b14a0fa"), 3)
LOOKUP, MAP, FREE = 2, 3, 4
"""operations"""
DCOM = Syntax(UUID("99fcfec4-5260-101b-bbcb-00aa0021347a"), 0)
"""IObjectExporter ([MS-DCOM] 1.9): what remote DCOM asks for first"""
NOT_REGISTERED = 0x16C9A0D6
NO_HANDLE = bytes(20)
"""an entry handle that says that there is no more"""
NIL = UUID(int=0)
MOST = 500
"""entries or towers that a call may ask for"""
_ANNOTATION = 64
_FLOORS = [(b"\x0d", 19), (b"\x0d", 19), (b"\x0b", 1), (b"\x07", 1), (b"\x09", 1)]
"""identifier and length of the left sides of a tower over TCP: interface, transfer syntax, connection-oriented, TCP, IPv4"""


@dataclass(frozen=True, slots=True)
class Tower:
    """Where an interface is to be had: TCP port and IPv4 address (both may be zero in a question)."""

    interface: Syntax
    port: int = 0
    address: str = "0.0.0.0"

    def encode(self) -> bytes:
        floors = [
            (b"\x0d" + self.interface.encode()[:18], struct.pack("<H", self.interface.minor)),
            (b"\x0d" + NDR.encode()[:18], struct.pack("<H", NDR.minor)),
            (b"\x0b", bytes(2)),
            (b"\x07", struct.pack(">H", self.port)),
            (b"\x09", ipaddress.IPv4Address(self.address).packed),
        ]
        out = [struct.pack("<H", len(floors))]
        out += [struct.pack("<H", len(part)) + part for floor in floors for part in floor]
        return b"".join(out)

    @classmethod
    def decode(cls, data: bytes) -> Outcome[Tower]:
        """A whole tower over TCP and IPv4; another transport's, or a broken one, is Malformed."""
        try:
            (count,) = struct.unpack_from("<H", data)
            at, parts = 2, []
            for _ in range(min(count, 8) * 2):
                (length,) = struct.unpack_from("<H", data, at)
                part = data[at + 2 : at + 2 + length]
                if len(part) < length:
                    return Malformed(at, "a floor is cut short")
                parts.append(part)
                at += 2 + length
        except struct.error as error:
            return Malformed(0, f"tower: {error}")
        if [(part[:1], len(part)) for part in parts[::2]] != _FLOORS:
            return Malformed(2, "the tower is not one of an interface over TCP and IPv4")
        if [len(part) for part in parts[1::2]] != [2, 2, 2, 2, 4]:
            return Malformed(2, "a floor of the tower has the wrong length")
        interface = Syntax(UUID(bytes_le=parts[0][1:17]), *struct.unpack("<HH", parts[0][17:19] + parts[1]))
        port = struct.unpack(">H", parts[7])[0]
        return Decoded(cls(interface, port, str(ipaddress.IPv4Address(parts[9]))), data[at:])


@dataclass(frozen=True, slots=True)
class Question:
    """What ept_map asks: the tower as bytes, since it may be of any transport. `object` carries a token."""

    object: UUID | None
    tower: bytes
    most: int = 4

    def encode(self) -> bytes:
        named = struct.pack("<I", 0) if self.object is None else struct.pack("<I", 1) + self.object.bytes_le
        return named + struct.pack("<I", 2) + _tower(self.tower) + NO_HANDLE + struct.pack("<I", self.most)

    @classmethod
    def decode(cls, stub: bytes) -> Outcome[Question]:
        try:
            named, at = _pointed_uuid(stub, 0)
            (referent,) = struct.unpack_from("<I", stub, at)
            if not referent:
                return Malformed(at, "ept_map without a tower")
            tower, at = _read_tower(stub, at + 4)
            (most,) = struct.unpack_from("<20xI", stub, at)
        except (struct.error, ValueError) as error:
            return Malformed(min(len(stub), 4), f"ept_map: {error}")
        return Decoded(cls(named, tower, most), stub[at + 24 :])


def map_answer(towers: list[Tower], status: int = 0) -> bytes:
    """The stub that answers ept_map."""
    out = [NO_HANDLE, struct.pack("<IIII", len(towers), len(towers), 0, len(towers))]
    out += [struct.pack("<I", 3 + place) for place in range(len(towers))]
    out += [_tower(one.encode()) for one in towers]
    return b"".join(out) + struct.pack("<I", status)


def read_map_answer(stub: bytes) -> Outcome[tuple[int, list[bytes]]]:
    """(status, towers as bytes)."""
    try:
        number, _, offset, count = struct.unpack_from("<20xIIII", stub)
        if offset or count > MOST or count != number:
            return Malformed(20, f"{number} towers, {count} of them from {offset} on")
        at, towers = 36 + 4 * count, []
        for _ in range(count):
            tower, at = _read_tower(stub, at)
            towers.append(tower)
        (status,) = struct.unpack_from("<I", stub, at)
    except (struct.error, ValueError) as error:
        return Malformed(min(len(stub), 20), f"ept_map's answer: {error}")
    return Decoded((status, towers), stub[at + 4 :])


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What ept_lookup asks."""

    object: UUID | None = None
    interface: Syntax | None = None
    kind: int = 0
    """0: all entries, 1: by interface, 2: by object, 3: by both"""
    most: int = MOST

    def encode(self) -> bytes:
        named = struct.pack("<I", 0) if self.object is None else struct.pack("<I", 1) + self.object.bytes_le
        interface = struct.pack("<I", 0) if self.interface is None else struct.pack("<I", 2) + self.interface.encode()
        return struct.pack("<I", self.kind) + named + interface + struct.pack("<I", 1) + NO_HANDLE + struct.pack("<I", self.most)

    @classmethod
    def decode(cls, stub: bytes) -> Outcome[Inquiry]:
        try:
            (kind,) = struct.unpack_from("<I", stub)
            named, at = _pointed_uuid(stub, 4)
            (referent,) = struct.unpack_from("<I", stub, at)
            at += 4
            interface = Syntax.read(stub, at) if referent else None
            at += 20 if referent else 0
            (most,) = struct.unpack_from("<4x20xI", stub, at)
        except (struct.error, ValueError) as error:
            return Malformed(min(len(stub), 4), f"ept_lookup: {error}")
        return Decoded(cls(named, interface, kind, most), stub[at + 28 :])


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of ept_lookup's answer."""

    object: UUID
    tower: Tower
    annotation: str


def lookup_answer(entries: list[Entry], status: int = 0) -> bytes:
    """The stub that answers ept_lookup."""
    out = [NO_HANDLE, struct.pack("<IIII", len(entries), len(entries), 0, len(entries))]
    for place, one in enumerate(entries):
        text = one.annotation.encode()[: _ANNOTATION - 1] + b"\0"
        head = one.object.bytes_le + struct.pack("<III", 3 + place, 0, len(text))
        out.append(head + text + bytes(-len(text) % 4))
    out += [_tower(one.tower.encode()) for one in entries]
    return b"".join(out) + struct.pack("<I", status)


def read_lookup_answer(stub: bytes) -> Outcome[tuple[int, list[tuple[str, bytes]]]]:
    """(status, rows of annotation and tower as bytes)."""
    try:
        number, _, offset, count = struct.unpack_from("<20xIIII", stub)
        if offset or count > MOST or count != number:
            return Malformed(20, f"{number} entries, {count} of them from {offset} on")
        at, texts, towers = 36, [], []
        for _ in range(count):
            (length,) = struct.unpack_from("<16xI4xI", stub, at)[1:]
            if length > _ANNOTATION:
                return Malformed(at, f"an annotation of {length} bytes")
            texts.append(stub[at + 28 : at + 28 + length].rstrip(b"\0").decode("latin-1"))
            at += 28 + length + -length % 4
        for _ in range(count):
            tower, at = _read_tower(stub, at)
            towers.append(tower)
        (status,) = struct.unpack_from("<I", stub, at)
    except (struct.error, ValueError) as error:
        return Malformed(min(len(stub), 20), f"ept_lookup's answer: {error}")
    return Decoded((status, list(zip(texts, towers, strict=True))), stub[at + 4 :])


def token_uuid(token: str) -> UUID:
    """A token as a UUID: one that is written as a UUID is that; another is its text, up to 16 characters of ASCII.

    ValueError for what is neither.
    """
    try:
        return UUID(token)
    except ValueError:
        text = token.encode("ascii") if token.isascii() else b""
        if not 0 < len(text) <= 16 or not token.isprintable():
            raise ValueError(f"{token!r} is neither a UUID nor 1 to 16 printable characters of ASCII") from None
        return UUID(bytes_le=text.ljust(16, b"\0"))


def uuid_token(uuid: UUID | None) -> str | None:
    """The token that a UUID carries; None for none and for the nil UUID."""
    if uuid is None or uuid == NIL:
        return None
    text = uuid.bytes_le.rstrip(b"\0")
    return text.decode() if text.isascii() and text.decode().isprintable() else str(uuid)


def _tower(octets: bytes) -> bytes:
    """twr_t: a conformant structure, aligned to 4 bytes behind it."""
    return struct.pack("<II", len(octets), len(octets)) + octets + bytes(-len(octets) % 4)


def _read_tower(stub: bytes, at: int) -> tuple[bytes, int]:
    most, length = struct.unpack_from("<II", stub, at)
    octets = stub[at + 8 : at + 8 + length]
    if most != length or len(octets) < length:
        raise ValueError("a tower is cut short")
    return octets, at + 8 + length + -length % 4


def _pointed_uuid(stub: bytes, at: int) -> tuple[UUID | None, int]:
    (referent,) = struct.unpack_from("<I", stub, at)
    if not referent:
        return None, at + 4
    return UUID(bytes_le=stub[at + 4 : at + 20]), at + 20
