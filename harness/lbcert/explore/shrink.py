"""Shortening a sequence: steps are left out, then their numbers made smaller, as long as it still violates the model.

Each candidate is a lab of its own, some tenths of a second, so the ways of shortening are few and go from coarse to fine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from .printing import Steps

Needed = Callable[[Steps], Steps | None]
"""the steps of a candidate up to its violation; None if it shows none"""


def shortened(steps: Steps, needed: Needed, until: float) -> Steps:
    """The shortest sequence found by `until` (monotonic); if that leaves time enough, one without a step too many."""
    best, before = list(steps), None
    while best != before and time.monotonic() < until:
        before = best
        for way in (_with_fewer_steps, _with_smaller_numbers):
            best = way(best, needed, until)
    return best


def _with_fewer_steps(steps: Steps, needed: Needed, until: float) -> Steps:
    size = len(steps) // 2
    while size:
        # The last step shows the violation and stays.
        start = len(steps) - 1 - size
        while start > -size and time.monotonic() < until:
            shorter = [*steps[: max(0, start)], *steps[start + size :]]
            if found := needed(shorter):
                steps = found
                start = min(start, len(steps) - 1)
            start -= size
        size //= 2
    return steps


def _with_smaller_numbers(steps: Steps, needed: Needed, until: float) -> Steps:
    place = 0
    while place < len(steps) and time.monotonic() < until:
        name, arguments = steps[place]
        for simpler in _simpler(arguments):
            if found := needed([*steps[:place], (name, simpler), *steps[place + 1 :]]):
                steps = found
                break
        else:
            place += 1
    return steps


def _simpler(arguments: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for place, value in enumerate(arguments):
        if isinstance(value, int):
            for smaller in dict.fromkeys((0, value // 2, value - 1)):
                if 0 <= smaller < value:
                    yield (*arguments[:place], smaller, *arguments[place + 1 :])
