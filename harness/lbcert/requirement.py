"""The mark that ties a test to the requirements it judges."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .dut_model import VARIANTS, Deployment


def requirement(
    *ids: str,
    timing: bool = False,
    when: Callable[[Deployment], bool] = lambda deployment: True,
    variant: str | None = None,
    exploration: bool = False,
    security: bool = False,
) -> Callable:
    """Mark a test as judging the requirements `ids`.

    `timing` makes it take one of the machine's two slots; `when` leaves out deployments for which the test has no
    meaning; `variant` runs it on that variant of the deployment (one value of the configuration changed, dut.yaml);
    an `exploration` runs with --explore only; with `security` the servers of its lab can do TLS and CredSSP.
    """
    if variant is not None and variant not in VARIANTS:
        raise ValueError(f"{variant!r} is no known variant; known: {', '.join(VARIANTS)}")

    def mark(function: Callable) -> Callable:
        function = pytest.mark.requirement(*ids, when=when, variant=variant, security=security)(function)
        function = pytest.mark.exploration(function) if exploration else function
        return pytest.mark.timing(function) if timing else function

    return mark
