"""SIP messages (RFC 3261 section 7): reading the few fields that are needed, and writing. Framing is `sip_stream`.

The text of a head is read as Latin-1, which loses nothing: a field holds exactly the bytes that came. What a second,
complete parser makes of the same bytes is `Message.full`; that parser is aiosipua's message layer, used nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

CRLF = b"\r\n"
HEAD_END = b"\r\n\r\n"
COMPACT = {
    "i": "call-id", "m": "contact", "e": "content-encoding", "l": "content-length", "c": "content-type", "f": "from",
    "s": "subject", "k": "supported", "t": "to", "v": "via", "o": "event", "u": "allow-events", "r": "refer-to",
}  # fmt: skip
"""RFC 3261 7.3.3 and the event and refer extensions: one letter -> the name"""
NEEDED = ("via", "from", "to", "call-id", "cseq")
"""what an answer copies from its request (RFC 3261 8.2.6.2); a message without one of them is faulty"""
_CSEQ_LIMIT = 1 << 31
_MEMORABLE = 64
"""letters of a name beyond which its spelling is not remembered"""
_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
_REQUEST = re.compile(rf"({_TOKEN}) ([^ \r\n]+) (SIP/\d+\.\d+)", re.IGNORECASE)
_RESPONSE = re.compile(r"(SIP/\d+\.\d+) ([1-6]\d\d) (.*)", re.IGNORECASE | re.DOTALL)
_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
_CSEQ = re.compile(rf"(\d{{1,10}})\s+({_TOKEN})")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TAG = re.compile(r";\s*tag\s*=\s*([^\s;,]+)", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>]+")


@lru_cache(maxsize=4096)
def _long(name: str) -> str:
    """The one name of a field, whichever way it is spelled."""
    name = name.rstrip().lower()
    return COMPACT.get(name, name)


class Address(NamedTuple):
    """What From, To or Contact says: the URI as it is spelled, and the tag, empty where there is none."""

    uri: str
    tag: str


class Message:
    """One message. `raw` is what came, `start` its first line, `fields` name -> values in their order, `body` bytes.

    Names are lower case and long; values are without the blanks around them, folded lines joined by one blank.
    For a request `method` and `uri` are set, for a response `status` and `reason`; of a first line that is neither, none is.
    """

    __slots__ = (
        "raw", "start", "fields", "body", "method", "uri", "version", "status", "reason", "_loose", "_half", "_read", "_fault",
        "_full",
    )  # fmt: skip

    def __init__(self, raw: bytes, head: str, body: bytes = b""):
        self.raw, self.body = raw, body
        self._half = not head.count("\n") == head.count("\r") == head.count("\r\n")
        if "\r\n " in head or "\r\n\t" in head:
            head = _FOLD.sub(" ", head)
        self.start, *lines = head.split("\r\n")
        self.fields: dict[str, list[str]] = {}
        self._read: dict[str, Address] = {}
        self._loose: str | None = None
        for line in lines:
            name, colon, value = line.partition(":")
            name = _long(name) if len(name) < _MEMORABLE else name.rstrip().lower()
            if not colon or not name:
                self._loose = line
            elif name in self.fields:
                self.fields[name].append(value.strip())
            else:
                self.fields[name] = [value.strip()]
        self.method = self.uri = self.version = self.reason = ""
        self.status = 0
        self._fault: str | bool | None = None
        self._full: Any = None
        if found := _REQUEST.fullmatch(self.start):
            self.method, self.uri, self.version = found.groups()
        elif found := _RESPONSE.fullmatch(self.start):
            self.version, self.status, self.reason = found[1], int(found[2]), found[3]

    @classmethod
    def datagram(cls, data: bytes) -> Message | None:
        """A message that came alone: without Content-Length its body is all that follows. None if the head does not end."""
        end = data.find(HEAD_END)
        if end < 0:
            return None
        made = cls(data, data[:end].decode("latin-1"))
        length = made.first("content-length")
        body = data[end + 4 :]
        made.body = body[: int(length)] if length.isascii() and length.isdigit() else body
        return made

    def encode(self) -> bytes:
        return self.raw

    def first(self, name: str) -> str:
        """The first value of a field; empty where there is none."""
        values = self.fields.get(name)
        return values[0] if values else ""

    @property
    def call_id(self) -> str:
        return self.first("call-id")

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method; (-1, "") if that cannot be read."""
        found = _CSEQ.fullmatch(self.first("cseq"))
        return (int(found[1]), found[2]) if found else (-1, "")

    def address(self, name: str) -> Address:
        """Of the first value of From, To or Contact."""
        if name not in self._read:
            self._read[name] = address(self.first(name))
        return self._read[name]

    @property
    def fault(self) -> str | None:
        """Why the message is none of RFC 3261's although its end is known; None for a good one."""
        if self._fault is None:
            self._fault = self._find_fault() or False
        return self._fault or None

    def _find_fault(self) -> str | None:
        if not self.version:
            return "the first line is neither a request's nor a response's"
        if self._loose is not None:
            return "a line of the head has no name and colon"
        for name in NEEDED:
            if not self.first(name):
                return f"there is no {name}"
        for name in NEEDED[1:]:
            if len(self.fields[name]) > 1:
                return f"{name} is there more than once"
        number, method = self.cseq
        if not 0 <= number < _CSEQ_LIMIT:
            return "the CSeq is no number below 2^31 and method"
        if self.method and not _SCHEME.fullmatch(self.uri):
            return "the request is for no URI"
        if self.method and method != self.method:
            return "the CSeq names another method"
        if not (self.address("from").uri and self.address("to").uri):
            return "From or To holds no URI"
        if self._half:
            return "a line of the head ends in half a line end"
        return None

    @property
    def full(self) -> Any:
        """What aiosipua reads: a SipRequest or SipResponse; None where it reads nothing."""
        if self._full is None:
            from aiosipua.message import SipMessage

            try:
                self._full = SipMessage.parse(self.raw)
            except Exception:  # noqa: BLE001  it promises no kind of error for what it cannot read
                self._full = False
        return self._full or None


