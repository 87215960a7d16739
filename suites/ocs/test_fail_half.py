"""OCS-FAIL-02: one port of a Front End is dead, and the others are not."""

from lbcert.api import Lab, checks, come, in_turn, newcomers, refuse, requirement, settle_clients, until_dead

KNOWN = 2
"""clients of the half-dead Front End who come first on a port, for each port"""
NEW = 5
"""new clients on each port"""


@in_turn
@requirement("OCS-FAIL-02", timing=True)
def test_half_dead_front_end_is_left(lab: Lab, turn: int) -> None:
    """Port 5061 of a Front End refuses until that must be known; then its clients come, on ports where they were before, and new ones."""
    name, theirs = next(iter(settle_clients(lab, turn=turn).items()))
    on = [(theirs.pop(), service) for service in lab.services for _ in range(KNOWN)]
    lab.visit([come(lab, talk, service, "before") for talk, service in on])
    refuse(lab, lab.server(name), [lab.services["sip-tls"][1]])
    until_dead(lab, name, "refused", theirs, come=lambda talk, label: come(lab, talk, "sip-tls", label))
    known = [come(lab, talk, service, "known") for talk, service in on]
    lab.visit(lab.shuffled([*known, *newcomers(lab, NEW * len(lab.services), "new", hold=True)]), at_once=20)
    lab.mark("end")
    lab.judge(checks.half_dead_front_end_is_left)
