"""A report as Markdown, for pull requests and chat: results first, then a table and what did not pass.

Everything from outside is text: nothing of it becomes markup, and characters that hide or reorder text are shown as
what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lbcert.report.html import ADVICE, MARKS, RESULT_MARKS, declared, duration, when
from lbcert.report.text import visible
from lbcert.verdicts import Result, Verdict

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&@$])|^([-+=]|\d+(?=[.)] ))")
"""what Markdown or a forge would read as markup; some of it at the beginning of a line only"""
_MISSED = (Verdict.FAIL, Verdict.NON_STRICT)
_MOST = 600
"""characters of one observation; the whole is in report.html"""


def render(report: Mapping[str, Any]) -> str:
    """The Markdown text of a report.json."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    dut = report["dut"]
    yield f"# {_plain(dut['name'])} {_plain(dut['version'] or '(version unknown)')}"
    yield ""
    yield (f"Tested by lbcert {_plain(report['suite']['version'])}, {_plain(when(report['started']))},"
           f" in {duration(report['duration_s'])}.")  # fmt: skip
    for note in report.get("notes", []):
        yield f"\n> {_plain(note)}"
    if not report["deployments"]:
        yield "\nNo deployment was run."
    for deployment in report["deployments"]:
        yield from _deployment(deployment)
    yield "\n## What this report does not prove\n"
    yield from (f"- {_catalogue(text)}" for text in report.get("not_proved", []))


def _deployment(deployment: Mapping[str, Any]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for row in deployment["requirements"]:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    yield f"\n## {RESULT_MARKS[Result(deployment['result'])]} {_plain(deployment['id'])}: {deployment['result']}\n"
    promised = "; ".join(f"{_plain(name)} {_plain(values)}" for name, values in declared(deployment["declares"]))
    yield f"Declared, and held to it: {promised or 'nothing'}.\n"
    yield ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + ".\n"
    yield "| verdict | requirement | level | what it asks |"
    yield "|---|---|---|---|"
    for row in deployment["requirements"]:
        yield f"| {_badge(row)} | {_plain(row['id'])} | {row['level']} | {_plain(row.get('title', ''))} |"
    for row in deployment["requirements"]:
        if row["verdict"] in _MISSED:
            yield from _explained(row)
    yield from _open(deployment)


def _open(deployment: Mapping[str, Any]) -> Iterator[str]:
    """What was not judged or set aside, in a line for each reason, and what to do about it."""
    said: dict[tuple[str, str], list[str]] = {}
    for row in deployment["requirements"]:
        if row["verdict"] not in (*_MISSED, Verdict.PASS, Verdict.MEASURED):
            said.setdefault((row["verdict"], row["reason"]), []).append(row["id"])
    if said:
        yield "\n### Not judged\n"
    for (verdict, reason), ids in said.items():
        yield f"- {MARKS[Verdict(verdict)]} {verdict}: {_plain(', '.join(ids))}: {_plain(reason or 'no reason was recorded')}"
    for verdict in dict.fromkeys(verdict for verdict, _ in said):
        if verdict in ADVICE:
            yield f"\n*{verdict}*: {_catalogue(ADVICE[Verdict(verdict)])}"


def _explained(row: Mapping[str, Any]) -> Iterator[str]:
    """What was seen of a requirement that did not pass, and what can be done."""
    yield f"\n### {_badge(row)}: {_plain(row['id'])}\n"
    yield f"{_catalogue(row.get('title', ''))} **{_plain(row['reason'] or 'No reason was recorded.')}**\n"
    for test in row["tests"]:
        if test["observed"]:
            yield f"- Expected: {_plain(test['expected'])}\n  Observed: {_plain(test['observed'])}"
    if row.get("remedy"):
        yield f"- How to fix it: {_catalogue(row['remedy'])}"
    if row.get("reproduce"):
        yield f"- Repeat it: {_code(row['reproduce'])}"


def _badge(row: Mapping[str, Any]) -> str:
    return f"{MARKS[Verdict(row['verdict'])]} {row['verdict']}"


def _plain(value: Any) -> str:
    """Text from outside as text: nothing of it is Markdown, and it stays on its line."""
    text = visible(" ".join(str(value).split()))
    text = text if len(text) <= _MOST else text[: _MOST - 3] + "..."
    return _SPECIAL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    # A backslash before a digit is a backslash; before the point after it, it is not.
    return f"\\{match[1]}" if match[1] else f"{match[2]}\\" if match[2].isdigit() else f"\\{match[2]}"


def _catalogue(text: str) -> str:
    """Text of the catalogue, whose only markup is `code`; an odd backquote is a character."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _plain(text)
    return "".join(_code(part) if number % 2 else _kept(part) for number, part in enumerate(parts))


def _kept(part: str) -> str:
    """A part of a line, with the blanks at its ends."""
    return (" " if part[:1].isspace() else "") + _plain(part) + (" " if part[1:] and part[-1:].isspace() else "")


def _code(text: str) -> str:
    """Text as `code`, in more backquotes than it has itself."""
    text = visible(" ".join(text.split()))
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    room = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{room}{text}{room}{ticks}"
