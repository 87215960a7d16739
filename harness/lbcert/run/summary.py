"""The last lines of a run: results per deployment, what was not strict, where the report is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..catalogue import DOSSIER
from ..report.model import DESELECTED
from ..report.text import visible

_GOOD = {"certified": {"green": True}, "partial": {"yellow": True}}


def summarize(reporter, report: dict[str, Any], folder: Path) -> None:
    """Write the summary of `report` to pytest's terminal."""
    reporter.section("lbcert")
    dut = report["dut"]
    reporter.write_line(visible(f"{dut['name']} {dut['version'] or ''}".rstrip()))
    for deployment in report["deployments"]:
        counts: dict[str, int] = {}
        for row in deployment["requirements"]:
            if row.get("group") == DOSSIER:
                continue
            counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
        text = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        reporter.write_line(f"{deployment['id']}: {deployment['result']} ({text})",
                            **_GOOD.get(deployment["result"], {"red": True}))  # fmt: skip
        said: dict[tuple[str, str], list[str]] = {}
        for row in deployment["requirements"]:
            if row["verdict"] not in ("pass", "measured") and row["tests"] and row["reason"] != DESELECTED:
                said.setdefault((row["verdict"], _brief(row["reason"])), []).append(row["id"])
        for (verdict, reason), ids in said.items():
            reporter.write_line(visible(f"  {', '.join(ids)} {verdict}: {reason}"))
    try:
        shown = folder.relative_to(Path.cwd())
    except ValueError:
        shown = folder
    reporter.write_line(f"report: {shown}/report.html")


def _brief(reason: str) -> str:
    """One line of a reason; a heading alone says nothing, so it takes its first line along."""
    lines = reason.splitlines() or [""]
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
