"""Geometry of the charts. Numbers in, coordinates out; the template draws them.

Coordinates are those of a drawing 360 wide, which is about as wide as a phone, so that the
text stays readable when the drawing is scaled to the page.
"""

from __future__ import annotations

import math
import textwrap
from typing import Any

from . import grid, web

WIDTH = 360
_MARGIN = 10
_LINE = 15
SERVER_COLOURS = 4
"""different marks; a fifth server looks like the first one, its name is in the mark's title"""

#: What the roles of a timeline are called in words.
ROLE_NAMES = {
    "fault": "fault",
    "detection": "detection",
    "served": "served elsewhere",
    "return": "return",
    "close": "session closed",
    "limit": "limit",
    "other": "event",
}


def layout(figure: dict[str, Any]) -> dict[str, Any]:
    """The drawing of one figure of a report."""
    kinds = {"distribution": _distribution, "timeline": _timeline, "answers": _answers,
             "grid": lambda one: grid.layout(one, SERVER_COLOURS), "path": web.path, "kept": web.kept}  # fmt: skip
    return kinds[figure["kind"]](figure)


def _distribution(figure: dict[str, Any]) -> dict[str, Any]:
    """One bar per server, and behind the bars the region that is allowed."""
    servers, allowed = figure["servers"], figure.get("allowed")
    low, high = sorted(allowed) if allowed else (0.0, math.inf)
    scale = _Scale(0.0, max([*servers.values(), *(allowed or []), 1e-9]) * 1.08, _MARGIN, WIDTH - _MARGIN)
    top, pitch = (26 if allowed else 4), 46
    bars = []
    for number, (name, value) in enumerate(servers.items()):
        y = top + number * pitch
        bars.append({"name": _clip(name, 26), "full_name": name, "value": number_text(value), "y": y,
                     "width": round(scale(value) - scale.start, 1), "outside": not low <= value <= high})
    bottom = top + len(bars) * pitch
    region = None
    if allowed:
        middle = (scale(low) + scale(high)) / 2
        region = {"x": scale(low), "x_high": scale(high), "width": round(scale(high) - scale(low), 1),
                  "label": f"allowed: {number_text(low)} to {number_text(high)}",
                  "label_x": min(max(round(middle, 1), 80), WIDTH - 80)}
    unit = figure.get("unit", "")
    outside = [bar["full_name"] for bar in bars if bar["outside"]]
    text = "; ".join(f"{bar['full_name']} {bar['value']} {unit}".strip() for bar in bars)
    if allowed:
        text += f". Allowed: {number_text(low)} to {number_text(high)}. "
        text += f"Outside: {', '.join(outside)}." if outside else "All inside."
    return {"kind": "distribution", "title": figure["title"], "unit": unit, "width": WIDTH, "height": bottom,
            "top": top, "left": _MARGIN, "bars": bars, "region": region, "text": text}


def _timeline(figure: dict[str, Any]) -> dict[str, Any]:
    """One row per event, so that events that are close in time do not cover one another."""
    events = sorted(figure["events"], key=lambda event: event["t"])
    times = [event["t"] for event in events]
    first, last = min(0.0, *times), max(0.0, *times)
    # A little room after the last event, so that a limit at the end is seen as a line.
    scale = _Scale(first, last + 0.04 * (last - first) if last > first else first + 1.0,
                   _MARGIN + 6, WIDTH - _MARGIN - 6)
    rows, y = [], 12
    for event in events:
        words = f"{ROLE_NAMES[event['role']]}: {event['label']}"
        label = textwrap.wrap(words, 40, max_lines=3, placeholder=" ...")
        text_y = y + 8
        dot_y = text_y + (len(label) - 1) * _LINE + 14
        rows.append({"x": scale(event["t"]), "y": dot_y, "text_y": text_y, "label": label,
                     "full_label": event["label"], "role": event["role"], "role_name": ROLE_NAMES[event["role"]],
                     "time": seconds(event["t"])})
        y = dot_y + 14
    zero = figure.get("zero", "")
    ticks = [{"x": scale(t), "label": number_text(t)} for t in _ticks(first, scale.high)]
    limits = [row for row in rows if row["role"] == "limit"]
    text = "; ".join(f"{row['time']} {row['full_label']} ({row['role_name']})" for row in rows) + "."
    return {"kind": "timeline", "title": figure["title"], "zero": zero, "width": WIDTH, "height": y + 26,
            "top": 8, "bottom": y, "left": scale.start, "right": scale.end, "rows": rows, "limits": limits,
            "ticks": ticks, "x_zero": scale(0.0), "text": text}


