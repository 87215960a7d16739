"""In which order the tests of a run stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def arranged(items: Sequence[T], ids: Callable[[T], Sequence[str]], rows: Mapping[str, Any], long: Collection[T]) -> list[T]:
    """Tests of requirements that others need come before those; `long` tests, half a minute or more each, come before all that may.

    xdist sends a worker two tests at a time (see `plugin`): what stands behind a long one is none that others wait for.
    """
    needed = {need for row in rows.values() for need in row.needs}
    order = sorted(items, key=lambda item: (max(depth(rows, name) for name in ids(item)), item not in long))
    first = [item for item in order if item in long and not any(rows[name].needs for name in ids(item))]
    apart = [item for item in order if item not in long and not any(name in needed or rows[name].needs for name in ids(item))]
    pairs = [one for pair in zip(first, apart, strict=False) for one in pair] + first[len(apart) :]
    return pairs + [item for item in order if item not in pairs]


def depth(rows: Mapping[str, Any], name: str) -> int:
    """How many requirements in a row `name` builds on."""
    return 1 + max((depth(rows, need) for need in rows[name].needs), default=-1)
