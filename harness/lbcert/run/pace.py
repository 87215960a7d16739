"""How a timer that is longer than a test should take is judged: on a faster clock, on a variant, or in real time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..drivers import faster, has_faster_clock
from ..dut_model import (
    IDLE_FLOOR,
    POOL_IDLE_FLOOR,
    POOL_LIFETIME_FLOOR,
    SHORT_IDLE,
    SHORT_LIFETIME,
    VARIANTS,
    Deployment,
    Product,
)
from ..verdicts import NO_VARIANT

TIMERS = ("fast", "real")
"""values of --timers"""


class NoPace(Exception):
    """The timer cannot be judged in a reasonable time; the message says why, and how it can."""


@dataclass(frozen=True)
class LongTimer:
    """A kind of timer that tests ask for by name."""

    variant: str
    """the variant of a deployment in which it is short"""
    short: float
    """s that it takes there"""
    span: Callable[[Deployment], float]
    """s that a test must see pass of the deployment itself"""


LONG_TIMERS = {
    "idle": LongTimer("short-idle", SHORT_IDLE, lambda deployment: _number(deployment.declares.idle, _floor(deployment.profile))),
    # Clients come back at 95 % of what is judged, and not all at once: a part of the lifetime is left for that.
    "lifetime": LongTimer("short-lifetime", 0.8 * SHORT_LIFETIME, lambda _: 0.95 * POOL_LIFETIME_FLOOR),
}


@dataclass(frozen=True)
class Pace:
    """How one test judges its long timer."""

    how: str
    """faster: the product runs on a faster clock; variant: on the variant with the short timer; real: neither"""
    span: float
    """s of the product's own clock that are judged"""
    rate: int = 1
    """how many times faster that clock is, nominally"""
    variant: str | None = None


def choose(product: Product, deployment: Deployment, timers: str, name: str) -> Pace:
    """The pace of a test with the long timer `name`; NoPace if there is none."""
    timer = LONG_TIMERS[name]
    span = timer.span(deployment)
    if timers == "real":
        return Pace("real", span)
    able = has_faster_clock(product)
    if able and faster.library():
        return Pace("faster", span, faster.RATE)
    if timer.variant in deployment.variants:
        return Pace("variant", timer.short, variant=timer.variant)
    if able:
        raise NoPace(f"the faster clock needs the library {faster.PACKAGE} (apt-get install {faster.PACKAGE}), which is not "
                     f"on this machine; `--timers real` does without it and takes {_span(1.05 * span)}")  # fmt: skip
    raise NoPace(f"{NO_VARIANT}: {deployment.id} offers none in which {VARIANTS[timer.variant]} (dut.yaml: variants: "
                 f"{timer.variant}), and products of driver {product.driver} have no faster clock; `--timers real` takes "
                 f"{_span(1.05 * span)}")  # fmt: skip


def _floor(profile: str) -> float:
    return POOL_IDLE_FLOOR if profile == "ocs" else IDLE_FLOOR


def _number(value: float | str | None, otherwise: float) -> float:
    return float(value) if isinstance(value, (int, float)) else otherwise


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.3g} h" if seconds >= 3600 else f"{seconds / 60:.3g} min"
