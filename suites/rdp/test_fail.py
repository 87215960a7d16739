"""RDP-FAIL: a server dies, and returns."""

from lbcert.api import (
    DETECTED_AS,
    FAULTS,
    MARGIN,
    Connection,
    Lab,
    Verdict,
    Visit,
    again,
    checks,
    crash,
    crowd_after_detection,
    detection,
    patience,
    recovery,
    requirement,
    requirement_deadline,
    restore,
    settle_users,
    until_dead,
)

INTERVAL = 0.1
MOVED = 20
BACK = 2
"""visits of each moved user after the return; a rule that holds once only is none"""
OTHERS = 20
"""users of each other server: a hash that is dealt anew over the servers that are left moves half of them or more"""
HELD = 10


@requirement("RDP-FAIL-01", timing=True)
def test_users_of_crashed_server_are_served(lab: Lab) -> None:
    """Users of a crashed server connect every 100 ms until it must be known as dead, and in a crowd after that."""
    name, theirs = next(iter(settle_users(lab).items()))
    first, later = theirs[::2], theirs[1::2]
    crash(lab, lab.server(name))
    bound = detection(lab.declares.health_check, "refused") + MARGIN
    queue = first * (int(bound / INTERVAL / len(first)) + 2)
    begun: list[Connection] = []
    lab.every(INTERVAL, requirement_deadline("detection", bound), f"{name} is known as dead",
              lambda: begun.extend(lab.clients.start([again(queue.pop(), "during")])))  # fmt: skip
    # At once: waiting for those under way would give the product longer than its limit.
    crowd_after_detection(lab, name, later)
    lab.wait("answers to users during detection", lambda: all(v.done for v in begun), patience("outcome"))
    lab.judge(checks.dead_server_is_left)


@requirement("RDP-FAIL-05", timing=True)
def test_sessions_on_dark_server_are_cut(lab: Lab) -> None:
    """Sessions are held on every server; one server's host goes dark."""
    sessions_on_dead_server_are_cut(lab, "dark")


@requirement("RDP-FAIL-05", timing=True, when=lambda deployment: deployment.declares.health_check.speaks)
def test_sessions_on_hung_server_are_cut(lab: Lab) -> None:
    """Sessions are held on every server; one server hangs. A check that only connects cannot see that (RDP-FAIL-03)."""
    sessions_on_dead_server_are_cut(lab, "hang")


def sessions_on_dead_server_are_cut(lab: Lab, fault: str) -> None:
    homes = settle_users(lab)
    name = next(iter(homes))
    held = lab.visit([Visit(v.visit.source, v.visit.user, hold=True, label="held") for v in everybody(homes, HELD)])
    FAULTS[fault](lab, lab.server(name))
    theirs = [session for session in held if session.server == name]
    others = until_dead(lab, name, DETECTED_AS[fault], homes[name][HELD:],
                        until=lambda: not any(session.alive for session in theirs),
                        busy=[session for session in held if session.server != name])  # fmt: skip
    # Whether it left the pool at all tells a balancer that keeps sessions from one that did not notice.
    crowd_after_detection(lab, name, others)
    lab.judge(checks.sessions_are_cut, fault=fault)


def everybody(homes: dict[str, list[Connection]], count: int) -> list[Connection]:
    """The first `count` users of every server."""
    return [visit for visits in homes.values() for visit in visits[:count]]


@requirement("RDP-FAIL-06", timing=True)
def test_returning_users_follow_the_declared_rule(lab: Lab) -> None:
    """A server crashes, its users are moved, it returns, and they come again; users of other servers come all the while."""
    if lab.declares.returns_after_recovery is None:
        lab.end(Verdict.NOT_RUN, "dut.yaml does not say declares.persistence.returns_after_recovery (true or false)")
    homes = settle_users(lab)
    name, theirs = next(iter(homes.items()))
    others = everybody({other: visits for other, visits in homes.items() if other != name}, OTHERS)
    server = lab.server(name)
    crash(lab, server)
    spared = until_dead(lab, name, "refused", theirs[MOVED:])
    moved = move_users(lab, theirs[:MOVED], name)
    lab.visit([again(visit, "others") for visit in lab.shuffled(others)])
    crowd_after_detection(lab, name, spared)
    restore(lab, server, "crash")
    wait_until_used(lab, name)
    for _ in range(BACK):
        lab.visit(lab.shuffled([*(again(visit, "back") for visit in moved), *(again(visit, "others back") for visit in others)]))
    lab.judge(checks.return_rule_is_kept)


def move_users(lab: Lab, users: list[Connection], dead: str) -> list[Connection]:
    """Have all users of a server that must be known as dead served elsewhere; else the test is blocked."""
    moved: dict[str, Connection] = {}
    for visit in lab.visit([again(visit, "moved") for visit in users]):
        if visit.server not in (None, dead):
            moved[visit.visit.user] = visit
    if len(moved) < len(users):
        lab.end(Verdict.BLOCKED, f"{len(users) - len(moved)} of {len(users)} users of {dead} were not served "
                                 "elsewhere after the detection limit, which RDP-FAIL-01 is about")  # fmt: skip
    return list(moved.values())


def wait_until_used(lab: Lab, name: str) -> None:
    """Send new users until the returned server gets one; the check sees it if none does."""
    deadline = patience("recovery", recovery(lab.declares.health_check))
    number = 0
    seen = False
    while not seen and not deadline.expired:
        fresh = [Visit(lab.sources.one(), f"fresh{number + extra}", label="fresh") for extra in range(6)]
        number += len(fresh)
        seen = any(visit.server == name for visit in lab.visit(fresh))
        if not seen:
            lab.watch(f"{name} is used again", lambda: False, patience("pause"))
