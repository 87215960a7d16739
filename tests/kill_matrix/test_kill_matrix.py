"""Each mutant against its own requirements and a sample of the others; nightly against all of them."""

import pytest

from lbcert.controls import kill_matrix
from lbcert.controls import kill_results
from lbcert.controls.kill_matrix import Cell, Mutant
from lbcert.report.errors import ReportError
from lbcert.verdicts import Verdict

MUTANTS = {mutant.id: mutant for mutant in kill_matrix.load()}
DAILY = [mutant.id for mutant in kill_matrix.daily(list(MUTANTS.values()))]


def installed(name: str) -> Mutant:
    """A mutant whose product can be run here; else the test is skipped, with the reason."""
    if reason := kill_matrix.missing(MUTANTS[name]):
        pytest.skip(reason)
    return MUTANTS[name]


def must_be_as_promised(mutant: Mutant, row: kill_matrix.Row) -> None:
    """Fails with all that a log needs to tell the cause: the rows, their verdicts, the findings' own words."""
    if wrong := list(kill_matrix.complaints(mutant, row)):
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in DAILY else pytest.mark.nightly) for name in MUTANTS])
def test_mutant_is_killed_and_nothing_else_fails(name):
    mutant = installed(name)
    row = kill_matrix.run(mutant, {*mutant.targets, *kill_matrix.SAMPLE[mutant.profile]})
    assert set(mutant.targets) <= set(row)
    must_be_as_promised(mutant, row)


@pytest.mark.nightly
@pytest.mark.parametrize("name", MUTANTS)
def test_whole_row_of_the_matrix(name):
    mutant = installed(name)
    must_be_as_promised(mutant, kill_matrix.run(mutant))


def test_every_requirement_has_a_mutant_every_day():
    assert {name for mutant in DAILY for name in MUTANTS[mutant].targets} == {
        name for mutant in MUTANTS.values() for name in mutant.targets
    }


def test_a_mutant_of_a_product_that_is_not_installed_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("lbcert.drivers.nginx.DEFAULT", tmp_path / "nginx")
    monkeypatch.setattr("lbcert.drivers.nginx.binary_of", lambda product: None)
    assert "apt-get install" in kill_matrix.missing(MUTANTS["nginx-by-address"])
    assert kill_matrix.missing(MUTANTS["haproxy-no-stick"]) is None


def test_every_requirement_has_a_mutant():
    assert kill_matrix.without_mutant(list(MUTANTS.values())) == []


def test_a_requirement_without_a_mutant_is_named():
    few = [mutant for mutant in MUTANTS.values() if "RDP-FAIL-06" not in mutant.targets]
    assert kill_matrix.without_mutant(few) == ["RDP-FAIL-06"]


def test_the_published_page_lists_every_mutant_and_requirement():
    page = kill_matrix.PAGE.read_text()
    for mutant in MUTANTS.values():
        assert f"[{mutant.id}](../mutants/{mutant.path.name})" in page and mutant.summary in page
    for name in {target for mutant in MUTANTS.values() for target in mutant.targets}:
        assert f"| {name} |" in page


MUTANT = Mutant("m", kill_matrix.PAGE, "ideal:rdp", "rdp", "Does wrong.", ("RDP-FAIL-01",), ("RDP-FAIL-06",), ("RDP-PARSE-03",))
PASS, FAIL, BLOCKED, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.BLOCKED, Verdict.HARNESS_ERROR

JUDGED = {
    "target fails": ({"RDP-FAIL-01": FAIL}, 0),
    "target is not strict": ({"RDP-FAIL-01": Verdict.NON_STRICT}, 0),
    "target passes": ({"RDP-FAIL-01": PASS}, 1),
    "target is blocked": ({"RDP-FAIL-01": BLOCKED}, 1),
    "target could not be judged": ({"RDP-FAIL-01": ERROR}, 1),
    "blocked as announced": ({"RDP-FAIL-06": BLOCKED}, 0),
    "fails where it may be blocked": ({"RDP-FAIL-06": FAIL}, 1),
    "another row is blocked": ({"RDP-PARSE-01": BLOCKED}, 1),
    "another row fails": ({"RDP-PARSE-01": FAIL}, 1),
    "another row passes": ({"RDP-PARSE-01": PASS}, 0),
    "the base fails it too": ({"RDP-PARSE-03": FAIL}, 0),
}


