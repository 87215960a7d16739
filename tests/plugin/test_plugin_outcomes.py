"""Verdicts become pytest's outcomes, JUnit's elements and lines on disk (design: contracts)."""

import xml.etree.ElementTree as ElementTree

import pytest

pytestmark = pytest.mark.xdist_group("outcomes")  # one worker: they share what is dear to make

VERDICTS = '''
from lbcert.api import Finding, Lab, Verdict, requirement

def found(verdict):
    return lambda history: Finding(verdict, "expected.", "observed.", "" if verdict == "pass" else "the reason")

@requirement("RDP-PARSE-01")
def test_passes(lab: Lab):
    lab.judge(found(Verdict.PASS))

@requirement("RDP-FAIL-05")
def test_is_not_strict(lab: Lab):
    lab.judge(found(Verdict.NON_STRICT))

@requirement("RDP-PARSE-04")
def test_is_not_strict_about_a_must(lab: Lab):
    lab.judge(found(Verdict.NON_STRICT))

@requirement("RDP-PARSE-04")
def test_measures(lab: Lab):
    lab.judge(found(Verdict.MEASURED))

@requirement("RDP-PERSIST-03")
def test_fails(lab: Lab):
    lab.judge(found(Verdict.PASS))
    lab.judge(found(Verdict.FAIL))

@requirement("RDP-FAIL-01")
def test_is_blocked(lab: Lab):
    lab.end(Verdict.BLOCKED, "something else failed")

@requirement("RDP-FAIL-01")
def test_judges_nothing(lab: Lab):
    pass

@requirement("RDP-FAIL-01")
def test_breaks_in_the_check(lab: Lab):
    lab.judge(lambda history: 1 / 0)

@requirement("RDP-FAIL-01")
def test_passes_and_breaks(lab: Lab):
    lab.judge(found(Verdict.PASS))
    raise KeyError("oops")

@requirement("RDP-FAIL-01")
def test_observes_nothing(lab: Lab):
    lab.judge(lambda history: Finding(Verdict.PASS, "expected.", ""))

@requirement("RDP-FAIL-01")
def test_asserts(lab: Lab):
    assert 1 == 2
'''

WANTED = {
    "test_passes": ("pass", None),
    "test_is_not_strict": ("non-strict", None),
    "test_is_not_strict_about_a_must": ("harness-error", "error"),
    "test_measures": ("measured", None),
    "test_fails": ("fail", "failure"),
    "test_is_blocked": ("blocked", "skipped"),
    "test_judges_nothing": ("harness-error", "error"),
    "test_breaks_in_the_check": ("harness-error", "error"),
    "test_passes_and_breaks": ("harness-error", "error"),
    "test_observes_nothing": ("harness-error", "error"),
    "test_asserts": ("harness-error", "error"),
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    import subprocess
    import sys

    from .conftest import ROOT, Outcome

    folder = tmp_path_factory.mktemp("verdicts")
    (folder / "test_verdicts.py").write_text(VERDICTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--dut", "ideal",
               "--report-dir", folder / "run", "--junitxml", folder / "junit.xml", folder / "test_verdicts.py"]  # fmt: skip
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=120)
    return Outcome(done.returncode, done.stdout + done.stderr, folder / "run")


@pytest.mark.parametrize("name", WANTED)
def test_verdict_on_disk_and_in_junit(outcome, name):
    verdict, element = WANTED[name]
    assert outcome.results[name]["verdict"] == verdict, outcome.text
    tree = ElementTree.parse(outcome.folder.parent / "junit.xml")
    case = next(case for case in tree.iter("testcase") if case.get("name", "").startswith(f"{name}["))
    children = {child.tag for child in case} & {"error", "failure", "skipped"}
    assert children == ({element} if element else set())


def test_status_and_terminal(outcome):
    assert outcome.status == 1
    assert "1 failed, 3 passed, 1 skipped, 6 errors" in outcome.text
    assert "Traceback" not in outcome.text


def test_requirement_takes_the_worst_of_its_tests(outcome):
    assert outcome.rows["RDP-FAIL-01"]["verdict"] == "harness-error"
    assert outcome.rows["RDP-PERSIST-03"]["verdict"] == "fail"
    assert outcome.rows["RDP-PARSE-01"]["verdict"] == "pass"
