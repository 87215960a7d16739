"""Does a verdict ever change? Whole runs again and again beside a busy core, until the bound on a change is small.

`python -m lbcert.controls.stability` (a part of `make nightly`) certifies a DUT, notes each verdict in a file that is kept from night to
night, and goes on until every requirement has been judged as often as was asked for. What it found is published in
docs/stability.md: how often a verdict differed from what is known, and the exact upper bound on how often it will.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any

from ..dut import REPOSITORY, resolve
from ..report import expected, model
from ..report.errors import ReportError

WANTED = 300
"""judgements of each requirement: without a change among them, one is rarer than 1 % (95 % confidence)"""
CONFIDENCE = 0.95
LOG = REPOSITORY / "reports" / "stability.jsonl"
KEPT = REPOSITORY / "reports" / "runs"
PAGE = REPOSITORY / "docs" / "stability.md"
BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"
"""until its parent ends, whatever ended it"""


@dataclass
class Count:
    """What came of one requirement of one deployment so far."""

    runs: int = 0
    changed: int = 0
    last: str = ""
    """what the latest change was"""


def upper_bound(changed: int, runs: int, confidence: float = CONFIDENCE) -> float:
    """The largest chance of a change that is still compatible with what was seen (Clopper and Pearson, one-sided, exact)."""
    if changed >= runs:
        return 1.0
    low, high = 0.0, 1.0
    while high - low > 1e-9:
        p = (low + high) / 2
        at_most = sum(comb(runs, k) * p**k * (1 - p) ** (runs - k) for k in range(changed + 1))
        low, high = (p, high) if at_most > 1 - confidence else (low, p)
    return high


def entry(report: Mapping[str, Any], known: expected.Expected) -> dict[str, Any]:
    """One line of the log: when, with what, and each requirement's verdict, with `!` where it is not the known one."""
    differing = {(one.deployment, one.requirement): one.found for one in expected.compare(report, known, only_selected=True)}
    verdicts = {
        deployment["id"]: {
            row["id"]: ("!" if (deployment["id"], row["id"]) in differing else "") + row["verdict"]
            for row in deployment["requirements"]
        }
        for deployment in report["deployments"]
    }
    return {"date": report["started"], "commit": report["suite"]["commit"], "version": report["dut"]["version"],
            "dut": report["dut"]["name"], "verdicts": verdicts}  # fmt: skip


def read(log: Path) -> list[dict[str, Any]]:
    """The whole lines of the log; one that was cut off by a crash is left out."""
    found = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        with contextlib.suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found


def counts(entries: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Count]:
    """(deployment, requirement) -> what came of it in all `entries`."""
    found: dict[tuple[str, str], Count] = {}
    for one in entries:
        for deployment, verdicts in one["verdicts"].items():
            for requirement, verdict in verdicts.items():
                count = found.setdefault((deployment, requirement), Count())
                count.runs += 1
                if verdict.startswith("!"):
                    count.changed += 1
                    count.last = f"{verdict[1:]} on {one['date'][:10]}"
    return found


def page(entries: list[dict[str, Any]]) -> str:
    """docs/stability.md."""
    first, last = entries[0], entries[-1]
    found = counts(entries)
    worst = max(upper_bound(count.changed, count.runs) for count in found.values())
    lines = [
        "# How stable the verdicts are",
        "",
        f"`make nightly` certifies {last['dut']} {last['version']} again and again, with one core of the machine kept busy by something"
        f" else, until each requirement has been judged {WANTED} times. A *change* is any verdict other than the one in"
        " `expected.yaml`, `harness-error` included. The bound is exact (Clopper and Pearson, one-sided, 95 %).",
        "",
        f"From {first['date'][:10]} (`{first['commit'][:12]}`) to {last['date'][:10]} (`{last['commit'][:12]}`):"
        f" {len(entries)} runs, {sum(count.runs for count in found.values())} verdicts,"
        f" {sum(count.changed for count in found.values())} changes. The largest bound of any row is {worst:.1%}.",
        "",
        "| deployment | requirement | judged | changed | a change is rarer than | the latest change |",
        "|---|---|---|---|---|---|",
    ]
    for (deployment, requirement), count in found.items():
        bound = upper_bound(count.changed, count.runs)
        lines.append(f"| `{deployment}` | {requirement} | {count.runs} | {count.changed} | {bound:.1%} | {count.last} |")
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def busy_core() -> Iterator[int]:
    """Something else that wants a whole core all the time: the process id."""
    other = subprocess.Popen([sys.executable, "-c", BUSY, str(os.getpid())], stdin=subprocess.DEVNULL)
    try:
        yield other.pid
    finally:
        other.kill()
        other.wait()


def run(dut: str) -> dict[str, Any]:
    """Certify once; returns the entry for the log. The run directory of a run with a change is kept, as evidence."""
    product = resolve(dut)
    folder = Path(tempfile.mkdtemp(prefix="lbcert-stability-"))
    where = folder / "run"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no", "suites", "-n", "8", "--dut", dut,
               "--report-dir", str(where)]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        try:
            report = model.load(where)
        except ReportError as error:
            raise RuntimeError(f"no report ({error}); the run said:\n{done.stdout}{done.stderr}") from None
        known = product.folder / "expected.yaml"
        made = entry(report, expected.load(known) if known.is_file() else expected.Expected())
        if any(verdict.startswith("!") for verdicts in made["verdicts"].values() for verdict in verdicts.values()):
            KEPT.mkdir(parents=True, exist_ok=True)
            kept = KEPT / f"changed-{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%SZ}"
            shutil.move(where, kept)
            print(f"a verdict changed: {kept.relative_to(REPOSITORY)}", flush=True)
        return made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run until each requirement has been judged often enough; status 1 if a verdict changed in these runs."""
    parser = argparse.ArgumentParser(prog="python -m lbcert.controls.stability", description=main.__doc__)
    parser.add_argument("--dut", default="haproxy", metavar="NAME|PATH[:DEPLOYMENT]", help="as of pytest (default: haproxy)")
    parser.add_argument("--until", type=int, default=WANTED, metavar="N", help=f"judgements of each row (default: {WANTED})")
    parser.add_argument("--runs", type=int, default=None, metavar="N", help="at most so many runs now (default: no limit)")
    parser.add_argument("--log", type=Path, default=LOG, metavar="FILE", help="kept from night to night (reports/stability.jsonl)")
    parser.add_argument("--output", type=Path, default=PAGE, metavar="FILE", help="the page (default: docs/stability.md)")
    options = parser.parse_args()
    entries, changed, done = read(options.log), False, 0
    options.log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with busy_core():
            while done != options.runs and min((count.runs for count in counts(entries).values()), default=0) < options.until:
                made, done = run(options.dut), done + 1
                with options.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(made) + "\n")
                entries.append(made)
                wrong = [f"{deployment} {requirement} {verdict[1:]}" for deployment, verdicts in made["verdicts"].items()
                         for requirement, verdict in verdicts.items() if verdict.startswith("!")]  # fmt: skip
                changed = changed or bool(wrong)
                print(f"run {len(entries)}: {'; '.join(wrong) or 'every verdict as known'}", flush=True)
    except (ReportError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    if entries:
        options.output.write_text(page(entries), encoding="utf-8")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
