"""OCS-IDLE-06: the Front End answers a ping, and nobody else."""

from lbcert.api import (
    MARGIN,
    SIP_APPLICATIONS,
    SIP_SERVICES,
    Lab,
    checks,
    dial,
    listen,
    push_all,
    requirement,
    requirement_deadline,
    say_all,
    tell_heard,
)

EACH = 5
"""connections on each port at which clients log on; one on each other SIP port"""


@requirement("OCS-IDLE-06", timing=True)
def test_pings_and_pongs(lab: Lab) -> None:
    """Clients ping their Front Ends; then each Front End sends a CRLF by itself."""
    services = [service for service in (*SIP_SERVICES * EACH, *SIP_APPLICATIONS) if service in lab.services]
    held = lab.visit([dial(lab, service, hold=True, label="held") for service in services])
    lab.echo(held, "begin")
    listen(held)
    lab.mark("ping")
    say_all(lab, held, "ping")
    # Not until the first one is there: a second one may come behind it.
    lab.watch("pongs, and what else there is", lambda: False, requirement_deadline("pong", 2 * MARGIN))
    lab.mark("unasked")
    push_all(lab, [talk for talk in held if talk.alive], say="ping")
    lab.watch("what Front Ends send unasked", lambda: False, requirement_deadline("unasked", 2 * MARGIN))
    lab.mark("over")
    tell_heard(lab, held)
    lab.judge(checks.pings_are_answered_by_the_front_end)
