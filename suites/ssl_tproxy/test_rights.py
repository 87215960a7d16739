"""TP-TLS-05: as whom the product serves clients."""

from lbcert.api import Lab, checks, dial, hang, note_processes, patience, requirement, restore

CLIENTS = 10
"""for each service"""


@requirement("TP-TLS-05")
def test_nobody_serves_as_root(lab: Lab) -> None:
    """Clients wait for servers that hang while the processes are looked at."""
    for server in lab.mocks:
        hang(lab, server)
    talks = lab.clients.start([dial(lab, service) for _ in range(CLIENTS) for service in ("http", "https")])
    lab.watch("all clients are taken in", lambda: note_processes(lab, at_least=len(talks)), patience("answer"))
    for server in lab.mocks:
        restore(lab, server, "hang")
    lab.wait("the clients are served", lambda: all(talk.done for talk in talks), patience("outcome"))
    lab.judge(checks.nobody_serves_as_root)
