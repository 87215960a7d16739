"""OCS-IDLE-01, -02, -05 and -07: connections on which nobody says anything, for as long as the idle time, and longer."""

from lbcert.api import (
    SIP_SERVICES,
    Lab,
    Talk,
    Verdict,
    be_silent_late,
    checks,
    dial,
    listen,
    push_all,
    requirement,
    tell_heard,
    until_answered,
)

SILENT = 5
"""connections of each kind, on each SIP port"""


@requirement("OCS-IDLE-01", "OCS-IDLE-02", "OCS-IDLE-05", "OCS-IDLE-07", long="idle")
def test_silent_connections(lab: Lab) -> None:
    """At 95 % of the idle time some connections are used again by their clients and some by their Front Ends; the rest stay silent."""
    if lab.declares.idle is None:
        lab.end(Verdict.NOT_RUN, "dut.yaml does not say declares.session.idle (seconds, or none)")
    silent, left, notified = hold(lab, "silent"), hold(lab, "left"), hold(lab, "notified", subscribes=True)
    lab.echo([*silent, *left, *notified], "begin")
    until_answered(lab, notified)
    listen(notified)

    def late() -> None:
        push_all(lab, [talk for talk in notified if talk.alive], say="notify", body="<presence/>")
        lab.echo(silent, "end")

    be_silent_late(lab, left, late)
    tell_heard(lab, notified)
    lab.echo(left, "end")
    lab.judge(checks.silent_connection_lives)
    lab.judge(checks.idle_time_exceeds_refresh)
    lab.judge(checks.both_ends_are_told)
    lab.judge(checks.front_end_reaches_silent_client)


def hold(lab: Lab, label: str, **how: bool) -> list[Talk]:
    """Have clients hold connections on each SIP port."""
    services = [service for service in SIP_SERVICES if service in lab.services]
    return lab.visit([dial(lab, service, hold=True, label=label, **how) for service in services for _ in range(SILENT)])
