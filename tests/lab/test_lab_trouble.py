"""When a part of the harness ends by itself, nothing is said about the product."""

import signal
import time

import pytest
from lab_rig import soon, visit

from lbcert.clients.rdp import Visit
from lbcert.deadlines import Deadline, requirement
from lbcert.faults import crash
from lbcert.lab import HarnessError


def within(seconds: float) -> Deadline:
    return requirement("test", seconds)


def kill(lab, pid: int) -> None:
    """From outside the test's own doings, as the kernel would for want of memory."""
    lab.broker.request("signal", pid=pid, number=int(signal.SIGKILL))


def capture_pid(lab) -> int:
    """It is the first process that a lab starts."""
    return min(lab.broker.request("processes")["pids"])


STEPS = {
    "wait": lambda lab: lab.wait("something", lambda: False, within(20.0)),
    "watch": lambda lab: lab.watch("something", lambda: False, within(20.0)),
    "every": lambda lab: lab.every(0.1, within(20.0), "something", lambda: None),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_a_mock_server_that_dies_by_itself_ends_the_test_at_once(made, step):
    kill(made, made.servers[1].pid)
    began = time.monotonic()
    with pytest.raises(HarnessError, match=r"mock server ts2 ended by itself \(signal 9\)"):
        step(made)
    assert time.monotonic() - began < 10.0
    assert made.history.last("mock-died")["server"] == "ts2"


def test_it_is_noticed_by_the_next_visit_too(made):
    kill(made, made.servers[1].pid)
    with pytest.raises(HarnessError, match="mock server ts2 ended by itself"):
        for _ in range(50):
            visit(made, made.servers[0])
            made.visit([Visit(made.sources.one(), "jsmith")])


def test_a_crash_of_ours_is_no_trouble(made):
    crash(made, made.servers[1])
    assert not made.watch("trouble", lambda: False, within(0.3))
    assert made.trouble is None


def test_what_a_dead_mock_server_had_reported_is_kept(made):
    (one,) = visit(made, made.servers[1])
    made.servers[1].tell("answer", data=None)
    kill(made, made.servers[1].pid)
    with pytest.raises(HarnessError):
        soon(made, "trouble", lambda: False)
    assert [event["conn"] for event in made.history.of("request", who="ts2")][-1] & 0xFFF == one.connection


def test_a_capture_that_dies_by_itself_ends_the_test(made):
    kill(made, capture_pid(made))
    with pytest.raises(HarnessError, match=r"the capture ended by itself \(signal 9\)"):
        soon(made, "trouble", lambda: False)


def test_a_deadline_of_the_harness_is_named(made):
    with pytest.raises(HarnessError, match=r"a miracle: not within 0.05 s \(test\)"):
        made.wait("a miracle", lambda: False, within(0.05))


def test_a_deadline_of_the_product_is_for_the_check_to_judge(made):
    assert made.watch("a miracle", lambda: False, within(0.05)) is False
    assert made.watch("nothing", lambda: True, within(20.0)) is True


def test_late_ticks_are_caught_up(made):
    done: list[float] = []

    def action() -> None:
        done.append(time.monotonic())
        if len(done) == 2:
            made.loop.run_for(0.3)

    made.every(0.05, within(1.0), "ticks", action)
    assert 19 <= len(done) <= 21
