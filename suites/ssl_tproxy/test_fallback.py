"""TP-ADDR-06: no real server is left."""

from lbcert.api import MARGIN, Lab, checks, crash, detection, dial, patience, requirement, requirement_deadline

CLIENTS = 5
"""for each service"""


@requirement("TP-ADDR-06", timing=True)
def test_fallback_answers(lab: Lab) -> None:
    """All servers crash; when that must be known, clients come. Where users have to find it out, some come until then."""
    lab.settle()
    lab.visit([dial(lab, service, label="before") for service in ("http", "https")])
    for server in lab.mocks:
        crash(lab, server)
    limit = requirement_deadline("detection", detection(lab.declares.health_check, "refused") + MARGIN)
    if lab.declares.health_check.passive:
        finders = []
        lab.every(0.1, limit, "users find out", lambda: finders.extend(lab.clients.start([dial(lab, "http", label="finding")])))
        lab.wait("what comes of them", lambda: all(talk.done for talk in finders), patience("outcome"))
    else:
        lab.watch("all servers are known as down", lambda: False, limit)
    lab.visit([dial(lab, service, label="lost") for _ in range(CLIENTS) for service in ("http", "https")])
    lab.judge(checks.fallback_answers)
