"""Copies of a configuration with one value changed, with which alone some requirements can be judged."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from ..dut_model import SHORT_LIFETIME, SMALL_MAXCONN
from .reader import Line, Section, Text, seconds
from .sources import Source


def short_lived(line: Line) -> tuple[Line, str]:
    """The line of a table, and its text with the lifetime of the variant short-lifetime."""
    return line, re.sub(r"(\bexpire\s+)\S+", rf"\g<1>{SHORT_LIFETIME:g}s", line.text)


def of_pool(text: Text, pairs: Collection[tuple[str, int]]) -> dict[str, tuple[Line, str]]:
    """Those variants of a pool's listeners that are one line of the text: variant -> (the line that differs, its text in the variant).

    short-lifetime where all ports share one table, small-maxconn where they share one `maxconn`.
    """
    binds = [bind for pair in pairs if (bind := text.bound(*pair))]
    tables = {table(text, text.both(bind.section)) for bind in binds}
    limits = {next(iter(bind.section.all("maxconn")[-1:]), None) for bind in binds}
    found = {}
    if len(tables) == 1 and (shared := tables.pop()) and seconds(shared.value("expire")) is not None:
        found["short-lifetime"] = short_lived(shared)
    if len(limits) == 1 and (limit := limits.pop()):
        found["small-maxconn"] = limit, f"maxconn {SMALL_MAXCONN}"
    return {name: (line, new) for name, (line, new) in found.items() if new != line.text}


def rule(sections: list[Section]) -> Line | None:
    """The first rule that binds clients to servers."""
    return next((line for one in sections for line in one.all("stick", "on")), None)


def table(text: Text, sections: list[Section]) -> Line | None:
    """The line of the table which that rule uses."""
    if (first := rule(sections)) is None:
        return None
    named = text.backend(first.value("table") or "")
    return next((line for one in ([named] if named else sections) for line in one.all("stick-table")), None)


def write(folder: Path, source: Source, start: str, changes: Mapping[str, tuple[Line, str]]) -> dict[str, str]:
    """Write a copy for each variant, with its line changed; returns variant -> name of the file, which begins with `start`."""
    names = {}
    for variant, (line, text) in changes.items():
        name = f"{start}-{variant}.cfg"
        rows = source.merged.split("\n")
        number = source.merged_number(line.file, line.number)
        rows[number - 1] = rows[number - 1].replace(line.text, text)
        (folder / name).write_text("\n".join(rows))
        names[variant] = name
    return names
