"""pytest's end of a mock server: its reports into the history, commands to it, who is connected."""

from __future__ import annotations

import json
import socket
from typing import Any

from ..evidence.history import History
from ..loop import READ, Loop

_MOST = 1 << 18
"""bytes of reports read at once"""


class MockServer:
    """One real server of the lab, as pytest sees it. Its process may be dead, stopped or running."""

    def __init__(self, name: str, index: int, listen: list[tuple[str, int]], loop: Loop, history: History,
                 active: bool = True, host: str = "", kind: str = "terminal-server"):  # fmt: skip
        self.name = name
        self.host = host
        """the machine of the lab that it runs on"""
        self.kind = kind
        """of mock server"""
        self.index = index
        self.listen = listen
        self.active = active
        """whether the product sends it new users while all servers are well"""
        self.extra: dict[str, Any] = {}
        """what its process is configured with beyond who it is and where it listens"""
        self.loop = loop
        self.history = history
        self.pid: int | None = None
        self.connected: dict[int, tuple[str, int]] = {}
        """the server's own connection number -> peer"""
        self.running = False
        self.stopped = False
        self._seen: dict[str, int] = {}
        self._stream: socket.socket | None = None
        self._buffer = b""

    @property
    def config(self) -> dict[str, Any]:
        return {"index": self.index, "listen": self.listen, **self.extra}

    def attach(self, pid: int, stream: socket.socket) -> None:
        """A (new) process of this server has been started."""
        self.pid, self._stream, self._buffer = pid, stream, b""
        self.running, self.stopped = True, False
        self.connected.clear()
        self._seen.clear()
        self.loop.watch(stream.fileno(), READ, self._on_readable)

    def detach(self) -> None:
        """Its process has ended; what it reported before that has been read or is lost."""
        if self._stream is not None:
            self._on_readable(READ)
        if self._stream is not None:
            self.loop.forget(self._stream.fileno())
            self._stream.close()
            self._stream = None
        self.running = False
        self.connected.clear()

    def _on_readable(self, _events: int) -> None:
        assert self._stream is not None
        while True:
            try:
                data = self._stream.recv(_MOST)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.loop.forget(self._stream.fileno())
                self._stream.close()
                self._stream = None
                break
            self._buffer += data
            if len(data) < _MOST:
                break
        whole, end, self._buffer = self._buffer.rpartition(b"\n")
        if end:
            for line in whole.decode().split("\n"):
                self._take(line)

    def _take(self, line: str) -> None:
        event = self.history.add_line(self.name, line)
        kind = event["kind"]
        if kind == "accept":
            self.connected[event["conn"]] = tuple(event["peer"])
        elif kind == "close":
            self.connected.pop(event["conn"], None)
        self._seen[kind] = self._seen.get(kind, 0) + 1

    def count(self, kind: str) -> int:
        """How many events of `kind` this process has reported."""
        return self._seen.get(kind, 0)

    def tell(self, command: str, **arguments: Any) -> None:
        """Send a command; its effect is reported as an event."""
        assert self._stream is not None, f"{self.name} is not running"
        self._stream.setblocking(True)
        try:
            self._stream.sendall(json.dumps({"cmd": command, **arguments}).encode() + b"\n")
        finally:
            self._stream.setblocking(False)
