"""The one event loop of pytest's side: clients, mock servers' reports, the broker's news, timers.

Plain epoll. An asyncio client reached half its speed on the same connections (what this one does is in docs/benchmarks.md),
and tests read better without colour: a test says what happens, and `run_until` says for how long.
"""

from __future__ import annotations

import heapq
import itertools
import select
import time
from collections.abc import Callable

from .deadlines import Deadline

READ = select.EPOLLIN
WRITE = select.EPOLLOUT


class Loop:
    """epoll plus a heap of timers. Not thread-safe; one per lab."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def watch(self, fd: int, mask: int, callback: Callable[[int], None]) -> None:
        """Call `callback(events)` when `fd` is ready for one of `mask`."""
        if fd in self._watched:
            self._epoll.modify(fd, mask)
        else:
            self._epoll.register(fd, mask)
        self._watched[fd] = callback

    def forget(self, fd: int) -> None:
        """Stop watching `fd`; call it before closing the descriptor."""
        if self._watched.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), callback))

    def step(self, longest: float) -> None:
        """Handle what is ready, waiting at most `longest` seconds for something to be."""
        now = time.monotonic()
        if self._timers:
            longest = min(longest, max(0.0, self._timers[0][0] - now))
        for fd, events in self._epoll.poll(longest, 512):
            callback = self._watched.get(fd)
            if callback:
                callback(events)
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()

    def run_until(self, done: Callable[[], bool], deadline: Deadline) -> bool:
        """Run until `done()` holds (True) or the deadline is reached (False)."""
        while not done():
            if deadline.expired:
                return False
            self.step(min(deadline.remaining, 0.25))
        return True

    def run_for(self, seconds: float) -> None:
        """Let `seconds` pass, handling what happens; for tests whose stimulus is time itself."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.step(left)

    def close(self) -> None:
        self._watched.clear()
        self._timers.clear()
        self._epoll.close()
