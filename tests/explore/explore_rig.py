"""Exploring as users do: pytest in a process of its own."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What a pytest process left."""

    status: int
    text: str
    folder: Path

    @property
    def result(self) -> dict:
        """The line of results.jsonl about sequences of all kinds, or about the one test that was pasted."""
        assert (self.folder / "results.jsonl").exists(), self.text
        lines = map(json.loads, (self.folder / "results.jsonl").read_text().splitlines())
        return next(line for line in lines if "short_lifetime" not in line["nodeid"])

    @property
    def printed(self) -> list[Path]:
        """The tests that the exploration left in the run directory."""
        return sorted((self.folder / "exploration").glob("*.py"))


def command(dut: str, folder: Path, *options: str, file: Path | str = "suites/rdp/test_explore.py") -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file), "--dut", dut,
            "--report-dir", str(folder), *options]  # fmt: skip
