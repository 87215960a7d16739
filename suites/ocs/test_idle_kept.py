"""OCS-IDLE-03 and -04: what keeps a connection open that would otherwise end as idle."""

from collections.abc import Callable

from lbcert.api import (
    BENOTIFY,
    SHORT_IDLE,
    SIP_APPLICATIONS,
    SIP_SERVICES,
    Lab,
    Talk,
    checks,
    dial,
    push_all,
    requirement,
    requirement_deadline,
    say_all,
)

EACH = 3
"""connections of each kind, on each port at which clients log on; one on each other SIP port"""
SHARE = 2 / 3
"""of the idle time passes between two things that are said: as clients of OCS do with what the server names"""
ROUNDS = 8
"""of these, so that more than five idle times pass from the first to the last"""


@requirement("OCS-IDLE-03", variant="short-idle")
def test_keepalives_pass_and_count(lab: Lab) -> None:
    """Clients send nothing but keep-alives, every two thirds of the idle time."""
    held = hold(lab, "keepalive")
    use(lab, held, lambda: say_all(lab, held, "ping"))
    lab.judge(checks.keepalives_pass_and_count, idle=SHORT_IDLE)


@requirement("OCS-IDLE-04", variant="short-idle")
def test_one_way_is_enough(lab: Lab) -> None:
    """Every two thirds of the idle time only clients say something on some connections, and only Front Ends on others."""
    client, server = hold(lab, "from-client"), hold(lab, "from-server")

    def say() -> None:
        say_all(lab, client, "ack")
        push_all(lab, [talk for talk in server if talk.alive], say="bytes", hex=BENOTIFY.hex())

    use(lab, client + server, say)
    lab.judge(checks.one_way_is_enough, idle=SHORT_IDLE)


def hold(lab: Lab, label: str) -> list[Talk]:
    services = [*SIP_SERVICES * EACH, *SIP_APPLICATIONS]
    return lab.visit([dial(lab, service, hold=True, label=label) for service in services if service in lab.services])


def use(lab: Lab, held: list[Talk], say: Callable[[], None]) -> None:
    """Have something said on these connections for more than five idle times."""
    lab.echo(held, "begin")
    lab.mark("kept")
    for _ in range(ROUNDS):
        lab.watch("two thirds of the idle time", lambda: False, requirement_deadline("keep-alive", SHARE * SHORT_IDLE))
        say()
    lab.mark("over")
    lab.echo(held, "end")
