"""The catalogue's loader, and the catalogue as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from lbcert import catalogue
from lbcert.report import ReportError

ROW = """\
  - id: RDP-X-01
    title: A title.
    level: MUST
    feature: rdp-core
    group: RDP
    needs: []
    source: [{text: a source}]
    pass: what passes
    why: why it matters
    remedy: what to do
    not_proved: what it does not prove
"""
HEAD = """\
schema: 1
profile: rdp
title: A profile
not_proved: [much]
requirements:
"""


def write(folder: Path, text: str, name: str = "rdp.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_rows_of_the_rdp_profile():
    profile = catalogue.load_all()["rdp"]
    assert [(row.id, row.level, row.needs) for row in profile] == [
        ("RDP-PARSE-01", "MUST", ()),
        ("RDP-PARSE-02", "MUST", ()),
        ("RDP-PARSE-03", "MUST", ("RDP-PERSIST-01",)),
        ("RDP-PARSE-04", "MUST", ()),
        ("RDP-PARSE-05", "SHOULD", ("RDP-PARSE-04",)),
        ("RDP-PARSE-06", "MUST", ()),
        ("RDP-PARSE-07", "MUST", ("RDP-PERSIST-01",)),
        ("RDP-PARSE-08", "SHOULD", ("RDP-PERSIST-01",)),
        ("RDP-PARSE-09", "MUST", ("RDP-PARSE-04", "RDP-PERSIST-01")),
        ("RDP-PARSE-10", "SHOULD", ("RDP-PERSIST-01",)),
        ("RDP-PARSE-11", "MUST", ()),
        ("RDP-PARSE-12", "MUST", ()),
        ("RDP-PERSIST-01", "MUST", ()),
        ("RDP-PERSIST-02", "MUST", ("RDP-PERSIST-01",)),
        ("RDP-PERSIST-03", "MUST", ()),
        ("RDP-PERSIST-04", "MUST", ("RDP-PERSIST-01",)),
        ("RDP-PERSIST-05", "SHOULD", ("RDP-PERSIST-01",)),
        ("RDP-PERSIST-06", "SHOULD", ()),
        ("RDP-PERSIST-07", "MAY", ("RDP-PERSIST-01",)),
        ("RDP-PERSIST-08", "SHOULD", ()),
        ("RDP-PERSIST-09", "SHOULD", ("RDP-PERSIST-01",)),
        ("RDP-PERSIST-10", "MUST", ("RDP-PARSE-04",)),
        ("RDP-PERSIST-11", "SHOULD", ("RDP-PERSIST-01",)),
        ("RDP-PERSIST-12", "SHOULD", ("RDP-PERSIST-01",)),
        ("RDP-PERSIST-13", "SHOULD", ()),
        ("RDP-SESS-01a", "MUST", ()),
        ("RDP-SESS-02", "MUST", ()),
        ("RDP-SESS-04", "MUST", ()),
        ("RDP-SESS-06", "SHOULD", ("RDP-PERSIST-01",)),
        ("RDP-SESS-07", "SHOULD", ()),
        ("RDP-FAIL-01", "MUST", ()),
        ("RDP-FAIL-02", "MUST", ()),
        ("RDP-FAIL-03", "SHOULD", ()),
        ("RDP-FAIL-04", "SHOULD", ()),
        ("RDP-FAIL-05", "SHOULD", ()),
        ("RDP-FAIL-06", "MUST", ("RDP-PERSIST-01",)),
        ("RDP-FAIL-07", "MUST", ()),
        ("RDP-FAIL-08", "MUST", ()),
        ("RDP-FAIL-09", "MUST", ("RDP-PERSIST-01",)),
    ]


@pytest.mark.parametrize("row", catalogue.load_all()["rdp"], ids=lambda row: row.id)
def test_every_row_speaks_to_an_administrator(row: catalogue.Requirement):
    assert row.title.endswith(".") and len(row.title) <= 100
    assert 2 <= row.why.count(". ") + 1 <= 3, "why is two or three sentences"
    assert "HAProxy" in row.remedy and "other products" in row.remedy
    assert row.not_proved.endswith(".") and row.passes.endswith(".")


def test_a_minimal_profile_loads(tmp_path: Path):
    profile = catalogue.load(write(tmp_path, HEAD + ROW))
    (row,) = profile
    assert (row.id, row.passes, row.source[0].text, row.token) == ("RDP-X-01", "what passes", "a source", "RDP_X_01")
    assert row.is_core and len(profile) == 1


@pytest.mark.parametrize(("text", "line", "says"), [
    pytest.param(HEAD + ROW.replace("why:", "wy:"), 14, "wy: unknown key. Did you mean 'why'?", id="unknown key"),
    pytest.param(HEAD + ROW.replace("    why: why it matters\n", ""), 6, "'why' is missing", id="missing key"),
    pytest.param(HEAD + ROW.replace("MUST", "MUTS"), 8, "'MUTS' is not known. Did you mean 'MUST'?", id="level"),
    pytest.param(HEAD + ROW.replace("RDP-X-01", "rdp-x-1"), 6, "does not have the form", id="id"),
    pytest.param(HEAD + ROW + ROW, 17, "RDP-X-01 is there twice", id="same id twice"),
    pytest.param(HEAD + ROW.replace("[]", "[RDP-X-02]"), 11, "RDP-X-02 is not in this profile", id="needs nobody"),
    pytest.param(HEAD + ROW.replace("[]", "[RDP-X-01]"), 11, "needs itself", id="needs itself"),
    pytest.param(HEAD + ROW.replace("needs: []", "needs: [RDP-X-02]") +
                 ROW.replace("X-01", "X-02").replace("needs: []", "needs: [RDP-X-01]"), 11, "needs itself", id="circle"),
    pytest.param(HEAD + ROW.replace("a source", "a, url: 'javascript:x'"), 12, "does not have the form", id="url"),
    pytest.param(HEAD + ROW.replace("what to do", "''"), 15, "must not be empty", id="empty text"),
    pytest.param(HEAD + ROW.replace("what to do", "8"), 15, "not of type string (put it in quotes)", id="number"),
    pytest.param(HEAD.replace("rdp", "ocs") + ROW, 2, "not the name of the file", id="profile is not the file"),
    pytest.param(HEAD + ROW + "schema: 1\n", 17, "'schema' is there twice", id="same key twice"),
    pytest.param("schema: 1\nprofile: [\n", 3, "not valid YAML", id="not YAML"),
    pytest.param("a: &x [1]\nb: *x\n", 2, "aliases", id="alias"),
    pytest.param("", None, "the file is empty", id="empty file"),
])
def test_an_error_names_the_file_the_line_and_the_matter(tmp_path: Path, text: str, line: int | None, says: str):
    path = write(tmp_path, text)
    with pytest.raises(ReportError) as caught:
        catalogue.load(path)
    assert str(path) in str(caught.value) and says in str(caught.value)
    assert caught.value.line == line


def test_an_id_belongs_to_one_profile(tmp_path: Path):
    write(tmp_path, HEAD + ROW)
    write(tmp_path, HEAD.replace("rdp", "ocs") + ROW, "ocs.yaml")
    with pytest.raises(catalogue.CatalogueError, match=r"RDP-X-01 is also in ocs\.yaml"):
        catalogue.load_all(tmp_path)


def test_no_catalogue_at_all(tmp_path: Path):
    with pytest.raises(catalogue.CatalogueError, match="complete checkout"):
        catalogue.load_all(tmp_path)


def test_what_a_pool_needs_to_be_judged():
    profile = catalogue.load_all()["ocs"]
    families = ("OCS-NET", "OCS-AFF", "OCS-APP", "OCS-ADMIN")
    ports = ("OCS-NET-02", "OCS-NET-03")
    assert [(row.id, row.level, row.needs) for row in profile if row.id.rpartition("-")[0] in families] == [
        ("OCS-NET-01", "MUST", ()),
        ("OCS-NET-02", "MUST", ()),
        ("OCS-NET-03", "MUST", ()),
        ("OCS-NET-04", "MUST", ("OCS-NET-02",)),
        ("OCS-NET-05", "MUST", ports),
        ("OCS-NET-06", "MUST", ports),
        ("OCS-NET-07", "MUST", ports),
        ("OCS-NET-08", "MUST", ()),
        ("OCS-NET-09", "MUST", ports),
        ("OCS-AFF-01", "MUST", ports),
        ("OCS-AFF-02", "SHOULD", ("OCS-AFF-01",)),
        ("OCS-AFF-03", "MUST", ("OCS-AFF-01",)),
        ("OCS-AFF-04", "MUST", ("OCS-AFF-01",)),
        ("OCS-AFF-05", "MUST", ports),
        ("OCS-AFF-06", "SHOULD", ports),
        ("OCS-APP-01", "MUST", ports),
        ("OCS-APP-02", "MUST", ports),
        ("OCS-APP-09", "MUST", ()),
        ("OCS-ADMIN-01", "MUST", ()),
        ("OCS-ADMIN-02", "SHOULD", ("OCS-ADMIN-01",)),
        ("OCS-ADMIN-03", "MUST", ()),
    ]
    assert [row.id for row in profile if row.is_dossier] == ["OCS-APP-09"]
