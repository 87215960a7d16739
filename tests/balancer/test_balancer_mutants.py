"""The mutants of the ideal balancer: files that say what they claim, and configurations that it accepts."""

from pathlib import Path

import pytest
import yaml

from lbcert.balancer import parse
from lbcert.balancer.defects import SWITCHES

ROOT = Path(__file__).parents[2]
MUTANTS = {
    path.stem: document
    for path in sorted((ROOT / "mutants").glob("*.yaml"))
    if (document := yaml.safe_load(path.read_text())).get("base") in ("ideal:rdp", "ideal:ocs")
}
ROWS = {
    "RDP-PARSE-01": 3, "RDP-PARSE-03": 2, "RDP-PARSE-04": 2, "RDP-PARSE-02": 5, "RDP-PARSE-05": 2, "RDP-PARSE-06": 3,
    "RDP-PARSE-07": 5, "RDP-PARSE-08": 1, "RDP-PARSE-09": 3, "RDP-PARSE-10": 3, "RDP-PARSE-11": 2, "RDP-PARSE-12": 2,
    "RDP-PERSIST-01": 2, "RDP-PERSIST-02": 2,
    "RDP-PERSIST-03": 3, "RDP-PERSIST-04": 2, "RDP-PERSIST-05": 2, "RDP-PERSIST-06": 1, "RDP-PERSIST-08": 1,
    "RDP-PERSIST-09": 2, "RDP-PERSIST-10": 3, "RDP-PERSIST-11": 1, "RDP-PERSIST-12": 2, "RDP-PERSIST-13": 3,
    "RDP-FAIL-01": 5, "RDP-FAIL-02": 6, "RDP-FAIL-03": 5, "RDP-FAIL-04": 4, "RDP-FAIL-05": 2, "RDP-FAIL-06": 4, "RDP-FAIL-07": 4,
    "RDP-FAIL-08": 3, "RDP-FAIL-09": 3,
    "RDP-SESS-01a": 4, "RDP-SESS-02": 3, "RDP-SESS-04": 5, "RDP-SESS-06": 3, "RDP-SESS-07": 3,
}
POOL_ROWS = {
    "OCS-NET-02": 1, "OCS-NET-03": 1, "OCS-NET-04": 1, "OCS-NET-06": 2, "OCS-NET-07": 1, "OCS-NET-09": 1,
    "OCS-AFF-01": 5, "OCS-AFF-02": 1, "OCS-AFF-03": 2, "OCS-AFF-04": 1, "OCS-AFF-05": 4,
    "OCS-IDLE-01": 2, "OCS-IDLE-02": 1, "OCS-IDLE-03": 3, "OCS-IDLE-04": 2, "OCS-IDLE-05": 2, "OCS-IDLE-06": 3, "OCS-IDLE-07": 1,
    "OCS-FAIL-01": 3, "OCS-FAIL-02": 2, "OCS-FAIL-03": 3, "OCS-FAIL-04": 3, "OCS-FAIL-05": 3, "OCS-FAIL-06": 2, "OCS-FAIL-07": 7,
    "OCS-FAIL-08": 3, "OCS-APP-01": 4, "OCS-APP-02": 2, "OCS-ADMIN-01": 2, "OCS-ADMIN-02": 2, "OCS-ADMIN-03": 1,
}


def merged(base, change):
    """`change` over `base`, mapping by mapping."""
    if isinstance(base, dict) and isinstance(change, dict):
        return base | {key: merged(base.get(key), value) for key, value in change.items()}
    return change


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_complete_and_runs(name):
    mutant = MUTANTS[name]
    assert set(mutant) <= {"schema", "id", "base", "summary", "change", "declares", "targets", "may_block", "tier"}
    assert (mutant["schema"], mutant["id"]) == (1, name)
    assert mutant["summary"].endswith(".")
    assert mutant["targets"] and not set(mutant["targets"]) & set(mutant.get("may_block", []))
    base = yaml.safe_load((ROOT / f"duts/ideal/{mutant['base'].partition(':')[2]}.yaml").read_text())
    text = yaml.safe_dump(merged(base, mutant.get("change", {}).get("set", {})))
    config = parse(text, f"{name}.yaml")
    assert config.defects or config != parse(yaml.safe_dump(base), "base.yaml") or mutant["declares"]
    assert config.persistence.returns_after_recovery == (
        mutant.get("declares", {}).get("persistence", {}).get("returns_after_recovery", False)
    )


@pytest.mark.parametrize("row, least", (ROWS | POOL_ROWS).items())
def test_each_row_has_its_mutants(row, least):
    assert sum(row in mutant["targets"] for mutant in MUTANTS.values()) >= least


def test_each_switch_is_some_mutants():
    used = {name for mutant in MUTANTS.values() for name in mutant.get("change", {}).get("set", {}).get("defects", {})}
    assert used == set(SWITCHES)
