"""The kill matrix: every mutant against the requirements of its profile (design: every check proves that it can fail).

A mutant is a control with one defect. Its targets must not pass, rows in `may_block` may be blocked by that, and
every other row keeps the verdict of the control. `python -m lbcert.controls.kill_matrix` runs all of it and writes the page, from
this run and from what is kept of earlier ones.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import catalogue
from ..drivers import DriverError, driver_for
from ..dut import MUTANTS, REPOSITORY, load_mutant
from ..report import expected, model
from ..report.errors import ReportError
from ..verdicts import NOT_CLAIMED, Verdict
from . import kill_results

SAMPLE = {
    "rdp": frozenset({"RDP-PARSE-01", "RDP-PERSIST-01"}),
    "ocs": frozenset({"OCS-NET-03", "OCS-AFF-01"}),
    "ssl-tproxy": frozenset({"TP-ADDR-01", "TP-COOKIE-01"}),
}
"""profile -> rows of different kinds, some seconds each at most, that mutants are tried on daily beside their own"""
JOBS = 4
"""runs at a time; tests with tight bounds share the machine's slots anyway"""
PAGE = REPOSITORY / "docs" / "kill-matrix.md"
RESULTS = REPOSITORY / "docs" / "kill-matrix.json"
EXEMPT_LEVELS = ("MAY",)
"""levels of requirements that need no mutant"""
_KILLED = {Verdict.FAIL, Verdict.NON_STRICT}
_SIGNS = {Verdict.PASS: "·", Verdict.FAIL: "**fail**", Verdict.NON_STRICT: "**non-strict**"}


@dataclass(frozen=True)
class Mutant:
    """One mutant's file."""

    id: str
    path: Path
    base: str
    profile: str
    summary: str
    targets: tuple[str, ...]
    may_block: tuple[str, ...]
    unfit: tuple[str, ...]
    """rows that the base itself does not pass"""
    tier: str = "ci"
    """ci: `make test` may try it every day; nightly: `make nightly` only"""


@dataclass(frozen=True)
class Cell:
    """What one requirement came to on one mutant."""

    verdict: Verdict
    reason: str = ""
    observed: str = ""
    """the words of the findings that have this verdict"""

    def __str__(self) -> str:
        words = "; ".join(filter(None, ("" if self.reason in self.observed else self.reason, self.observed)))
        return self.verdict.value + (f" ({words})" if words else "")


Row = Mapping[str, Cell]


def load(folder: Path = MUTANTS) -> list[Mutant]:
    """All mutants, in order of their names; raises ReportError where one is wrong."""
    known = catalogue.requirements()
    found = []
    results: dict[Path, expected.Expected] = {}
    for path in sorted(folder.glob("*.yaml")):
        product = load_mutant(path, path.stem)
        assert product.mutant is not None
        deployment = product.deployments[0]
        about = product.mutant
        for name in (*about.targets, *about.may_block):
            if name not in known:
                raise ReportError(path, f"{name!r} is not in the catalogue.", f"Known: {', '.join(sorted(known))}.")
        file = product.folder / "expected.yaml"
        if file not in results:
            results[file] = expected.load(file) if file.is_file() else expected.Expected()
        entries = results[file].deployments.get(deployment.id, {})
        found.append(Mutant(about.id, path, f"{about.base}", deployment.profile, about.summary, about.targets,
                            about.may_block, tuple(entries), about.tier))  # fmt: skip
    return found


def missing(mutant: Mutant) -> str | None:
    """Why the mutant's product cannot be run on this machine, if so: it is not installed."""
    try:
        driver_for(load_mutant(mutant.path, mutant.id))
    except DriverError as error:
        return str(error)
    return None


