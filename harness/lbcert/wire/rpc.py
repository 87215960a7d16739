"""DCE/RPC over TCP: the PDUs of a connection ([C706] chapter 12, [MS-RPCE] 2.2.2), little-endian as Windows says them.

Values carry what a mock needs: no authentication is spoken, but a verifier of a peer is kept apart from what it follows.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from uuid import UUID

from .outcome import Decoded, Malformed, NeedMore, Outcome

REQUEST, RESPONSE, FAULT, BIND, BIND_ACK, BIND_NAK = 0, 2, 3, 11, 12, 13
ALTER, ALTER_RESP, AUTH3, CANCEL, ORPHANED = 14, 15, 16, 18, 19
FIRST, LAST, OBJECT = 0x01, 0x02, 0x80
"""flags of a PDU: first and last fragment of its call; an object UUID stands in a request"""
HEADER = 16
FRAGMENT = 5840
"""bytes of a PDU that are offered and taken, as Windows does"""
SMALLEST = 1432
"""bytes that everybody has to be able to take (12.6.3.1)"""
_LITTLE = b"\x10\0\0\0"
_HEADER = struct.Struct("<BBBB4sHHI")
_BIND = struct.Struct("<HHIBxxx")
_CALL = struct.Struct("<IHH")
_ANSWER = struct.Struct("<IHBx")

PROTOCOL_ERROR, OUT_OF_RANGE, UNKNOWN_CONTEXT, BAD_STUB = 0x1C01000B, 0x1C010002, 0x1C00001A, 0x000006F7
"""status of a fault: nca_s_proto_error, nca_s_op_rng_error, nca_s_fault_context_mismatch, RPC_X_BAD_STUB_DATA"""
NAK_UNSPECIFIED, NAK_VERSION, NAK_AUTHENTICATION = 0, 4, 8


@dataclass(frozen=True, slots=True)
class Syntax:
    """An interface or a transfer syntax with its version."""

    uuid: UUID
    major: int
    minor: int = 0

    def encode(self) -> bytes:
        return self.uuid.bytes_le + struct.pack("<HH", self.major, self.minor)

    @classmethod
    def read(cls, data: bytes, at: int) -> Syntax:
        return cls(UUID(bytes_le=data[at : at + 16]), *struct.unpack_from("<HH", data, at + 16))


NDR = Syntax(UUID("8a885d04-1ceb-11c9-9fe8-08002b104860"), 2)


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU: `body` is all behind the header but the authentication trailer, which is `auth` (8 bytes and the verifier)."""

    kind: int
    call: int
    body: bytes
    flags: int = FIRST | LAST
    auth: bytes = b""
    minor: int = 0

    def encode(self) -> bytes:
        """ValueError if it is too long for its length field."""
        length = HEADER + len(self.body) + len(self.auth)
        if length > 0xFFFF:
            raise ValueError(f"a PDU of {length} bytes")
        verifier = max(0, len(self.auth) - 8)
        return _HEADER.pack(5, self.minor, self.kind, self.flags, _LITTLE, length, verifier, self.call) + self.body + self.auth

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[Pdu]:
        """Take one PDU off the front. Malformed at 0, 1 (version), 4 (not little-endian), 8 (length), 10 (verifier's length)."""
        for at, sound, what in ((0, (5,), "version"), (1, (0, 1), "minor version"), (4, (0x10,), "data representation")):
            if len(buffer) > at and buffer[at] not in sound:
                return Malformed(at, f"{what} {buffer[at]:#04x}")
        if len(buffer) < HEADER:
            return NeedMore(HEADER - len(buffer))
        _, minor, kind, flags, representation, length, verifier, call = _HEADER.unpack_from(buffer)
        if representation != _LITTLE:
            return Malformed(4, f"data representation {representation.hex()}")
        if not HEADER <= length <= FRAGMENT:
            return Malformed(8, f"a fragment of {length} bytes; {HEADER} to {FRAGMENT} are possible")
        trailer = verifier + 8 if verifier else 0
        if HEADER + trailer > length:
            return Malformed(10, f"a verifier of {verifier} bytes in a PDU of {length}")
        if len(buffer) < length:
            return NeedMore(length - len(buffer))
        body, auth = buffer[HEADER : length - trailer], buffer[length - trailer : length]
        return Decoded(cls(kind, call, body, flags, auth, minor), buffer[length:])


@dataclass(frozen=True, slots=True)
class Context:
    """One presentation context that a client offers."""

    id: int
    abstract: Syntax
    transfers: tuple[Syntax, ...] = (NDR,)


@dataclass(frozen=True, slots=True)
class Bind:
    """Body of bind and alter_context."""

    contexts: tuple[Context, ...]
    group: int = 0
    """association group: 0 asks for a new one"""
    transmit: int = FRAGMENT
    receive: int = FRAGMENT

    def encode(self) -> bytes:
        out = [_BIND.pack(self.transmit, self.receive, self.group, len(self.contexts))]
        for one in self.contexts:
            out.append(struct.pack("<HBx", one.id, len(one.transfers)) + one.abstract.encode())
            out += [transfer.encode() for transfer in one.transfers]
        return b"".join(out)

    @classmethod
    def decode(cls, body: bytes) -> Outcome[Bind]:
        """Read a whole body; bytes behind the last context are left over."""
        try:
            transmit, receive, group, count = _BIND.unpack_from(body)
            at, contexts = _BIND.size, []
            for _ in range(count):
                id, transfers = struct.unpack_from("<HBx", body, at)
                abstract = Syntax.read(body, at + 4)
                at += 24
                contexts.append(Context(id, abstract, tuple(Syntax.read(body, at + 20 * one) for one in range(transfers))))
                at += 20 * transfers
        except (struct.error, ValueError) as error:
            return Malformed(min(len(body), HEADER), f"bind: {error}")
        return Decoded(cls(tuple(contexts), group, transmit, receive), body[at:])


