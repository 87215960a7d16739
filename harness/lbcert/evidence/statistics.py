"""Exact statistics: regions are fixed before a sample is taken, from the error rate stated with them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from math import comb, factorial, prod

ERROR_RATE = Fraction(1, 1_000_000)
"""chance that a fair balancer leaves the region of one server in one sample"""

_EXACT_UP_TO = 500
"""users; with more the fractions take longer than the test"""
_DIGITS = 60


@cache
def binomial_region(n: int, servers: int, error: Fraction = ERROR_RATE) -> tuple[int, int]:
    """The counts of one of `servers` equal servers that `n` independent users give with probability 1 - `error`.

    Two-sided and exact: each tail outside the region holds at most half of `error`.
    """
    if n > _EXACT_UP_TO:
        return _large_region(n, servers, error)
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


def _large_region(n: int, servers: int, error: Fraction) -> tuple[int, int]:
    """The same for many users, where fractions would have as many digits as there are users.

    Sixty digits decide as exactly: rounding changes a tail by less than 4 n units of the last one. ArithmeticError where
    a tail is too close to the limit to say.
    """
    if servers == 1:
        return n, n
    context = Context(prec=_DIGITS, Emin=-(10**15), Emax=10**15)
    others = Decimal(servers - 1)
    half = context.divide(Decimal(error.numerator), Decimal(2 * error.denominator))
    close = context.scaleb(half, 10 - _DIGITS) * n

    def steps(weight: Decimal, odds: Decimal) -> int:
        """How many counts, from the end of which `weight` is the first, lie outside; `odds`: of the next against this."""
        tail = Decimal(0)
        for outside in range(n + 1):
            tail = context.add(tail, weight)
            if abs(context.subtract(tail, half)) <= close:
                raise ArithmeticError(f"the region of {n} users on {servers} servers needs more than {_DIGITS} digits")
            if tail > half:
                return outside
            weight = context.divide(context.multiply(context.multiply(weight, Decimal(n - outside)), odds), Decimal(outside + 1))
        raise ValueError(f"an error rate of {error} leaves no region")

    share = context.divide(others, Decimal(servers))
    low = steps(context.power(share, n), context.divide(Decimal(1), others))
    high = n - steps(context.power(context.divide(Decimal(1), Decimal(servers)), n), others)
    return low, high


def chance_to_repeat(counts: Iterable[int]) -> Fraction:
    """The chance that users who are dealt out anew, as many to each server as before, all get the server they had."""
    counts = list(counts)
    return Fraction(prod(factorial(count) for count in counts), factorial(sum(counts)))
