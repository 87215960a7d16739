"""What an exploration finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import catalogue
from ..verdicts import Verdict

DETECTED = {"crash": "RDP-FAIL-01", "dark": "RDP-FAIL-02", "hang": "RDP-FAIL-03"}
"""the requirement that users are served elsewhere, by what became of their server"""
SESSIONS_CUT = "RDP-FAIL-05"


class Violation(AssertionError):
    """The product did not do what its model says; about one requirement."""

    def __init__(self, requirement: str, observed: str):
        super().__init__(f"{requirement}: {observed}")
        self.requirement = requirement
        self.observed = observed
        self.certain = True
        """whether every bound that the product has was over when it was seen"""
        self.step = 0
        """how many steps it took"""

    @property
    def verdict(self) -> Verdict:
        """What a SHOULD forbids is a limitation, what a MUST forbids a failure."""
        return Verdict.FAIL if catalogue.requirements()[self.requirement].level == "MUST" else Verdict.NON_STRICT


class Impossible(Exception):
    """A step that has no meaning in this place: nobody to disconnect, no server to put back."""


@dataclass
class Rules:
    """Which requirements are held against the product: those found violated are noted once and then left out."""

    off: set[str] = field(default_factory=set)

    def hold(self, requirement: str, met: bool, observed: str) -> None:
        """Raise a Violation, unless the requirement is met or left out."""
        if not met and requirement not in self.off:
            raise Violation(requirement, observed)

    def needed(self, requirement: str) -> None:
        """Raise Impossible where a step is about this requirement and it is left out."""
        if requirement in self.off:
            raise Impossible(f"{requirement} is left out")

    def leave_out(self, requirement: str) -> None:
        """No longer hold this one, nor those that mean nothing without it."""
        self.off.add(requirement)
        rows = catalogue.requirements()
        while more := {name for name, row in rows.items() if name not in self.off and self.off & set(row.needs)}:
            self.off |= more
