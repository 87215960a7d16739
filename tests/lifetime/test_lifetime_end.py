"""However a run ends, nothing of its labs stays, and what was finished is recorded."""

import random
import signal

import pytest
from lifetime_rig import assert_nothing_left, assert_report_can_be_made, results, verdicts

SOON = 8.0
"""s: "within seconds", with room for a loaded machine"""


def test_a_run_that_ends_by_itself_leaves_nothing(disturbed):
    answer = disturbed("none")
    assert answer.status == 0, answer.output
    assert_nothing_left(answer)
    assert verdicts(assert_report_can_be_made(answer.folder))["RDP-PARSE-01"] == "pass"


def killed_at(disturbed, whole_run: float, seed: int):
    """One kill at a moment that the seed decides, anywhere from the start to just after the end."""
    answer = disturbed("kill", random.Random(seed).uniform(0.0, 1.05) * whole_run)
    # 0 where the signal came too late: after the end, or while the process was already on its way out.
    assert answer.status in (-signal.SIGKILL, 0), answer.output
    assert_nothing_left(answer)
    assert answer.gone_after < 5.0
    assert_report_can_be_made(answer.folder)


@pytest.mark.parametrize("seed", range(6))
def test_a_kill_at_any_moment_leaves_nothing(disturbed, whole_run, seed):
    killed_at(disturbed, whole_run, seed)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 150))
def test_fifty_kills_leave_nothing(disturbed, whole_run, seed):
    killed_at(disturbed, whole_run, seed)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(200, 220))
def test_interrupts_at_any_moment_leave_nothing(disturbed, whole_run, seed):
    answer = disturbed("int", random.Random(seed).uniform(0.0, 1.05) * whole_run)
    assert_nothing_left(answer)
    assert not answer.disturbed or answer.gone_after < SOON
    assert_report_can_be_made(answer.folder)


@pytest.mark.parametrize("action", ["kill", "stop-kill"])
def test_a_kill_in_the_middle_of_a_test_keeps_the_finished_ones(disturbed, action):
    answer = disturbed(action, 0.7, results=1, choice="PARSE_04 or PARSE_03")
    assert answer.disturbed and any(name == "lbcert-balancer" for name in answer.processes), answer.processes
    assert_nothing_left(answer)
    said = verdicts(assert_report_can_be_made(answer.folder))
    assert (said["RDP-PARSE-04"], said["RDP-PARSE-03"]) == ("pass", "not-run")


def test_ctrl_c_ends_within_seconds_with_a_report(disturbed):
    answer = disturbed("int", 0.7, results=1, choice="PARSE_04 or PARSE_03")
    assert answer.disturbed and answer.status == 2, answer.output
    assert answer.gone_after < SOON
    assert_nothing_left(answer)
    assert (answer.folder / "report.html").exists() and "report.html" in answer.output
    said = verdicts(assert_report_can_be_made(answer.folder))
    assert (said["RDP-PARSE-04"], said["RDP-PARSE-03"]) == ("pass", "not-run")


def test_sigterm_ends_at_once_and_keeps_the_finished_tests(disturbed):
    answer = disturbed("term", 0.7, results=1, choice="PARSE_04 or PARSE_03")
    assert answer.disturbed and answer.status != 0 and answer.gone_after < SOON
    assert_nothing_left(answer)
    assert [line["verdict"] for line in results(answer.folder)] == ["pass"]
    assert verdicts(assert_report_can_be_made(answer.folder))["RDP-PARSE-04"] == "pass"


@pytest.mark.parametrize("victim", ["lbcert-zygote", "lbcert-lab", "lbcert-broker"])
def test_the_death_of_a_part_of_the_lab_is_a_harness_error_and_no_wait(disturbed, victim):
    answer = disturbed(victim, 0.7, results=1, choice="PARSE_04 or PARSE_03")
    assert answer.disturbed and answer.status == 1, answer.output
    assert answer.gone_after < SOON
    assert_nothing_left(answer)
    said = verdicts(assert_report_can_be_made(answer.folder))
    assert (said["RDP-PARSE-04"], said["RDP-PARSE-03"]) == ("pass", "harness-error")
    assert "the lab ended by itself" in answer.output


def test_killing_the_head_of_several_workers_leaves_nothing(disturbed):
    answer = disturbed("kill", 0.3, results=1, choice="PARSE", options=("-n", "2"), leave_within=20.0)
    assert answer.disturbed and answer.gone_after < SOON
    assert_nothing_left(answer)
    assert_report_can_be_made(answer.folder)
