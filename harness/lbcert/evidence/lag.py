"""How late this process wakes up, measured all the time, so that a slow machine is not taken for a slow product."""

from __future__ import annotations

import threading
import time

TICK = 0.02
NOTED = 0.01
"""s: smaller lags are not kept"""


class LagProbe:
    """A thread that sleeps and notes by how much it overslept."""

    def __init__(self) -> None:
        self._lags: list[tuple[int, float]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lbcert-lag", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            due = time.monotonic() + TICK
            if self._end.wait(TICK):
                return
            late = time.monotonic() - due
            if late > NOTED:
                self._lags.append((time.time_ns(), late))

    def take(self) -> list[tuple[int, float]]:
        """The lags noted since the last call, as (time in ns at the end of the lag, s)."""
        lags, self._lags = self._lags, []
        return lags

    def close(self) -> None:
        self._end.set()
        self._thread.join()
