"""report.json: derived from a run directory and the catalogue, and nothing else.

Where the run left a gap, the gap becomes `not-run`: a requirement passes only if every test
that was to be run for it has a result.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lbcert import catalogue, verdicts
from lbcert.catalogue import Profile, Requirement
from lbcert.report import rundir
from lbcert.report.errors import ReportError
from lbcert.report.rundir import RunDir
from lbcert.verdicts import Verdict

REPORT_JSON, REPORT_HTML, REPORT_MD, REPORT_JUNIT = "report.json", "report.html", "report.md", "junit.xml"
WRITTEN = (REPORT_JSON, REPORT_HTML, REPORT_MD, REPORT_JUNIT)

LIVE = "live"
"""the topology of a run through a live VIP, which no suite makes"""
JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.NON_STRICT)
"""verdicts of tests that ran to their end"""
NO_TEST = "no test of this requirement was run"
FOR_READERS = "documents are for people to read: no traffic decides this, and it does not count"
INTERRUPTED = "interrupted: the run, or the process of this test, ended before it had a result"
DESELECTED = "deselected: this run was asked for other tests"

Json = dict[str, Any]


def derive(run_dir: Path, profiles: Mapping[str, Profile] | None = None) -> Json:
    """The report of a run directory. `profiles` is the catalogue unless given."""
    profiles = catalogue.load_all() if profiles is None else profiles
    source = rundir.read(Path(run_dir))
    run = source.run
    _check_names(source, profiles)
    deployments = [_deployment(source, deployment, profiles[deployment["profile"]])
                   for deployment in run["deployments"]]
    dut, environment = run["dut"], run["environment"]
    return {
        "schema": 1,
        "suite": {"version": run["suite"]["version"], "commit": run["suite"]["commit"]},
        "dut": {**{key: dut.get(key) for key in ("name", "vendor", "version", "driver", "build")}, "ref": dut["ref"]},
        "environment": {"kernel": None, "python": None, "seed": None, "deadlines": {}, "lowered_limits": {},
                        **environment, **_corpus(source)},
        "started": run["started"],
        "duration_s": round(source.seconds, 3),
        "command": run.get("command", ""),
        "notes": list(_notes(source)),
        "not_proved": _distinct(text for deployment in run["deployments"]
                                for text in profiles[deployment["profile"]].not_proved),
        "deployments": deployments,
    }


def write(run_dir: Path, profiles: Mapping[str, Profile] | None = None) -> Json:
    """Derives the report and writes report.json, and from that HTML, Markdown and JUnit XML. Returns the report."""
    from lbcert.report import html, junit, markdown  # jinja2 is needed here only

    run_dir = Path(run_dir)
    report = derive(run_dir, profiles)
    rundir.check(run_dir / REPORT_JSON, report, "report",
                 "The report was not written. This is a fault of lbcert: please report it with the run directory.")
    write_atomically(run_dir / REPORT_JSON, dumps(report))
    for name, renderer in ((REPORT_HTML, html), (REPORT_MD, markdown), (REPORT_JUNIT, junit)):
        write_atomically(run_dir / name, renderer.render(report))
    return report


def load(path: Path) -> Json:
    """A report.json that was written before, checked; also given as the directory that holds it."""
    path = Path(path)
    path = path / REPORT_JSON if path.is_dir() else path
    return rundir.read_json(path, "report",
                            "Give a report.json of lbcert, or build it again with: lbcert report DIRECTORY")


def dumps(report: Json) -> str:
    """The text of report.json."""
    return json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_atomically(path: Path, text: str) -> None:
    """The whole file or the old one: a reader, or a crash, never meets half of it."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                # Half of a surrogate pair, as a product may log it, has no UTF-8 form. What
                # "backslashreplace" makes of it is JSON's own spelling.
                file.write(text.encode("utf-8", "backslashreplace"))
                file.flush()
                os.fsync(file.fileno())
            # mkstemp allows the owner only; a report is for others to read, as umask says.
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise ReportError(path, f"cannot be written: {error.strerror}.", "Check the directory and its free space.") \
            from None


