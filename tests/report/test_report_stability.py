"""How stable verdicts are: what is counted, the exact bound, the page."""

import json
import os
import select
import signal
import subprocess
import sys

import pytest

from lbcert.controls import stability
from lbcert.report.expected import Entry, Expected

KNOWN = Expected(None, {"d": {"A-01": Entry("A-01", "fail", "because", "source")}})


def report(**verdicts):
    rows = [{"id": name.replace("_", "-"), "level": "MUST", "verdict": verdict, "reason": "", "tests": []}
            for name, verdict in verdicts.items()]  # fmt: skip
    return {"started": "2026-01-02T03:04:05", "suite": {"commit": "c" * 40}, "dut": {"version": "2.8", "name": "HAProxy"},
            "deployments": [{"id": "d", "profile": "rdp", "requirements": rows}]}  # fmt: skip


@pytest.mark.parametrize("changed, runs, bound", [(0, 300, 0.00994), (0, 1, 0.95), (1, 300, 0.01572), (3, 3, 1.0), (0, 59, 0.0495)])
def test_the_bound_is_exact(changed, runs, bound):
    assert stability.upper_bound(changed, runs) == pytest.approx(bound, abs=5e-5)


def test_a_known_failure_is_no_change_and_an_unexpected_pass_is_one():
    assert stability.entry(report(A_01="fail", A_02="pass"), KNOWN)["verdicts"] == {"d": {"A-01": "fail", "A-02": "pass"}}
    assert stability.entry(report(A_01="pass", A_02="harness-error"), KNOWN)["verdicts"] == {
        "d": {"A-01": "!pass", "A-02": "!harness-error"}
    }


def test_the_page_tells_runs_changes_and_bound(tmp_path):
    log = tmp_path / "log"
    lines = [stability.entry(report(A_01="fail", A_02=verdict), KNOWN) for verdict in ("pass", "harness-error", "pass")]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"cut o')
    page = stability.page(stability.read(log))
    assert "3 runs, 6 verdicts, 1 changes" in page
    assert "| `d` | A-01 | 3 | 0 | 63.2% |  |" in page
    assert "| `d` | A-02 | 3 | 1 | 86.5% | harness-error on 2026-01-02 |" in page


HELD = """
from lbcert.controls import stability
with stability.busy_core() as pid:
    print(pid, flush=True)
    input()
"""


def test_the_busy_core_ends_with_us_even_if_we_are_killed():
    with subprocess.Popen([sys.executable, "-c", HELD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        busy = os.pidfd_open(int(holder.stdout.readline()))
        holder.send_signal(signal.SIGKILL)
    assert select.select([busy], [], [], 10)[0], "still busy"
    os.close(busy)
