"""The faster clock: it says the same as real time, and finds a timeout that is too short."""

import pytest

from lbcert import deadlines
from lbcert.clients.rdp import Visit
from lbcert.drivers import driver_for, faster
from lbcert.drivers.furnish import furnish
from lbcert.dut import DUTS, load
from lbcert.evidence.checks import idle_time_is_kept
from lbcert.evidence.lag import LagProbe
from lbcert.lab import Files, HarnessError, Lab
from lbcert.run.pace import Pace
from lbcert.steps.passing import be_silent
from lbcert.topology.plan import DUT_HOST, Host, Plan
from lbcert.verdicts import Verdict

pytestmark = pytest.mark.skipif(faster.library() is None, reason="libfaketime is not installed: apt-get install libfaketime")

YAML = """\
schema: 1
name: HAProxy
driver: haproxy
profile: rdp
config: x.cfg
declares:
  health_check: {inter: 2.0, fall: 3, rise: 2, timeout: 2.0}
  session: {idle: 3600}
"""
"""the checks take the idle time from the pace, as for a variant"""


@pytest.fixture
def judged(zygote, tmp_path):
    """Ten silent sessions through HAProxy with this idle time, judged at a pace: the finding and the lab's history."""
    lag = LagProbe()

    def judge(idle: int, pace: Pace):
        folder = tmp_path / pace.how
        folder.mkdir()
        (folder / "dut.yaml").write_text(YAML)
        text = (DUTS / "haproxy" / "rdp-sticktable.cfg").read_text()
        (folder / "x.cfg").write_text(text.replace("timeout client 1h", f"timeout client {idle}s"))
        product = load(folder / "dut.yaml", "x")
        driver, deployment = driver_for(product), product.deployments[0]
        files = Files(folder / "history.jsonl", folder / "capture.pcapng", folder / "output.log")
        scratch = zygote.start(Plan((), (Host(DUT_HOST, (), sysctls={"ipv4/ip_nonlocal_bind": "1"}),)), {})
        try:
            furnish(scratch, deployment, folder, files.output)
            discovery = driver.discover(scratch, deployment, files.output)
        finally:
            scratch.close()
        lab = Lab(zygote, driver, deployment, discovery, files, lag, seed=1, pace=pace)
        try:
            held = lab.visit([Visit(lab.sources.one(), f"user{number}", hold=True, label="held") for number in range(10)])
            lab.echo(held, "begin")
            be_silent(lab, held)
            lab.echo(held, "end")
            return lab.judge(idle_time_is_kept), lab.history
        finally:
            lab.close()

    yield judge
    lag.close()


@pytest.mark.parametrize("idle, verdict", [
    pytest.param(960, Verdict.PASS, id="as-declared"),
    pytest.param(800, Verdict.FAIL, id="too-short", marks=pytest.mark.nightly),
])
def test_a_timeout_on_a_faster_clock(judged, idle, verdict):
    # 16 s of real time: a tenth of a second of ours is no matter.
    finding, history = judged(idle, Pace("faster", 960.0, faster.RATE))
    assert finding.verdict is verdict, finding.observed
    assert finding.measurements[0]["value"] == pytest.approx(idle, rel=0.02)
    # No server left the pool through checks that a faster clock gives a few milliseconds.
    assert not [event for event in history.of("log") if "DOWN" in event["text"]]


@pytest.mark.nightly
@pytest.mark.parametrize("idle, verdict", [(30, Verdict.PASS), (25, Verdict.FAIL)], ids=["as-declared", "too-short"])
def test_both_ways_agree(judged, idle, verdict):
    real, _ = judged(idle, Pace("real", 30.0))
    fast, _ = judged(idle, Pace("faster", 30.0, 10))
    assert real.verdict is fast.verdict is verdict, (real.observed, fast.observed)
    assert real.measurements[0]["value"] == pytest.approx(idle, rel=0.01)
    assert fast.measurements[0]["value"] == pytest.approx(real.measurements[0]["value"], rel=0.02)


def test_a_product_that_does_not_take_the_clock_is_no_verdict(judged, monkeypatch):
    monkeypatch.setattr(faster.FasterClock, "environment", lambda self: {})
    monkeypatch.setitem(deadlines.PATIENCE, "faster clock", 0.5)
    with pytest.raises(HarnessError, match="not within"):
        judged(30, Pace("faster", 30.0, faster.RATE))