def _answers(figure: dict[str, Any]) -> dict[str, Any]:
    """One mark per user: to the right when he came, upwards how long his answer took; a cross where none came."""
    visits = figure["visits"]
    times = [visit["t"] for visit in visits]
    waits = [visit["took"] for visit in visits if visit["took"] is not None]
    limit = figure.get("limit")
    first, last = min(0.0, *times), max(0.0, *times)
    across = _Scale(first, last if last > first else first + 1.0, _MARGIN + 34, WIDTH - _MARGIN - 6)
    highest = max([*waits, limit or 0.0, 0.1]) * 1.2
    top, bottom = 30, 170
    up = _Scale(0.0, highest, bottom, top)
    names = list(dict.fromkeys(visit["server"] for visit in visits if visit["server"] is not None))
    marks: dict[tuple[float, float, str], dict[str, Any]] = {}
    for visit in visits:
        x, y = across(visit["t"]), up(visit["took"]) if visit["took"] is not None else top - 16
        role = f"s{names.index(visit['server']) % SERVER_COLOURS}" if visit["server"] is not None else "none"
        words = f"{visit['server']} after {seconds(visit['took'])}" if visit["took"] is not None else "no answer"
        # Marks that would cover one another to the pixel are drawn once.
        mark = {"x": x, "y": y, "role": role, "full_label": f"{seconds(visit['t'])}: {words}"}
        marks.setdefault((round(x), round(y), role), mark)
    lost = [visit["t"] for visit in visits if visit["took"] is None]
    counts = {name: sum(1 for visit in visits if visit["server"] == name) for name in names}
    legend, at, line = [], 0.0, 0
    known = [(f"s{number % SERVER_COLOURS}", f"{_clip(name, 24)} ({counts[name]})") for number, name in enumerate(names)]
    for role, label in [*known, *([("none", f"no answer ({len(lost)})")] if lost else [])]:
        width = 24 + 7.5 * len(label)
        if at + width > WIDTH and at > 0:
            at, line = 0.0, line + 1
        legend.append({"x": round(at, 1), "y": bottom + 40 + line * 20, "role": role, "label": label})
        at += width
    text = f"{len(visits)} connections, {len(lost)} without an answer"
    text += f" (begun from {seconds(min(lost))} to {seconds(max(lost))})" if lost else ""
    text += "".join(f"; {name} answered {count}" for name, count in counts.items())
    text += f"; the longest wait {seconds(max(waits))}" if waits else ""
    text += f"; allowed {seconds(limit)}" if limit else ""
    return {"kind": "answers", "title": figure["title"], "zero": figure.get("zero", ""), "width": WIDTH,
            "height": bottom + 52 + line * 20, "top": top, "bottom": bottom, "left": across.start, "right": across.end,
            "marks": list(marks.values()), "legend": legend, "limit": up(limit) if limit else None,
            "limit_label": f"allowed: {seconds(limit)}" if limit else "", "y_none": top - 16 if lost else None,
            "ticks": [{"x": across(t), "label": number_text(t)} for t in _ticks(first, across.high)],
            "steps": [{"y": up(t), "label": number_text(t) + " s"} for t in _ticks(0.0, highest)], "text": text + "."}


class _Scale:
    """A linear scale from values to coordinates."""

    def __init__(self, low: float, high: float, start: float, end: float):
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)


def _ticks(low: float, high: float) -> list[float]:
    """About five round values."""
    raw = (high - low) / 5
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= raw * 0.999)
    start = math.ceil(low / step - 1e-9)
    return [number * step for number in range(start, math.floor(high / step + 1e-9) + 1)]


def number_text(value: float) -> str:
    """A number without needless digits."""
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"


def seconds(value: float) -> str:
    """A time to the millisecond, from two minutes on to the tenth of a second."""
    digits = 1 if abs(value) >= 120 else 3
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") + " s"


def _clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
