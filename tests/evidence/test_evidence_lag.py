"""The lag probe notices when this process does not come to its turn."""

import ctypes
import time

from lbcert.evidence.lag import NOTED, LagProbe

PATIENCE = 10.0


def hold_the_interpreter(seconds: float) -> None:
    """A C call that keeps Python's lock: no other thread runs meanwhile."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def test_a_pause_is_noticed_with_its_length_and_its_end():
    probe = LagProbe()
    began = time.time_ns()
    hold_the_interpreter(0.3)
    held_until = time.time_ns()
    deadline = time.monotonic() + PATIENCE
    lags: list[tuple[int, float]] = []
    while not any(late > 0.2 for _, late in lags) and time.monotonic() < deadline:
        lags += probe.take()
    probe.close()
    ended, late = max(lags, key=lambda lag: lag[1])
    assert late > 0.2 and ended - late * 1e9 < held_until and ended > began


def test_small_lags_are_not_kept_and_others_told_once():
    probe = LagProbe()
    hold_the_interpreter(0.1)
    probe.close()
    assert all(late > NOTED for _, late in probe.take())
    assert probe.take() == []
