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

EACH = 10
NEW = 2
"""new clients on each port"""


@requirement("OCS-FAIL-07", timing=True)
def test_fallback_is_the_last_resort(lab: Lab) -> None:
    """One Front End crashes and clients come; the others crash or go dark, and clients come; all return, and clients come."""
    homes = settle_clients(lab, EACH)
    first, *rest = (lab.server(name) for name in homes)
    crash(lab, first)
    left = until_dead(lab, first.name, "refused", homes[first.name], come=lambda talk, label: come(lab, talk, "sip-tls", label))
    services = list(lab.services)
    known = [come(lab, talk, services[number % len(services)], "one") for number, talk in enumerate(left[: len(services)])]
    lab.visit(lab.shuffled([*known, *newcomers(lab, NEW * len(services), "one")]), at_once=20)
    faults = {server: "crash" if number % 2 else "dark" for number, server in enumerate(rest)}
    for server, fault in faults.items():
        (crash if fault == "crash" else dark)(lab, server)
    until_dead(lab, "every Front End", "dark", homes[rest[0].name], come=lambda talk, label: come(lab, talk, "sip-tls", label))
    there = lab.visit(newcomers(lab, NEW * len(services), "all"), at_once=20)
    for server, fault in {first: "crash", **faults}.items():
        restore(lab, server, fault)
    lab.watch("the Front Ends are used again", lambda: False,
              requirement_deadline("recovery", recovery(lab.declares.health_check) + MARGIN))  # fmt: skip
    again = [come(lab, talk, talk.visit.service, "again") for talk in there]
    lab.visit(lab.shuffled([*again, *newcomers(lab, NEW * len(services), "back")]), at_once=20)
    lab.judge(checks.fallback_is_the_last_resort)
