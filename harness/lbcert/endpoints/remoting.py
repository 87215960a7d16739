"""The remoting service of a mock server (8404): answers each request on its connection with who it is and what was said."""

from __future__ import annotations

import hashlib
from typing import Any

from ..wire.http import SERVER_HEADER, TOKEN_HEADER, server_value
from ..wire.nrtp import BINARY, CLOSE, CONTENT_TYPE, CUSTOM, ONE_WAY, REPLY, REQUEST_URI, Frame, Header
from ..wire.outcome import Decoded, Malformed
from ..wire.talk import Place, Report


class Remoting:
    """Reports `request` (token, uri, one_way, number, body_length, body_sha256) and `malformed`, which ends the connection."""

    def __init__(self, place: Place, report: Report):
        self._place = place
        self._report = report
        self._buffer = b""
        self._number = 0
        self.closing = False

    def begin(self) -> bytes:
        return b""

    def take(self, data: bytes) -> bytes:
        out = b""
        self._buffer += data
        while self._buffer and not self.closing:
            outcome = Frame.decode(self._buffer)
            if isinstance(outcome, Decoded):
                self._buffer = outcome.rest
                out += self._on(outcome.value)
            elif isinstance(outcome, Malformed):
                self._break(outcome.reason)
            else:
                break
        return out

    def push(self, what: dict[str, Any]) -> bytes:
        """`{"close": true}` closes."""
        self.closing = self.closing or bool(what.get("close"))
        return b""

    def _on(self, frame: Frame) -> bytes:
        if frame.operation == REPLY:
            self._break("a reply from a client")
            return b""
        self._number += 1
        self._report(
            "request", token=frame.one(CUSTOM, TOKEN_HEADER), uri=frame.one(REQUEST_URI), one_way=frame.operation == ONE_WAY,
            number=self._number, body_length=len(frame.content), body_sha256=hashlib.sha256(frame.content).hexdigest(),
        )  # fmt: skip
        if frame.operation == ONE_WAY:
            return b""
        identity = self._place.identity
        headers = (Header(CUSTOM, server_value(identity.index, identity.conn), SERVER_HEADER), Header(CONTENT_TYPE, BINARY))
        self.closing = any(one.token == CLOSE for one in frame.headers)
        return Frame(REPLY, headers, frame.content).encode()

    def _break(self, reason: str) -> None:
        self._report("malformed", reason=reason, head=self._buffer[:64].hex())
        self._buffer = b""
        self.closing = True
