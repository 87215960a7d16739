"""TP-ADDR-02: what reaches a client."""

from lbcert.api import Lab, checks, dial, note_senders, requirement

CLIENTS = 20
"""for each service"""


@requirement("TP-ADDR-02")
def test_only_the_vip_is_seen(lab: Lab) -> None:
    """Every second client stays, and asks again."""
    talks = lab.visit([dial(lab, service, hold=bool(number % 2)) for number in range(CLIENTS) for service in ("http", "https")])
    lab.echo(talks, "again")
    for talk in talks:
        talk.leave(abort=talk.number % 4 == 0)
    note_senders(lab)
    lab.judge(checks.only_the_vip_is_seen)
