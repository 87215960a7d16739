"""What a benchmark says: one line per figure on the terminal, and the same in a file."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Figures:
    """The figures of one benchmark: each measured once or several times, some with a target."""

    def __init__(self, text: str, argv: Sequence[str] | None = None):
        parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--quick", action="store_true", help="a tenth of the work: shows that it runs, not how fast")
        parser.add_argument("--into", type=Path, metavar="FILE", help="where the figures go as JSON as well")
        options = parser.parse_args(argv)
        self.quick: bool = options.quick
        self.into: Path | None = options.into
        self.taken: list[dict[str, Any]] = []
        self.notes: list[str] = []

    def add(self, name: str, values: float | Sequence[float], unit: str, at_most: float | None = None,
            at_least: float | None = None) -> float:  # fmt: skip
        """One figure; several `values` are repetitions, of which the median is held to the target. Returns that median."""
        every = list(values) if isinstance(values, Sequence) else [values]
        taken = {"name": name, "unit": unit, "minimum": min(every), "median": statistics.median(every), "maximum": max(every),
                 "times": len(every)}  # fmt: skip
        if at_most is not None:
            taken |= {"at_most": at_most, "met": taken["median"] <= at_most}
        if at_least is not None:
            taken |= {"at_least": at_least, "met": taken["median"] >= at_least}
        self.taken.append({key: rounded(value) if isinstance(value, float) else value for key, value in taken.items()})
        print(line(self.taken[-1]), flush=True)
        return taken["median"]

    def note(self, text: str) -> None:
        """A sentence that the figures need to be understood."""
        self.notes.append(text)
        print(text, flush=True)

    def save(self) -> None:
        if self.into:
            self.into.write_text(json.dumps({"figures": self.taken, "notes": self.notes}))


def rounded(value: float) -> float:
    """Four digits, which is more than any of these figures repeats."""
    return float(f"{value:.4g}")


def shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def target(figure: dict[str, Any]) -> str:
    """The target of a figure and whether it was met; empty without one."""
    if "met" not in figure:
        return ""
    side = f"at most {shown(figure['at_most'])}" if "at_most" in figure else f"at least {shown(figure['at_least'])}"
    return f"{side}: {'met' if figure['met'] else 'missed'}"


def line(figure: dict[str, Any]) -> str:
    text = f"{figure['name']}: {shown(figure['median'])} {figure['unit']}"
    if figure["times"] > 1:
        text += f" (median of {figure['times']}; {shown(figure['minimum'])} to {shown(figure['maximum'])})"
    return f"{text}   [{target(figure)}]" if target(figure) else text
