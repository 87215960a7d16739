"""`make bench`: runs every benchmark, and writes what they found with a description of this machine.

The figures go to benchmarks/results/<UTC time>.json, which git ignores. `--publish` makes them the published ones:
benchmarks/reference.json and docs/benchmarks.md, which is written from it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import _machine
import _page

HERE = Path(__file__).resolve().parent
BENCHMARKS = ("lab_ready", "handshakes", "held", "sip", "verdict_cost", "web")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", metavar="BENCHMARK", help=f"{', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: shows that it runs, not how fast")
    parser.add_argument("--publish", action="store_true", help="make these the published figures (needs all, and not --quick)")
    options = parser.parse_args()
    if unknown := sorted({*options.only} - {*BENCHMARKS}):
        parser.error(f"no benchmark {unknown[0]!r}; known: {', '.join(BENCHMARKS)}")
    if options.publish and (options.quick or options.only):
        parser.error("--publish needs all benchmarks, and not --quick")
    results = {"schema": 1, "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "quick": options.quick,
               "machine": _machine.description(), "benchmarks": {}}  # fmt: skip
    failed = [name for name in options.only or BENCHMARKS if not run(name, options.quick, results["benchmarks"])]
    file = HERE / "results" / f"{results['date'].replace(':', '')}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"figures: {file.relative_to(HERE.parent)}")
    if failed:
        print(f"bench: no figures of {', '.join(failed)}", file=sys.stderr)
    elif options.publish:
        _page.REFERENCE.write_bytes(file.read_bytes())
        _page.PAGE.write_text(_page.page(results), encoding="utf-8")
        print(f"published: {_page.PAGE.relative_to(HERE.parent)}")
    return bool(failed)


def run(name: str, quick: bool, into: dict) -> bool:
    """Run one benchmark in a process of its own; whether it came to its end."""
    print(f"\n{name}", flush=True)
    with tempfile.TemporaryDirectory(prefix="lbcert-bench-") as folder:
        file = Path(folder) / "figures.json"
        load = _machine.load()
        command = [sys.executable, HERE / f"{name}.py", "--into", file, *(["--quick"] if quick else [])]
        if subprocess.run(command, check=False).returncode or not file.exists():
            return False
        into[name] = {"load_before": load, **json.loads(file.read_text())}
    return True


if __name__ == "__main__":
    sys.exit(main())
