"""OCS-AFF-05: new clients go where there are fewest connections, on every port."""

from lbcert.api import (
    MARGIN,
    Call,
    Lab,
    cheap_services,
    checks,
    crash,
    detection,
    dial,
    in_turn,
    newcomers,
    patience,
    recovery,
    requirement,
    requirement_deadline,
    restore,
)

CLIENTS, FOR_EACH = 60, 15
"""clients who stay, and for each Front End at least"""
ON_PORT = 3
"""clients who stay on each port, for each Front End, and newcomers on each port: a returned one has room for these, port by port"""
EVERY = 0.25
"""s between two clients while a Front End returns: a product without checks learns it from them"""


@in_turn
@requirement("OCS-AFF-05")
def test_new_clients_go_where_there_is_room(lab: Lab, turn: int) -> None:
    """Sixty clients of one office come one after the other and stay, others on all ports; a Front End returns empty, and more come."""
    lab.need_servers(2)
    lab.settle()
    office = lab.sources.neighbours(max(CLIENTS, FOR_EACH * len(lab.servers)))
    lab.visit([call(lab, "held", hold=True, source=source) for source in office], at_once=1)
    lab.visit(newcomers(lab, ON_PORT * len(lab.servers) * len(lab.services), "spread", hold=True), at_once=12)
    lost, check, finders = lab.servers[turn % len(lab.servers)], lab.declares.health_check, []
    crash(lab, lost)
    lab.watch(f"{lost.name} is known as dead", lambda: False, requirement_deadline("detection", detection(check, "refused") + MARGIN))
    restore(lab, lost, "crash")
    used = requirement_deadline("recovery", recovery(check) + MARGIN)
    lab.every(EVERY, used, f"{lost.name} is used again", lambda: finders.extend(lab.clients.start([call(lab, "finder")])))
    lab.wait("answers to those who found out", lambda: all(finder.done for finder in finders), patience("outcome"))
    lab.visit(newcomers(lab, ON_PORT * len(lab.services), "newcomer", hold=True), at_once=1)
    lab.judge(checks.load_goes_where_there_is_room, returned=lost.name)


def call(lab: Lab, label: str, hold: bool = False, source: str | None = None) -> Call:
    return dial(lab, cheap_services(lab)[0], source, label=label, hold=hold)
