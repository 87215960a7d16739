"""The RDP negotiation structures that ride in X.224 Connection Request and Confirm (MS-RDPBCGR 2.2.1.1 and 2.2.1.2).

    offset  bytes  field
    0       1      type: 1 request, 2 response, 3 failure, 6 correlation info
    1       1      flags
    2       2 LE   length of the structure in bytes: 8, for correlation info 36
    4       4 LE   requested protocols, selected protocol, or failure code; correlation info: 16-byte id, 16 reserved bytes

Numbers decode to members of the enumerations below as far as every bit or code is known, else to the plain int, so that
strange values survive a round trip (and do not fill the enumeration's cache for the life of the process).
`type` and `length` are fields only so that wrong ones can be sent; what decodes always has the right ones.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TypeVar

from ._pack import pack
from .outcome import Decoded, Malformed, NeedMore, Outcome

TYPE_REQUEST = 0x01
TYPE_RESPONSE = 0x02
TYPE_FAILURE = 0x03
TYPE_CORRELATION_INFO = 0x06
NEGOTIATION_LENGTH = 8
CORRELATION_LENGTH = 36

_NEGOTIATION = struct.Struct("<BBHI")
_HEADER = struct.Struct("<BBH")


class Protocols(IntFlag):
    """Security protocols: a set in a request (2.2.1.1.1), exactly one in a response (2.2.1.2.1)."""

    RDP = 0x00
    SSL = 0x01
    HYBRID = 0x02
    RDSTLS = 0x04
    HYBRID_EX = 0x08
    RDSAAD = 0x10


class RequestFlags(IntFlag):
    """Flags of RDP_NEG_REQ (2.2.1.1.1)."""

    NONE = 0x00
    RESTRICTED_ADMIN_MODE_REQUIRED = 0x01
    REDIRECTED_AUTHENTICATION_MODE_REQUIRED = 0x02
    CORRELATION_INFO_PRESENT = 0x08


class ResponseFlags(IntFlag):
    """Flags of RDP_NEG_RSP (2.2.1.2.1)."""

    NONE = 0x00
    EXTENDED_CLIENT_DATA_SUPPORTED = 0x01
    DYNVC_GFX_PROTOCOL_SUPPORTED = 0x02
    RESERVED = 0x04
    RESTRICTED_ADMIN_MODE_SUPPORTED = 0x08
    REDIRECTED_AUTHENTICATION_MODE_SUPPORTED = 0x10


class FailureCode(IntEnum):
    """Why a server refuses to negotiate (RDP_NEG_FAILURE, 2.2.1.2.2)."""

    SSL_REQUIRED_BY_SERVER = 1
    SSL_NOT_ALLOWED_BY_SERVER = 2
    SSL_CERT_NOT_ON_SERVER = 3
    INCONSISTENT_FLAGS = 4
    HYBRID_REQUIRED_BY_SERVER = 5
    SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER = 6


_Flag = TypeVar("_Flag", bound=IntFlag)


def _combinations(kind: type[_Flag]) -> dict[int, _Flag]:
    """Every number that is made of known bits only, as a member of `kind`."""
    known = 0
    for member in kind:
        known |= member
    return {number: kind(number) for number in range(known + 1) if not number & ~known}


_PROTOCOLS = _combinations(Protocols)
_REQUEST_FLAGS = _combinations(RequestFlags)
_RESPONSE_FLAGS = _combinations(ResponseFlags)
_FAILURE_CODES = {int(code): code for code in FailureCode}


def _check(buffer: bytes, kind: int, length: int, name: str) -> NeedMore | Malformed | None:
    """None if a whole structure of this type and length stands at the front of `buffer`."""
    if not buffer:
        return NeedMore(1)
    if buffer[0] != kind:
        return Malformed(0, f"type {buffer[0]:#04x} is not {name} ({kind:#04x})")
    if len(buffer) < 4:
        return NeedMore(4 - len(buffer))
    stated = buffer[2] | buffer[3] << 8
    if stated != length:
        return Malformed(2, f"length of {name} is {stated}, not {length}")
    if len(buffer) < length:
        return NeedMore(length - len(buffer))
    return None


@dataclass(frozen=True, slots=True)
class NegotiationRequest:
    """RDP_NEG_REQ (MS-RDPBCGR 2.2.1.1.1), 8 bytes.

    `protocols`  the protocols that the client offers.
    `flags`      sent as given: CORRELATION_INFO_PRESENT neither adds nor needs correlation info in the request around it.
    """

    protocols: Protocols | int = Protocols.RDP
    flags: RequestFlags | int = RequestFlags.NONE
    type: int = TYPE_REQUEST
    length: int = NEGOTIATION_LENGTH

    def encode(self) -> bytes:
        """Eight bytes. ValueError if a number does not fit its field."""
        return pack(_NEGOTIATION, self.type, self.flags, self.length, self.protocols)

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[NegotiationRequest]:
        """Take the structure off the front of `buffer`. Malformed at 0 (type) or 2 (length)."""
        problem = _check(buffer, TYPE_REQUEST, NEGOTIATION_LENGTH, "RDP_NEG_REQ")
        if problem is not None:
            return problem
        _, flags, _, protocols = _NEGOTIATION.unpack_from(buffer)
        value = cls(_PROTOCOLS.get(protocols, protocols), _REQUEST_FLAGS.get(flags, flags))
        return Decoded(value, bytes(buffer[NEGOTIATION_LENGTH:]))


@dataclass(frozen=True, slots=True)
class NegotiationResponse:
    """RDP_NEG_RSP (MS-RDPBCGR 2.2.1.2.1), 8 bytes: the server goes on with `selected`."""

    selected: Protocols | int
    flags: ResponseFlags | int = ResponseFlags.NONE
    type: int = TYPE_RESPONSE
    length: int = NEGOTIATION_LENGTH

    def encode(self) -> bytes:
        """Eight bytes. ValueError if a number does not fit its field."""
        return pack(_NEGOTIATION, self.type, self.flags, self.length, self.selected)

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[NegotiationResponse]:
        """Take the structure off the front of `buffer`. Malformed at 0 (type) or 2 (length)."""
        problem = _check(buffer, TYPE_RESPONSE, NEGOTIATION_LENGTH, "RDP_NEG_RSP")
        if problem is not None:
            return problem
        _, flags, _, selected = _NEGOTIATION.unpack_from(buffer)
        value = cls(_PROTOCOLS.get(selected, selected), _RESPONSE_FLAGS.get(flags, flags))
        return Decoded(value, bytes(buffer[NEGOTIATION_LENGTH:]))


@dataclass(frozen=True, slots=True)
class NegotiationFailure:
    """RDP_NEG_FAILURE (MS-RDPBCGR 2.2.1.2.2), 8 bytes: the server refuses because of `code`. No flags are defined."""

    code: FailureCode | int
    flags: int = 0
    type: int = TYPE_FAILURE
    length: int = NEGOTIATION_LENGTH

    def encode(self) -> bytes:
        """Eight bytes. ValueError if a number does not fit its field."""
        return pack(_NEGOTIATION, self.type, self.flags, self.length, self.code)

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[NegotiationFailure]:
        """Take the structure off the front of `buffer`. Malformed at 0 (type) or 2 (length)."""
        problem = _check(buffer, TYPE_FAILURE, NEGOTIATION_LENGTH, "RDP_NEG_FAILURE")
        if problem is not None:
            return problem
        _, flags, _, code = _NEGOTIATION.unpack_from(buffer)
        return Decoded(cls(_FAILURE_CODES.get(code, code), flags), bytes(buffer[NEGOTIATION_LENGTH:]))


@dataclass(frozen=True, slots=True)
class CorrelationInfo:
    """RDP_NEG_CORRELATION_INFO (MS-RDPBCGR 2.2.1.1.2), 36 bytes: an id by which a server's logs follow one connection.

    `correlation_id` and `reserved` are 16 bytes each; other sizes are sent as they are.
    """

    correlation_id: bytes
    reserved: bytes = bytes(16)
    flags: int = 0
    type: int = TYPE_CORRELATION_INFO
    length: int = CORRELATION_LENGTH

    @property
    def follows_advice(self) -> bool:
        """The id keeps both SHOULD NOTs of 2.2.1.1.2: no byte 0D (half a line's end), a first byte other than 00 and F4."""
        return self.correlation_id[:1] not in (b"\x00", b"\xf4") and b"\r" not in self.correlation_id

    def encode(self) -> bytes:
        """Thirty-six bytes. ValueError if a number does not fit its field."""
        return pack(_HEADER, self.type, self.flags, self.length) + self.correlation_id + self.reserved

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[CorrelationInfo]:
        """Take the structure off the front of `buffer`. Malformed at 0 (type) or 2 (length); ids of any content decode."""
        problem = _check(buffer, TYPE_CORRELATION_INFO, CORRELATION_LENGTH, "RDP_NEG_CORRELATION_INFO")
        if problem is not None:
            return problem
        buffer = bytes(buffer)
        return Decoded(cls(buffer[4:20], buffer[20:36], buffer[1]), buffer[CORRELATION_LENGTH:])
