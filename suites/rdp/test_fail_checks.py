"""RDP-FAIL-04 and -08: the health check does no harm, and a returned server waits for enough good ones."""

from math import ceil

import pytest

from lbcert.api import (
    DETECTION_CEILING,
    MANY_USERS,
    MARGIN,
    Lab,
    MockServer,
    Stream,
    checks,
    crowd_after_detection,
    detection,
    patience,
    recovery,
    refuse,
    requirement,
    requirement_deadline,
    restore,
    settle_users,
    until_dead,
)

FEW, MANY = 20, 100
"""health checks; nightly the second number (catalogue, RDP-FAIL-04)"""
FLAPPING = 12.0
"""s for returns that are too short, each of which takes two check intervals; 3 to 10 of them"""
MOVED = 20
"""users of the server whom its failure moves before it returns; the others have not come since"""
PRESENCE = 0.5
"""share of the interval that the server stays after a good check: users come, the next check does not"""


@requirement("RDP-FAIL-04")
def test_health_checks_are_harmless(lab: Lab) -> None:
    """Nobody connects. Whatever comes to the servers is a health check."""
    watch_checks(lab, FEW)


@pytest.mark.nightly
@requirement("RDP-FAIL-04")
def test_many_health_checks_are_harmless(lab: Lab) -> None:
    """The same for longer."""
    watch_checks(lab, MANY)


def watch_checks(lab: Lab, wanted: int) -> None:
    check = lab.declares.health_check
    start = lab.history.events[0]["t"]
    long = ceil(wanted / len(lab.mocks)) * check.inter
    # Where none is declared, none may come for as long as the slowest that counts at all may take.
    deadline = requirement_deadline("no check", DETECTION_CEILING + MARGIN) if check.passive else patience("checks", long)
    lab.every(0.25, deadline, f"{wanted} health checks", lambda: None,
              until=lambda: sum(len(lab.opened(server, start)) for server in lab.mocks) > wanted)  # fmt: skip
    lab.watch("all of them are closed", lambda: False, requirement_deadline("closing", check.timeout + MARGIN))
    lab.mark("end")
    lab.judge(checks.checks_are_harmless, wanted=wanted)


@requirement("RDP-FAIL-08", timing=True)
def test_returned_server_waits_for_good_checks(lab: Lab) -> None:
    """A server refuses, returns several times for one good check less than `rise`, then for good; its users and new ones come."""
    check = lab.declares.health_check
    name, theirs = next(iter(settle_users(lab, MANY_USERS).items()))
    server = lab.server(name)
    refuse(lab, server)
    down = detection(check, "refused") + MARGIN
    left = until_dead(lab, name, "refused", theirs)
    moved, unmoved = left[:MOVED], left[MOVED:]
    crowd_after_detection(lab, name, moved)
    lab.opened(server, lab.history.last("mark")["t"])  # the first look at the capture takes longer than the next ones
    coming = Stream(lab, min(0.05, max(0.01, check.inter / 20)), "flap", moved, unmoved)
    for _ in range(min(10, max(3, int(FLAPPING / 2 / check.inter))) if check.rise > 1 else 0):
        earlier = len(coming.begun)
        good = flap(lab, server)
        users = sum(1 for visit in coming.begun[earlier:] if visit.server == name)
        if users and good - users < check.rise:
            break
        if good >= check.rise:
            lab.watch(f"{name} is known as dead again", lambda: False, requirement_deadline("detection", down))
    lab.mark("flap")
    earlier = len(coming.begun)
    restore(lab, server, "refuse")
    lab.watch(f"{name} is used again", lambda: any(visit.server == name for visit in coming.begun[earlier:]),
              requirement_deadline("recovery", recovery(check) + MARGIN))  # fmt: skip
    coming.stop()
    lab.judge(checks.rise_is_respected)


def flap(lab: Lab, server: MockServer) -> int:
    """Return for one good check less than `rise`, and be there a little longer; says how many there were at last."""
    check = lab.declares.health_check
    lab.mark("flap")
    back = restore(lab, server, "refuse")

    def good() -> int:
        over = [flow for flow in lab.opened(server, back) if {"fin_to_server", "rst_to_server"} & set(flow)]
        answered = sum(1 for flow in over if "data_to_client" in flow)
        return answered or sum(1 for flow in over if "synack" in flow)

    if lab.watch(f"{check.rise - 1} good checks of {server.name}", lambda: good() >= check.rise - 1,
                 patience("recovery", recovery(check))):  # fmt: skip
        lab.watch("users come", lambda: False, requirement_deadline("presence", PRESENCE * check.inter))
    gone = refuse(lab, server)
    lab.watch(f"a check of {server.name} fails", lambda: any("synack" not in flow for flow in lab.opened(server, gone)),
              patience("recovery", recovery(check)))  # fmt: skip
    return good()