def run(mutant: Mutant, rows: Iterable[str] | None = None, folder: Path | None = None) -> Row:
    """Run the suite of the mutant's profile against it, `rows` only if given; raises RuntimeError without a report."""
    with tempfile.TemporaryDirectory(prefix="lbcert-") as scratch:
        where = folder or Path(scratch) / mutant.id
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no",
                   model.suite_folder(mutant.profile), "--dut", str(mutant.path), "--report-dir", str(where)]  # fmt: skip
        if rows is not None:
            command += ["-k", " or ".join(sorted(row.replace("-", "_") for row in rows))]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        try:
            report = model.load(where)
        except ReportError as error:
            raise RuntimeError(f"{mutant.id}: no report ({error}); the run said:\n{done.stdout}{done.stderr}") from None
    return {row["id"]: _cell(row)
            for row in report["deployments"][0]["requirements"]
            if (rows is None or row["id"] in rows) and row.get("group") != catalogue.DOSSIER}  # fmt: skip


def _cell(row: Mapping[str, Any]) -> Cell:
    words = {test["observed"]: None for test in row["tests"] if test["verdict"] == row["verdict"] and test["observed"]}
    return Cell(Verdict(row["verdict"]), row["reason"], "; ".join(words))


def complaints(mutant: Mutant, row: Row) -> Iterator[str]:
    """In what a mutant's row differs from what its file promises."""
    for name, cell in row.items():
        if name in mutant.targets:
            if cell.verdict not in _KILLED:
                yield f"{mutant.id}: this defect must not pass {name}, which is {cell}"
        elif name in mutant.unfit or cell.verdict in (Verdict.PASS, Verdict.MEASURED):
            continue
        elif cell.verdict is Verdict.NOT_RUN and cell.reason.endswith(NOT_CLAIMED):
            continue  # the base has nothing to do with it either
        elif not (name in mutant.may_block and cell.verdict is Verdict.BLOCKED):
            yield f"{mutant.id}: this defect has nothing to do with {name}, which is {cell}"


def without_mutant(mutants: Sequence[Mutant]) -> list[str]:
    """Requirements that no mutant is about."""
    about = {name for mutant in mutants for name in mutant.targets}
    return [name for name, row in catalogue.requirements().items()
            if name not in about and row.level not in EXEMPT_LEVELS and not row.is_dossier]  # fmt: skip


