"""A monitoring agent's side of port 5069: says who it is, reads who answers, then has lines echoed."""

from __future__ import annotations

from typing import Any

from ..wire.http import read_server_value
from ..wire.talk import Identity

_LONGEST = 1024


class Agent:
    """Outcomes: `answered`; `malformed`: another line than the one that is due."""

    def __init__(self, token: str):
        self.token = token
        self._buffer = b""
        self._echoes: list[bytes] = []
        self._asked = 0
        self._outcome: str | None = None
        self._identity: Identity | None = None
        self.answers = 0
        """lines that were answered rightly"""

    @property
    def outcome(self) -> str | None:
        return self._outcome

    @property
    def identity(self) -> Identity | None:
        return self._identity

    def begin(self) -> bytes:
        return f"AGENT {self.token}\r\n".encode()

    def again(self) -> bytes:
        """One more line; the outcome stays what it is unless the echo is wrong."""
        self._asked += 1
        self._echoes.append(f"{self.token} {self._asked}".encode())
        return self._echoes[-1] + b"\r\n"

    def take(self, data: bytes) -> bytes:
        self._buffer += data
        while self._outcome != "malformed" and (end := self._buffer.find(b"\r\n")) >= 0:
            line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
            self._on(line)
        if len(self._buffer) > _LONGEST:
            self._outcome = "malformed"
        return b""

    def told(self) -> dict[str, Any]:
        return {"answers": self.answers}

    def _on(self, line: bytes) -> None:
        if self._identity is None:
            named = read_server_value(line.removeprefix(b"SERVER ").decode("latin-1")) if line.startswith(b"SERVER ") else None
            self._outcome = "malformed" if named is None else "answered"
            self._identity = None if named is None else Identity(*named)
            right = named is not None
        else:
            right = bool(self._echoes) and self._echoes.pop(0) == line
            self._outcome = self._outcome if right else "malformed"
        self.answers += right
