"""Exact regions, against sums made another way: counting the ways in which n users can fall on the servers."""

from fractions import Fraction
from math import comb

import pytest

from lbcert.evidence.statistics import ERROR_RATE, binomial_region, chance_to_repeat


def ways(n: int, servers: int, wanted) -> int:
    """In how many of servers**n assignments the first server gets a count in `wanted`."""
    return sum(comb(n, k) * (servers - 1) ** (n - k) for k in wanted)


@pytest.mark.parametrize("n, servers, region", [(200, 2, (66, 134)), (200, 3, (36, 100)), (1, 2, (0, 1)), (200, 1, (200, 200)), (0, 3, (0, 0))])
def test_known_regions(n, servers, region):
    assert binomial_region(n, servers) == region


@pytest.mark.parametrize("servers", [2, 3, 4, 7, 15])
@pytest.mark.parametrize("n", [1, 5, 30, 50, 199, 200, 400, 501, 900])
@pytest.mark.parametrize("error", [ERROR_RATE, Fraction(1, 20)], ids=["1e-6", "5e-2"])
def test_each_tail_holds_half_the_error_and_not_one_count_less(n, servers, error):
    low, high = binomial_region(n, servers, error)
    allowed = error / 2 * servers**n
    assert ways(n, servers, range(low)) <= allowed < ways(n, servers, range(low + 1))
    assert ways(n, servers, range(high + 1, n + 1)) <= allowed < ways(n, servers, range(high, n + 1))


def test_the_stated_error_rate_is_one_in_a_million():
    assert ERROR_RATE == Fraction(1, 10**6)


def test_a_tail_at_the_limit_itself_is_not_decided_by_rounding():
    exact = Fraction(2 * ways(900, 2, range(400)), 2**900)
    with pytest.raises(ArithmeticError, match="900 users on 2 servers"):
        binomial_region(900, 2, exact)


def test_a_hundred_thousand_users():
    low, high = binomial_region(100_000, 2)
    assert low + high == 100_000 and high == 50_773  # 4.892 standard deviations, as 1e-6 asks for


def test_the_mean_is_always_inside():
    for n in range(1, 120):
        low, high = binomial_region(n, 3)
        assert low <= n / 3 <= high


@pytest.mark.parametrize("counts, ways", [([20], 1), ([1, 1], 2), ([2, 2], 6), ([6, 6, 6], 17_153_136), ([18, 2], 190), ([0, 3], 1)])
def test_the_chance_that_everybody_meets_the_same_server_again(counts, ways):
    assert chance_to_repeat(counts) == Fraction(1, ways)
