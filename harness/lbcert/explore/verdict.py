"""What an exploring test says: one finding for each requirement that was found violated, or that there was none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .. import catalogue
from ..evidence.finding import Finding
from ..lab import Lab
from ..verdicts import Verdict
from .violation import Rules

if TYPE_CHECKING:
    from .search import Exploration, Found

EXPECTED = "Whatever users and servers do, every step is answered as the declared model says."
SLOW_SHARE = 0.1
"""of the sequences that may be lost to a slow machine"""


class Labs(Protocol):
    """What the plugin gives an exploring test."""

    requirements: tuple[str, ...]
    """those that the test may judge; nothing else is held against the product"""
    sequences: int
    seed: int

    def __call__(self) -> Lab: ...

    def judge(self, finding: Finding) -> None: ...

    def keep(self, number: int, test: str) -> None:
        """Have the shortest test so far of the Nth violation on disk."""

    def interrupted(self) -> None:
        """What was kept is all that there will be: show it."""


def explore_model(labs: Labs, share: float = 1.0) -> None:
    """Explore, and judge each requirement found violated; `share` of the sequences that were asked for."""
    sequences = max(1, round(labs.sequences * share))
    rules = Rules(set(catalogue.requirements()) - set(labs.requirements))
    # Hypothesis takes as long to load as all of the suite; runs that do not explore do without it.
    from .search import Exploration

    search = Exploration(labs, sequences, labs.seed, lambda found: labs.keep(found.number, found.test), rules=rules)
    try:
        search.run()
    except KeyboardInterrupt:
        labs.interrupted()
        raise
    except Exception:
        # The search could not go on; what it had found by then is true all the same.
        for one in search.found:
            labs.judge(_finding(search, one))
        raise
    for finding in findings(search):
        labs.judge(finding)


def findings(search: Exploration) -> list[Finding]:
    """A finding for each violation; `pass` if there is none and enough could be judged."""
    ran = f"{search.tried} sequences, {search.steps} steps"
    if search.untrusted > max(1, SLOW_SHARE * search.tried):
        reason = f"machine too slow: {search.untrusted} violations could not be told from lateness of our own"
        return [*(_finding(search, one) for one in search.found), Finding(Verdict.HARNESS_ERROR, EXPECTED, ran, reason)]
    if not search.found:
        return [Finding(Verdict.PASS, EXPECTED, f"{ran}, all as declared", evidence=tuple(map(_doubtful, search.doubts)))]
    return [_finding(search, one) for one in search.found]


def _doubtful(text: str) -> str:
    return f"Seen before a bound was over, and not seen again when it was waited for: {text}"


def _finding(search: Exploration, found: Found) -> Finding:
    violation = found.violation
    text = (f"After {found.after} of {search.tried} sequences, {violation.requirement} ({len(found.steps)} steps, "
            f"{found.replays} replays): {violation.observed}")  # fmt: skip
    return Finding(violation.verdict, EXPECTED, text, violation.observed, evidence=(found.test,), about=(violation.requirement,))
