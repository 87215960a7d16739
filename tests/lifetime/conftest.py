"""Fixtures: `disturbed(action, moment)` runs a certification, disturbs it, and tells what was left of it."""

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

# Helpers must be found whichever import mode the project's pytest.ini chooses.
sys.path.insert(0, str(Path(__file__).parent))

from reaper import Specification  # noqa: E402

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 240.0
SUITE = "suites/rdp/test_parse.py"


@pytest.fixture
def disturbed(tmp_path):
    """Runs some tests against `ideal`; `results` waits for that many finished tests before `after` counts."""

    def run(action: str, after: float = 0.0, *, results: int = 0, choice: str = "PARSE_01", options=(), **more):
        folder = tmp_path / "run"
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", SUITE, "--dut", "ideal", "-k", choice,
                   "--report-dir", str(folder), *options]  # fmt: skip
        wanted = Specification(command, str(REPOSITORY), str(tmp_path / "output"), action, after,
                               str(folder / "results.jsonl") if results else "", results, **more)  # fmt: skip
        done = subprocess.run([sys.executable, str(Path(__file__).parent / "reaper.py"), json.dumps(wanted.__dict__)],
                              capture_output=True, text=True, timeout=PATIENCE, check=True)  # fmt: skip
        return SimpleNamespace(**json.loads(done.stdout), folder=folder, output=(tmp_path / "output").read_text())

    return run


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory) -> float:
    """How long an undisturbed run takes here and now, in seconds."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", SUITE, "--dut", "ideal", "-k", "PARSE_01",
               "--report-dir", str(tmp_path_factory.mktemp("whole") / "run")]  # fmt: skip
    began = time.monotonic()
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=PATIENCE, check=True)
    return time.monotonic() - began
