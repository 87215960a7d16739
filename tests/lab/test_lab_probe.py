"""`lbcert probe` through a balancer in a lab, whose servers do TLS: right answers, and nobody is disturbed."""

import json

import pytest
from lab_rig import make_lab

from lbcert import cli
from lbcert.clients.rdp import Visit
from lbcert.steps.scripts import secure
from lbcert.topology.plan import CLIENT_HOST
from lbcert.vip import command

pytestmark = pytest.mark.xdist_group("security")  # one worker: they share what is dear to make

DEFECTS = {
    "forget-every-40": "pass fail blocked pass pass",
    "key-is-source": "pass not-run fail not-run not-run",
    "key-includes-source": "pass pass fail pass pass",
    "all-to-first": "pass not-run not-run fail blocked",
    "nameless-to-first": "pass pass pass pass fail",
    "nameless-by-source": "pass pass pass pass fail",
    "drop-without-cookie": "fail pass pass pass not-run",
    "drop-bare-request": "fail pass pass pass blocked",
    "terminate-tls": "pass not-run not-run not-run not-run",
}
"""mutant of the ideal balancer -> verdicts of RDP-PARSE-04, RDP-PERSIST-01, -02, -03, -10"""


def probe(lab, folder, monkeypatch, users, *options):
    """The exit status of a probe from the lab's client host, and the verdicts of its report; no faster than the lab can."""
    names = folder / "users.txt"
    names.write_text("# of the farm\n" + "".join(f"user{number:03d}\n" for number in range(users)))
    monkeypatch.setattr(command, "FASTEST", 10_000)
    words = ["probe", f"{lab.vip[0]}:{lab.vip[1]}", "--users", str(names), "--rate", "10000", "--yes",
             "--report-dir", str(folder / "run"), *options]  # fmt: skip

    def opened(source):
        return lab.broker.sockets(CLIENT_HOST, [source])[0]

    status = command.probe(cli._parser().parse_args(words), opened, lab.loop)
    report = json.loads((folder / "run" / "report.json").read_text())
    (deployment,) = report["deployments"]
    return status, {row["id"]: row for row in deployment["requirements"]}


def verdicts(rows):
    """What was judged; all the rest must be not-run."""
    found = {name: row["verdict"] for name, row in rows.items() if "live VIP" not in row["reason"]}
    assert all(row["verdict"] == "not-run" for name, row in rows.items() if name not in found)
    return found


def test_a_balancer_that_keeps_users_passes_and_a_session_lives_on(zygote, tmp_path, monkeypatch):
    lab = make_lab(zygote, tmp_path, security=True)
    secure(lab, {})
    (session,) = lab.visit([Visit(lab.sources.one(), "user000", hold=True)])
    first, _, _, far, _ = lab.sources.roaming()
    status, rows = probe(lab, tmp_path, monkeypatch, 55, "--servers", "3", "--fallback", "balance",
                         "--source", first, "--source", far)  # fmt: skip
    assert (status, verdicts(rows)) == (0, dict.fromkeys(command.JUDGED, "pass"))
    assert session.alive
    assert not [event for event in lab.history.of("security-failed")]
    lab.close()


def test_a_balancer_that_loses_users_fails(zygote, tmp_path, monkeypatch):
    lab = make_lab(zygote, tmp_path, security=True, dut="key-includes-source-port")
    secure(lab, {})
    status, rows = probe(lab, tmp_path, monkeypatch, 3, "--source", lab.sources.one())
    found = verdicts(rows)
    assert (status, found.pop("RDP-PERSIST-01")) == (1, "fail")
    assert found.pop("RDP-PARSE-04") == "pass" and set(found.values()) == {"not-run"}
    lab.close()


@pytest.mark.nightly
@pytest.mark.parametrize("mutant, expected", DEFECTS.items(), ids=DEFECTS)
def test_defects_are_seen_and_what_cannot_be_told_is_not_judged(zygote, tmp_path, monkeypatch, mutant, expected):
    lab = make_lab(zygote, tmp_path, security=True, dut=mutant)
    secure(lab, {})
    first, _, _, far, _ = lab.sources.roaming()
    status, rows = probe(lab, tmp_path, monkeypatch, 55, "--servers", "3", "--fallback", "balance", "--even",
                         "--source", first, "--source", far)  # fmt: skip
    assert verdicts(rows) == dict(zip(command.JUDGED, expected.split(), strict=True))
    assert status == (1 if "fail" in expected else 3)
    lab.close()
