"""Running the plugin as its users do: pytest in a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What a pytest process left."""

    status: int
    text: str
    folder: Path

    @property
    def results(self) -> dict[str, dict]:
        """Lines of results.jsonl by the test's own name."""
        lines = (self.folder / "results.jsonl").read_text().splitlines()
        return {(one := json.loads(line))["nodeid"].split("::")[1].split("[")[0]: one for line in lines}

    @property
    def rows(self) -> dict[str, dict]:
        """Requirements of the first deployment in report.json."""
        report = json.loads((self.folder / "report.json").read_text())
        return {row["id"]: row for row in report["deployments"][0]["requirements"]}


@pytest.fixture
def run(tmp_path):
    """Run pytest on the suites (or on files given as arguments) and return its Outcome."""

    def go(*arguments: str, dut: str = "ideal", folder: str | None = "run") -> Outcome:
        where = ["--report-dir", str(tmp_path / folder)] if folder else []
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--dut", dut, *where, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
        return Outcome(done.returncode, done.stdout + done.stderr, tmp_path / (folder or ""))

    return go
