"""Runs of a suite in one topology, and what is on the engine."""

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def verdicts(topology: str, folder: Path, *arguments: str, suite: str = "rdp") -> dict[str, str]:
    """Test -> verdict, after a run of a suite."""
    command = [sys.executable, "-m", "pytest", f"suites/{suite}", "--topology", topology, "--report-dir", str(folder), *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    found = {line["nodeid"]: line["verdict"] for line in lines}
    assert found and len(found) == len(lines)
    return found


def containers(label: str) -> list[str]:
    """Names of the engine's containers with a label, running or not."""
    command = ["docker", "ps", "--all", "--filter", f"label={label}", "--format", "{{.Names}}"]
    return sorted(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
