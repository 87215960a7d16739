"""OCS-FAIL-04 and -06: what held connections see of a Front End's death, those on it and those on others."""

from lbcert.api import (
    MARGIN,
    Lab,
    Pulse,
    Talk,
    Trickle,
    ask_more,
    checks,
    come,
    dark,
    detection,
    dial,
    newcomers,
    requirement,
    requirement_deadline,
    restore,
    settle_clients,
    two_windows,
    until_dead,
    until_used,
)

ON_EACH, ON_OTHERS = 10, 20
"""connections for each Front End that there is, and on all but one of them together, at least"""
SERVICES = ("sip", "sip-tls", "focus", "rpc", "sharing")
"""on which connections are held: two listeners' worth of protocols, with TLS and without"""
CROWD = 60
EVERY, ASK = 0.5, 0.4
"""s between two clients that come, and between two requests on a held connection"""
AFTER = 5.0
"""s for which connections are looked at after the return"""


def hold(lab: Lab) -> list[Talk]:
    services = [service for service in SERVICES if service in lab.services]
    each = max(ON_EACH, ON_OTHERS // max(1, len(lab.servers) - 1))
    return lab.visit([dial(lab, services[n % len(services)], hold=True, label="held") for n in range(each * len(lab.servers))])


@requirement("OCS-FAIL-04", timing=True)
def test_clients_of_dead_front_end_are_told(lab: Lab) -> None:
    """Connections are held on every Front End; one loses its power."""
    lab.need_servers(2)
    lab.settle()
    held = hold(lab)
    name = crowded(lab, held)
    theirs = [talk for talk in held if talk.server == name]
    dark(lab, lab.server(name))
    until_dead(lab, name, "dark", theirs, until=lambda: not any(talk.alive for talk in theirs),
               busy=[talk for talk in held if talk.server != name], use=ask_more)  # fmt: skip
    two_windows(lab, name, newcomers(lab, CROWD, "after", hold=True), MARGIN)
    lab.judge(checks.clients_of_dead_front_end_are_told)


def crowded(lab: Lab, held: list[Talk]) -> str:
    """A Front End that holds as many of these connections as its share is, or more."""
    counts = {server.name: sum(1 for talk in held if talk.server == server.name) for server in lab.servers}
    share = min(max(counts.values()), len(held) // len(counts))
    return lab.random.choice([name for name, count in counts.items() if count >= share])


@requirement("OCS-FAIL-06", timing=True)
def test_clients_of_other_front_ends_feel_nothing(lab: Lab) -> None:
    """Connections ask again and again; a Front End loses its power, its clients and new ones come, and it returns."""
    name, theirs = next(iter(settle_clients(lab, ON_EACH).items()))
    held = hold(lab)
    pulse = Pulse(lab, [talk for talk in held if talk.server != name], ASK)
    lab.watch("answers before the fault", lambda: False, requirement_deadline("before", AFTER / 2))
    server = lab.server(name)
    dark(lab, server)
    services = [service for service in SERVICES if service in lab.services]
    coming = Trickle(lab, EVERY, lambda number: come(lab, theirs[number // 2 % len(theirs)], services[number % len(services)], "known")
                     if number % 2 else dial(lab, services[number % len(services)], label="new"))  # fmt: skip
    lab.watch(f"{name} is known as dead", lambda: False,
              requirement_deadline("detection", detection(lab.declares.health_check, "dark") + MARGIN))  # fmt: skip
    restore(lab, server, "dark")
    until_used(lab, server)
    coming.stop()
    lab.watch("answers after the return", lambda: False, requirement_deadline("after", AFTER))
    lab.mark("end")
    pulse.stop()
    lab.judge(checks.others_feel_nothing)
