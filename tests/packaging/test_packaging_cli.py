"""The command `lbcert`: what it prints, and its exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lbcert import cli

KNOWN = "  farm:\n  - {requirement: RDP-FAIL-01, verdict: fail, reason: it hashes on, source: measured}\n"
FAILS = {"RDP-FAIL-01": "fail"}


def run(*arguments: str | Path) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_a_run_that_agrees(runs, capsys):
    runs.expect(KNOWN)
    assert run("verify", runs.make(FAILS)) == 0
    assert capsys.readouterr() == (f"{runs.folder} agrees with {runs.product}/expected.yaml (farm)\n", "")


@pytest.mark.parametrize(("verdicts", "line"), [
    pytest.param({**FAILS, "RDP-PARSE-01": "fail"},
                 "farm RDP-PARSE-01: expected pass, found fail (why RDP-PARSE-01)", id="another fails"),
    pytest.param({"RDP-FAIL-01": "setup-error"},
                 "farm RDP-FAIL-01: expected fail, found setup-error (why RDP-FAIL-01)", id="another verdict"),
    pytest.param({}, "farm RDP-FAIL-01: expected fail, found pass (An unexpected pass. If it is here to stay, remove the "
                     "entry. It said: it hashes on)", id="unexpected pass"),
])  # fmt: skip
def test_each_difference_is_a_line(runs, capsys, verdicts, line):
    runs.expect(KNOWN)
    assert run("verify", runs.make(verdicts)) == 1
    assert capsys.readouterr().out == (
        f"{runs.folder} has 1 difference from {runs.product}/expected.yaml (farm):\n  {line}\n")  # fmt: skip


def test_without_known_results_everything_must_pass(runs, capsys):
    assert run("verify", runs.make()) == 0
    assert run("verify", runs.make(FAILS)) == 1
    assert "1 difference from the expectation that every requirement passes" in capsys.readouterr().out


def test_other_known_results(runs, tmp_path, capsys):
    runs.expect(KNOWN)
    other = tmp_path / "other.yaml"
    other.write_text("schema: 1\ndeployments: {farm: []}\n")
    assert run("verify", "--expected", other, runs.make()) == 0


def test_a_crashed_run_differs(runs, capsys):
    assert run("verify", runs.make(finished=False, results=7)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(runs.ids) - 7
    assert all("expected pass, found not-run (interrupted: " in line for line in lines[1:])


@pytest.mark.parametrize(("command", "deselected", "status"), [
    pytest.param("pytest suites --dut product", [], 1, id="everything"),
    pytest.param("pytest suites --dut product:farm", [], 0, id="one deployment"),
    pytest.param("pytest suites/rdp --dut product", [], 0, id="one suite"),
    pytest.param("pytest suites -k RDP_FAIL --dut product", ["RDP-PARSE-01"], 0, id="some tests"),
])  # fmt: skip
def test_what_was_not_asked_for_is_no_difference(runs, command, deselected, status):
    runs.expect(KNOWN + "  other: []\n")
    assert run("verify", runs.make(FAILS, command=command, deselected=deselected)) == status


def test_a_difference_counts_among_some_tests_too(runs, capsys):
    assert run("verify", runs.make(FAILS, command="pytest suites -k FAIL", deselected=["RDP-PARSE-01"])) == 1
    assert "(farm; only the tests that were asked for)" in capsys.readouterr().out


def test_what_a_product_logged_cannot_command_the_terminal(runs, capsys):
    folder = runs.make(FAILS)
    results = (folder / "results.jsonl").read_text().replace("why RDP-FAIL-01", "red \\u001b[31m")
    (folder / "results.jsonl").write_text(results)
    assert run("verify", folder) == 1
    assert "(red \\x1b[31m)" in capsys.readouterr().out


def test_report_builds_both_files_again(runs, capsys):
    folder = runs.make(FAILS)
    assert run("report", folder) == 0
    result, *written = capsys.readouterr().out.splitlines()
    assert result == "Farm farm: failed" and {f"{folder}/report.json", f"{folder}/report.html"} <= set(written)
    assert all(Path(name).is_file() for name in written)
    assert json.loads((folder / "report.json").read_text())["deployments"][0]["result"] == "failed"
    assert "RDP-FAIL-01" in (folder / "report.html").read_text()


def test_report_after_a_crash_says_so(runs, capsys):
    folder = runs.make(finished=False, results=3)
    with (folder / "results.jsonl").open("a") as file:
        file.write('{"deployment": "fa')
    assert run("report", folder) == 0
    out = capsys.readouterr().out
    assert "note: This run did not come to its end" in out and "note: The last line of results.jsonl breaks off" in out


def test_the_newest_run_is_the_default(runs, tmp_path, monkeypatch, capsys):
    latest = tmp_path / "latest"
    monkeypatch.setattr(cli, "LATEST", latest)
    assert run("verify") == 2
    assert "make certify" in capsys.readouterr().err
    latest.symlink_to(runs.make())
    assert run("verify") == 0
    assert capsys.readouterr().out.startswith(f"{runs.folder} agrees")


def broken(change):
    def make(runs) -> Path:
        folder = runs.make()
        change(folder)
        return folder

    return make


@pytest.mark.parametrize(("make", "says"), [
    pytest.param(lambda runs: runs.folder / "no", "run/no: does not exist. Give the directory of a run", id="nothing"),
    pytest.param(broken(lambda folder: (folder / "run.json").unlink()), "run.json: cannot be read: No such", id="no run"),
    pytest.param(broken(lambda folder: (folder / "run.json").write_text("{")), "run.json, line 1: is not JSON", id="half"),
    pytest.param(broken(lambda folder: (folder / "results.jsonl").write_text("x\n")), "results.jsonl, line 1: ", id="line"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["report", "verify"])
def test_a_bad_directory_is_one_clear_message(runs, capsys, command, make, says):
    assert run(command, make(runs)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("lbcert: ") and err.count("\n") == 1 and says in err


@pytest.mark.parametrize(("ref", "text", "says"), [
    pytest.param("mutants/all-to-first.yaml", KNOWN, "is a mutant; mutants have no expected.yaml", id="mutant"),
    pytest.param("product", KNOWN.replace("01", "77"), "expected.yaml, line 4, deployments.farm[0].requirement", id="wrong"),
])  # fmt: skip
def test_no_usable_known_results(runs, capsys, ref, text, says):
    runs.expect(text)
    assert run("verify", runs.make(ref=ref)) == 2
    assert says in capsys.readouterr().err


def test_a_product_that_is_not_here(runs, capsys):
    folder = runs.make()
    runs.product.rmdir()
    assert run("verify", folder) == 2
    assert "is not here. Name the known results with --expected FILE" in capsys.readouterr().err


def test_a_report_that_cannot_be_written(runs, capsys):
    folder = runs.make()
    (folder / "report.json").mkdir()
    assert run("report", folder) == 2
    assert "report.json: cannot be written: Is a directory" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["verfy"], ["verify", "--expectd", "x"], ["report", "a", "b"]])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    assert ended.value.code == 2 and "usage: lbcert" in capsys.readouterr().err
