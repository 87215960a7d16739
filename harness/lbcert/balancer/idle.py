"""When a session has been silent for long enough to be ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Idle:
    """Calls `expired` once nothing has been `heard` for so many seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, expired: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._expired = expired
        self._last = loop.time()
        self._handle = loop.call_later(seconds, self._look)

    def heard(self, data: bytes) -> None:
        self._last = self._loop.time()

    def cancel(self) -> None:
        self._handle.cancel()

    def _look(self) -> None:
        # A timer that is only moved when it fires: a busy session costs nothing.
        left = self._last + self._seconds - self._loop.time()
        if left > 0:
            self._handle = self._loop.call_later(left, self._look)
        else:
            self._expired()
