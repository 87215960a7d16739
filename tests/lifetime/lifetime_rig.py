"""What must hold after any end of a run."""

import json
from pathlib import Path

from lbcert.report import model


def assert_nothing_left(answer) -> None:
    assert answer.left == [], answer.output
    assert (answer.mounts, answer.interfaces, answer.named) == ([], [], [])


def assert_report_can_be_made(folder: Path) -> dict:
    """From what was recorded; a run that was killed before run.json existed has recorded nothing."""
    if not (folder / "run.json").exists():
        assert not (folder / "results.jsonl").exists()
        return {}
    report = model.write(folder)
    assert model.load(folder) == report
    assert (folder / "report.html").stat().st_size > 1000
    return report


def verdicts(report: dict) -> dict[str, str]:
    """Requirement -> verdict."""
    return {row["id"]: row["verdict"] for deployment in report["deployments"] for row in deployment["requirements"]}


def results(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
