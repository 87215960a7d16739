"""The picture of who served which port of which client: a grid with a mark for each server, and the split rows in red.

Coordinates as in `charts`: a drawing 360 wide.
"""

from __future__ import annotations

from typing import Any

WIDTH = 360
MOST = 60
"""rows that are drawn; split ones come first"""
_LABEL, _TOP, _PITCH = 96, 84, 13
_RIGHT = 40
"""room for the last column's slanted name"""


def layout(figure: dict[str, Any], roles: int) -> dict[str, Any]:
    """The drawing: `roles` different marks there are for servers."""
    columns, rows = figure["columns"], sorted(figure["rows"], key=lambda row: not split(row))
    names = list(dict.fromkeys(cell for row in figure["rows"] for cell in row["cells"] if cell))
    names.sort()
    step = (WIDTH - _LABEL - _RIGHT) / max(1, len(columns))
    drawn = []
    for number, row in enumerate(rows[:MOST]):
        y = _TOP + number * _PITCH
        cells = []
        for column, cell in enumerate(row["cells"]):
            if cell is None:
                continue
            role = f"s{names.index(cell) % roles}" if cell else "none"
            words = f"{row['label']} on {columns[column]}: {cell or 'no answer'}"
            cells.append({"x": round(_LABEL + step * (column + 0.5), 1), "y": y, "role": role, "full_label": words})
        drawn.append({"label": row["label"], "y": y, "split": split(row), "cells": cells})
    bottom = _TOP + len(drawn) * _PITCH
    counts = {name: sum(1 for row in figure["rows"] if name in row["cells"]) for name in names}
    legend, at, line = [], 0.0, 0
    lost = sum(row["cells"].count("") for row in figure["rows"])
    known = [(f"s{number % roles}", f"{name} ({counts[name]})") for number, name in enumerate(names)]
    for role, label in [*known, *([("none", f"no answer ({lost})")] if lost else [])]:
        width = 24 + 7.5 * len(label)
        if at + width > WIDTH and at > 0:
            at, line = 0.0, line + 1
        legend.append({"x": round(at, 1), "y": bottom + 12 + line * 20, "role": role, "label": label})
        at += width
    torn = sum(1 for row in figure["rows"] if split(row))
    text = f"{len(rows)} clients on {len(columns)} ports, {torn} of them split between servers"
    text += f", {lost} connections without an answer" if lost else ""
    text += "".join(f"; {name} served {count}" for name, count in counts.items())
    more = len(rows) - len(drawn)
    hidden = f"{torn - MOST} of them split" if torn > MOST else "none of them split"
    return {"kind": "grid", "title": figure["title"], "zero": "", "width": WIDTH, "height": bottom + 26 + line * 20, "rows": drawn,
            "columns": [{"x": round(_LABEL + step * (n + 0.5), 1), "label": name} for n, name in enumerate(columns)],
            "top": _TOP, "left": _LABEL, "legend": legend, "more": f"and {more} more clients, {hidden}" if more > 0 else "",
            "text": text + "."}  # fmt: skip


def split(row: dict[str, Any]) -> bool:
    """Whether the client was on more than one server, or somewhere on none."""
    seen = {cell for cell in row["cells"] if cell is not None}
    return len(seen) > 1 or seen == {""}