def address(value: str) -> Address:
    """URI and tag of a From, To or Contact value; what is not there is empty. Without brackets parameters are the field's."""
    bare = _QUOTED.sub("", value) if '"' in value else value
    if '"' in bare:
        return Address("", "")
    before, bracket, inside = bare.partition("<")
    if bracket:
        uri, closed, rest = inside.partition(">")
        uri = uri.strip()
        if not closed:
            return Address("", "")
    else:
        uri, semicolon, rest = before.strip().partition(";")
        uri, rest = uri.strip(), semicolon + rest
    tag = _TAG.search(rest)
    return Address(uri if _SCHEME.fullmatch(uri) else "", tag[1] if tag else "")


def write(start: str, fields: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """A message; Content-Length is added."""
    lines = [start, *(f"{name}: {value}" for name, value in fields), f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + body


def answer(
    request: Message, status: int, reason: str, fields: Iterable[tuple[str, str]] = (), body: bytes = b"",
    *, tag: str = "", via: str = "",
) -> bytes:  # fmt: skip
    """The response to a request (RFC 3261 8.2.6). `tag` completes To where it has none, `via` is put behind the first Via."""
    made = [("Via", value) for value in request.fields.get("via", ())]
    if made and via:
        # The parameters belong to the first of several in one line.
        first, comma, others = made[0][1].partition(",")
        made[0] = ("Via", f"{first};{via}{comma}{others}")
    to = request.first("to")
    made.append(("From", request.first("from")))
    made.append(("To", f"{to};tag={tag}" if tag and not request.address("to").tag else to))
    made += [("Call-ID", request.call_id), ("CSeq", request.first("cseq"))]
    if request.fault:
        # What is not there cannot be copied; a bad request is answered all the same.
        made = [(name, value) for name, value in made if value and not value.startswith(";tag=")]
    if request._half:
        # What came as half a line end must not become a line of ours.
        made = [(name, value.replace("\r", " ").replace("\n", " ")) for name, value in made]
    return write(f"SIP/2.0 {status} {reason}", [*made, *fields], body)
