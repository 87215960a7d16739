"""OCS-FAIL-08: what makes each verdict of `drained_front_end_ends_in_order`. fe1 is drained at second 1 and put back at second 5."""

import pytest
from outage_rig import call, hold, pool
from session_rig import act

from lbcert.evidence.checks import drained_front_end_ends_in_order
from lbcert.verdicts import Verdict

ALIVE, CUT = {"drained": True, "end": True}, {"drained": False, "end": False}
ACTS = [act("drain", 1.0, "fe1"), act("ready", 5.0, "fe1")]
HELD = [hold(f"10.1.{n}.{one}", f"fe{n}", echoes=ALIVE) for n in (1, 2, 3) for one in range(3)]
NEW = [call("10.2.0.1", "fe2", 2.0, label="new"), call("10.2.0.2", "fe3", 2.0, label="new", service="focus")]
KNOWN = [call("10.1.1.0", "fe1", 3.0, label="known")]
BACK = [call("10.2.0.3", "fe2", 6.0, label="back"), call("10.2.0.4", "fe1", 6.0, label="back")]


def judged(*, held=HELD, new=NEW, known=KNOWN, back=BACK):
    return drained_front_end_ends_in_order(pool(*held, *ACTS, *new, *known, *back))


@pytest.mark.parametrize(
    "how, verdict, words",
    [
        ({}, Verdict.PASS, "9 of 9 connections lived on; while fe1 was drained it got 0 of 2 new clients and 1 of 1 of its own; afterwards 1 of 2"),
        ({"known": [call("10.1.1.0", "fe2", 3.0, label="known")]}, Verdict.PASS, "0 of 1 of its own"),
        ({"held": [*HELD, hold("10.1.1.9", "fe1", echoes=CUT, to_client={"fin_to_client": 1.5})]}, Verdict.NON_STRICT,
         "client 10.1.1.9 on sip at fe1: closed 0.50 s after the drain"),
        ({"held": [*HELD, hold("10.1.1.9", "fe2", echoes=CUT)]}, Verdict.NON_STRICT, "it carries no data any more, though nobody closed it"),
        ({"held": [*HELD, hold("10.1.1.9", "fe2", echoes={"drained": True, "end": False}, at_server={"rst_to_server": 5.2})]}, Verdict.NON_STRICT,
         "closed 0.20 s after the ready"),
        ({"new": [*NEW, call("10.2.0.9", "fe1", 2.0, label="new", service="focus")]}, Verdict.NON_STRICT,
         "1 of 3 new clients reached fe1 while it was drained, on focus"),
        ({"new": [*NEW, call("10.2.0.9", None, 2.0, label="new")]}, Verdict.NON_STRICT, "10.2.0.9 on sip, while fe1 was drained: closed"),
        ({"back": BACK[:1]}, Verdict.NON_STRICT, "fe1 got none of 1 new clients after it was put back"),
        ({"held": HELD[:8]}, Verdict.BLOCKED, "connections held on fe3 2, of 3"),
    ],
    ids=["in-order", "its-clients-go", "cut", "silent", "cut-when-ready", "new-client", "unserved", "never-used-again", "too-few"],
)  # fmt: skip
def test_each_verdict(how, verdict, words):
    finding = judged(**how)
    assert finding.verdict is verdict
    assert words in finding.observed
