"""Shortening, printing, and leaving out: what needs no lab."""

import time

import pytest

from lbcert.explore.printing import as_test
from lbcert.explore.shrink import shortened
from lbcert.explore.violation import Rules, Violation
from lbcert.verdicts import Verdict

LONG = [("gather", (9,)), ("crowd", ()), ("hold", (4, 1, 2)), ("fail", ("crash", 7, 2)), ("restore", (1,)), ("everybody", ())]


def fails_with_a_session(candidate):
    """Violated at the first `everybody` behind a `fail` of user 3 or higher that follows a `hold`."""
    held = failed = False
    for count, (name, arguments) in enumerate(candidate, start=1):
        held = held or name == "hold"
        failed = failed or (name == "fail" and held and arguments[1] >= 3)
        if name == "everybody" and failed:
            return list(candidate[:count])
    return None


def test_the_shortest_sequence_is_found():
    short = shortened(LONG, fails_with_a_session, time.monotonic() + 60)
    assert short == [("hold", (0, 0, 0)), ("fail", ("crash", 3, 0)), ("everybody", ())]


def test_no_candidate_is_tried_when_the_time_is_over():
    assert shortened(LONG, lambda _: pytest.fail("tried"), time.monotonic()) == LONG


def test_the_printed_test_holds_the_steps_and_what_was_seen():
    code = as_test(LONG, Violation("RDP-FAIL-01", "user 3 was not served. " * 20))
    compile(code, "pasted", "exec")
    assert max(map(len, code.splitlines())) <= 130
    assert '@requirement("RDP-FAIL-01", timing=True)' in code
    assert "    explorer.hold(4, 1, 2)\n    explorer.fail('crash', 7, 2)\n    explorer.restore(1)\n" in code
    assert code.endswith("    explorer.finish()\n")


def test_a_requirement_that_is_left_out_is_not_held_nor_what_needs_it():
    rules = Rules()
    with pytest.raises(Violation):
        rules.hold("RDP-PERSIST-02", False, "moved")
    rules.leave_out("RDP-PERSIST-01")
    rules.hold("RDP-PERSIST-01", False, "moved")
    rules.hold("RDP-PERSIST-02", False, "moved")
    with pytest.raises(Violation):
        rules.hold("RDP-FAIL-01", False, "not served")


@pytest.mark.parametrize("name, verdict", [("RDP-FAIL-01", Verdict.FAIL), ("RDP-SESS-06", Verdict.NON_STRICT)], ids=["must", "should"])
def test_a_should_is_a_limitation(name, verdict):
    assert Violation(name, "seen").verdict is verdict
