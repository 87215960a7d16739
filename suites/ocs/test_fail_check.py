"""OCS-FAIL-01 and -03: Front Ends are checked, and one whose check fails gets no new client."""

from lbcert.api import (
    MARGIN,
    POOL_CHECK_CEILING,
    SIP_SERVICES,
    Lab,
    Talk,
    checks,
    detection,
    hang,
    in_turn,
    newcomers,
    patience,
    refuse,
    requirement,
    requirement_deadline,
    settle_clients,
    two_windows,
    until_dead,
)

INTERVALS = 3
"""check intervals without a client"""
EVERY = 0.25
"""s between two new clients while the failure is being found"""
CROWD = 60
"""new clients when it must have been found, on all ports: that one Front End of three gets none of them by chance is below 1e-6"""
EACH = 4
ANSWER = 3.0
"""s that such clients wait for an answer"""


@in_turn
@requirement("OCS-FAIL-01", timing=True)
def test_refusing_front_end_is_found(lab: Lab, turn: int) -> None:
    """Nobody calls for a while; then the SIP ports of a Front End refuse and new clients come, at last in a crowd."""
    lab.need_servers(2)
    check = lab.declares.health_check
    lab.mark("watch")
    length = (POOL_CHECK_CEILING if check.passive else INTERVALS * check.inter) + MARGIN
    lab.watch("health checks", lambda: False, requirement_deadline("checks", length))
    lab.mark("settle")
    if check.passive:
        lab.judge(checks.refusal_is_found)
        return
    name = next(iter(settle_clients(lab, EACH, turn)))
    refuse(lab, lab.server(name), [lab.services[service][1] for service in SIP_SERVICES if service in lab.services])
    others = [service for service in lab.services if service not in SIP_SERVICES]
    begun: list[Talk] = []
    lab.every(EVERY, requirement_deadline("detection", detection(check, "refused") + MARGIN), f"{name} is known as dead",
              lambda: begun.extend(lab.clients.start(newcomers(lab, 1, "during", others) if others else [])))  # fmt: skip
    two_windows(lab, name, newcomers(lab, CROWD, "after", hold=True), ANSWER)
    lab.wait("answers to clients during detection", lambda: all(talk.done for talk in begun), patience("outcome"))
    lab.judge(checks.refusal_is_found)


@requirement("OCS-FAIL-03", timing=True)
def test_hung_front_end_is_found(lab: Lab) -> None:
    """A Front End hangs until it must be known as dead; then new clients come in a crowd."""
    name, theirs = next(iter(settle_clients(lab, EACH).items()))
    hang(lab, lab.server(name))
    until_dead(lab, name, "hung", theirs)
    two_windows(lab, name, newcomers(lab, CROWD, "after", hold=True), ANSWER)
    lab.judge(checks.hung_front_end_is_left)
