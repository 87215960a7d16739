"""OCS-FAIL-09 on literal histories: clients between the crash of a Front End and the moment when it must be known."""

import pytest
from evidence_rig import event
from outage_rig import call, pool

from lbcert.evidence import checks
from lbcert.verdicts import Verdict

CRASH = event(0, "lab", "fault", fault="crash", server="fe1")

DARK = event(0, "lab", "fault", fault="dark", server="fe1")


def during(client: str, server: str | None, t: float, **more):
    return call(client, server, t, label="during", **more)


STORIES = {
    "served": ([call("a", "fe1", -5, label="settle"), during("a", "fe2", 1.0, took=3.0), during("b", "fe3", 1.25)], Verdict.PASS,
               "2 of 2 clients (1 of them known) were served, the slowest after 3.00 s"),
    "closed": ([call("a", "fe1", -5, label="settle"), during("a", None, 1.0), during("b", "fe3", 1.25)], Verdict.FAIL,
               "client a on sip (known), 1.00 s after the crash: closed without an answer"),
    "new-one-refused": ([during("b", None, 1.25, outcome="refused")], Verdict.FAIL, "client b on sip (new), 1.25 s after the crash: refused"),
    "late": ([during("b", "fe2", 1.25, took=6.5)], Verdict.FAIL, "served only after 6.50 s"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", STORIES.values(), ids=STORIES)
def test_service_meanwhile(events, verdict, observed):
    finding = checks.clients_are_served_meanwhile(pool(CRASH, *events))
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding


@pytest.mark.parametrize("took, verdict, observed", [(4.5, Verdict.PASS, "the slowest after 4.50 s"), (60.0, Verdict.FAIL, "served only after 60.00 s")])
def test_a_dark_front_end_may_cost_the_time_of_its_detection(took, verdict, observed):
    finding = checks.clients_are_served_meanwhile(pool(DARK, during("a", "fe2", 0.5, took=took)))
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding


def test_nobody_came():
    with pytest.raises(ValueError, match="no call since the fault"):
        checks.clients_are_served_meanwhile(pool(CRASH))