@pytest.mark.parametrize("row, count", JUDGED.values(), ids=JUDGED)
def test_complaints(row, count):
    assert len(list(kill_matrix.complaints(MUTANT, {name: Cell(verdict) for name, verdict in row.items()}))) == count


def test_a_failure_says_row_verdict_and_the_findings_own_words():
    row = {"RDP-PARSE-01": Cell(FAIL, "user1 was on ts3, ts1", "49 of 50 users stayed. user1 was on ts3, ts1"),
           "RDP-FAIL-01": Cell(BLOCKED, "needs RDP-FAIL-02", "nobody came")}  # fmt: skip
    with pytest.raises(pytest.fail.Exception) as failure:
        must_be_as_promised(MUTANT, row)
    assert str(failure.value).splitlines() == [
        "m: this defect has nothing to do with RDP-PARSE-01, which is fail"
        " (49 of 50 users stayed. user1 was on ts3, ts1)",
        "m: this defect must not pass RDP-FAIL-01, which is blocked (needs RDP-FAIL-02; nobody came)",
    ]


def test_what_the_tests_of_a_requirement_observed_is_kept_of_those_that_decided():
    tests = [{"verdict": "pass", "observed": "all is well"}, {"verdict": "fail", "observed": "2 of 3"}]
    assert kill_matrix._cell({"verdict": "fail", "reason": "one was lost", "tests": tests}) == Cell(FAIL, "one was lost", "2 of 3")


@pytest.mark.parametrize("reason, count", [("the feature 'proxy-v1' is not claimed", 0), ("no variant: rdp offers none", 1)])
def test_a_row_about_what_the_base_does_not_offer_is_no_complaint(reason, count):
    assert len(list(kill_matrix.complaints(MUTANT, {"RDP-PARSE-01": Cell(Verdict.NOT_RUN, reason)}))) == count


def test_a_cell_that_was_not_tried_is_told_from_one_that_was():
    assert "| *to fail* |" in kill_matrix.page({MUTANT: {}})
    assert "| · | **fail** |" in kill_matrix.page({MUTANT: {"RDP-FAIL-01": Cell(FAIL), "RDP-PARSE-01": Cell(PASS)}})


def test_the_published_page_is_up_to_date():
    assert kill_matrix.PAGE.read_text() == kill_matrix.published(list(MUTANTS.values())), \
        "run: python -m lbcert.controls.kill_matrix --page"


def test_a_row_is_forgotten_when_its_mutant_changes(tmp_path):
    mutants = {name: tmp_path / f"{name}.yaml" for name in ("a", "b")}
    for path in mutants.values():
        path.write_text("id: x\n")
    file = tmp_path / "results.json"
    kill_results.save(file, mutants, {"a": {"RDP-FAIL-01": "fail"}, "b": {"RDP-FAIL-02": "pass"}})
    mutants["a"].write_text("id: y\n")
    assert kill_results.load(file, mutants) == {"b": {"RDP-FAIL-02": "pass"}}


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": {"row": {}}}', '{"a": {"mutant": 1, "row": {"X-01": "good"}}}'])
def test_broken_results_are_one_clear_error(tmp_path, text):
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "results.json").write_text(text.replace('"mutant": 1', f'"mutant": "{kill_results._digest(tmp_path / "a.yaml")}"'))
    with pytest.raises(ReportError, match="holds no results of the kill matrix"):
        kill_results.load(tmp_path / "results.json", {"a": tmp_path / "a.yaml"})
