"""The command `lbcert`: what it prints, and its exit statuses."""

from __future__ import annotations

import json
import os
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


def file(name, content):
    """A run one of whose files has other bytes."""
    return broken(lambda folder: (folder / name).write_bytes(content))


def edited(change):
    """A run whose run.json was changed."""
    def change_it(folder):
        run = json.loads((folder / "run.json").read_text())
        change(run)
        (folder / "run.json").write_text(json.dumps(run))

    return broken(change_it)


def pipe(folder):
    (folder / "results.jsonl").unlink()
    os.mkfifo(folder / "results.jsonl")


JUNK = bytes(range(256))


@pytest.mark.parametrize(("make", "says"), [
    pytest.param(lambda runs: runs.folder / "no", "run/no: does not exist. Give the directory of a run", id="nothing"),
    pytest.param(lambda runs: runs.make() / "run.json", "run/run.json: is not a directory. Give the", id="a file"),
    pytest.param(lambda runs: runs.folder / "a\n\x1b[31mb", "run/a\\x0a\\x1b[31mb: does not exist", id="name"),
    pytest.param(lambda runs: Path("x" * 5000), "x: File name too long. Check that", id="long name"),
    pytest.param(broken(lambda folder: (folder / "run.json").unlink()), "run.json: cannot be read: No such", id="no run"),
    pytest.param(file("run.json", b"{"), "run.json, line 1: is not JSON", id="half"),
    pytest.param(file("run.json", b""), "run.json, line 1: is not JSON: Expecting value. Only a run writes", id="empty"),
    pytest.param(file("run.json", JUNK), "run.json: is not UTF-8 (byte 128). Only a run writes this file", id="junk"),
    pytest.param(file("run.json", b"[" * 200_000), "run.json: is not JSON: maximum recursion depth", id="nested"),
    pytest.param(edited(lambda run: run.update(schema=2)), "run.json, schema: 2 is not 1. Only a run writes", id="schema"),
    pytest.param(edited(lambda run: run.update(started="x" * 99_999)), "xx' is not an ISO 8601 time. Only a run", id="long"),
    pytest.param(file("results.jsonl", b"x\n"), "results.jsonl, line 1: is not JSON", id="line"),
    pytest.param(file("results.jsonl", b"\n" + JUNK[11:] + b"\n"), "results.jsonl, line 2: is not JSON", id="junk line"),
    pytest.param(file("results.jsonl", b"x" * 9_999_999 + b"\n"), "line 1: is not JSON: Expecting value.", id="huge line"),
    pytest.param(file("results.jsonl", b'{"duration_s": 1e999}\n'), "1e999 is not a number of JSON. Delete this", id="infinite"),
    pytest.param(broken(pipe), "results.jsonl: cannot be read: It is not a regular file", id="pipe"),
    pytest.param(file("finished.json", b"[]"), "finished.json: [] is not of type object", id="end"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["report", "verify"])
def test_a_bad_directory_is_one_clear_message(runs, capsys, command, make, says):
    assert run(command, make(runs)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("lbcert: ") and err.count("\n") == 1 and says in err and len(err) < 1100


@pytest.mark.parametrize("tail", [b'{"deployment": "fa', b'{"a": ' + b"[" * 200_000, JUNK[11:], b'"' + b"x" * 9_999_999])
def test_a_last_line_that_breaks_off_is_left_out(runs, capsys, tail):
    folder = runs.make()
    with (folder / "results.jsonl").open("ab") as results:
        results.write(tail)
    assert run("report", folder) == 0
    assert "note: The last line of results.jsonl breaks off" in capsys.readouterr().out


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
