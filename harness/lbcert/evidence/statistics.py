"""Exact statistics: regions are fixed before a sample is taken, from the error rate stated with them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from math import comb, factorial, prod

ERROR_RATE = Fraction(1, 1_000_000)
"""chance that a fair balancer leaves the region of one server in one sample"""


@cache
def binomial_region(n: int, servers: int, error: Fraction = ERROR_RATE) -> tuple[int, int]:
    """The counts of one of `servers` equal servers that `n` independent users give with probability 1 - `error`.

    Two-sided and exact: each tail outside the region holds at most half of `error`.
    """
    p = Fraction(1, servers)
    weights = [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    half = error / 2
    low, tail = 0, Fraction(0)
    while tail + weights[low] <= half:
        tail += weights[low]
        low += 1
    high, tail = n, Fraction(0)
    while tail + weights[high] <= half:
        tail += weights[high]
        high -= 1
    return low, high


def chance_to_repeat(counts: Iterable[int]) -> Fraction:
    """The chance that users who are dealt out anew, as many to each server as before, all get the server they had."""
    counts = list(counts)
    return Fraction(prod(factorial(count) for count in counts), factorial(sum(counts)))
