"""TP-TLS-05: as whom the product serves clients."""

from lbcert.api import Lab, checks, dial, note_processes, requirement

CLIENTS = 10
"""for each service"""


@requirement("TP-TLS-05")
def test_nobody_serves_as_root(lab: Lab) -> None:
    """Clients stay while the processes are looked at."""
    lab.visit([dial(lab, service, hold=True) for _ in range(CLIENTS) for service in ("http", "https")])
    note_processes(lab)
    lab.judge(checks.nobody_serves_as_root)
