"""A limit of open files that would show in verdicts is named, and nothing is judged under it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lbcert.topology import probe

REPOSITORY = Path(__file__).parents[2]


def test_too_low_a_limit_is_a_reason_for_no_lab(monkeypatch):
    monkeypatch.setattr(probe.resource, "getrlimit", lambda kind: (1000, 1000))
    with pytest.raises(probe.Unavailable, match=r"open files is 1000, and tests need 4096, .*raise it \(ulimit"):
        probe.files()


@pytest.mark.nightly
@pytest.mark.parametrize("more", [[], ["-n", "1"]], ids=["alone", "beside others"])
def test_under_too_few_files_nothing_is_judged(tmp_path, more):
    limited = ["sh", "-c", 'ulimit -n 1000 && exec "$@"', "sh"]
    command = [*limited, sys.executable, "-m", "pytest", "suites/rdp", "-k", "RDP-PARSE-04", "--dut", "ideal", *more]
    command += ["--report-dir", tmp_path / "run"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    results = [json.loads(line) for line in (tmp_path / "run" / "results.jsonl").read_text().splitlines()]
    assert done.returncode == 1 and {one["verdict"] for one in results} == {"setup-error"}, done.stdout
    assert all("the hard limit of open files is 1000, and tests need 4096" in one["reason"] for one in results)
