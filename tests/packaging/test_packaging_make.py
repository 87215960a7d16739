"""make: what its targets run, and which exit status comes out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("shell", "name"), [("sh", f"tools/{name}.sh") for name in
                                             ("setup", "certify", "owned", "nightly", "apparmor", "docker")]
                         + [("bash", ".ci/run")])  # fmt: skip
def test_scripts_parse_and_are_executable(shell, name):
    assert subprocess.run([shell, "-n", REPOSITORY / name], check=False).returncode == 0
    assert (REPOSITORY / name).stat().st_mode & 0o111 == 0o111


def test_help_is_the_default(checkout):
    done = checkout.run("make")
    assert done.returncode == 0 and "make certify" in done.stdout and checkout.done == []


def test_certify_runs_the_suites_and_compares(checkout):
    done = checkout.run("make", "certify", "DUT=./my lb", 'ARGS=-k "a or b"')
    assert done.returncode == 0, done.stderr
    *_, pytest_call, lbcert_call = checkout.done
    folder = lbcert_call.split()[-1]
    assert folder.startswith("reports/runs/2") and folder.endswith("Z-my-lb")
    assert pytest_call == f"pytest -m pytest suites --dut ./my lb --report-dir {folder} -n 8 -k a or b"
    assert done.stdout.splitlines()[-1] == f"report: {folder}/report.html"


@pytest.mark.parametrize(("pytest_ends", "verify_ends", "ends", "compared"), [
    ("0", "0", 0, True), ("1", "0", 0, True), ("1", "1", 1, True), ("0", "1", 1, True), ("1", "2", 2, True),
    ("2", "0", 2, False), ("3", "0", 3, False), ("4", "0", 4, False), ("5", "0", 5, False),
])  # fmt: skip
def test_the_exit_status_is_that_of_the_comparison(checkout, pytest_ends, verify_ends, ends, compared):
    checkout.run("make", "setup")
    done = checkout.run("tools/certify.sh", PYTEST_ENDS=pytest_ends, VERIFY_ENDS=verify_ends)
    assert done.returncode == ends
    assert any(line.startswith("lbcert") for line in checkout.done) == compared
    assert ("nothing was compared" in done.stderr) != compared


def test_each_run_gets_a_fresh_directory(checkout):
    checkout.run("make", "setup")
    folders = []
    for _ in range(3):  # at least two of them within one second
        checkout.run("tools/certify.sh")
        folders.append(checkout.folder / checkout.done[-1].split()[-1])
        folders[-1].mkdir()  # as a run leaves it; an empty one is removed
    assert len(set(folders)) == 3


def test_make_test_leaves_out_what_is_for_the_night(checkout):
    checkout.run("make", "test", "ARGS=-x")
    assert checkout.done[-1] == "pytest -m pytest tests -n 4 --dist loadgroup -x"
    assert "-m ci\n" in (REPOSITORY / "pytest.ini").read_text()


def test_make_nightly_runs_every_tier_and_certifies_every_dut(checkout):
    (checkout.folder / "duts" / "mine").mkdir(parents=True)
    done = checkout.run("make", "nightly", "ARGS=-x", PYTEST_ENDS="1", VERIFY_ENDS="1")
    tests, suites, verify = checkout.done[-3:]
    assert done.returncode != 0
    assert tests == "pytest -m pytest tests -n 4 --dist loadgroup -m ci or nightly -x"
    assert suites.startswith("pytest -m pytest suites --dut mine --report-dir") and suites.endswith("-n 8 -m ci or nightly -x")
    assert verify.startswith("lbcert -m lbcert.cli verify")


def test_a_failure_of_the_set_up_ends_it(checkout):
    done = checkout.run("make", "certify", PIP_FAILS="9")
    assert done.returncode == 2 and not any(line.startswith("pytest") for line in checkout.done)


def test_clean_keeps_runs(checkout):
    checkout.run("make", "certify")
    kept = checkout.folder / "reports" / "runs" / "x" / "__notes__"
    kept.mkdir(parents=True)
    assert checkout.run("make", "clean").returncode == 0
    assert not (checkout.folder / ".venv").exists() and kept.is_dir()
