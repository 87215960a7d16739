"""TP-ROUTE: whether packets find their way, and what comes of those that do not."""

from lbcert.api import Lab, checks, dial, filter_reverse_path, note_bypassed, patience, requirement

SERVICES = ("http", "https")
CLIENTS = 10
"""for each service"""
VISITORS = 12
LONG = 25.0
"""s that clients wait who may have to: longer than what is allowed"""
INSIDE = 3
"""requests to each service from the servers' network"""


@requirement("TP-ROUTE-01", timing=True)
def test_pages_come_after_a_start(lab: Lab) -> None:
    """On a machine that has just started; and again where its kernel is strict about where packets come from."""
    talks = lab.visit([dial(lab, service, label="start") for _ in range(CLIENTS) for service in SERVICES])
    if all(talk.outcome == "answered" for talk in talks):
        filter_reverse_path(lab)
        lab.visit([dial(lab, service, label="strict") for _ in range(CLIENTS) for service in SERVICES])
    lab.judge(checks.pages_come)


def visitors(lab: Lab) -> None:
    lab.visit([dial(lab, SERVICES[number % 2], patience=LONG) for number in range(VISITORS)])


@requirement("TP-ROUTE-02", routing="bypass", timing=True)
def test_server_with_another_gateway(lab: Lab) -> None:
    """One server's answers go past the balancer."""
    note_bypassed(lab, 1)
    visitors(lab)
    lab.judge(checks.lost_servers_are_no_silence)


@requirement("TP-ROUTE-02", routing="bypass-all", timing=True)
def test_all_servers_with_another_gateway(lab: Lab) -> None:
    """Every server's answers go past the balancer, so that nobody can be served by another."""
    note_bypassed(lab)
    visitors(lab)
    lab.judge(checks.lost_servers_are_no_silence)


@requirement("TP-ROUTE-03", routing="neighbour", timing=True)
def test_client_among_the_servers(lab: Lab) -> None:
    """A client in the servers' network, and clients where they belong."""
    home = lab.plan.host("neighbour").links[0].addresses[0].partition("/")[0]
    inside = [dial(lab, service, home, host="neighbour", label="inside", patience=LONG) for _ in range(INSIDE) for service in SERVICES]
    talks = lab.clients.start(inside)
    lab.visit([dial(lab, service, label="outside") for _ in range(INSIDE) for service in SERVICES])
    lab.wait("what comes of the clients inside", lambda: all(talk.done for talk in talks), patience("outcome", LONG))
    lab.judge(checks.neighbour_is_told)
