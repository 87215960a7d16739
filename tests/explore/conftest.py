"""Exploring as users do."""

import subprocess
import sys
from pathlib import Path

import pytest

# Helpers must be found whichever import mode the project's pytest.ini chooses.
sys.path.insert(0, str(Path(__file__).parent))

from explore_rig import ROOT, Run, command  # noqa: E402


@pytest.fixture
def run(tmp_path):
    """Run one test file against a DUT and return what it left; `explore` sequences if given."""
    count = iter(range(100))

    def go(dut: str, *options: str, **file: Path) -> Run:
        folder = tmp_path / f"run{next(count)}"
        done = subprocess.run(command(dut, folder, *options, **file), cwd=ROOT, capture_output=True, text=True)
        return Run(done.returncode, done.stdout + done.stderr, folder)

    return go
