"""From what happened in a test to a verdict, and from the verdict to pytest's outcome (design: contracts).

pass, measured: passed. non-strict: passed, with a line in the summary. fail: failed. setup-error,
harness-error: error. blocked, unsupported, not-run: skipped. waived: xfailed.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from typing import Any

import pytest

from ..evidence.finding import Finding
from ..lab import Ended, HarnessError
from ..topology.interface import LabError
from ..verdicts import Verdict, badness, believed, worst
from .session import SetupError

BLOCKING = {Verdict.FAIL, Verdict.BLOCKED, Verdict.NOT_RUN, Verdict.SETUP_ERROR, Verdict.HARNESS_ERROR, Verdict.UNSUPPORTED}
"""verdicts of a needed requirement that leave nothing to build on"""

_SKIPPED = {Verdict.BLOCKED, Verdict.UNSUPPORTED, Verdict.NOT_RUN}
_ERRORS = {Verdict.SETUP_ERROR, Verdict.HARNESS_ERROR}


class Judged:
    """What one test came to."""

    def __init__(self, started: float, levels: Mapping[str, str]):
        self.started = started
        self.levels = levels
        """the test's requirements and their levels"""
        self.verdict: Verdict | None = None
        self.reason = ""
        self.detail = ""
        self.findings: list[Finding] = []

    def early(self, verdict: Verdict, reason: str) -> None:
        self.verdict, self.reason = verdict, reason

    def take(self, call: pytest.CallInfo, findings: list[Finding]) -> None:
        """Add what a phase of the test brought; the worst of all counts."""
        self.findings = findings
        verdict, reason, detail = _of_call(call, findings)
        observed = any(finding.observed or finding.evidence for finding in findings)
        verdict, reason = believed(verdict, reason, observed, [self.levels[name] for name in self.about])
        if self.verdict is not None and verdict is not None and call.when == "setup" and self.verdict is Verdict.BLOCKED:
            return
        if self.verdict is None or worst([verdict, self.verdict]) is verdict:
            self.verdict, self.reason, self.detail = verdict, reason, detail

    @property
    def about(self) -> list[str]:
        """The requirements that the verdict is about: all of the test's, unless the worst findings name some."""
        decisive = min(self.findings, key=lambda finding: badness(finding.verdict), default=None)
        if decisive is None or not decisive.about:
            return list(self.levels)
        alike = [finding for finding in self.findings if finding.verdict is decisive.verdict]
        return list(dict.fromkeys(name for finding in alike for name in finding.about))

    def line(self, nodeid: str, deployment: str, evidence: list[str]) -> dict[str, Any]:
        """The test's line of results.jsonl."""
        findings = self.findings
        return {
            "deployment": deployment,
            "requirements": self.about,
            "nodeid": nodeid,
            "verdict": str(self.verdict),
            "reason": self.reason,
            "duration_s": round(time.time() - self.started, 3),
            "started": datetime.datetime.fromtimestamp(self.started, datetime.UTC).isoformat(timespec="milliseconds"),
            "expected": " ".join(dict.fromkeys(finding.expected for finding in findings)),
            "observed": self.detail or " ".join(finding.observed for finding in findings) or self.reason,
            "evidence": [fact for finding in findings for fact in finding.evidence] + evidence,
            "figures": [figure for finding in findings for figure in finding.figures],
            "measurements": [one for finding in findings for one in finding.measurements],
        }

    def shape(self, report: pytest.TestReport, item: pytest.Item, repeated: bool) -> None:
        """Give pytest's report the outcome that goes with the verdict."""
        text = f"{self.verdict}: {self.reason}"
        if self.verdict in _SKIPPED:
            report.outcome = "skipped"
            report.longrepr = (str(item.path), item.location[1] or 0, text)
        elif self.verdict is Verdict.WAIVED:
            report.outcome, report.wasxfail = "skipped", text
        elif self.verdict is Verdict.FAIL:
            report.outcome = "failed"
            failed = [finding for finding in self.findings if finding.verdict is Verdict.FAIL]
            report.longrepr = "\n\n".join(map(_failure, failed)) or text
        elif self.verdict in _ERRORS:
            # Only a report of another phase than "call" is an <error> in JUnit and an ERROR in the terminal.
            report.outcome, report.when = "failed", report.when if report.when != "call" else "setup"
            report.longrepr = f"{self.verdict}: as before (see the first test)" if repeated else f"{text}\n{self.detail}".rstrip()
        else:
            report.outcome = "passed"
            report.longrepr = None
        if self.verdict is Verdict.NON_STRICT:
            report.user_properties.append(("lbcert", text))


def _failure(finding: Finding) -> str:
    text = f"fail: {finding.reason}\n  expected: {finding.expected}\n  observed: {finding.observed}"
    # Of several lines is what can be pasted: the shortest sequence that an exploration found.
    return "\n\n".join([text, *(fact for fact in finding.evidence if "\n" in fact)])


def _of_call(call: pytest.CallInfo, findings: list[Finding]) -> tuple[Verdict, str, str]:
    """(verdict, reason, detail for the observed column) of one phase."""
    if call.excinfo is None:
        if not findings:
            return Verdict.HARNESS_ERROR, "the test ended without judging anything", ""
        decisive = min(findings, key=lambda finding: badness(finding.verdict))
        return decisive.verdict, decisive.reason, ""
    error = call.excinfo.value
    if isinstance(error, Ended):
        return error.verdict, str(error), ""
    if isinstance(error, SetupError):
        return Verdict.SETUP_ERROR, str(error), ""
    if isinstance(error, (HarnessError, LabError)):
        return Verdict.HARNESS_ERROR, str(error), ""
    if isinstance(error, pytest.skip.Exception):
        return Verdict.NOT_RUN, str(error), ""
    where = call.excinfo.traceback[-1]
    reason = f"{type(error).__name__}: {error} ({where.path.name}, line {where.lineno + 1})"
    return Verdict.HARNESS_ERROR, reason, str(call.excinfo.getrepr(style="short"))