def reproduce(run: Json, deployment: Json, requirement: Requirement) -> str:
    """The command that repeats the tests of one requirement."""
    ref, environment = run["dut"]["ref"], run["environment"]
    if environment["topology"] == LIVE:
        return run["command"]
    suffix = f":{deployment['id']}"
    words = ["pytest", suite_folder(deployment["profile"]), "--dut", ref.removesuffix(suffix) + suffix,
             "-k", requirement.token]
    if environment.get("seed") is not None:
        words += ["--seed", str(environment["seed"])]
    if environment["topology"] != "netns":
        words += ["--topology", environment["topology"]]
    if requirement.id in environment.get("corpus", {}).get("rows", {}):
        words += ["--corpus", environment["corpus"]["file"]]
    return shlex.join(words)


def _corpus(source: RunDir) -> Json:
    """What the run sent of the user's own clients, with the rows whose tests took it and came to a verdict only."""
    given = source.run["environment"].get("corpus")
    if given is None:
        return {}
    judged = {name for result in source.results if result.get("corpus") and result["verdict"] in JUDGED
              for name in result["requirements"]}  # fmt: skip
    return {"corpus": {**given, "rows": {name: count for name, count in given["rows"].items() if name in judged}}}


def suite_folder(profile: str) -> str:
    """Where the tests of a profile are; the broker's are part of the RDP suite."""
    return "suites/" + {"rdp-broker": "rdp"}.get(profile, profile.replace("-", "_"))


def _deployment(source: RunDir, deployment: Json, profile: Profile) -> Json:
    results = {result["nodeid"]: result  # of two results of one test the later one counts
               for result in source.results if result["deployment"] == deployment["id"]}
    gaps = list(_gaps(deployment, results, profile))
    rows = [_requirement(source.run, deployment, requirement, results, gaps) for requirement in profile]
    counted = [row for row in rows if row["group"] != catalogue.DOSSIER]
    return {
        "id": deployment["id"],
        "profile": profile.name,
        "title": profile.title,
        "config": deployment["config"],
        "config_sha256": deployment["config_sha256"],
        "variants": deployment.get("variants", {}),
        "declares": deployment["declares"],
        "claims": deployment.get("claims", []),
        "result": verdicts.result(counted).value,
        "core": verdicts.count(row["verdict"] for row in counted if row["level"] == "MUST"),
        "extended": verdicts.count(row["verdict"] for row in counted if row["level"] != "MUST"),
        "requirements": rows,
        "measurements": [{"error": None, "requirement": None, **measurement}
                         for result in results.values() for measurement in result.get("measurements", [])],
    }


def _requirement(run: Json, deployment: Json, requirement: Requirement, results: Mapping[str, Json],
                 gaps: list[tuple[str, str, set[str]]]) -> Json:
    tests = [_test(result, requirement) for result in results.values() if requirement.id in result["requirements"]]
    tests += [_missing_test(nodeid, reason) for nodeid, reason, about in gaps if requirement.id in about]
    if requirement.is_dossier:
        tests, verdict, reason = [], Verdict.NOT_RUN.value, FOR_READERS
    elif tests:
        decisive = min(tests, key=lambda test: verdicts.badness(test["verdict"], test["reason"]))
        verdict, reason = decisive["verdict"], decisive["reason"]
    else:
        verdict, reason = Verdict.NOT_RUN.value, _why_no_test(deployment, requirement)
    return {
        "id": requirement.id,
        "level": requirement.level,
        "feature": requirement.feature,
        "verdict": verdict,
        "reason": reason,
        "tests": tests,
        "title": requirement.title,
        "group": requirement.group,
        "needs": list(requirement.needs),
        "pass": requirement.passes,
        "why": requirement.why,
        "remedy": requirement.remedy,
        "not_proved": requirement.not_proved,
        "documents": [{"says": one["says"], "where": one["where"]} for one in deployment.get("documents", [])
                      if one["requirement"] == requirement.id],
        "source": [{key: value for key, value in asdict(source).items() if value} for source in requirement.source],
        "reproduce": reproduce(run, deployment, requirement),
    }


def _test(result: Json, requirement: Requirement) -> Json:
    verdict, reason = _trusted(result, requirement)
    return {
        "nodeid": result["nodeid"],
        "verdict": verdict,
        "reason": reason,
        "duration_s": result.get("duration_s") or 0.0,
        "expected": result.get("expected") or "",
        "observed": result.get("observed") or "",
        "evidence": result.get("evidence", []),
        "figures": result.get("figures", []),
    }


