"""The search: sequences until one violates the model, the shortest that still does, and on without that requirement."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as hypothesis_seed
from hypothesis.errors import HypothesisException
from hypothesis.stateful import run_state_machine_as_test

from ..lab import Lab
from ..verdicts import Verdict
from .explorer import Explorer
from .machine import machine_for
from .printing import Steps, as_lines, as_test
from .shrink import shortened
from .violation import Impossible, Rules, Violation

STEPS = 10
"""steps that are drawn for one sequence; some bring another with them"""
SHRINK_FOR = 60.0
"""s for which a violation is shortened; what is shortest by then is shown"""
MOST = 8
"""violations that are shortened in one exploration; then it ends"""
DOUBTS = 3
"""doubtful violations after which nothing is hurried any more"""


class _Stop(BaseException):
    """Ends Hypothesis's run; its own shrinking would repeat a sequence hundreds of times, each on a lab."""


@dataclass
class Found:
    """One violation and the shortest sequence that shows it."""

    number: int
    violation: Violation
    steps: Steps
    after: int
    """sequences that had been tried when it was first seen, this one included"""
    length: int
    """steps of that sequence up to the violation"""
    variant: str | None = None
    """of the deployment, if not the deployment itself"""
    replays: int = 0
    """sequences that were run to shorten it"""

    @property
    def test(self) -> str:
        return as_test(self.steps, self.violation, self.variant)


@dataclass
class Exploration:
    """One search. `keep` is called with each test that is the shortest so far: an interrupt must not lose it."""

    make_lab: Callable[[], Lab]
    sequences: int
    seed: int
    keep: Callable[[Found], None] = lambda found: None
    shrink_for: float = SHRINK_FOR
    rules: Rules = field(default_factory=Rules)
    hurry: bool = True
    tried: int = 0
    steps: int = 0
    doubts: list[str] = field(default_factory=list)
    """violations seen in a hurry that were none when every bound was waited for"""
    untrusted: int = 0
    """violations that were none because the machine was too slow to tell"""
    found: list[Found] = field(default_factory=list)
    _seen: tuple[Violation, list] | None = None
    _broken: Exception | None = None
    _stopped: bool = False
    _variant: str | None = None

    def run(self) -> list[Found]:
        while self.tried < self.sequences and len(self.found) < MOST:
            self._seen = None
            self._until_violated()
            if self._seen is None:
                continue
            seen, steps = self._seen
            violation = seen if seen.certain else self.replay(steps, hurry=False)
            if violation is None:
                self.doubts.append(f"{seen.requirement} after {'; '.join(as_lines(steps))}: {seen.observed}")
                self.hurry = self.hurry and len(self.doubts) < DOUBTS
                continue
            self._take(violation, steps)
        return self.found

    def _until_violated(self) -> None:
        machine = machine_for(self)
        profile = settings(max_examples=self.sequences - self.tried, stateful_step_count=STEPS, deadline=None, database=None,
                           print_blob=False, suppress_health_check=list(HealthCheck), phases=[Phase.generate])  # fmt: skip
        hypothesis_seed(self.seed * 1_000_003 + self.tried)(machine)
        self._stopped = False
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                run_state_machine_as_test(machine, settings=profile)
        except (_Stop, HypothesisException):
            # A sequence that ends half-way looks to Hypothesis as if other questions had been asked than before.
            if not self._stopped:
                raise
        if self._broken is not None:
            raise self._broken

    def _take(self, violation: Violation, steps: list) -> None:
        """Shorten what was found, and leave its requirement out from here on."""
        found = Found(len(self.found) + 1, violation, list(steps), self.tried, len(steps), self._variant)
        self.found.append(found)
        self.keep(found)

        def needed(candidate: Steps) -> Steps | None:
            found.replays += 1
            seen = self.replay(candidate, self.hurry)
            if seen is not None and not seen.certain:
                seen = self.replay(candidate, hurry=False)
            if seen is None:
                return None
            found.violation, found.steps = seen, list(candidate)[: seen.step]
            self.keep(found)
            return found.steps

        shortened(steps, needed, time.monotonic() + self.shrink_for)
        self.rules.leave_out(found.violation.requirement)

    def replay(self, steps: Steps, hurry: bool) -> Violation | None:
        """The violation that these steps show on a new lab; None if they show none, or cannot be done there."""
        explorer = self._explorer(hurry)
        try:
            for name, arguments in steps:
                getattr(explorer, name)(*arguments)
        except Violation as violation:
            return violation if self._trusted(explorer, violation) else None
        except Impossible:
            pass
        finally:
            explorer.lab.close()
        return None

    def _trusted(self, explorer: Explorer, violation: Violation) -> bool:
        violation.step = len(explorer.steps)
        trusted = explorer.finding(violation).verdict is not Verdict.HARNESS_ERROR
        self.untrusted += not trusted
        return trusted

    def _explorer(self, hurry: bool) -> Explorer:
        lab = self.make_lab()
        self._variant = lab.deployment.variant
        try:
            explorer = Explorer(lab, self.rules, hurry)
        except BaseException:
            lab.close()
            raise
        explorer.raises = True
        return explorer

    # -- for the machine --------------------------------------------------------------------------

    def begin(self) -> Explorer:
        if self.tried >= self.sequences:
            self._stop()
        try:
            explorer = self._explorer(self.hurry)
        except Exception as error:
            self.broken(error)
        self.tried += 1
        return explorer

    def end(self, explorer: Explorer) -> None:
        self.steps += len(explorer.steps)
        explorer.lab.close()

    def violated(self, explorer: Explorer, violation: Violation) -> None:
        if self._trusted(explorer, violation):
            self._seen = violation, list(explorer.steps)
        self._stop()

    def broken(self, error: Exception) -> NoReturn:
        """The suite or the lab could not go on: that is no violation, and Hypothesis must not look for a shorter one."""
        self._broken = error
        self._stop()

    def _stop(self) -> NoReturn:
        self._stopped = True
        raise _Stop
