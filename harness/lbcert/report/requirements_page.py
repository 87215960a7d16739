"""docs/requirements.md: the catalogue for readers. `python -m lbcert.report.requirements_page` writes it.

Which tests judge a requirement is read from the suites' own marks, and which mutants show that they can fail from the
mutants' files, so the page says it of every requirement that has none. Verdicts are those of `duts/*/expected.yaml`, which
every run of CI is compared with; no run is needed to make the page.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import yaml

from lbcert import catalogue, dut
from lbcert.catalogue import Profile, Requirement
from lbcert.dut import DUTS, MUTANTS, REPOSITORY
from lbcert.report import expected
from lbcert.report.expected import Entry
from lbcert.report.model import suite_folder
from lbcert.verdicts import Verdict

PAGE = REPOSITORY / "docs" / "requirements.md"
SUITES = REPOSITORY / "suites"
_MARK = "requirement"

Names = Mapping[str, Sequence[str]]
"""requirement id -> names of what is about it"""


@dataclass(frozen=True)
class Known:
    """What one deployment is known to come to: the entries of its expected.yaml."""

    dut: str
    deployment: str
    profile: str
    entries: Mapping[str, Entry]
    claims: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.dut}:{self.deployment}"

    def verdict(self, row: Requirement) -> str:
        """In a word or two. A row that is not listed passes; a MAY row has a figure in place of a verdict."""
        if row.group.endswith(catalogue.IF_OFFERED) and row.feature not in self.claims:
            return "not offered"
        usual = Verdict.MEASURED if row.level == "MAY" else Verdict.PASS
        entry = self.entries.get(row.id)
        if entry is None:
            return usual.value
        some = f" ({', '.join(entry.versions)} only; else {usual})" if entry.versions else ""
        return f"**{entry.verdict}**{some}"


_INTRODUCTION = """\
# Requirements

Generated from `catalogue/*.yaml` by `python -m lbcert.report.requirements_page`; change those files, not this page.

A requirement is one clause that traffic can decide. MUST: a deployment that does not meet it fails. SHOULD: not meeting
it is a limitation, which the report names (`non-strict`). MAY: recorded only. *Needs* names a requirement without which
this one cannot be judged; where that one fails, this one is `blocked`.

Ids are given once, and are neither renumbered nor reused. Where a number is missing, the requirement is planned and not yet
in the catalogue; nothing is tested for it.

The last columns are today's verdicts of the deployments in `duts/`, as their `expected.yaml` has them; a run that differs from
these is an error. `haproxy` is the reference, version 2.8; where another version differs, it is named.
`ideal` is the control that passes everything, `null` a plain forwarder, the control that should not.
"""


def page(profiles: Mapping[str, Profile], tests: Names, mutants: Names, known: Sequence[Known] = ()) -> str:
    """The whole page, in Markdown."""
    parts = [_INTRODUCTION]
    for profile in profiles.values():
        here = [one for one in known if one.profile == profile.name]
        parts.append(f"## Profile `{profile.name}`: {profile.title}\n")
        parts.append(_overview(profile, tests, here))
        for group, rows in groupby(profile, key=lambda row: row.group):
            parts.append(f"### {group}\n")
            parts += [_requirement(profile, row, tests, mutants, here) for row in rows]
        parts.append(f"### What a pass of `{profile.name}` does not prove\n")
        parts.append("\n".join(f"- {_text(text)}" for text in profile.not_proved) + "\n")
    return "\n".join(parts)


def _overview(profile: Profile, tests: Names, known: Sequence[Known]) -> str:
    """A line for each requirement of a profile."""
    lines = ["| requirement | level | what it asks | tests |" + "".join(f" `{one.name}` |" for one in known),
             "|---|---|---|---|" + "---|" * len(known)]  # fmt: skip
    for row in profile:
        count = len(tests.get(row.id, ())) or "**none yet**"
        lines.append(f"| [{row.id}](#{row.id.lower()}) | {row.level} | {_cell(row.title)} | {count} |"
                     + "".join(f" {one.verdict(row)} |" for one in known))  # fmt: skip
    return "\n".join(lines) + "\n"


def _requirement(profile: Profile, row: Requirement, tests: Names, mutants: Names, known: Sequence[Known]) -> str:
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
    if known:
        lines += ["- **Verdicts today:**", *_verdicts(row, known)]
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


def _verdicts(row: Requirement, known: Sequence[Known]) -> Iterator[str]:
    """What each deployment comes to: those without an entry in one line, the others with their reasons."""
    usual = [one for one in known if row.id not in one.entries]
    for verdict in dict.fromkeys(one.verdict(row) for one in usual):
        yield f"  - {verdict}: {', '.join(f'`{one.name}`' for one in usual if one.verdict(row) == verdict)}"
    for one in known:
        if row.id in one.entries:
            yield f"  - {one.verdict(row)}: `{one.name}`. {_text(one.entries[row.id].reason)}"


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


def known_of(folder: Path = DUTS) -> list[Known]:
    """The known results of every deployment; HAProxy, the reference, first."""
    found = []
    for path in sorted(folder.glob("*/dut.yaml"), key=lambda path: (path.parent.name != "haproxy", path)):
        file = path.parent / "expected.yaml"
        results = expected.load(file) if file.is_file() else expected.Expected()
        for deployment in dut.load(path, path.parent.name).deployments:
            found.append(Known(path.parent.name, deployment.id, deployment.profile, results.deployments.get(deployment.id, {}),
                               deployment.claims))  # fmt: skip
    return found


def current() -> str:
    """The page as the files of this checkout have it."""
    return page(catalogue.load_all(), tests_of(), mutants_of(), known_of())


def main() -> None:
    """Write docs/requirements.md from the catalogue."""
    parser = argparse.ArgumentParser(prog="python -m lbcert.report.requirements_page", description=main.__doc__)
    parser.add_argument("--output", type=Path, default=PAGE, metavar="FILE", help="default: docs/requirements.md")
    output = parser.parse_args().output
    output.write_text(current(), encoding="utf-8")
    print(output)


if __name__ == "__main__":
    main()
