"""What a check says about a history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..verdicts import Verdict


@dataclass(frozen=True)
class Finding:
    """A verdict with its reasons. `observed` must be understandable without the history."""

    verdict: Verdict
    expected: str
    observed: str
    reason: str = ""
    """one sentence, for verdicts other than pass"""
    evidence: tuple[str, ...] = ()
    figures: tuple[dict[str, Any], ...] = ()
    measurements: tuple[dict[str, Any], ...] = ()
    window: tuple[int, int] | None = None
    """ns: when the judged bound ran; lags of the machine inside it count"""
    margin: float = 0.0
    """s: by how much the bound could be missed through lateness of ours"""
    about: tuple[str, ...] = ()
    """the requirements it is about, where a test judges one of several; empty: all of the test's"""
    silence: bool = False
    """whether it rests on the absence or identity of captured packets"""


@dataclass
class Tally:
    """Collects what went wrong in one check and turns it into a finding."""

    expected: str
    faults: list[str] = field(default_factory=list)

    def finding(self, observed: str, failing: Verdict = Verdict.FAIL, **more: Any) -> Finding:
        """`pass` without faults, else `failing` with the first few of them."""
        if not self.faults:
            return Finding(Verdict.PASS, self.expected, observed, **more)
        shown = "; ".join(self.faults[:5])
        if len(self.faults) > 5:
            shown += f"; and {len(self.faults) - 5} more"
        return Finding(failing, self.expected, f"{observed}. {shown}", reason=self.faults[0], **more)
