"""A step of an exploration: noted, and what becomes of a violation in it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..lab import Ended
from .violation import Violation

if TYPE_CHECKING:
    from .basics import Basics


def step(action: Callable[..., None]) -> Callable[..., None]:
    """Note the step. In a pasted test a violation ends it with that verdict; an exploration asks for the exception."""

    @functools.wraps(action)
    def noted(self: Basics, *arguments) -> None:
        self.steps.append((action.__name__, arguments))
        began = time.monotonic()
        try:
            action(self, *arguments)
        except Violation as violation:
            violation.certain = not self.hurry or began >= self.sure_at
            if self.raises:
                raise
            raise Ended(self.finding(violation).verdict, violation.observed) from None

    return noted
