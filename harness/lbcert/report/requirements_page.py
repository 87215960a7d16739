"""docs/requirements.md: the catalogue for readers. `python -m lbcert.report.requirements_page` writes it.

Which tests judge a requirement is read from the suites' own marks, and which mutants show that they can fail from the
mutants' files, so the page says it of every requirement that has none.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import yaml

from lbcert import catalogue
from lbcert.catalogue import Profile, Requirement
from lbcert.dut import MUTANTS, REPOSITORY
from lbcert.report.model import suite_folder

PAGE = REPOSITORY / "docs" / "requirements.md"
SUITES = REPOSITORY / "suites"
_MARK = "requirement"

Names = Mapping[str, Sequence[str]]
"""requirement id -> names of what is about it"""

_INTRODUCTION = """\
# Requirements

Generated from `catalogue/*.yaml` by `python -m lbcert.report.requirements_page`; change those files, not this page.

A requirement is one clause that traffic can decide. MUST: a deployment that does not meet it fails. SHOULD: not meeting
it is a limitation, which the report names (`non-strict`). MAY: recorded only. *Needs* names a requirement without which
this one cannot be judged; where that one fails, this one is `blocked`.

Ids are given once, and are neither renumbered nor reused. Where a number is missing, the requirement is planned and not yet
in the catalogue; nothing is tested for it.
"""


def page(profiles: Mapping[str, Profile], tests: Names, mutants: Names) -> str:
    """The whole page, in Markdown."""
    parts = [_INTRODUCTION, *_overview(profiles, tests)]
    for profile in profiles.values():
        parts.append(f"## Profile `{profile.name}`: {profile.title}\n")
        for group, rows in groupby(profile, key=lambda row: row.group):
            parts.append(f"### {group}\n")
            parts += [_requirement(profile, row, tests, mutants) for row in rows]
        parts.append(f"### What a pass of `{profile.name}` does not prove\n")
        parts.append("\n".join(f"- {_text(text)}" for text in profile.not_proved) + "\n")
    return "\n".join(parts)


def _overview(profiles: Mapping[str, Profile], tests: Names) -> Iterator[str]:
    yield "| requirement | level | what it asks | tests |"
    yield "|---|---|---|---|"
    for profile in profiles.values():
        for row in profile:
            count = len(tests.get(row.id, ())) or "**none yet**"
            yield f"| [{row.id}](#{row.id.lower()}) | {row.level} | {_cell(row.title)} | {count} |"
    yield ""


def _requirement(profile: Profile, row: Requirement, tests: Names, mutants: Names) -> str:
    needs = ", ".join(f"[{name}](#{name.lower()})" for name in row.needs)
    facts = [row.level, f"feature `{row.feature}`", *([f"needs {needs}"] if needs else [])]
    lines = [
        f"#### {row.id}", "", f"**{_text(row.title)}**", "", " · ".join(facts), "",
        f"- **Passes if:** {_text(row.passes)}",
        f"- **Why it matters:** {_text(row.why)}",
        f"- **Remedy:** {_text(row.remedy)}",
        f"- **A pass does not prove:** {_text(row.not_proved)}",
        f"- **Tests:** {_tests(tests.get(row.id, ()))}",
        f"- **Shown to fail by:** {_mutants(row, mutants.get(row.id, ()))}",
    ]  # fmt: skip
    if tests.get(row.id):
        lines.append(f"- **Alone:** `pytest {suite_folder(profile.name)} -k {row.id} --dut NAME`")
    lines += ["- **Source:**", *(f"  - {_source(source)}" for source in row.source), ""]
    return "\n".join(lines)


def _tests(names: Sequence[str]) -> str:
    if not names:
        return "none yet; no report gives a verdict about it, and it counts as `not-run`"
    linked = (f"[`{name.partition('::')[2]}`](../{name.partition('::')[0]})" for name in names)
    return ", ".join(linked)


def _mutants(row: Requirement, names: Sequence[str]) -> str:
    if not names:
        return "no mutant" + (" (none is asked for)" if row.level == "MAY" else " yet")
    return ", ".join(f"[{name}](../mutants/{name}.yaml)" for name in names)


def _source(source: catalogue.Source) -> str:
    return f"[{_text(source.text)}]({source.url})" if source.url else _text(source.text)


def _text(text: str) -> str:
    """Running text on one line. Characters of Markdown stand for themselves, but for `code`, which the catalogue knows."""
    parts = " ".join(text.split()).split("`")
    parts[::2] = (re.sub(r"([\\*_<>\[\]])", r"\\\1", part) for part in parts[::2])
    return "`".join(parts)


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def tests_of(folder: Path = SUITES) -> dict[str, list[str]]:
    """`path::test` of each test function, by the requirements in its mark; the files are read, not run."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        shown = Path(os.path.relpath(path, folder.parent)).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                for name in _marked(node, path):
                    found[name].append(f"{shown}::{node.name}")
    return dict(found)


def _marked(node: ast.FunctionDef | ast.ClassDef, path: Path) -> Iterator[str]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and (getattr(mark.func, "id", None) or getattr(mark.func, "attr", None)) == _MARK:
            for argument in mark.args:
                if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                    raise ValueError(f"{path}, line {argument.lineno}: requirement ids must be literals, so that they can be read")
                yield argument.value


def mutants_of(folder: Path = MUTANTS) -> dict[str, list[str]]:
    """Ids of the mutants that must not pass a requirement."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("*.yaml")):
        for name in yaml.safe_load(path.read_text(encoding="utf-8"))["targets"]:
            found[name].append(path.stem)
    return dict(found)


def current() -> str:
    """The page as the files of this checkout have it."""
    return page(catalogue.load_all(), tests_of(), mutants_of())


def main() -> None:
    """Write docs/requirements.md from the catalogue."""
    parser = argparse.ArgumentParser(prog="python -m lbcert.report.requirements_page", description=main.__doc__)
    parser.add_argument("--output", type=Path, default=PAGE, metavar="FILE", help="default: docs/requirements.md")
    output = parser.parse_args().output
    output.write_text(current(), encoding="utf-8")
    print(output)


if __name__ == "__main__":
    main()
