"""OCS-IDLE-03 and -04: what keeps a connection open that would otherwise end as idle."""

from lbcert.api import SHORT_IDLE, SIP_SERVICES, Lab, checks, dial, push_all, requirement, requirement_deadline, say_all

EACH = 3
"""connections of each kind, on each SIP port"""
SHARE = 2 / 3
"""of the idle time passes between two things that are said: as clients of OCS do with what the server names"""
ROUNDS = 8
"""of these, so that more than five idle times pass from the first to the last"""


@requirement("OCS-IDLE-03", "OCS-IDLE-04", variant="short-idle")
def test_connections_in_little_use(lab: Lab) -> None:
    """Every two thirds of the idle time keep-alives come on some connections, and on others only one end says something."""
    services = [service for service in SIP_SERVICES if service in lab.services]
    keepalive, client, server = (
        lab.visit([dial(lab, service, hold=True, label=label) for service in services for _ in range(EACH)])
        for label in ("keepalive", "from-client", "from-server")
    )
    lab.echo([*keepalive, *client, *server], "begin")
    lab.mark("kept")
    for _ in range(ROUNDS):
        lab.watch("two thirds of the idle time", lambda: False, requirement_deadline("keep-alive", SHARE * SHORT_IDLE))
        say_all(lab, keepalive, "ping")
        say_all(lab, client, "ack")
        push_all(lab, [talk for talk in server if talk.alive], say="ping")
    lab.mark("over")
    lab.echo([*keepalive, *client, *server], "end")
    lab.judge(checks.keepalives_pass_and_count, idle=SHORT_IDLE)
    lab.judge(checks.one_way_is_enough, idle=SHORT_IDLE)
