"""OCS-FAIL-08: a Front End is drained and put back."""

from lbcert.api import Lab, checks, come, dial, drain, newcomers, ready, requirement, requirement_deadline, until_used

ON_EACH = 8
"""connections for each Front End that there is"""
KNOWN, NEW = 8, 5
"""clients of the drained Front End who come again, and new ones on each port"""
WHILE_DRAINED = 2.0
"""s for which connections are held on a drained Front End"""


@requirement("OCS-FAIL-08")
def test_drained_front_end_ends_in_order(lab: Lab) -> None:
    """Connections are held on every Front End; one is drained, clients come, it is put back, clients come again."""
    lab.need_servers(2)
    lab.settle()
    services = list(lab.services)
    held = lab.visit([dial(lab, services[n % len(services)], hold=True, label="held") for n in range(ON_EACH * len(lab.servers))])
    lab.echo(held, "begin")
    server = max(lab.servers, key=lambda one: sum(1 for talk in held if talk.server == one.name))
    theirs = [talk for talk in held if talk.server == server.name]
    drain(lab, server)
    known = [come(lab, talk, services[number % len(services)], "known") for number, talk in enumerate(theirs[:KNOWN])]
    lab.visit(lab.shuffled([*known, *newcomers(lab, NEW * len(services), "new", hold=True)]), at_once=20)
    lab.watch("connections live on a drained Front End", lambda: False, requirement_deadline("window", WHILE_DRAINED))
    lab.echo(held, "drained")
    ready(lab, server)
    until_used(lab, server, "back")
    lab.echo(held, "end")
    lab.judge(checks.drained_front_end_ends_in_order)
