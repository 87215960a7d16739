"""RDP-FAIL-09: a user whom a failure moved is not sent to the dead server again."""

from lbcert.api import (
    MANY_USERS,
    Connection,
    Lab,
    Verdict,
    again,
    checks,
    crash,
    crowd_after_detection,
    requirement,
    settle_users,
    until_dead,
)

MOVED = 40
"""users who come twice: a table that is never rewritten, and one that forgets every tenth user, are seen; one that
forgets each user by chance 1 in 3 escapes with less than 1e-4"""
CONTROL = 10


@requirement("RDP-FAIL-09", timing=True)
def test_moved_users_go_straight_to_their_new_server(lab: Lab) -> None:
    """Users of a crashed server come, and come again as soon as all were answered; a hash: once it must be known as dead."""
    hashes = lab.declares.returns_after_recovery
    if hashes is None:
        lab.end(Verdict.NOT_RUN, "dut.yaml does not say declares.persistence.returns_after_recovery (true or false)")
    name, theirs = next(iter(settle_users(lab, MANY_USERS).items()))
    users, control, others = theirs[:MOVED], theirs[MOVED : MOVED + CONTROL], theirs[MOVED + CONTROL :]
    crash(lab, lab.server(name))
    if hashes:
        crowd_after_detection(lab, name, until_dead(lab, name, "refused", others))
    volley(lab, users, "first")
    lab.mark("again")
    volley(lab, users, "second")
    lab.mark("again-over")
    lab.mark("control")
    volley(lab, control, "control")
    lab.mark("control-over")
    lab.judge(checks.moved_users_go_straight)


def volley(lab: Lab, users: list[Connection], label: str) -> None:
    """All of them at once, until each has its outcome."""
    lab.visit([again(visit, label) for visit in users], at_once=len(users))
