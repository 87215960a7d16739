"""TPKT, the packet frame around every X.224 TPDU on TCP (RFC 1006 section 6, RFC 2126 section 4.3, T.123 section 8).

    offset  bytes  field
    0       1      version, 3
    1       1      reserved, 0
    2       2 BE   length of the whole packet in bytes, this header included
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ._pack import pack
from .outcome import Decoded, Malformed, NeedMore, Outcome

VERSION = 3
HEADER_LENGTH = 4
MINIMUM_LENGTH = 7
"""Bytes; RFC 1006 section 6: a header and the shortest TPDU."""
MAXIMUM_LENGTH = 65535

_HEADER = struct.Struct(">BBH")


@dataclass(frozen=True, slots=True)
class Tpkt:
    """One TPKT packet (RFC 1006 section 6).

    `payload`   the TPDU.
    `length`    bytes of the whole packet as the header states it, sent as given, right or wrong; None: computed.
    `version`   3; another number is sent as it is and refused by `decode`.
    `reserved`  0; receivers ignore it, so any value decodes and is kept.
    """

    payload: bytes
    length: int | None = None
    version: int = VERSION
    reserved: int = 0

    def encode(self) -> bytes:
        """The packet. ValueError if a number does not fit: a payload over 65,531 bytes needs an explicit `length`."""
        length = HEADER_LENGTH + len(self.payload) if self.length is None else self.length
        return pack(_HEADER, self.version, self.reserved, length) + self.payload

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[Tpkt]:
        """Take one packet off the front of `buffer`. Malformed at 0 (version) or 2 (length below 7)."""
        buffer = bytes(buffer)
        length = cls.frame_length(buffer)
        if not isinstance(length, int):
            return length
        if len(buffer) < length:
            return NeedMore(length - len(buffer))
        return Decoded(cls(buffer[HEADER_LENGTH:length], reserved=buffer[1]), buffer[length:])

    @staticmethod
    def frame_length(buffer: bytes, minimum: int = MINIMUM_LENGTH) -> int | NeedMore | Malformed:
        """Bytes of the first packet as its header states it, whether or not they have all arrived.

        `minimum` is the shortest packet that the caller can use, in bytes; a shorter one is Malformed at 2.
        """
        if not buffer:
            return NeedMore(1)
        if buffer[0] != VERSION:
            return Malformed(0, f"TPKT version is {buffer[0]}, not {VERSION}")
        if len(buffer) < HEADER_LENGTH:
            return NeedMore(HEADER_LENGTH - len(buffer))
        length = buffer[2] << 8 | buffer[3]
        if length < minimum:
            return Malformed(2, f"TPKT length is {length}, less than the {minimum} bytes that this packet needs")
        return length
