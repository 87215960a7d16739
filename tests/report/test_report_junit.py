"""JUnit XML: one case per requirement, outcomes as the contract has them, any text survives."""

import xml.etree.ElementTree as ElementTree

import pytest

from lbcert.report import junit, model

OUTCOMES = {
    "pass": None, "measured": None, "fail": "failure", "harness-error": "error", "setup-error": "error",
    "blocked": "skipped", "not-run": "skipped", "unsupported": "skipped", "waived": "skipped",
}


def cases(report):
    tree = ElementTree.fromstring(junit.render(report))
    return tree, {case.get("name").split()[0]: case for case in tree.iter("testcase")}


@pytest.mark.parametrize("verdict, tag", OUTCOMES.items())
def test_outcome_of_a_verdict(runs, verdict, tag):
    report = model.derive(runs.make(runs.passing(runs.result("RDP-PERSIST-03", verdict, "the reason"))))
    tree, found = cases(report)
    children = [child for child in found["RDP-PERSIST-03"] if child.tag != "system-out"]
    assert [child.tag for child in children] == ([tag] if tag else [])
    if tag:
        assert children[0].get("message") == f"{verdict}: the reason"
    assert int(tree.get("tests")) == len(report["deployments"][0]["requirements"])


def test_non_strict_passes_and_says_so(runs):
    report = model.derive(runs.make(runs.passing(runs.result("RDP-FAIL-05", "non-strict", "never closed"))))
    case = cases(report)[1]["RDP-FAIL-05"]
    assert [child.tag for child in case] == ["system-out"] and "non-strict: never closed" in case[0].text


def test_what_a_product_logged_is_text(runs):
    reason = "<b>&\x00\x1b[31m \ud800 ]]> \"quoted\""
    report = model.derive(runs.make(runs.passing(runs.result("RDP-FAIL-01", "fail", reason))))
    failure = cases(report)[1]["RDP-FAIL-01"].find("failure")
    assert failure.get("message").startswith("fail: <b>&\ufffd\ufffd[31m \ufffd ]]>")


def test_what_has_no_place_among_cases_is_a_property(runs):
    report = model.derive(runs.make(runs.passing(runs.result("RDP-FAIL-01", "fail", "late")), finished=False))
    suite = cases(report)[0].find("testsuite")
    assert suite[0].tag == "properties", "consumers that check the schema want them first"
    told = {one.get("name"): one.get("value") for one in suite[0]}
    assert told["result"] == "failed" and told["dut.version"] == "2.8.25"
    assert told["declared health check"].startswith("inter 2 s")
    assert "did not come to its end" in suite.find("system-err").text


def test_how_to_repeat_it_is_told(runs):
    found = cases(model.derive(runs.make(runs.passing(runs.result("RDP-FAIL-01", "blocked", "late")))))[1]
    assert "repeat it: pytest suites/rdp" in found["RDP-FAIL-01"].find("skipped").text
