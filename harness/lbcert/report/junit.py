"""JUnit XML of a report: one suite per deployment, one case per requirement, for CI systems.

The form is the one of Jenkins' schema (testsuites; testsuite with properties; testcase with failure, error or skipped).
What has no place among cases, the product, each deployment's result and declared values, stands in the properties, and
what a reader must know of the run itself in `system-err`. Outcomes follow the contract of the plugin: `fail` is a
failure, setup-error and harness-error are errors, what was not judged is skipped, `non-strict` passes and says so in its
output.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from typing import Any

from lbcert.report.html import declared
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
    suite.append(_properties(report, deployment))
    suite.extend(cases)
    if report.get("notes"):
        ElementTree.SubElement(suite, "system-err").text = _text("\n".join(report["notes"]))
    return suite


def _properties(report: Mapping[str, Any], deployment: Mapping[str, Any]) -> ElementTree.Element:
    dut, found = report["dut"], ElementTree.Element("properties")
    pairs = [("result", deployment["result"]), ("profile", deployment["profile"]), ("dut", dut["name"]),
             ("dut.version", dut["version"]), ("lbcert", report["suite"]["version"]), ("command", report.get("command")),
             *((f"declared {name}", values) for name, values in declared(deployment["declares"]))]  # fmt: skip
    for name, value in pairs:
        if value:
            ElementTree.SubElement(found, "property", name=_text(name), value=_text(value))
    return found


def _case(report: Mapping[str, Any], deployment: Mapping[str, Any], row: Mapping[str, Any]) -> ElementTree.Element:
    seconds = sum(test["duration_s"] for test in row["tests"])
    case = ElementTree.Element(
        "testcase", classname=_text(f"{report['dut']['name']}.{deployment['id']}".replace(" ", "_")),
        name=_text(f"{row['id']} {row.get('title', '')}".strip()), time=f"{seconds:.3f}",
    )  # fmt: skip
    told = "\n".join(_told(row))
    verdict = Verdict(row["verdict"])
    if verdict in _ELEMENT:
        element = ElementTree.SubElement(case, _ELEMENT[verdict], message=_text(f"{verdict}: {row['reason']}"))
        element.text = _text(told)
    elif row["tests"]:
        ElementTree.SubElement(case, "system-out").text = _text(f"{verdict}: {row['reason']}\n{told}" if row["reason"] else told)
    return case


def _told(row: Mapping[str, Any]) -> Iterator[str]:
    """What was seen, test by test, and the command that repeats it."""
    for test in row["tests"]:
        yield f"{test['nodeid']}: {test['verdict']}"
        yield from (f"  {key}: {test[key]}" for key in ("expected", "observed") if test[key])
    if row.get("reproduce"):
        yield f"repeat it: {row['reproduce']}"


def _text(value: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))
