"""Configurations of other profiles: what they are is said, which suite tests them, and the dut.yaml to start from is right."""

import shlex
from pathlib import Path

import pytest

from lbcert import cli
from lbcert.check import command
from lbcert.check.command import examine
from lbcert.dut import REPOSITORY, load, resolve

DUTS = Path(__file__).parents[2] / "duts" / "haproxy"
CHECK = {"inter": 2.0, "fall": 3, "rise": 2, "timeout": 2.0}


@pytest.fixture
def check(zygote, capsys, monkeypatch):
    """`check(file, options...)`: exit status and what was printed."""
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(command, "examine", lambda *args, **more: examine(*args, zygote=zygote, **more))

    def run(path, *options):
        capsys.readouterr()
        status = cli.main(["check", str(path), "--no-run", *options])
        return status, " ".join(capsys.readouterr().out.split())

    return run


@pytest.mark.parametrize(("file", "profile", "says", "missing"), [
    ("ocs", "ocs", "10.10.2.20:5060 and 8 more: a pool of Office Communications Servers, which check does not test; `pytest ./suites/ocs` does", ""),
    ("tproxy", "ssl-tproxy", "10.0.0.142:443: a web site, which check does not test; `pytest ./suites/ssl_tproxy` does", "line 38, `usesrc`"),
    pytest.param("ocs-split", "ocs", "a pool of Office Communications Servers (profile ocs)", "", marks=pytest.mark.nightly),
    pytest.param("proxy-protocol", "ssl-tproxy", "a web site (profile ssl-tproxy)", "servers get a PROXY header", marks=pytest.mark.nightly),
])  # fmt: skip
def test_the_products_own_files(check, tmp_path, file, profile, says, missing):
    """What is read from a file that has a dut.yaml of ours is what stands there."""
    status, said = check(DUTS / f"{file}.cfg", "--write", str(tmp_path / "w"))
    assert status == 3 and says in said and missing in said and f"--dut {tmp_path / 'w'}" in said
    (found,) = load(tmp_path / "w" / "dut.yaml", "w").deployments
    known = load(DUTS / "dut.yaml", "haproxy").deployment(file)
    assert (found.profile, found.text, set(found.claims)) == (profile, known.text, set(known.claims) - {"proxy-protocol"})
    for key in ("health_check", "persistence", "session", "administration"):
        assert found.declares.raw.get(key) == known.declares.raw.get(key), key
    assert known.services.items() <= found.services.items() and found.files == known.files


def test_the_folder_that_was_written_is_named_to_its_suite(check, tmp_path):
    check(DUTS / "ocs.cfg", "--write", str(tmp_path / "w"))
    assert check(tmp_path / "w") == (3, f"{tmp_path}/w/dut.yaml: ocs; nothing is guessed. "
                                        f"ocs: not tested here; pytest ./suites/ocs --dut {tmp_path}/w:ocs")  # fmt: skip


def test_a_declared_page_is_said(check, tmp_path):
    """It makes OCS-ADMIN-03 pass, so nobody is to declare it unknowingly."""
    _, said = check(DUTS / "ocs.cfg", "--write", str(tmp_path / "w"))
    assert "declared in it: clients may reach the page of statistics at 10.10.2.20:7777; if they may not, take" in said
    assert "# Declared: clients may reach the page" in (tmp_path / "w" / "dut.yaml").read_text()
    assert "declared in it" not in check(DUTS / "ocs-split.cfg")[1]


def test_what_is_printed_works_where_the_user_stands(check, tmp_path, monkeypatch):
    """Elsewhere than in the checkout, with a folder that is called like a DUT of ours."""
    (tmp_path / "my pool").mkdir()
    monkeypatch.chdir(tmp_path / "my pool")
    _, said = check(DUTS / "ocs.cfg", "--write", "haproxy")
    suite = shlex.quote(str(REPOSITORY / "suites" / "ocs"))
    assert f"`pytest {suite}` does" in said and f"pytest {suite} --dut ./haproxy" in said
    assert resolve("./haproxy").folder == tmp_path / "my pool" / "haproxy"
    assert check("haproxy")[1].endswith(f"pytest {suite} --dut ./haproxy:ocs")
    assert f"pytest {suite} --dut '{tmp_path}/my pool/haproxy'\n" in Path("haproxy", "dut.yaml").read_text()


def test_a_page_of_statistics_is_no_web_site(check, tmp_path):
    path = tmp_path / "h.cfg"
    path.write_text("defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\nlisten s\n bind :7777\n stats enable\n")
    status, said = check(path)
    assert status == 3 and "it speaks HTTP, and no server is behind it" in said and "there is none here." in said
