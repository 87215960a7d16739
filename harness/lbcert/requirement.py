"""The mark that ties a test to the requirements it judges."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def requirement(*ids: str, timing: bool = False) -> Callable:
    """Mark a test as judging the requirements `ids`; `timing` makes it take one of the machine's two slots."""

    def mark(function: Callable) -> Callable:
        function = pytest.mark.requirement(*ids)(function)
        return pytest.mark.timing(function) if timing else function

    return mark
