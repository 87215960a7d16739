"""Running the suite on a DUT's folder: pytest in a process of its own, its words in the run directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..dut import REPOSITORY, load
from ..report import model, rundir
from ..report.errors import ReportError
from ..run.session import default_folder

SIDE_BY_SIDE = 4
"""labs at a time, as `make certify` has them"""
SHOWN_EVERY = 0.5
"""s between two looks at how far the run is"""
_USAGE, _NOTHING_SELECTED = 4, 5


@dataclass(frozen=True)
class Ended:
    """How pytest ended."""

    folder: Path
    """the run directory"""
    interrupted: bool


def suite(place: Path, only: str | None, report_dir: Path | None) -> tuple[dict[str, Any], Ended]:
    """Run the profile's suite on `place`; returns the report. Raises ReportError where no run came about."""
    folder = report_dir.resolve() if report_dir else default_folder(load(place / "dut.yaml", str(place)))
    if (folder / "run.json").exists():
        raise ReportError(folder, "holds a run already.", "Name another folder for --report-dir.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        output = (folder / "pytest.log").open("w")
    except OSError as error:
        raise ReportError(folder, f"{error.strerror}.", "Name a folder that you may write to with --report-dir.") from None
    command = [sys.executable, "-m", "pytest", str(REPOSITORY / "suites" / "rdp"), "--dut", str(place.resolve()),
               "--report-dir", str(folder)]  # fmt: skip
    command += ["-k", only] if only else ["-n", str(SIDE_BY_SIDE)]
    with output:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        interrupted = _follow(process, folder)
    if process.returncode in (_USAGE, _NOTHING_SELECTED) or not (folder / rundir.RUN).exists():
        said = (folder / "pytest.log").read_text(errors="replace").strip().splitlines()
        words = next((line for line in said if line.startswith("ERROR")), said[-1] if said else "nothing")
        raise ReportError(folder / "pytest.log", f"no test ran: {words}", "Correct -k, or see the file.")
    return model.write(folder), Ended(folder, interrupted)


def _follow(process: subprocess.Popen[bytes], folder: Path) -> bool:
    """Say how far the run is until it ends; Ctrl-C ends it in order. Returns whether that came."""
    interrupted = False
    shown = sys.stderr.isatty()
    began = time.monotonic()
    print(f"\nrunning; the evidence goes to {folder}", file=sys.stderr, flush=True)
    while process.poll() is None:
        try:
            process.wait(SHOWN_EVERY)
        except subprocess.TimeoutExpired:
            if shown:
                done = len((folder / "results.jsonl").read_bytes().splitlines()) if (folder / "results.jsonl").exists() else 0
                print(f"\r\x1b[K{done} tests done, {time.monotonic() - began:.0f} s", end="", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            # A terminal tells pytest as well; elsewhere we do. What has been recorded is reported.
            if not interrupted and not sys.stdin.isatty():
                os.kill(process.pid, signal.SIGINT)
            interrupted = True
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return interrupted


def judged(report: dict[str, Any]) -> bool:
    """Whether every test that ran came to a result, and every requirement that was asked for has one."""
    left_open = ("harness-error", "setup-error", "blocked", "not-run")
    return all(row["verdict"] not in left_open or row["reason"].startswith((model.DESELECTED, model.NO_TEST))
               or row["level"] != "MUST" for deployment in report["deployments"] for row in deployment["requirements"])  # fmt: skip
