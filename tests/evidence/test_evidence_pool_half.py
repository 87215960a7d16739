"""OCS-FAIL-02: what makes each verdict of `half_dead_front_end_is_left`. Port 5061 of fe1 refuses at second 0."""

import pytest
from outage_rig import SERVICES, call, fault, mark, pool

from lbcert.evidence.checks import half_dead_front_end_is_left
from lbcert.verdicts import Verdict

EVERYWHERE = [call(f"10.1.0.{n}", "fe2", 8.0, service=service, label=label) for n, service in enumerate(SERVICES) for label in ("known", "new")]


def judged(*more):
    return half_dead_front_end_is_left(pool(fault("fe1", how="refuse", ports=[5061]), *EVERYWHERE, *more, mark("end", 12.0)))


@pytest.mark.parametrize(
    "more, verdict, words",
    [
        ([], Verdict.PASS, "3 of 3 connections of its own clients on 3 ports reached another Front End; 3 of 3 connections of new"),
        ([call("10.1.0.9", "fe1", 8.0, service="focus", label="known")], Verdict.FAIL, "1 of its own clients reached fe1 on focus"),
        ([call("10.1.0.9", "fe1", 8.0, service="focus", label="new")], Verdict.FAIL, "1 of new clients reached fe1 on focus"),
        ([call("10.1.0.9", None, 8.0, label="known")], Verdict.FAIL, "client 10.1.0.9 on sip, 8.00 s after the fault: closed"),
    ],
    ids=["left", "own-client", "new-client", "unserved"],
)
def test_each_verdict(more, verdict, words):
    finding = judged(*more)
    assert finding.verdict is verdict
    assert words in finding.observed


def test_a_port_on_which_nobody_came_is_no_pass():
    with pytest.raises(ValueError, match="no call known on focus"):
        half_dead_front_end_is_left(pool(fault("fe1", how="refuse", ports=[5061]), *EVERYWHERE[:4], mark("end", 12.0)))
