"""OCS-FAIL-05: the ports of a client stay together through a failure and after it."""

from lbcert.api import (
    Lab,
    Talk,
    Verdict,
    checks,
    come,
    dark,
    newcomers,
    requirement,
    restore,
    settle_clients,
    two_windows,
    until_dead,
    until_used,
)

MOVED, OTHERS = 8, 4
"""clients of the Front End that fails, and of each other one"""
PORTS = 3
"""of each of these others, on which they come each time"""
CROWD = 60


@requirement("OCS-FAIL-05", timing=True)
def test_ports_of_moved_clients_stay_together(lab: Lab) -> None:
    """A Front End loses its power; its clients, who were on all ports, come on one, then on the others; it returns, and they come again."""
    if lab.declares.returns_after_recovery is None:
        lab.end(Verdict.NOT_RUN, "dut.yaml does not say declares.persistence.returns_after_recovery (true or false)")
    homes = settle_clients(lab)
    name, theirs = next(iter(homes.items()))
    moved, others = theirs[:MOVED], [talk for other, talks in homes.items() if other != name for talk in talks[:OTHERS]]
    server = lab.server(name)
    lab.visit(lab.shuffled([come(lab, talk, service, "before") for talk in moved for service in lab.services]), at_once=20)
    dark(lab, server)
    until_dead(lab, name, "dark", theirs[MOVED:], come=lambda talk, label: come(lab, talk, "sip-tls", label))
    two_windows(lab, name, newcomers(lab, CROWD, "after", hold=True))
    first = {talk: lab.random.choice(list(lab.services)) for talk in moved}
    lab.visit([come(lab, talk, service, "first") for talk, service in first.items()])
    lab.visit(lab.shuffled([come(lab, talk, service, "moved") for talk in moved for service in lab.services if service != first[talk]]
                           + some_ports(lab, others, "others")), at_once=20)  # fmt: skip
    restore(lab, server, "dark")
    until_used(lab, server)
    lab.visit(lab.shuffled([come(lab, talk, service, "back") for talk in moved for service in lab.services]
                           + some_ports(lab, others, "others back")), at_once=20)  # fmt: skip
    lab.judge(checks.ports_move_together)


def some_ports(lab: Lab, talks: list[Talk], label: str) -> list:
    """Each of these clients on a few ports."""
    return [come(lab, talk, service, label) for talk in talks for service in lab.shuffled(list(lab.services))[:PORTS]]
