""".NET remoting over TCP: the frame of a message ([MS-NRTP] 2.2.3.3), which Response Group speaks on 8404.

The content (serialised calls, [MS-NRBF]) is bytes here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .outcome import Decoded, Malformed, NeedMore, Outcome

MAGIC = b".NET"
REQUEST, ONE_WAY, REPLY = 0, 1, 2
"""operations (2.2.3.1.1)"""
END, CUSTOM, STATUS_CODE, STATUS_PHRASE, REQUEST_URI, CLOSE, CONTENT_TYPE = 0, 1, 2, 3, 4, 5, 6
"""header tokens (2.2.3.1.3)"""
LARGEST = 1 << 20
"""bytes of content that are taken"""
LONGEST = 8192
"""bytes of a text in a header"""
MANY = 64
"""headers, and chunks of a content that comes in chunks"""
BINARY = "application/octet-stream"
_HEAD = struct.Struct("<4sBBHH")
_VOID, _TEXT, _BYTE, _SHORT, _LONG = 0, 1, 2, 3, 4
"""data formats of a header's value (2.2.3.1.4)"""
_FORMATS = {_BYTE: struct.Struct("<B"), _SHORT: struct.Struct("<H"), _LONG: struct.Struct("<i")}
_KINDS = {STATUS_CODE: _SHORT, STATUS_PHRASE: _TEXT, REQUEST_URI: _TEXT, CLOSE: _VOID, CONTENT_TYPE: _TEXT}
_START = MAGIC + b"\x01\0"
_TRAILER = b"\r\n"


@dataclass(frozen=True, slots=True)
class Header:
    """One header. A text is UTF-8 unless `wide`."""

    token: int
    value: str | int | None = None
    name: str = ""
    """of a custom header"""
    wide: int = 0
    """bit 1: the value is UTF-16, bit 2: the name"""

    def encode(self) -> bytes:
        """ValueError for a number that does not fit."""
        token = struct.pack("<H", self.token)
        if self.token == CUSTOM:
            return token + _text(self.name, self.wide & 2) + _text(str(self.value), self.wide & 1)
        if self.value is None:
            return token + bytes((_VOID,))
        if isinstance(self.value, str):
            return token + bytes((_TEXT,)) + _text(self.value, self.wide & 1)
        try:
            return token + bytes((_SHORT,)) + _FORMATS[_SHORT].pack(self.value)
        except struct.error as error:
            raise ValueError(f"header {self.token}: {error}") from None


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. `chunks`: the sizes that its content comes in; empty: with its length in front."""

    operation: int
    headers: tuple[Header, ...] = ()
    content: bytes = b""
    chunks: tuple[int, ...] = ()

    def one(self, token: int, name: str = "") -> str | int | None:
        """The value of the first such header."""
        return next((one.value for one in self.headers if one.token == token and one.name == name), None)

    def encode(self) -> bytes:
        head = _HEAD.pack(MAGIC, 1, 0, self.operation, 1 if self.chunks else 0)
        head += b"" if self.chunks else struct.pack("<i", len(self.content))
        head += b"".join(one.encode() for one in self.headers) + struct.pack("<H", END)
        if not self.chunks:
            return head + self.content
        at, pieces = 0, []
        for size in self.chunks:
            pieces.append(struct.pack("<i", size) + self.content[at : at + size] + _TRAILER)
            at += size
        return head + b"".join(pieces) + struct.pack("<i", 0) + _TRAILER

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[Frame]:
        """Take one message off the front. Malformed at the field that is wrong."""
        shared = min(len(buffer), len(_START))
        if buffer[:shared] != _START[:shared]:
            return Malformed(next(i for i in range(shared) if buffer[i] != _START[i]), "no message of .NET remoting 1.0")
        cursor = _Cursor(buffer)
        try:
            return cls._read(cursor)
        except _Short as short:
            return NeedMore(short.missing)
        except _Wrong as wrong:
            return Malformed(*wrong.args)

    @classmethod
    def _read(cls, cursor: _Cursor) -> Outcome[Frame]:
        _, _, _, operation, distribution = cursor.take(_HEAD)
        if operation > REPLY or distribution > 1:
            raise _Wrong(6 if operation > REPLY else 8, f"operation {operation}, content distribution {distribution}")
        length = 0 if distribution else cursor.length(LARGEST)
        headers: list[Header] = []
        while (token := cursor.take(struct.Struct("<H"))[0]) != END:
            if len(headers) == MANY:
                raise _Wrong(cursor.at - 2, f"more than {MANY} headers")
            headers.append(_header(cursor, token))
        if not distribution:
            return Decoded(cls(operation, tuple(headers), cursor.octets(length)), cursor.rest())
        content, chunks = b"", []
        while size := cursor.length(LARGEST - len(content)):
            content += cursor.octets(size)
            chunks.append(size)
            cursor.trailer()
            if len(chunks) > MANY:
                raise _Wrong(cursor.at, f"more than {MANY} chunks")
        cursor.trailer()
        if not chunks:
            raise _Wrong(cursor.at - 6, "chunked content without a chunk")
        return Decoded(cls(operation, tuple(headers), content, tuple(chunks)), cursor.rest())


def _header(cursor: _Cursor, token: int) -> Header:
    if token == CUSTOM:
        name, wide = cursor.text()
        value, also = cursor.text()
        return Header(CUSTOM, value, name, bool(also) | bool(wide) << 1)
    at = cursor.at
    (form,) = cursor.take(_FORMATS[_BYTE])
    if token not in _KINDS or form != _KINDS[token]:
        raise _Wrong(at - 2 if token not in _KINDS else at, f"header {token} with data of format {form}")
    if form == _VOID:
        return Header(token)
    if form == _TEXT:
        value, wide = cursor.text()
        return Header(token, value, wide=int(wide))
    return Header(token, cursor.take(_FORMATS[form])[0])


def _text(text: str, wide: int) -> bytes:
    octets = text.encode("utf-16-le" if wide else "utf-8")
    return struct.pack("<Bi", 0 if wide else 1, len(octets)) + octets


class _Short(Exception):
    def __init__(self, missing: int):
        self.missing = missing


class _Wrong(Exception):
    """Where, and why."""


class _Cursor:
    def __init__(self, buffer: bytes):
        self._buffer = buffer
        self.at = 0

    def octets(self, count: int) -> bytes:
        if len(self._buffer) < self.at + count:
            raise _Short(self.at + count - len(self._buffer))
        self.at += count
        return self._buffer[self.at - count : self.at]

    def take(self, layout: struct.Struct) -> tuple:
        return layout.unpack(self.octets(layout.size))

    def length(self, most: int) -> int:
        (length,) = self.take(_FORMATS[_LONG])
        if not 0 <= length <= most:
            raise _Wrong(self.at - 4, f"a length of {length}; at most {most} are taken")
        return length

    def text(self) -> tuple[str, bool]:
        start = self.at
        (kind,) = self.take(_FORMATS[_BYTE])
        if kind > 1:
            raise _Wrong(start, f"text in encoding {kind}")
        octets = self.octets(self.length(LONGEST))
        try:
            return octets.decode("utf-8" if kind else "utf-16-le"), not kind
        except UnicodeDecodeError as error:
            raise _Wrong(start + 5, f"text: {error.reason}") from None

    def trailer(self) -> None:
        if self.octets(2) != _TRAILER:
            raise _Wrong(self.at - 2, "a chunk without its trailer")

    def rest(self) -> bytes:
        return self._buffer[self.at :]
