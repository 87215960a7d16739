"""TP-ADDR-01, -03 and -08: what servers are told of a client's address and port."""

from lbcert.api import Ask, Lab, checks, claiming, dial, requirement, trace

SERVICES = ("http", "https")
CLIENTS = 20
"""for each service; half of them within the front network, half from beyond"""
FORGED = "203.0.113.77"
PAGES = 3
"""requests in a row of every second client, if the product keeps the connection open"""
CONNECTIONS = 10
"""for each service, whose port is looked at"""


@requirement("TP-ADDR-01")
def test_servers_are_told_the_address(lab: Lab) -> None:
    """Half at once, then half one after the other, so that what was kept of a client is there for the next; last the path of one request.

    Every second client claims to be somebody else, in every header that is made for that. Where pages do not come, waiting for each would show nothing more.
    """
    asks = [[Ask("/")], [Ask("/", headers=claiming(FORGED))] * PAGES, [Ask("/")] * PAGES, [Ask("/", headers=claiming(FORGED))]]
    calls = [[dial(lab, service, asks=asks[number % len(asks)]) for number in range(CLIENTS // 2) for service in SERVICES] for _ in range(2)]
    talks = lab.visit(calls[0])
    good = all(talk.outcome == "answered" for talk in talks)
    lab.visit(calls[1], at_once=1 if good else len(calls[1]))
    if good:
        for service in SERVICES:
            trace(lab, service)
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
