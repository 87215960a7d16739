"""RDP-PERSIST-04, -05: the balancer remembers a user for as long as there is something to come back to.

Both run with a lifetime of 4 s, of which users who stay away show that it is in force. A deployment that declares
`timer: none` and offers no variant is held to that instead: nothing may be forgotten.
"""

from lbcert.api import (
    SHORT_LIFETIME,
    Connection,
    Deployment,
    Lab,
    Verdict,
    Visit,
    checks,
    requirement,
    requirement_deadline,
    sequential,
)

USERS = 60
"""of whom all are on their server by chance after their entries are gone: below 1e-6 with two servers"""
STRANGERS = 7
LONG = 1.5
"""lifetimes that a session lasts"""
NEARLY = 0.9
"""of the lifetime, after which a user reconnects"""


def for_ever(deployment: Deployment) -> bool:
    """Whether it is to be judged as it stands: declared to forget nobody, and no shorter lifetime on offer."""
    return deployment.declares.timer == "none" and "short-lifetime" not in deployment.variants


def limited(deployment: Deployment) -> bool:
    return not for_ever(deployment)


@requirement("RDP-PERSIST-04", variant="short-lifetime", when=limited)
def test_session_outlives_the_lifetime(lab: Lab) -> None:
    """Sixty sessions with traffic last 1.5 times the lifetime; then their users come back, and sixty who stayed away."""
    hold_and_return(lab)
    lab.judge(checks.session_outlives_lifetime, lifetime=SHORT_LIFETIME, held=LONG * SHORT_LIFETIME)


@requirement("RDP-PERSIST-04", when=for_ever)
def test_long_session_without_lifetime(lab: Lab) -> None:
    """The same, where nobody is ever forgotten: those who stayed away must be on their servers as well."""
    hold_and_return(lab)
    lab.judge(checks.session_outlives_lifetime, lifetime=None, held=LONG * SHORT_LIFETIME)


def hold_and_return(lab: Lab) -> None:
    lab.need_servers(2)
    visits = [Visit(lab.sources.one(), user, hold=True, label="held") for user in sequential(USERS, "busy")]
    visits += [Visit(lab.sources.one(), user, label="away") for user in sequential(USERS, "away")]
    made = lab.visit(lab.shuffled(visits))
    held = [session for session in made if session.alive]
    lab.every(1.0, requirement_deadline("session", LONG * SHORT_LIFETIME), "sessions are in use",
              lambda: [session.send(b"a key is pressed") for session in held if session.alive])  # fmt: skip
    for session in held:
        session.leave()
    come_again(lab, made, {"held": "held again", "away": "away again"})


def come_again(lab: Lab, made: list[Connection], labels: dict[str, str], in_turn: bool = False) -> list[Connection]:
    """The users of some visits from the same addresses once more, in a new order, with strangers among them.

    `in_turn`: each after the same time, so in the old order; the strangers at random places keep that from being a lock-step.
    """
    visits = [Visit(one.visit.source, one.visit.user, label=labels[one.visit.label])
              for one in made if one.visit.label in labels]  # fmt: skip
    unseen = [f"stranger{lab.random.getrandbits(32):08x}" for _ in range(STRANGERS)]
    strangers = [Visit(lab.sources.one(), user, label="other") for user in unseen]
    if not in_turn:
        return lab.visit(lab.shuffled([*visits, *strangers]))
    for stranger in strangers:
        visits.insert(lab.random.randrange(len(visits) + 1), stranger)
    return lab.visit(visits)


@requirement("RDP-PERSIST-05", variant="short-lifetime", when=limited, timing=True)
def test_reconnect_within_the_lifetime(lab: Lab) -> None:
    """Sixty users come back twice, each time after 90 % of the lifetime; sixty others after twice that time only."""
    leave_and_return(lab)
    lab.judge(checks.lifetime_is_kept, lifetime=SHORT_LIFETIME, share=NEARLY)


@requirement("RDP-PERSIST-05", when=for_ever)
def test_reconnect_without_lifetime(lab: Lab) -> None:
    """The same, where nobody is ever forgotten: those who stayed away must be on their servers as well."""
    leave_and_return(lab)
    lab.judge(checks.lifetime_is_kept, lifetime=None, share=NEARLY)


def leave_and_return(lab: Lab) -> None:
    lab.need_servers(2)
    if lab.declares.timer is None:
        lab.end(Verdict.NOT_RUN, "dut.yaml does not say declares.persistence.timer (seconds, or none)")
    visits = [Visit(lab.sources.one(), user, label="first") for user in sequential(USERS, "back")]
    visits += [Visit(lab.sources.one(), user, label="away") for user in sequential(USERS, "away")]
    again = requirement_deadline("nearly a lifetime", NEARLY * SHORT_LIFETIME)
    made = lab.visit(lab.shuffled(visits))
    lab.watch("users are away for 90 % of the lifetime", lambda: False, again)
    again = requirement_deadline("nearly a lifetime", NEARLY * SHORT_LIFETIME)
    come_again(lab, made, {"first": "second"}, in_turn=True)
    lab.watch("users are away for 90 % of the lifetime", lambda: False, again)
    come_again(lab, made, {"first": "third"}, in_turn=True)
    come_again(lab, made, {"away": "away again"})
