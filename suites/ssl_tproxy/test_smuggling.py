"""TP-SEC-01: where a request ends is the same for balancer and server."""

from lbcert.api import SITE_NAME, SMUGGLING, Ask, Lab, checks, dial, requirement

SERVICES = ("http", "https")


@requirement("TP-SEC-01")
def test_requests_end_where_they_do(lab: Lab) -> None:
    """Each doubtful request on a connection of its own; then twice an ordinary client from the same address."""
    attacks = [(service, name, lab.sources.one()) for service in SERVICES for name in SMUGGLING]
    lab.visit([
        dial(lab, service, source, label=name, hold=True, raw=lambda token, name=name: SMUGGLING[name].bytes(token, SITE_NAME))
        for service, name, source in attacks
    ], at_once=len(attacks))  # fmt: skip
    for page in ("/usual", "/later"):
        lab.visit([dial(lab, service, source, asks=[Ask(page)], label="next") for service, _, source in lab.shuffled(attacks)])
    lab.judge(checks.requests_end_where_they_do, host=SITE_NAME)
