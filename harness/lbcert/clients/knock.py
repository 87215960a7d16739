"""A client that asks an unknown port for a page, to see who is there: HTTP, something else, or nobody."""

from __future__ import annotations

import base64
import re
from typing import Any

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_ENOUGH = 96
"""bytes of an answer that tell what it is"""


class Knock:
    """`authorization`: the value of that field, none by default. Outcome: `answered` as soon as anything was said."""

    token = ""
    identity = None
    answers = 0

    def __init__(self, host: str, authorization: str | None = None, path: str = "/"):
        self._host, self._authorization, self._path = host, authorization, path
        self._heard = b""

    @property
    def outcome(self) -> str | None:
        return "answered" if len(self._heard) >= 13 or b"\n" in self._heard else None

    @property
    def status(self) -> int | None:
        """Of an answer in HTTP."""
        found = _STATUS.match(self._heard)
        return int(found[1]) if found else None

    def begin(self) -> bytes:
        field = f"Authorization: {self._authorization}\r\n" if self._authorization is not None else ""
        return f"GET {self._path} HTTP/1.1\r\nHost: {self._host}\r\n{field}Connection: close\r\n\r\n".encode()

    def take(self, data: bytes) -> bytes:
        self._heard = (self._heard + data)[:_ENOUGH]
        return b""

    def again(self) -> bytes:
        return self.begin()

    @property
    def said(self) -> str:
        """The first line of the answer, in letters that can be printed."""
        line = self._heard.splitlines()[0] if self._heard else b""
        return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)

    def told(self) -> dict[str, Any]:
        return {"status": self.status, "said": self.said}


def basic(user: str, password: str) -> str:
    """The value of Authorization for these (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
