"""Configurations of other profiles: what they are is said, which suite tests them, and the dut.yaml to start from is right."""

import re
import shlex
from pathlib import Path

import pytest

from lbcert import cli
from lbcert.check import command
from lbcert.check.command import examine
from lbcert.check.reader import Text
from lbcert.check.variants import of_pool
from lbcert.dut import REPOSITORY, changed_lines, load, resolve

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


@pytest.mark.parametrize(("file", "written", "by_hand"), [
    ("ocs", {"short-lifetime": ("expire 30m", "expire 4s"), "small-maxconn": ("maxconn 40000", "maxconn 100")}, ["small-ports", "two-addresses"]),
    ("ocs-split", {"short-lifetime": ("expire 30m", "expire 4s")}, ["small-ports", "two-addresses", "small-maxconn"]),
    ("tproxy", {}, ["not-transparent"]),
])  # fmt: skip
def test_variants_are_written_or_named(check, tmp_path, file, written, by_hand):
    """What is written differs in its one line, and what is not is said with the row that asks for it."""
    _, said = check(DUTS / f"{file}.cfg", "--write", str(tmp_path / "w"))
    (found,) = load(tmp_path / "w" / "dut.yaml", "w").deployments
    assert set(found.variants) == set(written)
    for name, (usual, changed) in written.items():
        before, after = (line[1:].strip() for line in changed_lines(found.text, found.variants[name].read_text()))
        assert usual in before and after == before.replace(usual, changed)
    assert re.findall(r"missing in it: variants\.(\S+): ", said) == by_hand
    assert ("without it OCS-NET-06 is not-run" in said, "without it TP-ADDR-08 is not-run" in said) == (file != "tproxy", file == "tproxy")


def pool(*sections):
    """A pool's text, and the pairs of its listeners: each section has port 5060, 5061, ..."""
    parts = [f"listen l{number}\n mode tcp\n bind 10.0.0.1:{5060 + number}\n" + "".join(f" {line}\n" for line in lines)
             for number, lines in enumerate(sections)]  # fmt: skip
    return Text([("h.cfg", "".join(parts))]), [("10.0.0.1", 5060 + number) for number in range(len(sections))]


TABLE = ("stick-table type ip size 1m expire 30m", "stick on src")


@pytest.mark.parametrize(("sections", "variants"), [
    ([TABLE], ["short-lifetime"]),
    ([TABLE, ("stick on src table l0",)], ["short-lifetime"]),
    # One changed line would leave the other port's clients with their usual lifetime or limit.
    ([TABLE, TABLE], []),
    ([TABLE, ()], []),
    ([("maxconn 500",), ("maxconn 500",)], []),
    ([("stick-table type ip size 1m", "stick on src")], []),
    ([("stick-table type ip size 1m expire 4s", "stick on src", "maxconn 100")], []),
])  # fmt: skip
def test_a_variant_is_one_line_that_all_ports_share(sections, variants):
    assert list(of_pool(*pool(*sections))) == variants


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
