"""RDP-FAIL: a server dies, and returns."""

import pytest

from lbcert.api import (
    MARGIN,
    FAULTS,
    Connection,
    Lab,
    Verdict,
    Visit,
    checks,
    crash,
    detection,
    patience,
    recovery,
    requirement,
    requirement_deadline,
    restore,
    sequential,
)

USERS = 120
"""enough for 30 of each of two or three servers, whatever hash decides (chance of fewer: below 1e-6)"""
INTERVAL = 0.1
WINDOW = 2.0
"""s: each of the two windows in which attempts at the dead server are counted"""
LATE_VISITS = 100
MOVED = 20
HELD = 10


def settle_users(lab: Lab, count: int = USERS) -> dict[str, list[Connection]]:
    """Let users find their servers; returns the visits of each server's users, busiest server first."""
    made = lab.visit([Visit(lab.sources.one(), user, label="settle") for user in lab.shuffled(sequential(count))])
    homes: dict[str, list[Connection]] = {server.name: [] for server in lab.servers}
    for visit in made:
        if visit.server in homes:
            homes[visit.server].append(visit)
    return dict(sorted(homes.items(), key=lambda item: -len(item[1])))


def again(visit: Connection, label: str) -> Visit:
    """The same user from the same address once more."""
    return Visit(visit.visit.source, visit.visit.user, label=label)


@requirement("RDP-FAIL-01", timing=True)
def test_users_of_crashed_server_are_served(lab: Lab) -> None:
    """Users of a crashed server connect every 100 ms until it must be known as dead, and in a crowd after that."""
    name, theirs = next(iter(settle_users(lab).items()))
    crash(lab, lab.server(name))
    bound = detection(lab.declares.health_check, "refused") + MARGIN
    queue = theirs * (int(bound / INTERVAL / len(theirs)) + 2)
    under_way: list[Connection] = []
    lab.every(INTERVAL, requirement_deadline("detection", bound), f"{name} is known as dead",
              lambda: under_way.extend(lab.clients.start([again(queue.pop(), "during")])))  # fmt: skip
    lab.wait("answers to users during detection", lambda: all(v.done for v in under_way), patience("sessions"))

    lab.mark("quiet")
    lab.loop.run_for(WINDOW)
    lab.mark("busy")
    crowd = (theirs * (LATE_VISITS // len(theirs) + 1))[:LATE_VISITS]
    late: list[Connection] = []
    lab.every(WINDOW / LATE_VISITS, requirement_deadline("window", WINDOW), f"nobody tries {name}",
              lambda: late.extend(lab.clients.start([again(crowd.pop(), "after")]) if crowd else ()))  # fmt: skip
    lab.mark("end")
    lab.wait("answers to users after detection", lambda: all(v.done for v in late), patience("sessions"))
    lab.judge(checks.dead_server_is_left)


@requirement("RDP-FAIL-05", timing=True)
@pytest.mark.parametrize("fault", ["dark", "hang"])
def test_sessions_on_dead_server_are_cut(lab: Lab, fault: str) -> None:
    """Sessions are held on every server; one server goes dark, or hangs."""
    if fault == "hang" and lab.declares.health_check.kind == "tcp":
        # A connect check cannot notice a hung server; that it should is RDP-FAIL-03.
        lab.end(Verdict.MEASURED, "not judged: the declared check only connects, so a hung server stays in the pool")
    homes = settle_users(lab)
    name = next(iter(homes))
    held = lab.visit([Visit(v.visit.source, v.visit.user, hold=True, label="held") for v in everybody(homes, HELD)])
    FAULTS[fault](lab, lab.server(name))
    bound = detection(lab.declares.health_check, fault) + MARGIN
    theirs = [session for session in held if session.server == name]
    lab.watch(f"sessions on {name} are cut", lambda: not any(session.alive for session in theirs),
              requirement_deadline("detection", bound))  # fmt: skip
    # Users without a held session, so that their service tells whether the server left the pool.
    lab.visit([again(visit, "known") for visit in homes[name][HELD : 2 * HELD]])
    lab.judge(checks.sessions_are_cut, fault=fault)


def everybody(homes: dict[str, list[Connection]], count: int) -> list[Connection]:
    """The first `count` users of every server."""
    return [visit for visits in homes.values() for visit in visits[:count]]


@requirement("RDP-FAIL-06", timing=True)
def test_returning_users_follow_the_declared_rule(lab: Lab) -> None:
    """A server crashes, its users are moved, it returns, and they come again."""
    if lab.declares.returns_after_recovery is None:
        lab.end(Verdict.NOT_RUN, "dut.yaml does not say declares.persistence.returns_after_recovery (true or false)")
    name, theirs = next(iter(settle_users(lab).items()))
    server = lab.server(name)
    crash(lab, server)
    moved = move_users(lab, theirs[:MOVED], name)
    restore(lab, server, "crash")
    wait_until_used(lab, name)
    if len(moved) == MOVED:
        lab.visit([again(visit, "back") for visit in lab.shuffled(moved)])
    lab.judge(checks.return_rule_is_kept)


def move_users(lab: Lab, users: list[Connection], dead: str) -> list[Connection]:
    """Have all users served elsewhere, trying until detection must be over; else the test is blocked."""
    check = lab.declares.health_check
    deadline = requirement_deadline("detection", detection(check, "refused") + MARGIN)
    moved: dict[str, Connection] = {}
    lab.watch(f"{dead} is known as dead", lambda: False, deadline)
    for visit in lab.visit([again(visit, "moved") for visit in users]):
        if visit.server not in (None, dead):
            moved[visit.visit.user] = visit
    if len(moved) < len(users):
        lab.end(Verdict.BLOCKED, f"blocked: {len(users) - len(moved)} of {len(users)} users of {dead} were not served "
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
