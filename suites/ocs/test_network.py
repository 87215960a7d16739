"""OCS-NET-01, -05, -07, -08: whose address the pool has, and which way connections go."""

from lbcert.api import Call, Lab, ask_arp, checks, dial, note_carriers, requirement

QUESTIONS = 100
REPEATS = 3
FROM_EACH = 2
"""connections of each Front End on each port"""


@requirement("OCS-NET-01")
def test_vip_has_one_owner(lab: Lab) -> None:
    """A host of the front network asks a hundred times by ARP who has the VIP."""
    ask_arp(lab, QUESTIONS)
    lab.judge(checks.vip_has_one_owner, asked=QUESTIONS)


def call_all_ports(lab: Lab) -> None:
    """Three clients on each port that the product offers."""
    services = [name for name in lab.services for _ in range(REPEATS)]
    lab.visit([dial(lab, service) for service in lab.shuffled(services)], at_once=12)


@requirement("OCS-NET-05")
def test_front_ends_see_the_product(lab: Lab) -> None:
    """Clients on all ports; where do Front Ends have them from?"""
    call_all_ports(lab)
    lab.judge(checks.front_ends_see_the_product, ports=dict(lab.offer.services))


@requirement("OCS-NET-07")
def test_front_ends_reach_the_vip(lab: Lab) -> None:
    """Each Front End connects to its own pool's VIP, on every port."""
    calls: list[Call] = [
        dial(lab, service, server.listen[0][0], host=server.host, label=server.host)
        for server in lab.servers for service in lab.services for _ in range(FROM_EACH)
    ]  # fmt: skip
    lab.visit(lab.shuffled(calls), at_once=6)
    lab.judge(checks.front_ends_reach_the_vip)


@requirement("OCS-NET-08")
def test_both_ways_cross_the_product(lab: Lab) -> None:
    """Clients on all ports exchange data; whose MAC addresses are on the packets?"""
    call_all_ports(lab)
    note_carriers(lab)
    lab.judge(checks.both_ways_cross_the_product)
