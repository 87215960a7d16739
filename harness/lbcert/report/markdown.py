"""A report as Markdown, for pull requests and chat: results first, then a table and what did not pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lbcert.verdicts import Verdict

_SIGN = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.NON_STRICT: "!", Verdict.MEASURED: "≈"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def render(report: Mapping[str, Any]) -> str:
    """The Markdown text of a report.json."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    dut = report["dut"]
    yield f"# {_plain(dut['name'])} {_plain(dut['version'] or '')}".rstrip()
    yield ""
    yield f"Certified by lbcert {_plain(report['suite']['version'])} on {_plain(report['started'])}, {report['duration_s']:.0f} s."
    for note in report.get("notes", []):
        yield f"\n> {_plain(note)}"
    for deployment in report["deployments"]:
        yield from _deployment(deployment)
    yield "\n## What this report does not prove\n"
    yield from (f"- {_plain(text)}" for text in report.get("not_proved", []))


def _deployment(deployment: Mapping[str, Any]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for row in deployment["requirements"]:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    yield f"\n## {_plain(deployment['id'])}: {deployment['result']}\n"
    declared = ", ".join(f"{_plain(key)} {_plain(value)}" for key, value in _flat(deployment["declares"]))
    yield f"Declared, and held to it: {declared or 'nothing'}.\n"
    yield ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + ".\n"
    yield "| | requirement | level | what it asks | verdict |"
    yield "|---|---|---|---|---|"
    for row in deployment["requirements"]:
        sign = _SIGN.get(Verdict(row["verdict"]), "–")
        yield f"| {sign} | {row['id']} | {row['level']} | {_plain(row.get('title', ''))} | {row['verdict']} |"
    for row in deployment["requirements"]:
        if row["verdict"] not in (Verdict.PASS, Verdict.MEASURED) and row["tests"]:
            yield f"\n**{row['id']} {row['verdict']}**: {_plain(row['reason'])}\n"
            for test in row["tests"]:
                if test["observed"]:
                    yield f"- {_plain(test['observed'])}"
            if row.get("remedy"):
                yield f"- How to fix it: {row['remedy'].strip()}"
            if row.get("reproduce"):
                yield f"- Repeat it: `{row['reproduce']}`"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{prefix} {key}".strip()
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, value


def _plain(value: Any) -> str:
    """Text from outside as text: nothing of it is Markdown, and it stays on its line."""
    text = " ".join(str(value).split())
    return _SPECIAL.sub(r"\\\1", text)
