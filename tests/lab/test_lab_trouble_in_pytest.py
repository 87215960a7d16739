"""The same through pytest: a harness-error, an <error> in JUnit, earlier results stay, later tests go on."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

PATIENCE = 120.0

SUITE = '''
import os, signal
from lbcert.api import Lab, Visit, checks, requirement


def ask(lab, count):
    lab.visit([Visit(lab.sources.one(), label=f"visit {number}") for number in range(count)])
    lab.judge(checks.is_served)


@requirement("RDP-PARSE-04")
def test_before(lab: Lab):
    ask(lab, 3)


@requirement("RDP-PARSE-04")
def test_trouble(lab: Lab):
    TROUBLE
    ask(lab, 2000)


@requirement("RDP-PARSE-04")
def test_later(lab: Lab):
    ask(lab, 3)
'''

CASES = {
    "mock-server": ("lab.broker.request('signal', pid=lab.servers[1].pid, number=9)", "mock server ts2 ended by itself (signal 9)"),
    "broker": ("os.kill(int(open(f'/proc/{lab.broker.provider.process.pid}/task/{lab.broker.provider.process.pid}/children').read().split()[-1]), 9)",
               "the lab ended by itself"),
}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """`run(trouble)` runs the little suite against `ideal`; returns exit status, results by test, JUnit outcomes."""

    def start(trouble: str):
        (tmp_path / "test_small.py").write_text(SUITE.replace("TROUBLE", trouble))
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path),
                   "-c", os.devnull, str(tmp_path / "test_small.py"), "--dut", "ideal", "--report-dir", str(tmp_path / "run"),
                   "--junitxml", str(tmp_path / "junit.xml")]  # fmt: skip
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done, results(tmp_path / "run"), junit(tmp_path / "junit.xml")

    return start


def results(folder: Path) -> dict[str, dict]:
    """The last line of each test."""
    lines = map(json.loads, (folder / "results.jsonl").read_text().splitlines())
    return {line["nodeid"].split("::")[1].split("[")[0]: line for line in lines}


def junit(path: Path) -> dict[str, set[str]]:
    return {case.get("name").split("[")[0]: {child.tag for child in case} for case in ElementTree.parse(path).iter("testcase")}


@pytest.mark.parametrize("trouble, reason", CASES.values(), ids=CASES.keys())
def test_trouble_is_a_harness_error_and_harms_no_other_test(run, trouble, reason):
    done, lines, outcomes = run(trouble)
    assert {name: line["verdict"] for name, line in lines.items()} == {
        "test_before": "pass", "test_trouble": "harness-error", "test_later": "pass"}, done.stdout  # fmt: skip
    assert reason in lines["test_trouble"]["reason"]
    assert "error" in outcomes["test_trouble"] and not outcomes["test_before"] and not outcomes["test_later"]
    assert done.returncode == 1


def test_the_death_of_the_process_that_makes_labs_is_a_clear_error_without_a_wait(run):
    done, lines, _ = run("lab.broker.provider.process.kill()")
    assert lines["test_before"]["verdict"] == "pass"
    assert (lines["test_trouble"]["verdict"], "the lab ended by itself" in lines["test_trouble"]["reason"]) == ("harness-error", True)
    assert lines["test_later"]["verdict"] in ("pass", "setup-error", "harness-error")
    assert done.returncode == 1
