"""docs/requirements.md, and the generator behind it."""

import pytest

from lbcert import catalogue
from lbcert.report import requirements_page

ROW = """\
schema: 1
profile: rdp
title: A profile
not_proved: [the rest of *it*]
requirements:
  - {id: RDP-X-01, title: A title., level: MUST, feature: rdp-core, group: One, needs: [], source: [{text: a source}],
     pass: "`a_b` passes_if <1>.", why: Because., remedy: Do it., not_proved: More.}
  - {id: RDP-X-02, title: Another., level: MAY, feature: rdp-core, group: Two, needs: [RDP-X-01],
     source: [{text: a page, url: "https://example.org/"}], pass: If so., why: Because., remedy: Do it., not_proved: More.}
"""
TEST = '''\
from lbcert.api import requirement


@requirement("RDP-X-01", timing=True)
def test_it(lab): ...


def helper(): ...
'''


@pytest.fixture
def profiles(tmp_path):
    (tmp_path / "rdp.yaml").write_text(ROW)
    return catalogue.load_all(tmp_path)


def test_the_committed_page_is_up_to_date():
    assert requirements_page.PAGE.read_text() == requirements_page.current(), \
        "run: python -m lbcert.report.requirements_page"


def test_every_requirement_is_there_once(profiles):
    page = requirements_page.page(profiles, {"RDP-X-01": ["suites/rdp/test_x.py::test_it"]}, {"RDP-X-01": ["m"]})
    assert page.count("\n#### RDP-X-01\n") == page.count("\n#### RDP-X-02\n") == 1
    assert "[`test_it`](../suites/rdp/test_x.py)" in page and "[m](../mutants/m.yaml)" in page
    assert "needs [RDP-X-01](#rdp-x-01)" in page and "[a page](https://example.org/)" in page
    assert "`pytest suites/rdp -k RDP-X-01 --dut NAME`" in page and "-k RDP-X-02" not in page


def test_a_row_without_a_test_or_a_mutant_says_so(profiles):
    page = requirements_page.page(profiles, {}, {})
    assert page.count("| **none yet** |") == 2 and page.count("none yet; no report gives a verdict") == 2
    assert "no mutant yet" in page and "no mutant (none is asked for)" in page


def test_markdown_in_texts_stands_for_itself(profiles):
    page = requirements_page.page(profiles, {}, {})
    assert r"`a_b` passes\_if \<1\>." in page and r"the rest of \*it\*" in page


DUT = "schema: 1\nname: P\ndriver: haproxy\nprofile: rdp\nconfig: c.cfg\n"
KNOWN = """\
schema: 1
deployments:
  rdp:
    - {requirement: RDP-PARSE-01, verdict: fail, reason: It _may_, source: s, versions: ["2.6", "2.4"]}
    - {requirement: RDP-PERSIST-07, verdict: blocked, reason: No names., source: s}
"""


def test_known_verdicts_of_a_folder(tmp_path):
    """What is not listed passes, a MAY row is measured, and a version that differs is named."""
    for name, known in (("zed", KNOWN), ("haproxy", None)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dut.yaml").write_text(DUT)
        (tmp_path / name / "c.cfg").write_text("")
        if known:
            (tmp_path / name / "expected.yaml").write_text(known)
    page = requirements_page.page(catalogue.load_all(), {}, {}, requirements_page.known_of(tmp_path))
    lines = {line.split("]")[0][3:]: line.split(" | ", 4)[-1] for line in page.splitlines() if line.startswith("| [")}
    assert lines["RDP-PARSE-01"] == "pass | **fail** (2.6, 2.4 only; else pass) |"
    assert lines["RDP-PERSIST-07"] == "measured | **blocked** |" and lines["RDP-PARSE-03"] == "pass | pass |"
    assert "  - pass: `haproxy:rdp`\n  - **fail** (2.6, 2.4 only; else pass): `zed:rdp`. It \\_may\\_\n" in page


def test_marks_are_read_from_the_suites(tmp_path):
    folder = tmp_path / "suites" / "rdp"
    folder.mkdir(parents=True)
    (folder / "test_x.py").write_text(TEST)
    assert requirements_page.tests_of(tmp_path / "suites") == {"RDP-X-01": ["suites/rdp/test_x.py::test_it"]}


def test_a_mark_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "test_x.py").write_text(TEST.replace('"RDP-X-01"', "NAME"))
    with pytest.raises(ValueError, match=r"test_x\.py, line 4: requirement ids must be literals"):
        requirements_page.tests_of(tmp_path)


def test_marks_of_the_suites_are_in_the_catalogue():
    assert set(requirements_page.tests_of()) <= set(catalogue.requirements())