def daily(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Few and quick mutants, one of each base, that together are about every requirement: those of `make test`.

    Always the one that is about the most requirements not covered yet, measured by the work that its targets make.
    """
    mutants = [mutant for mutant in mutants if mutant.tier == "ci"]
    left = {name for mutant in mutants for name in mutant.targets}
    chosen: list[Mutant] = []
    quick = [mutant for mutant in mutants if mutant.base.startswith("ideal:")]
    for pool in (quick, mutants):
        while best := max(pool, key=lambda mutant: _gain(mutant, left), default=None):
            if not _gain(best, left):
                break
            chosen.append(best)
            left -= set(best.targets)
    for base in dict.fromkeys(mutant.base for mutant in mutants):
        if base not in {mutant.base for mutant in chosen}:
            chosen.append(min((mutant for mutant in mutants if mutant.base == base), key=lambda mutant: len(mutant.targets)))
    return chosen


def _gain(mutant: Mutant, left: set[str]) -> float:
    return len(left & set(mutant.targets)) / (len(SAMPLE[mutant.profile]) + len(mutant.targets))


def page(matrix: Mapping[Mutant, Row]) -> str:
    """The matrix for readers, in Markdown."""
    shown = {name for mutant, row in matrix.items() for name in (*row, *mutant.targets)}
    names = [name for name in catalogue.requirements() if name in shown]
    lines = [
        "# Kill matrix",
        "",
        "Each line is a balancer with one defect, each column a requirement. A defect must make its own requirements fail"
        " (**bold**), and nothing else: `·` is a pass, as on the balancer without the defect. `blocked` means that the"
        " requirement could not be judged because one that it builds on failed. `(…)`: the base does not pass this row"
        " either, see its `expected.yaml`.",
        "",
        "An empty cell was not tried when this page was made, and *to fail* was not either: it is what the mutant is for. `make"
        " test` tries one mutant or more for each requirement, on its own requirements and on a sample of the others; `make"
        " nightly` tries all cells, and `make kill-matrix` does so and writes this page. A row is forgotten when its mutant's file"
        " changes.",
        "",
        "| mutant | base | " + " | ".join(names) + " |",
        "|---|---|" + "---|" * len(names),
    ]
    for mutant, row in matrix.items():
        cells = [_sign(mutant, name, row.get(name)) for name in names]
        lines.append(f"| [{mutant.id}](../mutants/{mutant.path.name}) | `{mutant.base}` | " + " | ".join(cells) + " |")
    lines += ["", "## The defects", ""]
    lines += [f"- **{mutant.id}**: {mutant.summary}" for mutant in matrix]
    return "\n".join(lines) + "\n"


def _sign(mutant: Mutant, name: str, cell: Cell | None) -> str:
    if cell is None:
        return "*to fail*" if name in mutant.targets else ""
    sign = _SIGNS.get(cell.verdict, str(cell.verdict))
    return f"({cell.verdict})" if name in mutant.unfit else sign


def published(mutants: Sequence[Mutant], file: Path = RESULTS) -> str:
    """The page of what is known of all mutants."""
    rows = kill_results.load(file, {mutant.id: mutant.path for mutant in mutants})
    return page({mutant: {name: Cell(Verdict(verdict)) for name, verdict in rows.get(mutant.id, {}).items()} for mutant in mutants})


def main() -> int:
    """Run every mutant against its whole profile; status 1 if one is not what its file promises."""
    parser = argparse.ArgumentParser(prog="python -m lbcert.controls.kill_matrix", description=main.__doc__)
    parser.add_argument("mutants", nargs="*", metavar="ID", help="only these; what is known of the others stays on the page")
    parser.add_argument("--jobs", type=int, default=JOBS, metavar="N", help=f"so many at a time (default: {JOBS})")
    parser.add_argument("--sample", action="store_true", help="only each mutant's own requirements and the daily sample")
    parser.add_argument("--page", action="store_true", help="run nothing; write the page from what is known")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the run directories here")
    options = parser.parse_args()
    try:
        mutants = load()
        wrong = _run(options, mutants)
        PAGE.write_text(published(mutants), encoding="utf-8")
    except (ReportError, LookupError) as error:
        print(error.args[0] if isinstance(error, LookupError) else error, file=sys.stderr)
        return 2
    print(*wrong, sep="\n")
    return 1 if wrong else 0


def _run(options: argparse.Namespace, mutants: Sequence[Mutant]) -> list[str]:
    """Run the chosen mutants and keep each row that is as promised; returns what was not. LookupError: it cannot be run."""
    if options.page:
        return []
    paths = {mutant.id: mutant.path for mutant in mutants}
    for name in options.mutants:
        if name not in paths:
            raise LookupError(f"{name}: no such mutant; known: {', '.join(paths)}")
    wrong = [] if options.mutants else [f"{name} has no mutant" for name in without_mutant(mutants)]
    chosen = [mutant for mutant in mutants if not options.mutants or mutant.id in options.mutants]
    if absent := {reason for mutant in chosen if (reason := missing(mutant))}:
        raise LookupError("\n".join(sorted(absent)))
    known = kill_results.load(RESULTS, paths)

    def one(mutant: Mutant) -> Row:
        rows = {*mutant.targets, *SAMPLE[mutant.profile]} if options.sample else None
        return run(mutant, rows, options.keep / mutant.id if options.keep else None)

    with ThreadPoolExecutor(options.jobs) as pool:
        for mutant, row in zip(chosen, pool.map(one, chosen), strict=True):
            bad = list(complaints(mutant, row))
            killed = ", ".join(f"{name} {cell.verdict}" for name, cell in row.items() if cell.verdict is not Verdict.PASS)
            print(f"{mutant.id}: {'WRONG ' if bad else ''}{killed}", flush=True)
            wrong += bad
            if not bad:
                known[mutant.id] = known.get(mutant.id, {}) | {name: cell.verdict.value for name, cell in row.items()}
                kill_results.save(RESULTS, paths, known)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
