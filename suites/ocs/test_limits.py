"""OCS-NET-06, -09: outgoing ports that run out, and a product that is full. Both on variants with small limits."""

from lbcert.api import (
    MARGIN,
    SMALL_MAXCONN,
    SMALL_PORTS,
    Call,
    Lab,
    Talk,
    checks,
    detection,
    dial,
    patience,
    recovery,
    requirement,
    requirement_deadline,
)

GROUP = 50
LEAVE = 10
BEYOND = 20


@requirement("OCS-NET-06", variant="small-ports")
def test_outgoing_ports_run_out(lab: Lab) -> None:
    """Clients come until some are turned away; the others live on, and when ten have left ten new ones are served."""
    fill_up(lab, 1)


@requirement("OCS-NET-06", variant="two-addresses")
def test_second_address_brings_as_many(lab: Lab) -> None:
    """The same with two addresses of the product."""
    fill_up(lab, 2)


def fill_up(lab: Lab, addresses: int) -> None:
    lab.settle()
    most = SMALL_PORTS * addresses * len(lab.servers) + GROUP
    made: list[Talk] = []
    while len(made) < most and all(talk.alive for talk in made):
        made += lab.visit([call(lab, "filling") for _ in range(GROUP)])
    live = [talk for talk in made if talk.alive]
    check = lab.declares.health_check
    # A product whose health checks need ports as well may take its servers for dead meanwhile.
    lab.watch("health checks notice", lambda: False, requirement_deadline("shortage", detection(check, "refused") + MARGIN))
    lab.echo(live, "full")
    for talk in lab.shuffled([talk for talk in live if talk.alive])[:LEAVE]:
        talk.leave()
    lab.watch("servers are used again", lambda: False, requirement_deadline("room", recovery(check) + MARGIN))
    lab.visit([call(lab, "newcomer") for _ in range(LEAVE)], at_once=1)
    lab.judge(checks.ports_run_out_gracefully, ports=SMALL_PORTS, addresses=addresses)


@requirement("OCS-NET-09", variant="small-maxconn")
def test_full_product(lab: Lab) -> None:
    """As many clients as are admitted stay; twenty more come, and some time later there is room."""
    held = lab.visit([call(lab, "held") for _ in range(SMALL_MAXCONN)])
    waiting = lab.clients.start([call(lab, "beyond", hold=False) for _ in range(BEYOND)])
    lab.watch("those beyond the limit have an outcome", lambda: all(talk.done for talk in waiting), patience("probe"))
    lab.echo(held, "full")
    lab.mark("room")
    for talk in held[: 2 * BEYOND]:
        talk.leave()
    lab.clients.wait(waiting, patience("outcome"))
    lab.visit([call(lab, "newcomer")])
    lab.judge(checks.fullness_is_graceful, limit=SMALL_MAXCONN)


def call(lab: Lab, label: str, hold: bool = True) -> Call:
    return dial(lab, "sip" if "sip" in lab.services else "sip-tls", label=label, hold=hold)
