"""What a mock server says and hears after its Confirm when it is told to hold a conversation."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Mapping
from typing import Any

from ..wire.octets import stream, summary


class Conversation:
    """Sends an answer and a body of its own, listens, and says a last word when it has heard enough.

    `plan`: `answer` (hex), `body` and `tail` (numbers of bytes to send right after the answer, and last), `expect` (bytes
    of the client until the tail is due, or `eof`: its FIN), `drip` (seconds between single bytes of the answer; 0: in one
    piece). This side closes when all is said. The contents follow from `name`, which no two connections share.
    """

    def __init__(self, transport: asyncio.Transport, user: str, name: str, plan: Mapping[str, Any]):
        self.transport = transport
        self.user = user
        self.plan = plan
        answer = bytes.fromhex(plan["answer"])
        self.sent = b""
        self.heard = b""
        self._tail = stream(f"{name} tail", plan.get("tail", 0))
        self._over = False
        self._ended = False
        body = stream(f"{name} body", plan.get("body", 0))
        if pause := plan.get("drip", 0):
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._waiting = deque([*(answer[i : i + 1] for i in range(len(answer))), body])
            self._next(pause)
        else:
            self._waiting = deque()
            self._say(answer + body)
            self._consider()

    def _next(self, pause: float) -> None:
        self._say(self._waiting.popleft())
        if self._waiting:
            asyncio.get_running_loop().call_later(pause, self._next, pause)
        else:
            self._consider()

    def _say(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)
            self.sent += data

    def hear(self, data: bytes) -> None:
        self.heard += data
        self._consider()

    def end(self) -> bool:
        """The client's FIN; whether this side stays open."""
        self._ended = True
        self._consider()
        return self.plan.get("expect") == "eof" and not self._over

    def _consider(self) -> None:
        expected = self.plan.get("expect", 0)
        enough = self._ended if expected == "eof" else len(self.heard) >= expected
        if self._over or self._waiting or not enough:
            return
        self._say(self._tail)
        self._over = True
        self.transport.close()

    def told(self) -> dict[str, Any]:
        """Both directions, summed up; `heard` is what followed the first packet."""
        return {"user": self.user, "sent": summary(self.sent), "heard": summary(self.heard)}
