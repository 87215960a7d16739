"""The monitoring agent's port of a mock server (5069): lines of text. Its protocol is not published; this one is ours.

    AGENT <token> CR LF             ->
                                    <-    SERVER fe=2; conn=7 CR LF
    any line CR LF                  ->
                                    <-    the same line CR LF
"""

from __future__ import annotations

from typing import Any

from ..wire.http import server_value
from ..wire.talk import Place, Report

LONGEST = 1024
"""bytes of a line, with its end"""
_TOO_LONG = f"no end of line in {LONGEST} bytes"
HELLO, WELCOME = b"AGENT ", b"SERVER "


class Monitor:
    """Reports `request` (token, number) for the first line, `line` (text) for the others, and `malformed`, which closes."""

    def __init__(self, place: Place, report: Report):
        self._place = place
        self._report = report
        self._buffer = b""
        self._known = False
        self.closing = False

    def begin(self) -> bytes:
        return b""

    def take(self, data: bytes) -> bytes:
        out: list[bytes] = []
        *lines, self._buffer = (self._buffer + data).split(b"\r\n")
        for line in lines:
            if len(line) > LONGEST - 2:
                self._break(line, _TOO_LONG)
            if self.closing:
                break
            out.append(self._on(line))
        if not self.closing and len(self._buffer) >= LONGEST:
            self._break(self._buffer, _TOO_LONG)
        return b"".join(out)

    def push(self, what: dict[str, Any]) -> bytes:
        """`{"line": text}` says a line; `{"close": true}` closes."""
        self.closing = self.closing or bool(what.get("close"))
        return what["line"].encode() + b"\r\n" if "line" in what else b""

    def _on(self, line: bytes) -> bytes:
        if self._known:
            self._report("line", text=line.decode("latin-1"))
            return line + b"\r\n"
        if not line.startswith(HELLO) or not line[len(HELLO) :].isascii():
            self._break(line, "the first line is not an agent's")
            return b""
        self._known = True
        self._report("request", token=line[len(HELLO) :].decode(), number=1)
        identity = self._place.identity
        return WELCOME + server_value(identity.index, identity.conn).encode() + b"\r\n"

    def _break(self, head: bytes, reason: str) -> None:
        self._report("malformed", reason=reason, head=head[:64].hex())
        self._buffer = b""
        self.closing = True
