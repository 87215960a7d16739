"""JUnit XML of a report: one suite per deployment, one case per requirement, for CI systems.

The form is the one of Jenkins' schema (testsuites, testsuite, testcase with failure, error or skipped). Outcomes follow
the contract of the plugin: `fail` is a failure, setup-error and harness-error are errors, what was not judged is
skipped, `non-strict` passes and says so in its output.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

from lbcert.verdicts import Verdict

_ELEMENT = {
    Verdict.FAIL: "failure",
    Verdict.HARNESS_ERROR: "error",
    Verdict.SETUP_ERROR: "error",
    Verdict.BLOCKED: "skipped",
    Verdict.NOT_RUN: "skipped",
    Verdict.UNSUPPORTED: "skipped",
    Verdict.WAIVED: "skipped",
}
# XML 1.0 has no form for these, and a product may log any of them.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Mapping[str, Any]) -> str:
    """The XML text of a report.json."""
    root = ElementTree.Element("testsuites", name="lbcert")
    for deployment in report["deployments"]:
        root.append(_suite(report, deployment))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(report: Mapping[str, Any], deployment: Mapping[str, Any]) -> ElementTree.Element:
    cases = [_case(report, deployment, row) for row in deployment["requirements"]]
    counts = {tag: sum(case.find(tag) is not None for case in cases) for tag in ("failure", "error", "skipped")}
    seconds = sum(float(case.get("time", "0")) for case in cases)
    suite = ElementTree.Element(
        "testsuite", name=_text(f"{report['dut']['name']}.{deployment['id']}"), tests=str(len(cases)),
        failures=str(counts["failure"]), errors=str(counts["error"]), skipped=str(counts["skipped"]),
        time=f"{seconds:.3f}", timestamp=_text(report["started"]),
    )  # fmt: skip
    suite.extend(cases)
    return suite


def _case(report: Mapping[str, Any], deployment: Mapping[str, Any], row: Mapping[str, Any]) -> ElementTree.Element:
    seconds = sum(test["duration_s"] for test in row["tests"])
    case = ElementTree.Element(
        "testcase", classname=_text(f"{report['dut']['name']}.{deployment['id']}".replace(" ", "_")),
        name=_text(f"{row['id']} {row.get('title', '')}".strip()), time=f"{seconds:.3f}",
    )  # fmt: skip
    told = "\n".join(f"{test['nodeid']}: {test['verdict']}\n  expected: {test['expected']}\n  observed: {test['observed']}"
                     for test in row["tests"])  # fmt: skip
    verdict = Verdict(row["verdict"])
    if verdict in _ELEMENT:
        element = ElementTree.SubElement(case, _ELEMENT[verdict], message=_text(f"{verdict}: {row['reason']}"))
        if verdict is not Verdict.NOT_RUN:
            element.text = _text(told)
    elif told:
        ElementTree.SubElement(case, "system-out").text = _text(f"{verdict}: {row['reason']}\n{told}" if row["reason"] else told)
    return case


def _text(value: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))
