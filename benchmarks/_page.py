"""docs/benchmarks.md, from the published figures: `python benchmarks/_page.py` writes it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from _figures import shown, target

HERE = Path(__file__).resolve().parent
REFERENCE = HERE / "reference.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"

TITLES = {
    "lab_ready": "Until a lab is ready",
    "handshakes": "Handshakes per second",
    "held": "Sessions held at once",
    "sip": "SIP",
    "verdict_cost": "What a verdict costs",
    "web": "Requests per second over HTTP",
}
INTRODUCTION = """# Benchmarks

`make bench` measures the suite itself, not a product: balancer, servers, capture and clients share the cores of one machine.
It writes to `benchmarks/results/<UTC time>.json`, with a description of the machine; `make bench ARGS="held --quick"` runs
one of them, shortly. This page is written from the published figures, `benchmarks/reference.json`. Where something was measured
several times, the smallest and the largest value stand beside the median.
"""


def page(results: dict[str, Any]) -> str:
    """The page as Markdown."""
    machine = table(("", ""), results["machine"].items())
    parts = [INTRODUCTION, f"## The machine\n\nMeasured on {results['date'][:10]}.\n", machine]
    cores = results["machine"]["cores"]
    for name, found in results["benchmarks"].items():
        text = (HERE / f"{name}.py").read_text(encoding="utf-8").split('"""')[1].strip()
        parts += [f"## {TITLES[name]}\n", f"{text}\n"]
        if found["load_before"] > cores / 2:
            parts.append(f"**Other work was on the machine**: the load was {found['load_before']:g} on {cores} cores when this "
                         "began. Rates and times are those of such a machine, and a share drifts towards 1, because both clients "
                         "wait for a processor; processor times and memory suffer less.\n")  # fmt: skip
        parts += [f"{note}\n" for note in found["notes"]]
        rows = [(one["name"], f"{shown(one['median'])} {one['unit']}".rstrip(), spread(one), target(one))
                for one in found["figures"]]  # fmt: skip
        parts.append(table(("figure", "median", "from, to", "target"), rows))
    return "\n".join(parts)


def spread(figure: dict[str, Any]) -> str:
    if figure["times"] == 1:
        return "once"
    return f"{shown(figure['minimum'])} to {shown(figure['maximum'])}, {figure['times']} times"


def table(head, rows) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(map(str, row))} |" for row in rows)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(REFERENCE.read_text(encoding="utf-8"))), encoding="utf-8")
