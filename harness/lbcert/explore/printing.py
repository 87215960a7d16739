"""A sequence of steps as a test that can be pasted into a suite."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .violation import Violation

Steps = Sequence[tuple[str, tuple]]
NAME = "test_found_by_exploration"


def as_lines(steps: Steps) -> list[str]:
    """connect(3, 0), ..."""
    return [f"{name}({', '.join(map(repr, arguments))})" for name, arguments in steps]


def as_test(steps: Steps, violation: Violation, variant: str | None = None) -> str:
    """Python for a file in a suite; it fails as long as the product, or this variant of it, does what it did."""
    marks = "timing=True" if variant is None else f'timing=True, variant="{variant}"'
    said = textwrap.fill(f"{violation.observed}.", 120, subsequent_indent="    ", break_on_hyphens=False)
    lines = "\n".join(f"    explorer.{line}" for line in as_lines(steps))
    return (
        "from lbcert.api import Explorer, Lab, requirement\n\n\n"
        f'@requirement("{violation.requirement}", {marks})\n'
        f"def {NAME}(lab: Lab) -> None:\n"
        f'    """{said}"""\n'
        "    explorer = Explorer(lab)\n"
        f"{lines}\n"
        "    explorer.finish()\n"
    )