ACCEPTED, REJECTED = 0, 2
NO_SUCH_INTERFACE, NO_SUCH_TRANSFER = 1, 2


@dataclass(frozen=True, slots=True)
class BindAck:
    """Body of bind_ack and of alter_context_resp. `results`: (result, reason) for each context, in order."""

    group: int
    results: tuple[tuple[int, int], ...]
    address: str = "135"
    """the secondary address: the port as text"""
    transmit: int = FRAGMENT
    receive: int = FRAGMENT

    def encode(self) -> bytes:
        address = self.address.encode() + b"\0"
        head = struct.pack("<HHIH", self.transmit, self.receive, self.group, len(address)) + address
        head += bytes(-len(head) % 4) + struct.pack("<Bxxx", len(self.results))
        none = bytes(20)
        return head + b"".join(struct.pack("<HH", *one) + (none if one[0] else NDR.encode()) for one in self.results)

    @classmethod
    def decode(cls, body: bytes) -> Outcome[BindAck]:
        try:
            transmit, receive, group, length = struct.unpack_from("<HHIH", body)
            address = body[10 : 10 + length].rstrip(b"\0").decode("latin-1")
            at = 10 + length + -(10 + length) % 4
            (count,) = struct.unpack_from("<Bxxx", body, at)
            results = tuple(struct.unpack_from("<HH20x", body, at + 4 + 24 * one) for one in range(count))
        except struct.error as error:
            return Malformed(min(len(body), HEADER), f"bind_ack: {error}")
        return Decoded(cls(group, results, address, transmit, receive), body[at + 4 + 24 * count :])  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Call:
    """Body of a request's fragment."""

    context: int
    operation: int
    stub: bytes
    object: UUID | None = None

    def pdu(self, call: int, flags: int = FIRST | LAST, hint: int | None = None) -> Pdu:
        """`hint`: bytes of the whole stub, for the receiver's memory."""
        head = _CALL.pack(len(self.stub) if hint is None else hint, self.context, self.operation)
        named = b"" if self.object is None else self.object.bytes_le
        return Pdu(REQUEST, call, head + named + self.stub, flags | (OBJECT if named else 0))

    def fragments(self, call: int, size: int) -> bytes:
        """The call in fragments of at most `size` bytes of stub."""
        out = []
        for at in range(0, max(1, len(self.stub)), size):
            flags = (FIRST if at == 0 else 0) | (LAST if at + size >= len(self.stub) else 0)
            piece = Call(self.context, self.operation, self.stub[at : at + size], self.object)
            out.append(piece.pdu(call, flags, len(self.stub)).encode())
        return b"".join(out)

    @classmethod
    def read(cls, pdu: Pdu) -> Outcome[Call]:
        """Out of a PDU of kind REQUEST."""
        start = _CALL.size + (16 if pdu.flags & OBJECT else 0)
        if len(pdu.body) < start:
            return Malformed(HEADER, f"a request of {len(pdu.body)} bytes; its head has {start}")
        _, context, operation = _CALL.unpack_from(pdu.body)
        named = UUID(bytes_le=pdu.body[_CALL.size : start]) if pdu.flags & OBJECT else None
        return Decoded(cls(context, operation, pdu.body[start:], named))


def answer(call: int, context: int, stub: bytes, size: int) -> bytes:
    """A response, in fragments of at most `size` bytes each."""
    room = size - HEADER - _ANSWER.size
    out = []
    for at in range(0, max(1, len(stub)), room):
        flags = (FIRST if at == 0 else 0) | (LAST if at + room >= len(stub) else 0)
        out.append(Pdu(RESPONSE, call, _ANSWER.pack(len(stub), context, 0) + stub[at : at + room], flags).encode())
    return b"".join(out)


def fault(call: int, context: int, status: int) -> bytes:
    """A fault that says `status`."""
    return Pdu(FAULT, call, _ANSWER.pack(0, context, 0) + struct.pack("<I4x", status)).encode()


def nak(call: int, reason: int) -> bytes:
    """A bind_nak; it names the versions that are spoken."""
    return Pdu(BIND_NAK, call, struct.pack("<HB", reason, 2) + bytes((5, 0, 5, 1))).encode()


def read_answer(pdu: Pdu) -> Outcome[tuple[int, bytes]]:
    """(context, stub) of a RESPONSE, (context, status as 4 bytes) of a FAULT."""
    need = _ANSWER.size + (4 if pdu.kind == FAULT else 0)
    if len(pdu.body) < need:
        return Malformed(HEADER, f"an answer of {len(pdu.body)} bytes; its head has {need}")
    context = _ANSWER.unpack_from(pdu.body)[1]
    return Decoded((context, pdu.body[8:12] if pdu.kind == FAULT else pdu.body[8:]))
