"""`lbcert check` from a file to the line to change, and that the changes help."""

import json
import re
from pathlib import Path

import pytest
from check_rig import CONFIGS, applied

from lbcert import cli
from lbcert.check.command import examine
from lbcert.check.explain import changes


@pytest.fixture
def check(capsys, tmp_path):
    """`check(file, options...)`: exit status, what it printed, and each requirement's verdict."""

    def run(file, *options):
        capsys.readouterr()
        folder = tmp_path / f"run of {file.stem}"
        status = cli.main(["check", str(file), "--report-dir", str(folder), *options])
        report = json.loads((folder / "report.json").read_text())
        verdicts = {row["id"]: row["verdict"] for row in report["deployments"][0]["requirements"]}
        return status, capsys.readouterr().out, verdicts

    return run


def test_a_failure_names_the_line_of_the_users_file(check):
    status, said, verdicts = check(CONFIGS / "04-source-address.cfg", "-k", "RDP-PERSIST-02")
    assert (status, verdicts["RDP-PERSIST-02"]) == (1, "fail")
    explained = " ".join(said.partition("RDP-PERSIST-02 MUST, fail")[2].split())
    assert re.search(r"seen: .* of 20 users .* change: \S*04-source-address\.cfg, line 11: `balance source` -> `balance leastconn`",
                     explained)  # fmt: skip
    assert "behind line 13 (in `listen rdp`): add `stick-table type string" in explained
    assert "RDP-FAIL-02" not in said, "what was not asked for is not spoken of"
    assert Path(said.rpartition("report: ")[2].strip()).is_file()


@pytest.mark.nightly
@pytest.mark.parametrize(("file", "requirements"), [
    ("04-source-address", ["RDP-PERSIST-02"]),
    ("10-nothing-but-forwarding", ["RDP-PERSIST-01", "RDP-FAIL-01", "RDP-FAIL-02", "RDP-FAIL-05"]),
    ("02-debian-hash", ["RDP-FAIL-01", "RDP-FAIL-02", "RDP-FAIL-03"]),
    ("05-gateway-and-sessions", ["RDP-PERSIST-02", "RDP-FAIL-01"]),
    ("07-three-hundred-listeners", ["RDP-PERSIST-01", "RDP-FAIL-09"]),
])  # fmt: skip
def test_the_changes_help(check, zygote, tmp_path, file, requirements):
    """What failed before the named lines were changed passes afterwards."""
    path = CONFIGS / f"{file}.cfg"
    wanted = " or ".join(requirements)
    before = check(path, "-k", wanted)[2]
    assert {before[name] for name in requirements} <= {"fail", "non-strict", "blocked"}
    text = path.read_text()
    for name in requirements:
        # One after the other, as a user would: lines move, and one change may serve two requirements.
        (tmp_path / path.name).write_text(text)
        text = applied(text, changes(name, examine([tmp_path / path.name], zygote=zygote).candidates[0]))
    changed = tmp_path / f"changed {path.name}"
    changed.write_text(text)
    after = check(changed, "-k", wanted)[2]
    assert {name: after[name] for name in requirements} == dict.fromkeys(requirements, "pass")
