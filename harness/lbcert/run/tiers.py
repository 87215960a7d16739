"""Tiers: how often a test runs. A test is of one tier, `ci` unless it is marked otherwise.

pytest.ini declares the tiers, as markers whose text begins with `tier:`. A tier that none of `SCHEDULES` runs would
silently never run, which is an error of whoever declared it.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark.expression import Expression

DEFAULT = "ci"
SCHEDULES = {"make test, make certify": "ci", "make nightly": "ci or nightly"}
"""command -> what it gives pytest as `-m`"""


def declared(markers: Iterable[str]) -> list[str]:
    """The tiers among the lines of pytest.ini's `markers`."""
    lines = (line.partition(":") for line in markers)
    return [name.partition("(")[0].strip() for name, _, text in lines if text.strip().startswith("tier:")]


def unscheduled(tiers: Iterable[str]) -> list[str]:
    """Those of `tiers` that no schedule runs."""
    return [tier for tier in tiers
            if not any(Expression.compile(chosen).evaluate(lambda name, **_: name == tier)
                       for chosen in SCHEDULES.values())]  # fmt: skip


def assign(items: Iterable[pytest.Item], markers: Iterable[str]) -> None:
    """Give every test its tier; raises pytest.UsageError for a test of two, or for a tier that nothing runs."""
    tiers = declared(markers)
    if not tiers:
        return
    if lost := unscheduled(tiers):
        raise pytest.UsageError(f"pytest.ini, markers: no schedule runs the tier {', '.join(lost)}; known: {', '.join(SCHEDULES)}")
    for item in items:
        own = [tier for tier in tiers if item.get_closest_marker(tier)]
        if len(own) > 1:
            raise pytest.UsageError(f"{item.nodeid}: of the tiers {' and '.join(own)}; a test is of one")
        if not own:
            item.add_marker(DEFAULT)
