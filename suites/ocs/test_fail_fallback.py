"""OCS-FAIL-07: no Front End is left, and somebody stands in."""

from lbcert.api import (
    MARGIN,
    Lab,
    checks,
    come,
    crash,
    dark,
    newcomers,
    recovery,
    requirement,
    requirement_deadline,
    restore,
    settle_clients,
    until_dead,
)

EACH = 20
NEW = 2
"""new clients on each port"""
FEW_LEFT = 4
"""new clients on each port, who stay, while a single Front End is left: by load or in turn, one more server would get one of them"""


@requirement("OCS-FAIL-07", timing=True)
def test_fallback_is_the_last_resort(lab: Lab) -> None:
    """All Front Ends but one crash and clients come; the last one goes dark, and clients come; all return, and clients come."""
    homes = settle_clients(lab, EACH)
    last, *dead = (lab.server(name) for name in homes)
    for server in dead:
        crash(lab, server)
    theirs = [talk for group in zip(*(homes[server.name] for server in dead), strict=False) for talk in group]
    left = until_dead(lab, "all but one", "refused", theirs, come=lambda talk, label: come(lab, talk, "sip-tls", label))
    services = list(lab.services)
    known = [come(lab, talk, services[number % len(services)], "one") for number, talk in enumerate(left[: len(services)])]
    lab.visit(lab.shuffled([*known, *newcomers(lab, FEW_LEFT * len(services), "one", hold=True)]), at_once=20)
    dark(lab, last)
    until_dead(lab, "every Front End", "dark", homes[last.name], come=lambda talk, label: come(lab, talk, "sip-tls", label))
    there = lab.visit(newcomers(lab, NEW * len(services), "all"), at_once=20)
    for server in dead:
        restore(lab, server, "crash")
    restore(lab, last, "dark")
    lab.watch("the Front Ends are used again", lambda: False,
              requirement_deadline("recovery", recovery(lab.declares.health_check) + MARGIN))  # fmt: skip
    again = [come(lab, talk, talk.visit.service, "again") for talk in there]
    lab.visit(lab.shuffled([*again, *newcomers(lab, NEW * len(services), "back")]), at_once=20)
    lab.judge(checks.fallback_is_the_last_resort)
