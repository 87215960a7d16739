"""TP-ADDR-01, -03 and -08: what servers are told of a client's address and port."""

from lbcert.api import Lab, checks, dial, requirement, trace

SERVICES = ("http", "https")
CLIENTS = 20
"""for each service; half of them within the front network, half from beyond"""
CONNECTIONS = 10
"""for each service, whose port is looked at"""


@requirement("TP-ADDR-01")
def test_servers_are_told_the_address(lab: Lab) -> None:
    """One after the other, so that what was kept of the client before is there for the next; first the path of one request."""
    for service in SERVICES:
        trace(lab, service)
    calls = [dial(lab, service) for _ in range(CLIENTS) for service in SERVICES]
    lab.visit(calls, at_once=1)
    lab.judge(checks.address_is_told)


@requirement("TP-ADDR-03")
def test_port_is_as_declared(lab: Lab) -> None:
    """Clients from ports of their own choice."""
    ports = lab.random.sample(range(20000, 30000), CONNECTIONS * len(SERVICES))
    lab.visit([dial(lab, service, source_port=ports.pop()) for _ in range(CONNECTIONS) for service in SERVICES])
    lab.judge(checks.port_is_as_declared)


@requirement("TP-ADDR-08", variant="not-transparent")
def test_without_transparency(lab: Lab) -> None:
    """The same clients where transparency is switched off."""
    lab.visit([dial(lab, service) for _ in range(CLIENTS) for service in SERVICES])
    lab.judge(checks.balancer_is_seen)
