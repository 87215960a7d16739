"""Every wait of the suite has a name here, and a kind.

`patience` is the harness's own: it may be raised, and running into it is never a verdict about the product.
`requirement` is part of what is judged: it follows from declared values and is never raised.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from .dut_model import HealthCheck

MARGIN = 1.0
"""s allowed on top of every judged bound (design: waiting)"""
PROMPT = 1.0
"""s: what has to come at once (RDP-PARSE-05, -06: a Confirm; -07: a server's close)"""
INSPECTION_CEILING = 10.0
"""s that a product may wait for a first packet; no declaration of its inspection time is known (RDP-PARSE-06)"""
CONFIRM_WITHIN = 5.0
"""s until a user must have a Connection Confirm while a dead server is being detected (RDP-FAIL-01)"""
ANOTHER_WITHIN = 10.0
"""s until a user of a host that went dark must have a Confirm from another, at worst (RDP-FAIL-02)"""
TURNED_AWAY_WITHIN = 2.0
"""s until a client must be told that no server is left (RDP-FAIL-07)"""
LOST_WITHIN = 20.0
"""s until a client whose server answers elsewhere must be told (TP-ROUTE-02, -03): a connect timeout of 4 s, the article's, with the
usual three retries takes 16 s"""
CLOSE_WITHIN = 1.0
"""s from a client's FIN or RST until the server has it (RDP-SESS-02)"""
IDLE_SHARES = (0.95, 1.05)
"""of the declared idle time, between which a silent session must end (RDP-SESS-01a)"""
FINDERS_EVERY = 0.1
"""s between two users of a dead server while it is detected; what a product without checks of its own learns from"""
MATURE = 5.0
"""s a process must have run before it is asked to reload: a younger one may not hand over its table (catalogue 2.4)"""


@dataclass(frozen=True)
class Deadline:
    """A named point in time."""

    name: str
    seconds: float
    at: float
    """time.monotonic() when it is reached"""
    kind: str = "patience"

    @property
    def remaining(self) -> float:
        return max(0.0, self.at - time.monotonic())

    @property
    def expired(self) -> bool:
        return time.monotonic() >= self.at


PATIENCE = {
    "answer": 15.0,  # a first packet's answer; longer than any inspection timer seen (5 s)
    "outcome": 20.0,  # every visit under way ends, if only by the client's own patience (answer)
    "ready": 20.0,  # the product's sockets accept
    "report": 10.0,  # a mock server says what it was asked
    "sessions": 10.0,  # connections that were closed are seen closed at the far end
    "pause": 0.25,  # between two tries of something that is waited for
    "checks": 20.0,  # on top of the time that as many health checks take as are wanted
    "scan": 60.0,  # all ports of an address are tried
    "probe": 3.0,  # a port that nobody knows says something, or leads somewhere
    "faster clock": 15.0,  # on top of what a listener's timeout takes at the nominal rate, if the clock runs at all
    "recovery": 20.0,  # on top of rise x (inter + timeout): a returned server gets its first new user
}
"""s; limits of the harness, printed in the report"""


def patience(name: str, extra: float = 0.0) -> Deadline:
    """One of the harness's own limits, starting now; `extra` seconds are added to it."""
    seconds = PATIENCE[name] + extra
    return Deadline(name, seconds, time.monotonic() + seconds)


def requirement(name: str, seconds: float) -> Deadline:
    """A limit that follows from the requirement, starting now."""
    return Deadline(name, seconds, time.monotonic() + seconds, "requirement")


def detection(check: HealthCheck, fault: str) -> float:
    """Seconds until a dead server must be known as dead: `fault` is refused (crash), dark or hung. Without the margin.

    refused: fall x inter; dark or hung: fall x (inter + check timeout). Where users find out (passive), one of its users
    comes every FINDERS_EVERY: refused: when `fall` of them have come; dark or hung: when the last of these gave up.
    """
    if check.passive:
        return check.fall * FINDERS_EVERY + (0.0 if fault == "refused" else check.timeout)
    return check.fall * (check.inter if fault == "refused" else check.inter + check.timeout)


def trial(check: HealthCheck) -> float:
    """Seconds within which a product without checks has sent a user to a dead server again; 0 for one with checks.

    After the detection bound the last user who waits for the server gives up, `timeout` later, and from then on it is
    left alone for `inter`. A window of this length, begun one margin behind the bound, has the next trial in it.
    """
    return check.inter + check.timeout + MARGIN if check.passive else 0.0


def recovery(check: HealthCheck) -> float:
    """Seconds of good checks until a returned server may be used."""
    return check.rise * (check.inter + check.timeout)


def table(check: HealthCheck) -> dict[str, Any]:
    """All limits in force, for the report."""
    return {
        **{f"patience: {name}": seconds for name, seconds in PATIENCE.items()},
        "requirement: detection, port refused": detection(check, "refused") + MARGIN,
        "requirement: detection, host dark": detection(check, "dark") + MARGIN,
        "requirement: confirm during detection": CONFIRM_WITHIN,
        "requirement: confirm during detection, host dark": ANOTHER_WITHIN,
        "requirement: told that no server is left": TURNED_AWAY_WITHIN,
        "requirement: told that a server's answers are lost": LOST_WITHIN + MARGIN,
        "requirement: inspection of a silent client": INSPECTION_CEILING + MARGIN,
        "requirement: at once": PROMPT,
        "requirement: other end told of an idle session's end": CLOSE_WITHIN,
    }
