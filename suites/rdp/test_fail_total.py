"""RDP-FAIL-07: no server is left."""

from lbcert.api import (
    MARGIN,
    Connection,
    Lab,
    Stream,
    Visit,
    again,
    checks,
    crash,
    dark,
    patience,
    recovery,
    requirement,
    requirement_deadline,
    restore,
    settle_users,
    trial,
    until_dead,
)

EACH = 20
"""known users, new ones, and clients without a name; one of each kind every 100 ms. At last so many new ones for each server:
that a server gets none of them by chance is below 1e-6"""
INTERVAL = 0.1


@requirement("RDP-FAIL-07", timing=True)
def test_total_loss(lab: Lab) -> None:
    """Every second server crashes, the others go dark; when all must be known as dead, clients come. Then all return."""
    known = [visit for visits in settle_users(lab).values() for visit in visits]
    faults = {server.name: (server, "dark" if number % 2 else "crash") for number, server in enumerate(lab.mocks)}
    for server, fault in faults.values():
        (dark if fault == "dark" else crash)(lab, server)
    check = lab.declares.health_check
    others = until_dead(lab, "every server", "dark", lab.shuffled(known))
    begun: list[Connection] = []
    # A product without checks tries dead servers with a user now and then: it is looked at until it has done that.
    window = max(EACH * INTERVAL, trial(check))
    groups = clients_of_three_kinds(lab, others[: int(window / INTERVAL)], "lost")
    lab.every(INTERVAL, requirement_deadline("window", window), "clients are turned away",
              lambda: begun.extend(lab.clients.start(groups.pop() if groups else [])))  # fmt: skip
    lab.wait("what comes of clients without a server", lambda: all(v.done for v in begun), patience("outcome"))
    for server, fault in faults.values():
        restore(lab, server, fault)
    waiting = Stream(lab, INTERVAL, "waiting")
    lab.watch("the servers are used again", lambda: False, requirement_deadline("recovery", recovery(check) + MARGIN))
    waiting.stop()
    # Whether a client without a name is served at all is RDP-PARSE-04's subject.
    back = [visit for group in clients_of_three_kinds(lab, lab.shuffled(known)[:EACH], "back") for visit in group]
    back += [Visit(lab.sources.one(), f"more{number}", label="back") for number in range(EACH * len(lab.mocks))]
    lab.visit([visit for visit in back if visit.user is not None])
    lab.judge(checks.total_loss_is_answered)


def clients_of_three_kinds(lab: Lab, known: list[Connection], label: str) -> list[list[Visit]]:
    """Groups of a known user, a new one and one without a name."""
    return [[again(visit, label), Visit(lab.sources.one(), f"{label}{number}", label=label),
             Visit(lab.sources.one(), None, label=label)] for number, visit in enumerate(known)]  # fmt: skip
