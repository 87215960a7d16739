"""OCS-NET-02 to -04, OCS-ADMIN-03: the twelve ports of the pool, and those that nobody asked for."""

from dataclasses import replace

from lbcert.api import Call, Lab, checks, declared_page, dial, requirement, scan_ports

REPEATS = 3


def call_one_after_the_other(lab: Lab) -> None:
    """Three clients on each port of the guide's table, each alone, so that it shows where a lost one came out."""
    lab.settle()
    services = [name for name in lab.offer.services for _ in range(REPEATS)]
    lab.visit([call(lab, service) for service in lab.shuffled(services)], at_once=1)


def call(lab: Lab, service: str) -> Call:
    """A client of a service, on its usual port where the product offers none."""
    made = dial(lab, service)
    return made if service in lab.services else replace(made, address=(lab.vip[0], lab.offer.services[service]))


def chosen_ports(lab: Lab) -> dict[str, int]:
    return {name: lab.services.get(name, (lab.vip[0], port))[1] for name, port in lab.offer.services.items()}


@requirement("OCS-NET-02")
def test_every_port_is_open(lab: Lab) -> None:
    """Each port of the guide's table leads to a Front End."""
    call_one_after_the_other(lab)
    lab.judge(checks.ports_are_open, ports=chosen_ports(lab))


@requirement("OCS-NET-03")
def test_ports_are_kept(lab: Lab) -> None:
    """At which port do Front Ends have the clients of each port?"""
    call_one_after_the_other(lab)
    lab.judge(checks.ports_are_kept, ports=chosen_ports(lab))


@requirement("OCS-NET-04")
def test_no_other_port_is_balanced(lab: Lab) -> None:
    """All ports of the VIP; those beyond the table are knocked at."""
    lab.settle()
    scan_ports(lab)
    lab.judge(checks.listeners_agree, ports=chosen_ports(lab))


@requirement("OCS-ADMIN-03")
def test_no_other_port_is_open(lab: Lab) -> None:
    """The same; which of those beyond the table are the product's own?"""
    lab.settle()
    scan_ports(lab)
    page = declared_page(lab)
    lab.judge(checks.only_declared_ports_are_open, ports=chosen_ports(lab),
              declared=[int(page.rpartition(":")[2])] if page else [])  # fmt: skip
