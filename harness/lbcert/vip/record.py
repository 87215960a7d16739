"""The run directory of a probe: the same files as any other run has, so that its report is made in the same way."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import __version__, catalogue
from ..deadlines import PATIENCE
from ..evidence.finding import Finding
from ..report import model
from ..report.errors import ReportError
from ..run.session import Run, commit, folder_named
from ..verdicts import Verdict
from .judge import JUDGED

PROFILE = "rdp"
DEPLOYMENT = "live"
HISTORY = "history/probe.jsonl"
ELSEWHERE = "not judged through a live VIP; a lab can judge it: lbcert check, or pytest suites/rdp"


class Record:
    """One run directory, from before the first packet to the report."""

    def __init__(self, folder: Path | None, vip: str):
        self.run = Run(folder.resolve() if folder else folder_named(f"probe-{vip}"))
        if (self.run.folder / "run.json").exists():
            raise ReportError(self.run.folder, "holds a run already.", "Name another folder for --report-dir.")
        try:
            (self.run.folder / "history").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReportError(self.run.folder, f"{error.strerror}.",
                              "Name a folder that you may write to with --report-dir.") from None  # fmt: skip
        self._vip = vip
        self._began = datetime.now(UTC)

    @property
    def history(self) -> Path:
        return self.run.folder / HISTORY

    def begin(self, told: str, declares: dict[str, Any], command: str, seed: int) -> None:
        """Write what is known before the first packet; a crash leaves a run without results."""
        others = [one.id for one in catalogue.load_all()[PROFILE] if one.id not in JUDGED]
        nodes = [{"nodeid": _node(one), "requirements": [one]} for one in JUDGED]
        self.run.write("run.json", {
            "schema": 1,
            "suite": {"version": __version__, "commit": commit()},
            "dut": {"name": f"the VIP {self._vip}", "vendor": None, "version": None, "driver": None, "build": None,
                    "ref": self._vip, "folder": None},
            "environment": {"kernel": platform.release(), "python": platform.python_version(), "topology": model.LIVE,
                            "seed": seed, "deadlines": {"patience: answer": PATIENCE["answer"]}, "lowered_limits": {}},
            "started": self._began.isoformat(timespec="milliseconds"),
            "command": command,
            "deployments": [{
                "id": DEPLOYMENT, "profile": PROFILE, "config": told, "config_sha256": hashlib.sha256(told.encode()).hexdigest(),
                "declares": declares, "selected": [*nodes, {"nodeid": _node("others"), "requirements": others}],
            }],
        })  # fmt: skip
        self._append("others", others, Finding(Verdict.NOT_RUN, "", "", ELSEWHERE), 0.0)
        self.run.point_latest()

    def end(self, findings: Mapping[str, Finding], status: int) -> dict[str, Any]:
        """Write the results; returns the report."""
        took = (datetime.now(UTC) - self._began).total_seconds()
        for requirement, finding in findings.items():
            self._append(requirement, [requirement], finding, took)
        self.run.finish(status)
        return model.write(self.run.folder)

    def _append(self, name: str, requirements: list[str], finding: Finding, took: float) -> None:
        self.run.append_result({
            "deployment": DEPLOYMENT, "requirements": requirements, "nodeid": _node(name), "verdict": finding.verdict.value,
            "reason": finding.reason, "duration_s": round(took, 3), "started": self._began.isoformat(timespec="milliseconds"),
            "expected": finding.expected, "observed": finding.observed, "evidence": [HISTORY] if name in JUDGED else [],
            "figures": list(finding.figures), "measurements": [],
        })  # fmt: skip


def _node(name: str) -> str:
    return f"lbcert probe: {name}"