def _trusted(result: Json, requirement: Requirement) -> tuple[str, str]:
    observed = any(result.get(key) for key in ("observed", "evidence", "figures", "measurements"))
    verdict, reason = verdicts.believed(result["verdict"], result.get("reason") or "", observed, [requirement.level])
    return verdict.value, reason


def _missing_test(nodeid: str, reason: str) -> Json:
    return {"nodeid": nodeid, "verdict": Verdict.NOT_RUN.value, "reason": reason, "duration_s": 0.0, "expected": "",
            "observed": "", "evidence": [], "figures": []}


def _gaps(deployment: Json, results: Mapping[str, Json], profile: Profile) -> Iterator[tuple[str, str, set[str]]]:
    """Tests without a result: node id, reason, and the requirements that it leaves open."""
    for key, reason in (("selected", INTERRUPTED), ("deselected", DESELECTED)):
        for node in deployment.get(key, []):
            nodeid = node if isinstance(node, str) else node["nodeid"]
            if nodeid not in results:
                about = _named_in(nodeid, profile) if isinstance(node, str) else set(node["requirements"])
                # A test of unknown purpose may have been about any of them.
                yield nodeid, reason, about or set(profile.requirements)


def _named_in(nodeid: str, profile: Profile) -> set[str]:
    """The requirements that a node id names, as in `test_x.py::TestPersist::test_RDP_PERSIST_01[a]`."""
    return {requirement.id for requirement in profile
            if re.search(re.escape(requirement.token) + "(?![0-9a-z])", nodeid, re.IGNORECASE)}


def _why_no_test(deployment: Json, requirement: Requirement) -> str:
    claimed = requirement.is_core or requirement.feature.endswith("-core") \
        or requirement.feature in deployment.get("claims", [])
    return NO_TEST if claimed else f"the feature {requirement.feature!r} {verdicts.NOT_CLAIMED}"


def _check_names(source: RunDir, profiles: Mapping[str, Profile]) -> None:
    """Every profile, deployment and requirement that the run names must exist."""
    seen: set[str] = set()
    for number, deployment in enumerate(source.run["deployments"]):
        if deployment["profile"] not in profiles:
            raise ReportError(source.path / rundir.RUN, f"{deployment['profile']!r} is not in the catalogue.",
                              f"Known: {', '.join(profiles)}.", field=f"deployments[{number}].profile")
        if deployment["id"] in seen:
            raise ReportError(source.path / rundir.RUN, f"{deployment['id']!r} is there twice.",
                              "Give each deployment a name of its own.", field=f"deployments[{number}].id")
        seen.add(deployment["id"])
    known = catalogue.requirements(profiles)
    for result in source.results:
        place = f"result of {result['nodeid']}"
        if result["deployment"] not in seen:
            raise ReportError(source.path / rundir.RESULTS, f"{result['deployment']!r} is not in run.json.",
                              f"Known: {', '.join(sorted(seen))}.", field=f"{place}, deployment")
        for requirement in result["requirements"]:
            if requirement not in known:
                raise ReportError(source.path / rundir.RESULTS, f"{requirement!r} is not in the catalogue.",
                                  "Use the lbcert that made this run, or correct the mark of the test.",
                                  field=f"{place}, requirements")


def _notes(source: RunDir) -> Iterator[str]:
    if source.run["environment"]["topology"] == LIVE:
        yield ("This run looked at a live VIP from outside, without a lab. Servers are told apart by their certificates, and "
               "samples are smaller than those that a requirement names: a pass stands for what its test observed.")
    if own := _corpus(source).get("corpus"):
        rows = ", ".join(f"{name} ({count})" for name, count in own["rows"].items())
        yield (f"Also run with {own['packets']} packets of your own clients ({own['file']}): {rows}." if rows else
               f"None of the {own['packets']} packets of your own clients ({own['file']}) was judged: no test that sends them "
               "came to a verdict.")  # fmt: skip
    if source.finished is None:
        yield ("This run did not come to its end: it was interrupted, or it is still going on. Requirements without "
               "a complete result are not-run.")
    if source.truncated:
        yield "The last line of results.jsonl breaks off in the middle and was left out."


def _distinct(texts: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(texts))
