"""A timeout that does not blame others for our own pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

TOLERATED_LATENESS = 0.02
"""s that the event loop may be late before a deadline counts as not given."""


class Deadline:
    """Calls `expired` after `seconds`.

    On a busy machine this very process may not have run meanwhile, and what it waited for lies unread: a timer that
    fires late gives the time again, once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, expired: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._expired = expired
        self._again = False
        self._handle = loop.call_later(seconds, self._fire)

    def cancel(self) -> None:
        self._handle.cancel()

    def _fire(self) -> None:
        late = self._loop.time() - self._handle.when()
        if late > TOLERATED_LATENESS and not self._again:
            self._again = True
            self._handle = self._loop.call_later(self._seconds, self._fire)
        else:
            self._expired()
