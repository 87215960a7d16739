"""TP-TLS-03: HTTP and HTTPS on one VIP, whatever is restarted."""

from lbcert.api import Lab, checks, dial, parts, requirement, restart

CLIENTS = 10
"""for each service"""


def clients(label: str, lab: Lab) -> None:
    lab.visit([dial(lab, service, label=label) for _ in range(CLIENTS) for service in ("http", "https")])


@requirement("TP-TLS-03")
def test_restarts(lab: Lab) -> None:
    """The product's programs are restarted one by one, first to last and last to first."""
    clients("", lab)
    names = parts(lab)
    for order in dict.fromkeys([names, names[::-1]]):
        for part in order:
            restart(lab, part)
        clients(" and ".join(order), lab)
    lab.judge(checks.restarts_change_nothing)
