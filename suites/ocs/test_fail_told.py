"""OCS-FAIL-04 and -06: what held connections see of a Front End's death, those on it and those on others."""

from lbcert.api import (
    MARGIN,
    Lab,
    Pulse,
    Trickle,
    ask_more,
    checks,
    come,
    dark,
    detection,
    dial,
    hold_on_each,
    in_turn,
    newcomers,
    requirement,
    requirement_deadline,
    restore,
    settle_clients,
    two_windows,
    until_dead,
    until_used,
)

EACH = 10
"""clients of each Front End, who hold one connection on every port"""
CROWD = 60
EVERY, ASK = 0.5, 0.4
"""s between two clients that come, and between two requests on a held connection"""
AFTER = 5.0
"""s for which connections are looked at after the return"""


@in_turn
@requirement("OCS-FAIL-04", timing=True)
def test_clients_of_dead_front_end_are_told(lab: Lab, turn: int) -> None:
    """A connection is held on every port of every Front End; one loses its power."""
    homes = settle_clients(lab, EACH, turn)
    held = hold_on_each(lab, homes)
    name = next(iter(homes))
    theirs = [talk for talk in held if talk.server == name]
    dark(lab, lab.server(name))
    until_dead(lab, name, "dark", theirs, until=lambda: not any(talk.alive for talk in theirs),
               busy=[talk for talk in held if talk.server != name], use=ask_more)  # fmt: skip
    two_windows(lab, name, newcomers(lab, CROWD, "after", hold=True), MARGIN)
    lab.judge(checks.clients_of_dead_front_end_are_told)


@requirement("OCS-FAIL-06", timing=True)
def test_clients_of_other_front_ends_feel_nothing(lab: Lab) -> None:
    """Connections ask again and again; a Front End loses its power, its clients and new ones come, and it returns."""
    homes = settle_clients(lab, EACH)
    name, theirs = next(iter(homes.items()))
    held = hold_on_each(lab, homes)
    pulse = Pulse(lab, [talk for talk in held if talk.server != name], ASK)
    lab.watch("answers before the fault", lambda: False, requirement_deadline("before", AFTER / 2))
    server = lab.server(name)
    dark(lab, server)
    services = lab.shuffled(list(lab.services))
    coming = Trickle(lab, EVERY, lambda number: come(lab, theirs[number // 2 % len(theirs)], services[number // 2 % len(services)], "known")
                     if number % 2 else dial(lab, services[number // 2 % len(services)], label="new"))  # fmt: skip
    lab.watch(f"{name} is known as dead", lambda: False,
              requirement_deadline("detection", detection(lab.declares.health_check, "dark") + MARGIN))  # fmt: skip
    restore(lab, server, "dark")
    until_used(lab, server)
    coming.stop()
    lab.watch("answers after the return", lambda: False, requirement_deadline("after", AFTER))
    lab.mark("end")
    pulse.stop()
    lab.judge(checks.others_feel_nothing)
