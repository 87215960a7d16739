"""Where SIP messages and keep-alives begin and end on a stream (RFC 3261 18.3, RFC 5626 4.4.1).

A ping is two line ends, a pong is one. At the server's end one line end may be half a ping, so it is held until the next
bytes tell; at the client's end each one is a pong. A message on a stream needs a Content-Length: without, nobody knows
where it ends, and nothing behind it can be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .outcome import Decoded, Malformed, NeedMore, Outcome
from .sip import CRLF, HEAD_END, Message

PING = b"\r\n\r\n"
PONG = b"\r\n"
MAX_HEAD = 65_536
"""bytes without an end of the head before it is given up"""
MAX_BODY = 1_048_576
"""bytes that a Content-Length may announce"""
_MAX_DIGITS = 10
_FIRST = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")
"""what the first line of a message may begin with: a method is a token, a response says SIP"""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Line ends between messages: `PING`, or `PONG`."""

    octets: bytes

    def encode(self) -> bytes:
        return self.octets


Item: TypeAlias = Message | KeepAlive


class SipStream:
    """One direction of a connection. `feed` any segments; it keeps what is incomplete, and never more than the bounds above."""

    def __init__(self, *, pings: bool):
        """`pings`: whether this is the server's end, where two line ends belong together."""
        self._pings = pings
        self._buffer = bytearray()
        self._searched = 0
        self._named = False
        self._head: Message | None = None
        self._head_length = 0
        self._length = 0
        self.broken: Message | None = None
        """the head that told no end, when `feed` has returned a Malformed and there was one"""
        self.dead = False
        """whether a Malformed was returned; all that follows is thrown away"""

    @property
    def pending(self) -> int:
        """Bytes held for what is incomplete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Item | Malformed]:
        """What is complete now. A Malformed is the last that this stream says."""
        if self.dead:
            return []
        self._buffer += data
        found: list[Item | Malformed] = []
        while self._buffer:
            item = self.step()
            if isinstance(item, NeedMore):
                break
            found.append(item)
            if isinstance(item, Malformed):
                self.dead = True
                self._buffer.clear()
        return found

    def step(self) -> Item | NeedMore | Malformed:
        """The next item of the buffer, taken out of it."""
        if self._head is None:
            if self._buffer[0] not in _FIRST:
                return self._between()
            outcome = self._read_head()
            if outcome is not None:
                return outcome
        missing = self._head_length + self._length - len(self._buffer)
        if missing > 0:
            return NeedMore(missing)
        head, self._head, self._searched, self._named = self._head, None, 0, False
        head.raw = self._take(self._head_length + self._length)
        head.body = head.raw[self._head_length :] if self._length else b""
        return head

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _between(self) -> KeepAlive | NeedMore | Malformed:
        start = bytes(self._buffer[:4])
        if start == b"\r":
            return NeedMore(1)
        if start[:2] != CRLF:
            return Malformed(0, f"byte {start[0]:#04x} begins neither a message nor a keep-alive")
        if not self._pings:
            return KeepAlive(self._take(2))
        if start == PING:
            return KeepAlive(self._take(4))
        if PING.startswith(start):
            return NeedMore(4 - len(start))
        return KeepAlive(self._take(2))

    def _read_head(self) -> NeedMore | Malformed | None:
        """None if there is one now: it and its lengths are kept until the body is there."""
        end = self._buffer.find(HEAD_END, self._searched)
        if end < 0 or end > MAX_HEAD:
            if len(self._buffer) > MAX_HEAD:
                return Malformed(0, f"{MAX_HEAD} bytes are no whole head")
            line = -1 if self._named else self._buffer.find(CRLF, self._searched)
            if line >= 0:
                self._named = True
                if b"SIP/" not in self._buffer[:line].upper():
                    return Malformed(0, "the first line names no version of SIP")
            self._searched = max(0, len(self._buffer) - 3)
            return NeedMore(1)
        head = Message(b"", self._buffer[:end].decode("latin-1"))
        self._head_length = end + 4
        if "SIP/" not in head.start.upper():
            return Malformed(0, "the first line names no version of SIP")
        lengths = head.fields.get("content-length")
        if lengths is None:
            self.broken = head
            return Malformed(end, "there is no Content-Length, which a message on a stream needs")
        text = lengths[0]
        if len(set(lengths)) > 1 or not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
            self.broken = head
            return Malformed(end, f"the Content-Length is no one number: {', '.join(lengths)[:60]!r}")
        self._length = int(text)
        if self._length > MAX_BODY:
            self.broken = head
            return Malformed(end, f"a body of {self._length} bytes is announced, more than {MAX_BODY}")
        self._head = head
        return None


def decode(buffer: bytes, *, pings: bool = True) -> Outcome[Item]:
    """What stands at the start of the buffer; `pings` as in `SipStream`."""
    if not buffer:
        return NeedMore(1)
    stream = SipStream(pings=pings)
    stream._buffer += buffer
    item = stream.step()
    if isinstance(item, (NeedMore, Malformed)):
        return item
    return Decoded(item, bytes(stream._buffer))
