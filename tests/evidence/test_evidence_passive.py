"""Products without health checks: what their declared values bound, and how long they are watched."""

import pytest
from evidence_rig import CHECK, at, event, marks, served, story

from lbcert.deadlines import detection, recovery, trial
from lbcert.dut import declares
from lbcert.evidence.checks import dark_server_is_left
from lbcert.verdicts import Verdict

PASSIVE = {"kind": "passive", "inter": 10.0, "fall": 2, "rise": 1, "timeout": 3.0}

BOUNDS = {
    "checks-refused": (CHECK, "refused", 6.0),
    "checks-dark": (CHECK, "dark", 12.0),
    "users-refused": (PASSIVE, "refused", 0.2),
    "users-dark": (PASSIVE, "dark", 3.2),
    "users-hung": (PASSIVE, "hung", 3.2),
}


@pytest.mark.parametrize("check, fault, seconds", BOUNDS.values(), ids=BOUNDS)
def test_the_bound_of_detection(check, fault, seconds):
    assert detection(declares({"health_check": check}).health_check, fault) == pytest.approx(seconds)


def test_only_a_product_without_checks_is_watched_for_its_next_trial():
    checks, users = (declares({"health_check": check}).health_check for check in (CHECK, PASSIVE))
    assert (trial(checks), trial(users)) == (0.0, 14.0)
    assert recovery(users) == 13.0


@pytest.mark.parametrize("kind, speaks", [("tcp", False), ("passive", False), ("rdp", True), ("tls", True)])
def test_only_a_check_that_speaks_must_notice_a_hung_server(kind, speaks):
    assert declares({"health_check": {**CHECK, "kind": kind}}).health_check.speaks is speaks


@pytest.mark.parametrize("took, verdict", [(0.9, Verdict.PASS), (3.0, Verdict.FAIL)])
def test_a_user_who_is_sent_to_the_dark_server_to_see_counts_like_any_other(took, verdict):
    told = [event(0.0, "lab", "fault", fault="dark", server="ts1"), marks(busy=19.0, quiet=21.0, end=23.0)]
    users = [served("ann", "ts2", 1.0, took=3.1, label="during"), served("joe", "ts3", 16.0, took=took, label="late")]
    flow = event(16.0, "capture", "flow", link="ts1:eth0", syn=at(16.0))
    finding = dark_server_is_left(story(*told, *users, flow, served("eve", "ts2", 19.5, label="after"), check=PASSIVE))
    assert finding.verdict is verdict
