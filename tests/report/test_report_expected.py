"""Known results: the file, and what a report has that they have not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lbcert.report import ReportError, expected, model

KNOWN = """\
schema: 1
deployments:
  rdp-cookie:
    - requirement: RDP-FAIL-01
      verdict: fail
      reason: redispatch hashes to the dead server again
      source: measured
"""


def load(folder: Path, text: str = KNOWN) -> expected.Expected:
    path = folder / "expected.yaml"
    path.write_text(text, encoding="utf-8")
    return expected.load(path)


def test_the_file(tmp_path: Path):
    entry = load(tmp_path).deployments["rdp-cookie"]["RDP-FAIL-01"]
    assert (entry.verdict, entry.source) == ("fail", "measured")


@pytest.mark.parametrize(("results", "differences"), [
    ([("RDP-FAIL-01", "fail")], []),
    ([("RDP-FAIL-01", "pass")], [("RDP-FAIL-01", "fail", "pass")]),
    ([("RDP-FAIL-01", "harness-error")], [("RDP-FAIL-01", "fail", "harness-error")]),
    ([("RDP-FAIL-01", "fail"), ("RDP-FAIL-05", "non-strict")], [("RDP-FAIL-05", "pass", "non-strict")]),
    ([("RDP-FAIL-01", "fail"), ("RDP-PARSE-01", "measured")], [("RDP-PARSE-01", "pass", "measured")]),
])
def test_what_differs(runs, tmp_path: Path, results, differences):
    report = model.derive(runs.make(runs.passing(*(runs.result(name, verdict, "r") for name, verdict in results))))
    found = expected.compare(report, load(tmp_path))
    assert [(one.requirement, one.expected, one.found) for one in found] == differences


def test_without_known_results_everything_must_pass(runs):
    report = model.derive(runs.make(runs.passing(runs.result("RDP-FAIL-01", "fail", "r"))))
    assert [one.found for one in expected.compare(report, expected.Expected())] == ["fail"]


@pytest.mark.parametrize("reason, differences", [("the feature 'proxy-v1' is not claimed", 0), ("no test of it", 1)])
def test_nobody_expects_what_is_not_claimed(reason, differences):
    row = {"id": "TP-PROXY-01", "level": "MUST", "verdict": "not-run", "reason": reason, "tests": []}
    report = {"dut": {"version": "1"}, "deployments": [{"id": "d", "profile": "ssl-tproxy", "requirements": [row]}]}
    assert len(expected.compare(report, expected.Expected())) == differences


def test_only_what_was_selected(runs, tmp_path: Path):
    known = load(tmp_path, KNOWN + "  rdp-sticktable: []\n")
    report = model.derive(runs.make([runs.result("RDP-FAIL-01", "fail", "r")],
                                    deselected=[runs.nodeid("RDP-FAIL-05")]))
    assert expected.compare(report, known, only_selected=True) == []
    everything = expected.compare(report, known)
    assert len(everything) == 9 and everything[-1].requirement == "(all)"


def test_an_interrupted_test_was_selected(runs, tmp_path: Path):
    report = model.derive(runs.make([runs.result("RDP-FAIL-01", "fail", "r")], selected=[runs.nodeid("RDP-PARSE-01")],
                                    finished=False))
    (one,) = expected.compare(report, load(tmp_path), only_selected=True)
    assert (one.requirement, one.found, one.reason) == ("RDP-PARSE-01", "not-run", model.INTERRUPTED)


def test_the_differences_in_words(runs, tmp_path: Path):
    known = load(tmp_path)
    report = model.derive(runs.make(runs.passing(runs.result("RDP-PARSE-01", "fail", "byte 12 changed"))))
    assert expected.describe(expected.compare(report, known), known) == f"""\
2 differences from {known.path}:
  rdp-cookie  RDP-PARSE-01: expected pass, found fail
      byte 12 changed
  rdp-cookie  RDP-FAIL-01: expected fail, found pass
      An unexpected pass. If it is here to stay, remove the entry. It said: redispatch hashes to the dead server again"""
    assert expected.describe([], known) == f"The run agrees with {known.path}."


ENTRY = "    - {requirement: RDP-FAIL-05, verdict: non-strict, reason: r, source: s}\n"


@pytest.mark.parametrize(("text", "line", "says"), [
    pytest.param(KNOWN.replace("FAIL-01", "FAIL-99"), 4, "'RDP-FAIL-99' is not in the catalogue. Did you mean", id="requirement"),
    pytest.param(KNOWN.replace("verdict: fail", "verdict: fails"), 5, "'fails' is not known. Did you mean 'fail'?", id="verdict"),
    pytest.param(KNOWN.replace("verdict: fail", "verdict: pass"), 5, "Remove the entry", id="pass"),
    pytest.param(KNOWN.replace("source:", "sauce:"), 7, "sauce: unknown key. Did you mean 'source'?", id="unknown key"),
    pytest.param(KNOWN.replace("      source: measured\n", ""), 4, "'source' is missing", id="missing key"),
    pytest.param(KNOWN.replace("reason: redispatch hashes to the dead server again", "reason: ''"), 6, "must not be empty", id="empty reason"),
    pytest.param(KNOWN + ENTRY + ENTRY, 9, "RDP-FAIL-05 is there twice", id="twice"),
    pytest.param(KNOWN + "  rdp-x:\n", 8, "deployments.rdp-x: None is not of type array", id="no list"),
    pytest.param(KNOWN.replace("schema: 1", "schema: 2"), 1, "2 is not 1", id="schema"),
    pytest.param("deployments: [", 1, "not valid YAML", id="not YAML"),
    pytest.param("- a\n", 1, "is not of type object", id="not a mapping"),
])
def test_an_error_names_the_file_the_line_and_the_matter(tmp_path: Path, text: str, line: int, says: str):
    with pytest.raises(ReportError) as caught:
        load(tmp_path, text)
    assert says in str(caught.value) and f"expected.yaml, line {line}" in str(caught.value)


def test_no_file(tmp_path: Path):
    with pytest.raises(ReportError, match="cannot be read: No such file"):
        expected.load(tmp_path / "expected.yaml")


@pytest.mark.parametrize("version, differs", [("2.6.12", False), ("2.6", False), ("2.60.1", True), ("2.8.25", True), (None, True)])
def test_an_entry_about_one_version(runs, tmp_path, version, differs):
    path = tmp_path / "expected.yaml"
    path.write_text("schema: 1\ndeployments:\n  rdp-cookie:\n    - {requirement: RDP-FAIL-01, verdict: fail, reason: slow, "
                    'source: measured, versions: ["2.6"]}\n')  # fmt: skip
    report = model.derive(runs.make(runs.passing(runs.result("RDP-FAIL-01", "fail", "slow")), dut={"version": version}))
    assert bool(expected.compare(report, expected.load(path))) is differs
