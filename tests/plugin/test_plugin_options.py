"""Wrong options: pytest's usage error (status 4) with one line that names what is known."""

import pytest

CASES = {
    "unknown DUT": (["suites/rdp"], "nosuch", "'nosuch' is no known DUT and no folder"),
    "the known DUTs are named": (["suites/rdp"], "nosuch", "direct-return, haproxy, haproxy-two-arm, ideal, nginx, null, stunnel-haproxy"),
    "unknown deployment": (["suites/rdp"], "haproxy:nosuch", "rdp-cookie, rdp-sticktable"),
    "folder without dut.yaml": (["suites/rdp"], "suites", "suites has no dut.yaml"),
    "unknown topology": (["suites/rdp", "--topology", "moon"], "ideal", "netns"),
    "unknown way of judging timers": (["suites/rdp", "--timers", "slow"], "ideal", "choose from 'fast', 'real'"),
    "seed is no number": (["suites/rdp", "--seed", "x"], "ideal", "--seed"),
    "no corpus": (["suites/rdp", "--corpus", "none.json"], "ideal", "none.json: cannot be read: No such file"),
    "a corpus that is none": (["suites/rdp", "--corpus", "pytest.ini"], "ideal", "pytest.ini, line 1: is not JSON"),
    "unknown requirement in -k": (["suites/rdp", "-k", "RDP_PERSIST_99"], "ideal", "RDP_PERSIST_99: no such requirement"),
    "the known requirements are named": (["suites/rdp", "-k", "RDP-PERSIST-99"], "ideal", "RDP-PARSE-01, "),
    "those of the same suite only": (["suites/ocs", "-k", "OCS-FAIL-99"], "ideal", "known: OCS-ADMIN-01, "),
    "a requirement of another suite": (["suites/ocs", "-k", "TP_ADDR_01"], "ideal:ocs", "-k TP-ADDR-01: none of the tests given is about it; "
                                       "see suites/ssl_tproxy"),
}


@pytest.mark.parametrize("arguments, dut, message", CASES.values(), ids=CASES)
def test_wrong_option(run, arguments, dut, message):
    done = run(*arguments, dut=dut)
    assert done.status == 4
    assert message in done.text
    assert "Traceback" not in done.text


def test_report_dir_that_holds_a_run(run, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    done = run("suites/rdp")
    assert done.status == 4 and "holds a run already" in done.text


def test_report_dir_that_is_a_file(run, tmp_path):
    (tmp_path / "run").write_text("")
    done = run("suites/rdp")
    assert done.status == 4 and "is a file; name a folder" in done.text


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "worker"])
def test_a_full_disk_ends_the_run_in_one_line(run, tmp_path, workers):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "results.jsonl").symlink_to("/dev/full")
    done = run("suites/rdp", "-k", "RDP_PARSE_04", *workers)
    assert done.status == 2 and "results.jsonl cannot be written: No space left on device" in done.text
    assert f"make room, then `lbcert report {tmp_path / 'run'}`" in done.text
    assert "Traceback" not in done.text and "INTERNALERROR" not in done.text


def test_collect_only_leaves_nothing(run, tmp_path):
    done = run("suites/rdp", "--collect-only", "-q")
    assert done.status == 0 and "test_user_returns_to_own_server[rdp]" in done.text
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_dut_without_a_fitting_deployment(run, tmp_path):
    (tmp_path / "x.cfg").write_text("")
    (tmp_path / "dut.yaml").write_text("schema: 1\nname: x\ndriver: haproxy\nprofile: ocs\nconfig: x.cfg\n")
    done = run("suites/rdp", dut=str(tmp_path))
    assert done.status == 4 and "has no deployment of profile rdp; it has: ocs (ocs)" in done.text
