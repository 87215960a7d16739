"""OCS-FAIL-09: what clients get while the product has not found out yet that a Front End is dead."""

from lbcert.api import (
    MARGIN,
    Call,
    Lab,
    Talk,
    checks,
    come,
    crash,
    detection,
    newcomers,
    patience,
    requirement,
    requirement_deadline,
    settle_clients,
)

EVERY = 0.25
"""s between two clients"""
EACH = 40
"""clients of each Front End: enough for one every half second of the longest detection"""


@requirement("OCS-FAIL-09", timing=True)
def test_clients_are_served_meanwhile(lab: Lab) -> None:
    """A Front End crashes; until that must be known, its clients come one after the other, each for the first time since, and new ones."""
    name, theirs = next(iter(settle_clients(lab, EACH).items()))
    services = list(lab.services)
    crash(lab, lab.server(name))
    begun: list[Talk] = []

    def following() -> Call:
        number = len(begun)
        if number % 2 == 0 and theirs:
            return come(lab, theirs.pop(), services[number % len(services)], "during")
        return newcomers(lab, 1, "during", [services[number % len(services)]])[0]

    lab.every(EVERY, requirement_deadline("detection", detection(lab.declares.health_check, "refused") + MARGIN), f"{name} is known as dead",
              lambda: begun.extend(lab.clients.start([following()])))  # fmt: skip
    lab.wait("answers to these clients", lambda: all(talk.done for talk in begun), patience("outcome"))
    lab.mark("end")
    lab.judge(checks.clients_are_served_meanwhile)
