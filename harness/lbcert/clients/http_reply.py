"""Answers of a web server out of a stream, in any segmentation; bodies are summed up, not kept."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass
from typing import Any

import h11

from ..wire.http import LARGEST_HEAD, Fields, fields_of, head_of, plain_response

_MAGIC = b"HTTP/"
_BODILESS = (204, 304)
_FRAMES = ("transfer-encoding", "connection")


@dataclass(slots=True)
class Reply:
    """One whole answer. `raw` is its start as it came, `body` the start of its content without framing."""

    status: int
    reason: str
    version: str
    fields: Fields
    body_length: int
    body_sha256: str
    raw: bytes
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of every header of that name (lower case), in order."""
        return [value for key, value in self.fields if key.lower() == name]

    def first(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key.lower() == name), None)

    def told(self) -> dict[str, Any]:
        return {
            "status": self.status, "version": self.version, "headers": self.fields, "server": self.first("x-lbcert-server"),
            "set_cookie": self.all("set-cookie"), "body_length": self.body_length, "body_sha256": self.body_sha256,
        }  # fmt: skip


class Replies:
    """Call `expect` for each request that is sent, then `take` what comes; `end` when the server has closed."""

    def __init__(self, keep: int):
        self._keep = keep
        self._methods: deque[str] = deque()
        self._buffer = b""
        self._parser: h11.Connection | None = None
        self._reply = Reply(0, "", "", [], 0, "", b"", b"")
        self._digest = hashlib.sha256()
        self.whole: list[Reply] = []
        self.wrong: str | None = None
        """why what came is no HTTP, or was not asked for"""
        self.go_on = False
        """whether 100 Continue has come for the request under way"""

    def expect(self, method: str) -> None:
        self._methods.append(method)
        self.go_on = False

    def take(self, data: bytes) -> None:
        self._buffer += data
        while self.wrong is None and (self._buffer or self._parser is not None):
            if not self._methods:
                self.wrong = f"{len(self._buffer)} bytes that no request asked for: {self._buffer[:64]!r}"
            elif not (self._parser is None and self._quickly()) and not self._slowly():
                break

    def end(self) -> None:
        """The server has closed: an answer without a length is whole now."""
        if self._parser is None or self.wrong is not None:
            return
        try:
            self._parser.receive_data(b"")
            while self._on(self._parser, self._parser.next_event()) and self._parser is not None:
                pass
        except h11.RemoteProtocolError as error:
            self.wrong = str(error)

    def _quickly(self) -> bool:
        """A whole answer with a length, already here in full."""
        head = plain_response(self._buffer)
        if head is None or any(name in head.lower for name in _FRAMES):
            return False
        status, size = int(head.first[0]), head.one("content-length")
        if status < 200 or status in _BODILESS or size is None or not (size.isascii() and size.isdigit()) or len(size) > 9:
            return False
        length = 0 if self._methods[0] == "HEAD" else int(size)
        end = head.length + length
        if len(self._buffer) < end:
            return False
        body, raw = self._buffer[head.length : end], self._buffer[: min(end, self._keep)]
        self._buffer = self._buffer[end:]
        self._methods.popleft()
        digest = hashlib.sha256(body).hexdigest()
        self.whole.append(Reply(status, head.first[1], "1.1", head.fields, length, digest, raw, body[: self._keep]))
        return True

    def _slowly(self) -> bool:
        """One step of h11; False when it needs more bytes."""
        try:
            if self._parser is None:
                return self._start()
            if self._buffer:
                self._keep_raw(self._buffer)
                self._parser.receive_data(self._buffer)
                self._buffer = b""
            return self._on(self._parser, self._parser.next_event())
        except h11.RemoteProtocolError as error:
            self.wrong = str(error)
            return False

    def _start(self) -> bool:
        head = head_of(self._buffer)
        if self._buffer[: len(_MAGIC)] != _MAGIC[: len(self._buffer)]:
            raise h11.RemoteProtocolError(f"{self._buffer[:16]!r} begins no answer of HTTP")
        if head is None and len(self._buffer) >= LARGEST_HEAD:
            raise h11.RemoteProtocolError(f"no end of the head within {LARGEST_HEAD} bytes")
        parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        parser.send(h11.Request(method=self._methods[0], target="/", headers=[("Host", "lbcert")]))
        parser.send(h11.EndOfMessage())
        parser.receive_data(self._buffer)
        event = parser.next_event()
        if head is None:
            return False
        if isinstance(event, h11.InformationalResponse):
            self.go_on = self.go_on or event.status_code == 100
            self._buffer = self._buffer[len(head) :]
            return True
        if not isinstance(event, h11.Response):
            return False
        version, reason = event.http_version.decode(), event.reason.decode("latin-1")
        self._reply = Reply(event.status_code, reason, version, fields_of(head), 0, "", b"", b"")
        self._digest = hashlib.sha256()
        self._keep_raw(self._buffer)
        self._parser, self._buffer = parser, b""
        return True

    def _on(self, parser: h11.Connection, event: Any) -> bool:
        reply = self._reply
        if isinstance(event, h11.Data):
            self._digest.update(event.data)
            reply.body_length += len(event.data)
            if len(reply.body) < self._keep:
                reply.body += bytes(event.data[: self._keep - len(reply.body)])
            return True
        if isinstance(event, h11.EndOfMessage):
            self._buffer = bytes(parser.trailing_data[0])
            if self._buffer:
                reply.raw = reply.raw[: -len(self._buffer)] if len(reply.raw) < self._keep else reply.raw
            reply.body_sha256 = self._digest.hexdigest()
            self._methods.popleft()
            self.whole.append(reply)
            self._parser = None
            return True
        return False

    def _keep_raw(self, data: bytes) -> None:
        reply = self._reply
        if len(reply.raw) < self._keep:
            reply.raw += data[: self._keep - len(reply.raw)]
