"""What the failure rows share: bounds, times since the fault, and attempts at a dead server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ... import deadlines
from ...dut import declares
from ...dut_model import DETECTION_CEILING, HealthCheck
from ..history import History
from . import served

SECOND = 1_000_000_000
SPARE_CHECKS = 2
"""health checks by which two equal windows may differ: one at either edge"""
_HELD_UP = 0.2
"""of the checks in a window, by which it may differ besides: a product that checks ten times a second is held up on a busy machine"""


def check_of(history: History) -> HealthCheck:
    return declares(served.setup(history)["declares"]).health_check


def since(t: int, zero: int) -> float:
    return round((t - zero) / SECOND, 3)


def bound_of(history: History, fault: str) -> tuple[float, str | None]:
    """The detection bound of a fault without margin, and why it cannot count if it is beyond the ceiling."""
    bound = deadlines.detection(check_of(history), fault)
    if bound > DETECTION_CEILING:
        return bound, f"the declared detection of {bound:g} s is beyond the ceiling of {DETECTION_CEILING:g} s"
    return bound, None


def timeline(title: str, zero: str, events: list[tuple[float, str, str]]) -> dict[str, Any]:
    rows = [{"t": t, "label": label, "role": role} for t, label, role in sorted(events)]
    return {"kind": "timeline", "title": title, "zero": zero, "events": rows}


@dataclass(frozen=True)
class Attempts:
    """Connections opened towards the dead server after the detection limit, captured on its own link."""

    dead: str
    quiet: int
    """in a window without any client: health checks"""
    busy: int
    """in a window of the same length with `users` clients"""
    users: int

    @property
    def still_in_pool(self) -> bool:
        return self.busy > self.quiet + SPARE_CHECKS

    @property
    def still_in_a_pool(self) -> bool:
        """The same of a pool, where a third of the clients would be sent there: that checks were held up does not count."""
        return self.busy > self.quiet + SPARE_CHECKS + int(_HELD_UP * self.quiet)

    def __str__(self) -> str:
        return f"attempts at {self.dead} after the limit: {self.quiet} without users, {self.busy} with {self.users} users"


def attempts_at(history: History, dead: str) -> Attempts:
    """Count between the marks `busy` and `over`, and between `quiet` and `end`."""
    marks = {mark["name"]: mark["t"] for mark in history.of("mark")}
    opened = [flow["syn"] for flow in history.of("flow", link=served.link_of(history, dead)) if "syn" in flow]
    quiet = sum(1 for syn in opened if marks["quiet"] <= syn < marks["end"])
    busy = sum(1 for syn in opened if marks["busy"] <= syn < marks["over"])
    users = sum(1 for kind in ("visit", "call") for _ in history.of(kind, label="after"))
    return Attempts(dead, quiet, busy, users)


def undetected(history: History, attempts: Attempts) -> str | None:
    """Why the dead server cannot have left the pool, if so; RDP-FAIL-01 and -02 are about that."""
    if attempts.still_in_pool:
        return f"{attempts.dead} was never taken out of the pool ({attempts}), which RDP-FAIL-01 and -02 are about"
    requests = served.Requests(history)
    late = served.visits(history, "after")
    lost = [visit for visit in late if requests.server(visit) is None]
    if lost:
        return (f"{len(lost)} of {len(late)} users got no service after the detection limit, which RDP-FAIL-01 "
                "and -02 are about")  # fmt: skip
    return None
