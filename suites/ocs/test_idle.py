"""OCS-IDLE-01, -02, -05 and -07: connections on which nobody says anything, for as long as the idle time, and longer."""

from collections.abc import Callable, Sequence

from lbcert.api import (
    SIP_APPLICATIONS,
    SIP_SERVICES,
    Lab,
    Talk,
    Verdict,
    be_silent,
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
"""connections on each of the ports at which clients log on"""
ALSO = 2
"""connections on each other port; a product may have a listener of its own for it"""


def hold(lab: Lab, label: str, also: Sequence[str], **how: bool) -> list[Talk]:
    """Have clients hold connections on the ports at which they log on, and on others."""
    if lab.declares.idle is None:
        lab.end(Verdict.NOT_RUN, "dut.yaml does not say declares.session.idle (seconds, or none)")
    others = [service for service in also if service not in SIP_SERVICES]
    services = [service for service in SIP_SERVICES for _ in range(SILENT)] + [service for service in others for _ in range(ALSO)]
    held = lab.visit([dial(lab, service, hold=True, label=label, **how) for service in services if service in lab.services])
    lab.echo(held, "begin")
    return held


def used_late(lab: Lab, check: Callable, also: Sequence[str]) -> None:
    """Connections are silent, and used again when 95 % of the idle time are over."""
    silent = hold(lab, "silent", also)
    be_silent_late(lab, silent, lambda: lab.echo(silent, "end"))
    lab.judge(check)


@requirement("OCS-IDLE-01", long="idle")
def test_silent_connection_lives(lab: Lab) -> None:
    """Nobody says a byte for 95 % of the idle time; then clients ask again."""
    used_late(lab, checks.silent_connection_lives, list(lab.services))


@requirement("OCS-IDLE-02", long="idle")
def test_idle_time_exceeds_refresh(lab: Lab) -> None:
    """The same, for the times that the Front Ends name."""
    used_late(lab, checks.idle_time_exceeds_refresh, ())


@requirement("OCS-IDLE-05", long="idle")
def test_both_ends_are_told(lab: Lab) -> None:
    """Nobody says a byte until 105 % of the idle time are over."""
    left = hold(lab, "left", list(lab.services))
    be_silent(lab, left)
    lab.echo(left, "end")
    lab.judge(checks.both_ends_are_told)


@requirement("OCS-IDLE-07", long="idle")
def test_front_end_reaches_silent_client(lab: Lab) -> None:
    """Nobody says a byte for 95 % of the idle time; then Front Ends notify their clients."""
    notified = hold(lab, "notified", SIP_APPLICATIONS, subscribes=True)
    until_answered(lab, notified)
    listen(notified)
    be_silent_late(lab, notified, lambda: push_all(lab, [talk for talk in notified if talk.alive], say="notify", body="<presence/>"))
    tell_heard(lab, notified)
    lab.judge(checks.front_end_reaches_silent_client)
