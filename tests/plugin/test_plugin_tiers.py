"""Tiers: every test is of one, and a tier that no schedule runs is an error."""

from pathlib import Path

import pytest

from lbcert.run import tiers

REPOSITORY = Path(__file__).resolve().parents[2]
MARKERS = ["ci: tier: daily", "nightly: tier: by night", "timing: no tier", "skipif(condition): tier: of no use"]


class Item:
    nodeid = "t.py::test"

    def __init__(self, *marks: str):
        self.marks = list(marks)

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.marks else None

    def add_marker(self, name: str) -> None:
        self.marks.append(name)


def test_tiers_are_declared_by_their_text():
    assert tiers.declared(MARKERS) == ["ci", "nightly", "skipif"]


@pytest.mark.parametrize("marks, after", [((), ["ci"]), (("nightly",), ["nightly"]), (("timing",), ["timing", "ci"])])
def test_each_test_gets_a_tier(marks, after):
    item = Item(*marks)
    tiers.assign([item], MARKERS[:3])
    assert item.marks == after


def test_a_test_of_two_tiers_is_an_error():
    with pytest.raises(pytest.UsageError, match="t.py::test: of the tiers ci and nightly"):
        tiers.assign([Item("ci", "nightly")], MARKERS[:3])


def test_a_tier_that_no_schedule_runs_is_an_error():
    with pytest.raises(pytest.UsageError, match="no schedule runs the tier weekly; known: make test"):
        tiers.assign([], [*MARKERS[:3], "weekly: tier: some day"])


def test_the_commands_run_what_the_schedules_say():
    daily, nightly = tiers.SCHEDULES.values()
    assert f"-m {daily}\n" in (REPOSITORY / "pytest.ini").read_text()
    assert f"tier='{nightly}'\n" in (REPOSITORY / "tools" / "nightly.sh").read_text()


def test_pytest_says_so_as_well(run):
    done = run("suites/rdp", "--collect-only", "-o", "markers=weekly: tier: some day")
    assert done.status == 4 and "no schedule runs the tier weekly" in done.text
