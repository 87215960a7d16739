"""OCS-FAIL-09: what clients get while the product has not found out yet that a Front End is dead."""

from lbcert.api import (
    MARGIN,
    Call,
    Lab,
    Talk,
    checks,
    come,
    crash,
    dark,
    detection,
    newcomers,
    patience,
    requirement,
    requirement_deadline,
    settle_clients,
)

EVERY = 0.25
"""s between two times at which a known client comes, and a new one"""
EACH = 60
"""clients of each Front End: enough for one at each of these times, however long detection may take"""
DARK = 2
"""clients of a Front End that lost its power, and new ones, on each port"""


@requirement("OCS-FAIL-09", timing=True)
def test_clients_are_served_meanwhile(lab: Lab) -> None:
    """A Front End crashes; until that must be known its clients come, each for the first time since, and new ones, on every port."""
    name, theirs = next(iter(settle_clients(lab, EACH).items()))
    services = lab.shuffled(list(lab.services))
    crash(lab, lab.server(name))
    begun: list[Talk] = []

    def following() -> list[Call]:
        service = services[len(begun) // 2 % len(services)]
        known = [come(lab, theirs.pop(), service, "during")] if theirs else []
        return known + newcomers(lab, 2 - len(known), "during", [service])

    lab.every(EVERY, requirement_deadline("detection", detection(lab.declares.health_check, "refused") + MARGIN), f"{name} is known as dead",
              lambda: begun.extend(lab.clients.start(following())))  # fmt: skip
    lab.wait("answers to these clients", lambda: all(talk.done for talk in begun), patience("outcome"))
    lab.mark("end")
    lab.judge(checks.clients_are_served_meanwhile)


@requirement("OCS-FAIL-09", timing=True)
def test_clients_of_dark_front_end_are_served(lab: Lab) -> None:
    """A Front End loses its power; at once its clients come on every port, and new ones."""
    name, theirs = next(iter(settle_clients(lab, DARK * len(lab.services)).items()))
    dark(lab, lab.server(name))
    services = list(lab.services) * DARK
    known = [come(lab, talk, service, "during") for talk, service in zip(theirs, services, strict=False)]
    begun = lab.clients.start(lab.shuffled([*known, *newcomers(lab, len(services), "during")]))
    lab.wait("answers to these clients", lambda: all(talk.done for talk in begun), patience("outcome"))
    lab.mark("end")
    lab.judge(checks.clients_are_served_meanwhile)
