"""RDP-FAIL-02 and -03: a server that does not refuse, but stays silent."""

from lbcert.api import (
    MANY_USERS,
    MARGIN,
    Connection,
    Lab,
    again,
    checks,
    crowd_after_detection,
    dark,
    detection,
    hang,
    patience,
    requirement,
    requirement_deadline,
    settle_users,
    trial,
    until_dead,
)

INTERVAL = 0.1
LATE = 10
"""users of the dead server, one every 100 ms, who come first when it must be known as dead"""
SPARED = 30
"""users of the dead server who come in the crowd after them"""


@requirement("RDP-FAIL-02", timing=True)
def test_users_of_dark_server_are_served(lab: Lab) -> None:
    """A user of a dark server, each time another one, connects every 100 ms, also when it must be known as dead; then a crowd."""
    name, theirs = next(iter(settle_users(lab, MANY_USERS).items()))
    check = lab.declares.health_check
    many = len(theirs) // 2 if check.passive else LATE
    later, late, queue = theirs[:SPARED], theirs[SPARED : SPARED + many], theirs[SPARED + many :]
    dark(lab, lab.server(name))
    bound = detection(check, "dark") + MARGIN
    begun: list[Connection] = []
    lab.every(INTERVAL, requirement_deadline("detection", bound), f"{name} is known as dead",
              lambda: begun.extend(lab.clients.start([again(queue[len(begun) % len(queue)], "during")])))  # fmt: skip
    # Now, not when all of these are answered: a product that notices too late must not be given that time. One that
    # has no checks tries a dead server with a user now and then, so it is looked at until it has done that.
    window = max(LATE * INTERVAL, trial(check))
    lab.every(max(INTERVAL, window / len(late)), requirement_deadline("late", window), f"users of {name} are served at once",
              lambda: begun.extend(lab.clients.start([again(late.pop(), "late")] if late else [])))  # fmt: skip
    lab.wait("answers to users during detection", lambda: all(v.done for v in begun), patience("outcome"))
    crowd_after_detection(lab, name, later)
    lab.judge(checks.dark_server_is_left)


@requirement("RDP-FAIL-03", timing=True)
def test_hung_server_is_found(lab: Lab) -> None:
    """A server hangs until it must be known as dead; then its users and new ones come in a crowd."""
    name, theirs = next(iter(settle_users(lab).items()))
    hang(lab, lab.server(name))
    crowd_after_detection(lab, name, until_dead(lab, name, "hung", theirs))
    lab.judge(checks.hung_server_is_left)
