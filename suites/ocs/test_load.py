"""OCS-AFF-05: new clients go where there are fewest connections."""

from lbcert.api import (
    MARGIN,
    Call,
    Lab,
    checks,
    crash,
    detection,
    dial,
    patience,
    recovery,
    requirement,
    requirement_deadline,
    restore,
)

CLIENTS, FOR_EACH = 60, 15
"""clients who stay, and for each Front End at least: a returned one has room for all newcomers"""
NEWCOMERS = 10
EVERY = 0.25
"""s between two clients who find out whether a Front End is used again"""


@requirement("OCS-AFF-05")
def test_new_clients_go_where_there_is_room(lab: Lab) -> None:
    """Sixty clients of one office come one after the other and stay; a Front End is lost, returns empty, and ten more come."""
    lab.need_servers(2)
    lab.settle()
    office = lab.sources.neighbours(max(CLIENTS, FOR_EACH * len(lab.servers)))
    held = lab.visit([call(lab, "held", source=source) for source in office], at_once=1)
    lost = lab.server(held[0].server) if held[0].server else lab.servers[0]
    check, finders = lab.declares.health_check, []
    crash(lab, lost)
    lab.watch(f"{lost.name} is known as dead", lambda: False, requirement_deadline("detection", detection(check, "refused") + MARGIN))
    restore(lab, lost, "crash")
    lab.every(EVERY, patience("recovery", recovery(check)), f"{lost.name} is used again",
              lambda: finders.extend(lab.clients.start([call(lab, "finder", hold=False)])),
              until=lambda: any(finder.server == lost.name for finder in finders))  # fmt: skip
    lab.visit([call(lab, "newcomer") for _ in range(NEWCOMERS)], at_once=1)
    lab.judge(checks.load_goes_where_there_is_room, returned=lost.name)


def call(lab: Lab, label: str, hold: bool = True, source: str | None = None) -> Call:
    return dial(lab, "sip" if "sip" in lab.services else "sip-tls", source, label=label, hold=hold)
