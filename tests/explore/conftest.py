"""Exploring as users do: pytest in a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What a pytest process left."""

    status: int
    text: str
    folder: Path

    @property
    def result(self) -> dict:
        """The one line of results.jsonl."""
        lines = (self.folder / "results.jsonl").read_text().splitlines()
        assert len(lines) == 1, self.text
        return json.loads(lines[0])

    @property
    def printed(self) -> list[Path]:
        """The tests that the exploration left in the run directory."""
        return sorted((self.folder / "exploration").glob("*.py"))


@pytest.fixture
def run(tmp_path):
    """Run one test file against a DUT and return what it left; `explore` sequences if given."""
    count = iter(range(100))

    def go(dut: str, *options: str, file: Path | str = "suites/rdp/test_explore.py") -> Run:
        folder = tmp_path / f"run{next(count)}"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file), "--dut", dut,
                   "--report-dir", str(folder), *options]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return Run(done.returncode, done.stdout + done.stderr, folder)

    return go
