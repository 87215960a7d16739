"""DER, the one encoding of ASN.1 values that has no choices (X.690 section 10), as far as CredSSP and certificates need it.

    offset  bytes   field
    0       1       tag; those with numbers above 30 take more bytes, occur in neither, and are refused
    1       1 to 5  length of the contents: below 128 itself, else 80h + the number of bytes that follow and hold it
"""

from __future__ import annotations

from dataclasses import dataclass

from .outcome import Decoded, Malformed, NeedMore, Outcome

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
SEQUENCE = 0x30
MOST_LENGTH_BYTES = 4

_LONG_TAG = 0x1F


def context(number: int) -> int:
    """The tag [`number`] around another value."""
    return 0xA0 | number


@dataclass(frozen=True, slots=True)
class Der:
    """One value: its tag, and its contents, which for a SEQUENCE are values themselves."""

    tag: int
    contents: bytes

    def encode(self) -> bytes:
        """Tag, length, contents."""
        size = len(self.contents)
        if size < 0x80:
            return bytes((self.tag, size)) + self.contents
        length = size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes((self.tag, 0x80 | len(length))) + length + self.contents

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[Der]:
        """Take one value off the front of `buffer`. Malformed at 0 (tag) or 1 (length)."""
        buffer = bytes(buffer)
        if buffer and buffer[0] & _LONG_TAG == _LONG_TAG:
            return Malformed(0, f"tag {buffer[0]:#04x} has a number above 30")
        if len(buffer) < 2:
            return NeedMore(2 - len(buffer))
        start, size = 2, buffer[1]
        if size >= 0x80:
            count = size & 0x7F
            if not 0 < count <= MOST_LENGTH_BYTES:
                return Malformed(1, f"a length of {count} bytes, not of 1 to {MOST_LENGTH_BYTES}")
            start += count
            if len(buffer) < start:
                return NeedMore(start - len(buffer))
            size = int.from_bytes(buffer[2:start], "big")
            if size < 0x80 or size >> 8 * (count - 1) == 0:
                return Malformed(1, f"length {size} takes {count + 1} bytes, which is more than DER allows")
        if len(buffer) < start + size:
            return NeedMore(start + size - len(buffer))
        return Decoded(cls(buffer[0], buffer[start : start + size]), buffer[start + size :])


def sequence(*parts: Der) -> Der:
    return Der(SEQUENCE, b"".join(part.encode() for part in parts))


def integer(number: int) -> Der:
    """INTEGER in two's complement, as short as it gets."""
    return Der(INTEGER, number.to_bytes((number if number >= 0 else ~number).bit_length() // 8 + 1, "big", signed=True))


def octets(data: bytes) -> Der:
    return Der(OCTET_STRING, data)


def tagged(number: int, value: Der) -> Der:
    return Der(context(number), value.encode())


class DerError(ValueError):
    """Contents that are complete and wrong; the message says what was expected."""


def whole(data: bytes, tag: int, what: str) -> bytes:
    """The contents of the one value with this tag that `data` is; DerError otherwise."""
    first, rest = _first(data, what)
    if first.tag != tag or rest:
        raise DerError(f"{what} is no single value with tag {tag:#04x}")
    return first.contents


def parts(data: bytes, what: str) -> list[Der]:
    """The values that stand in `data` one after the other; DerError where one is cut short."""
    found = []
    while data:
        one, data = _first(data, what)
        found.append(one)
    return found


def _first(data: bytes, what: str) -> tuple[Der, bytes]:
    outcome = Der.decode(data)
    if not isinstance(outcome, Decoded):
        raise DerError(f"{what} is cut short" if isinstance(outcome, NeedMore) else f"{what}: {outcome.reason}")
    return outcome.value, outcome.rest


def number(data: bytes, what: str) -> int:
    """The value of the INTEGER that `data` is; DerError where it is none, or longer than needed."""
    contents = whole(data, INTEGER, what)
    value = int.from_bytes(contents, "big", signed=True)
    if integer(value).contents != contents:
        raise DerError(f"{what} is an INTEGER of {len(contents)} bytes, which DER does not allow for {value}")
    return value
