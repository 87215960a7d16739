"""Heads of HTTP/1.1 messages, read exactly (RFC 9112 sections 2 to 5): names in their case, order and duplicates kept.

Framing is left to h11. What stands here is the strict form that nearly every message has, at a speed that h11 has not, and the
header list as it came, which h11 changes where lengths stand twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LARGEST_HEAD = 65536
"""bytes of a head that are read; more is malformed"""
SERVER_HEADER = "X-Lbcert-Server"
TOKEN_HEADER = "X-Lbcert-Token"
SITE_NAME = "www.lbcert.test"
"""the site's name, as clients know it"""

Fields = list[tuple[str, str]]
"""a header list, in order"""

_REQUEST_LINE = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/1\.1")
_STATUS_LINE = re.compile(r"HTTP/1\.1 ([1-9]\d\d) ([\t\x20-\x7e\x80-\xff]*)")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ODD = re.compile(rb"\r(?!\n)|(?<!\r)\n|\n[ \t]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""what the strict form has nowhere: bare CR or LF, a folded line, control characters"""
_TOKEN = re.compile(r"[?&]token=([^&#]*)")
_MANY = 4096
_lowered: dict[str, str] = {}
"""names seen and found sound -> in lower case; bounded"""


CLAIMS = {
    "X-Forwarded-For": "{}", "Forwarded": "for={}", "X-Real-IP": "{}", "X-Client-IP": "{}", "Client-IP": "{}",
    "X-Cluster-Client-IP": "{}", "True-Client-IP": "{}", "CF-Connecting-IP": "{}", "Fastly-Client-IP": "{}",
    "X-Forwarded": "for={}", "Forwarded-For": "{}", "X-Original-Forwarded-For": "{}", "X-Originating-IP": "{}", "X-Remote-IP": "{}",
    "X-Remote-Addr": "{}", "X-Envoy-External-Address": "{}", "X-Azure-ClientIP": "{}", "Proxy-Client-IP": "{}", "WL-Proxy-Client-IP": "{}",
}  # fmt: skip
"""header -> its value: from whom a request is, as proxies and networks that deliver pages write it (RFC 7239 and their manuals)"""


def claiming(address: str) -> Fields:
    """Every header by which a client might pass for `address`."""
    return [(name, value.format(address)) for name, value in CLAIMS.items()]


@dataclass(frozen=True)
class Ask:
    """One request of a client (`clients.http`). `headers` come behind Host, the token and the cookies, as they are."""

    target: str = "/"
    method: str = "GET"
    headers: Fields = field(default_factory=list)
    body: bytes = b""
    chunks: int = 0
    """in so many chunks; 0: with Content-Length, if there is a body"""
    version: str = "1.1"
    host: str | None = None
    """another Host than the client's; empty: no such header"""
    expect: bool = False
    """whether the body waits for 100 Continue"""
    token: bool = True
    """whether it carries the token, in its query and as a header"""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one message in strict form."""

    first: tuple[str, str]
    """method and target, or status and reason"""
    fields: Fields
    length: int
    """bytes of the head, its empty line with it"""
    lower: list[str]
    """the names of `fields` in lower case"""

    def one(self, name: str) -> str | None:
        """The value of `name` (lower case) if it stands there exactly once."""
        return self.fields[self.lower.index(name)][1] if self.lower.count(name) == 1 else None


def plain_request(buffer: bytes) -> Head | None:
    """The whole head at the front of `buffer` if it is a request of HTTP/1.1 in strict form; None leaves it to a full parser."""
    return _plain(buffer, _REQUEST_LINE)


def plain_response(buffer: bytes) -> Head | None:
    """The same for a response."""
    return _plain(buffer, _STATUS_LINE)


def _plain(buffer: bytes, line: re.Pattern[str]) -> Head | None:
    end = buffer.find(b"\r\n\r\n", 0, LARGEST_HEAD)
    if end < 0:
        return None
    head = buffer[: end + 2]
    if _ODD.search(head):
        return None
    first, *rows = head[:-2].decode("latin-1").split("\r\n")
    match = line.fullmatch(first)
    if match is None:
        return None
    fields: Fields = []
    lower: list[str] = []
    for row in rows:
        name, colon, value = row.partition(":")
        known = _lowered.get(name) or _learn(name)
        if not colon or not known:
            return None
        fields.append((name, value.strip(" \t")))
        lower.append(known)
    return Head((match[1], match[2]), fields, end + 4, lower)


def _learn(name: str) -> str:
    if not _NAME.fullmatch(name):
        return ""
    if len(_lowered) < _MANY:
        _lowered[name] = name.lower()
    return name.lower()


def head_of(buffer: bytes) -> bytes | None:
    """The bytes of a head up to its empty line, in any form that servers put up with; None while there is no such line."""
    match = _END.search(buffer, 0, LARGEST_HEAD)
    return None if match is None else buffer[: match.end()]


def ends(buffer: bytes, searched: int) -> bool:
    """Whether a head ends in `buffer` and not in its first `searched` bytes."""
    return _END.search(buffer, max(0, searched - 2), LARGEST_HEAD) is not None


_END = re.compile(rb"\n\r?\n")


def fields_of(head: bytes) -> Fields:
    """The header list of any head as it came; a line without a colon is a name without a value."""
    rows = head.decode("latin-1").replace("\r\n", "\n").strip("\n").split("\n")[1:]
    return [(name, value.strip(" \t")) for name, _, value in (row.partition(":") for row in rows)]


def token_of(target: str, fields: Fields) -> str | None:
    """The token that a request carries: in its query, else in its header."""
    if match := _TOKEN.search(target):
        return match[1]
    return next((value for name, value in fields if name.lower() == "x-lbcert-token"), None)


def cookies_of(fields: Fields) -> Fields:
    """Name and value of every cookie that a request carries, in order (RFC 6265 section 5.4)."""
    found = []
    for name, value in fields:
        if name.lower() == "cookie":
            for pair in value.split(";"):
                if pair := pair.strip(" \t"):
                    key, _, content = pair.partition("=")
                    found.append((key, content))
    return found


def server_value(index: int, conn: int) -> str:
    """What the header of a mock server says: who it is."""
    return f"fe={index}; conn={conn}"


_SERVER_VALUE = re.compile(r"fe=(\d{1,9}); conn=(\d{1,9})")


def read_server_value(value: str) -> tuple[int, int] | None:
    """Index and connection's number out of `server_value`."""
    match = _SERVER_VALUE.fullmatch(value)
    return None if match is None else (int(match[1]), int(match[2]))


def field_lines(fields: Fields) -> bytes:
    """A header list on the wire. ValueError (UnicodeEncodeError) beyond Latin-1."""
    return "".join([f"{name}: {value}\r\n" for name, value in fields]).encode("latin-1")


def chunk(piece: bytes) -> bytes:
    """One chunk of a body (RFC 9112 section 7.1); nothing for no bytes, since an empty chunk ends the body."""
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""


LAST_CHUNK = b"0\r\n\r\n"
