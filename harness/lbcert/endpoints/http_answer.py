"""What a mock web server answers: who it is, what it saw, and what the test told it to say."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from ..wire.http import LAST_CHUNK, SERVER_HEADER, TOKEN_HEADER, Fields, chunk, field_lines, server_value
from ..wire.octets import stream
from ..wire.talk import Place

PIECE = 65536
"""bytes of a long body that are made at a time"""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_REASONS = {
    200: "OK", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 302: "Found", 304: "Not Modified",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 431: "Request Header Fields Too Large",
    500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
}  # fmt: skip
_BODILESS = (204, 304)
EMPTY = hashlib.sha256().hexdigest()
SAMPLE = 2048
"""bytes of a request's body that are looked into"""
C3P = "application/cccp+xml"
"""the type of the conference control protocol ([MS-CONFBAS] 2.2.1.1): what a focus says to conferencing servers on 444"""
_REQUEST_ID = re.compile(rb'\brequestId="([\w.:-]{1,64})"')


@dataclass(slots=True)
class Asked:
    """One request as it came."""

    method: str
    target: str
    version: str
    fields: Fields
    keep: bool
    """whether the connection outlasts the answer"""
    waits: bool = True
    """whether a client that expects 100-continue has not been told to go on"""
    number: int = 0
    token: str | None = None
    length: int = 0
    """bytes of its body"""
    digest: str = EMPTY
    """SHA-256 of its body"""
    sample: bytes = b""
    """the start of its body"""


class Answer:
    """One answer. Options, all of them optional:

    `status` (default 200); `headers` ([[name, value], ...] added as they are); `set_cookie` (a text or several);
    `cacheable` (Cache-Control says so; false: that it must not be kept; none without it);
    `body_size` (so many bytes without pattern in place of the JSON; `body_of` gives them); `chunked`; `close`;
    `hold` (the service keeps the answer until it is told to release it); `tell` (the service reports what it says, event `said`).
    `only`: the others are for targets that begin so (health checks ask for one that does not).
    """

    def __init__(self, place: Place, asked: Asked, options: dict[str, Any]):
        if not asked.target.startswith(options.get("only", "")):
            options = {}
        self._asked = asked
        self._place = place
        self.status = int(options.get("status", 200))
        self.keep = asked.keep and not options.get("close")
        self.hold = bool(options.get("hold"))
        self._chunked = bool(options.get("chunked")) and asked.version == "1.1"
        self.tells = bool(options.get("tell"))
        self._left = 0
        self._digest = hashlib.sha256()
        self._said: tuple[Fields, int, str] = ([], 0, EMPTY)
        size = options.get("body_size")
        self._size = None if size is None else int(size)
        self._block = b"" if size is None else block(asked.token)
        self._extra = options
        self.done = True

    def begin(self) -> bytes:
        """The head, and the body with it unless that is long."""
        fields: Fields = [(SERVER_HEADER, server_value(self._place.identity.index, self._place.identity.conn))]
        if self._asked.token is not None:
            # Whose answer it is: a client must not get another's.
            fields.append((TOKEN_HEADER, self._asked.token))
        fields += self._configured()
        silent = self._asked.method == "HEAD" or self.status in _BODILESS
        kind, body = self._body()
        length = len(body) if self._size is None else self._size
        if self.status not in _BODILESS:
            fields.append(("Content-Type", kind))
            fields.append(("Transfer-Encoding", "chunked") if self._chunked else ("Content-Length", str(length)))
        if not self.keep:
            fields.append(("Connection", "close"))
        reason = _REASONS.get(self.status, "Status")
        head = b"HTTP/1.1 %d %b\r\n%b\r\n" % (self.status, reason.encode(), field_lines(fields))
        self._said = (fields, 0, EMPTY) if silent else (fields, *self._summed(body))
        if silent:
            return head
        if self._size is None:
            return head + (chunk(body) + LAST_CHUNK if self._chunked else body)
        self._left, self.done = self._size, False
        return head + self.piece() if self._size <= PIECE else head

    def piece(self) -> bytes:
        """The next piece of a long body; `done` with the last."""
        now = self._block if self._left >= PIECE else self._block[: self._left]
        self._left -= len(now)
        self._digest.update(now)
        self.done = self._left == 0
        if not self._chunked:
            return now
        return chunk(now) + (LAST_CHUNK if self.done else b"")

    def _summed(self, body: bytes) -> tuple[int, str]:
        return (len(body), hashlib.sha256(body).hexdigest()) if self._size is None else body_of(self._asked.token, self._size)

    def said(self) -> dict[str, Any]:
        """Facts about an answer that has begun: its status, its header list, and the body that follows."""
        fields, length, digest = self._said
        return {"token": self._asked.token, "number": self._asked.number, "status": self.status, "headers": fields,
                "body_length": length, "body_sha256": digest}  # fmt: skip

    def told(self) -> dict[str, Any]:
        """Facts about a long body that has been said."""
        return {
            "token": self._asked.token, "number": self._asked.number, "length": self._size, "sha256": self._digest.hexdigest(),
        }  # fmt: skip

    def _configured(self) -> Fields:
        options = self._extra
        if not options:
            return []
        fields = [(name, value) for name, value in options.get("headers", ())]
        cookies = options.get("set_cookie", ())
        fields += [("Set-Cookie", one) for one in ([cookies] if isinstance(cookies, str) else cookies)]
        if (cacheable := options.get("cacheable")) is not None:
            fields.append(("Cache-Control", "public, max-age=3600" if cacheable else "no-store"))
        return fields

    def _body(self) -> tuple[str, bytes]:
        if self._size is not None:
            return "application/octet-stream", b""
        if any(name.lower() == "content-type" and value.startswith(C3P) for name, value in self._asked.fields):
            match = _REQUEST_ID.search(self._asked.sample)
            return C3P, c3p_response(self._place.name, match[1] if match else b"0")
        return "application/json", self._json()

    def _json(self) -> bytes:
        asked, identity = self._asked, self._place.identity
        saw = {
            "fe": identity.index, "conn": identity.conn, "name": self._place.name, "port": self._place.port,
            "request": asked.number, "token": asked.token, "peer": self._place.peer,
            "proxy": self._place.options.get("proxied"), "method": asked.method, "target": asked.target,
            "headers": asked.fields, "body_length": asked.length, "body_sha256": asked.digest,
        }  # fmt: skip
        return json.dumps(saw, separators=(",", ":")).encode()


def c3p_response(name: str, request_id: bytes) -> bytes:
    """That `name` did what the request asked for."""
    head = b'<response xmlns="urn:ietf:params:xml:ns:cccp"'
    return head + b' requestId="%b" from="%b" code="success"/>' % (request_id, name.encode())


def block(token: str | None) -> bytes:
    """What a long body repeats: bytes without pattern, of the token."""
    return stream(f"web {token or ''}", PIECE)


def body_of(token: str | None, size: int) -> tuple[int, str]:
    """Length and SHA-256 of the long body that answers this token: what a client must have received."""
    one, digest = block(token), hashlib.sha256()
    for _ in range(size // PIECE):
        digest.update(one)
    digest.update(one[: size % PIECE])
    return size, digest.hexdigest()


def refusal(place: Place, status: int) -> bytes:
    """The answer to what is no request, before the connection is closed."""
    who = server_value(place.identity.index, place.identity.conn)
    fields = [(SERVER_HEADER, who), ("Content-Length", "0"), ("Connection", "close")]
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, _REASONS.get(status, "Bad Request").encode(), field_lines(fields))
