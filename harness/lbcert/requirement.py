"""The mark that ties a test to the requirements it judges."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .dut_model import VARIANTS, Deployment
from .run.pace import LONG_TIMERS
from .topology.plan import ROUTINGS


in_turn = pytest.mark.parametrize("turn", range(3), ids=["first", "second", "third"])
"""One test for each server, which fails in its turn (`settle_clients`): a line of a configuration is about one server only. Where there
are two, one fails twice; of more than three, three do."""


def requirement(
    *ids: str,
    timing: bool = False,
    when: Callable[[Deployment], bool] = lambda deployment: True,
    variant: str | None = None,
    exploration: bool = False,
    long: str | None = None,
    security: bool = False,
    routing: str | None = None,
) -> Callable:
    """Mark a test as judging the requirements `ids`.

    `timing` makes it take one of the machine's slots; `when` leaves out deployments for which the test has no
    meaning; `variant` runs it on that variant of the deployment (one value of the configuration changed, dut.yaml);
    an `exploration` runs with --explore only; `long` names the timer of the product that takes longer than a test should
    (see `pace`): with --timers fast the product runs on a faster clock, or else on the variant with the short timer; with
    `security` the servers of its lab can do TLS and CredSSP; `routing` names what is wrong with the routes of its lab.
    """
    if routing is not None and routing not in ROUTINGS:
        raise ValueError(f"{routing!r} is no known routing; known: {', '.join(ROUTINGS)}")
    if long is not None and long not in LONG_TIMERS:
        raise ValueError(f"{long!r} is no known long timer; known: {', '.join(LONG_TIMERS)}")
    if variant is not None and variant not in VARIANTS:
        raise ValueError(f"{variant!r} is no known variant; known: {', '.join(VARIANTS)}")

    def mark(function: Callable) -> Callable:
        facts = {"when": when, "variant": variant, "long": long, "security": security, "routing": routing}
        function = pytest.mark.requirement(*ids, **facts)(function)
        function = pytest.mark.exploration(function) if exploration else function
        return pytest.mark.timing(function) if timing else function

    return mark
