"""What `lbcert check` prints: the guesses, and the results with the lines to change."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..addresses import endpoint
from ..report import model
from .explain import changes
from .guess import Candidate

if TYPE_CHECKING:
    from .command import Checked

WIDTH = 118
_UNMET = ("fail", "non-strict")
_OPEN = ("harness-error", "setup-error", "blocked", "not-run")


def guesses(found: Checked) -> list[str]:
    """What is tested and what not, each value with where it comes from."""
    lines = [f"{', '.join(name for name, _ in found.source.files)}, run with HAProxy {found.version}"]
    for one in found.candidates:
        lines += ["", f"tested as profile rdp: {endpoint(*one.vip)} ({one.id})"]
        for guess in one.guesses:
            value = "none" if guess.value is None else guess.value if isinstance(guess.value, str) else json.dumps(guess.value)
            lines += [f"  {guess.key}: {value}", *_wrapped(guess.origin, "      from: ")]
    if found.assumed.said:
        lines += ["", "made up for the lab:"]
        lines += [line for what, why in found.assumed.said for line in _wrapped(f"{what} ({why})", "  ")]
    if found.choice.left_out:
        lines += ["", "not tested:"]
        lines += [line for what, why in found.choice.left_out for line in _wrapped(f"{what}: {why}", "  ")]
    return lines


def results(report: dict[str, Any], known: dict[str, Candidate], some: bool) -> list[str]:
    """The result of each deployment, and each requirement that is not met, with the lines to change."""
    lines: list[str] = []
    for deployment in report["deployments"]:
        rows = [row for row in deployment["requirements"] if not (some and row["reason"].startswith(model.DESELECTED))]
        counts: dict[str, int] = {}
        for row in rows:
            counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
        text = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        result = "only some requirements were asked for" if some else deployment["result"]
        lines += ["", f"{deployment['id']}: {result} ({text})"]
        for verdict in _UNMET:
            for row in sorted(rows, key=lambda row: row["level"] != "MUST"):
                if row["verdict"] == verdict:
                    lines += _row(row, known.get(deployment["id"]))
        lines += _unjudged(rows)
    return lines


def _unjudged(rows: list[dict[str, Any]]) -> list[str]:
    """Those that were not judged, by reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["verdict"] in _OPEN:
            reasons.setdefault((row["verdict"], _plain(row["reason"])), []).append(row["id"])
    lines = [""] if reasons else []
    for (verdict, reason), ids in reasons.items():
        lines += _wrapped(f"{verdict}: {', '.join(ids)}: {reason}", "  ")
    return lines


def _row(row: dict[str, Any], one: Candidate | None) -> Iterator[str]:
    yield ""
    yield f"{row['id']} {row['level']}, {row['verdict']}: {row['title']}"
    yield from _wrapped(_seen(row), "    seen:   ")
    yield from _wrapped(row["why"], "    why:    ")
    named = changes(row["id"], one) if one else []
    for change in named:
        yield from _wrapped(change.text, "    change: ")
    if not named:
        yield from _wrapped(row["remedy"], "    remedy: ")


def _seen(row: dict[str, Any]) -> str:
    test = next((test for test in row["tests"] if test["verdict"] == row["verdict"]), None)
    return _plain((test or {}).get("observed") or row["reason"])


def _plain(text: str) -> str:
    """One line, safe for a terminal: what a product logged may hold anything."""
    return "".join(char if char.isprintable() else " " for char in " ".join(text.split()))[:600]


def _wrapped(text: str, first: str) -> list[str]:
    # Words are not broken: what is in backquotes is to be copied.
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=first, subsequent_indent=" " * len(first),
                         break_long_words=False, break_on_hyphens=False) or [first]  # fmt: skip
