"""Labs for benchmarks, made as a test run makes them."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from lbcert.drivers import Discovery, driver_for
from lbcert.dut import resolve
from lbcert.evidence.lag import LagProbe
from lbcert.lab import Files, Lab
from lbcert.topology.netns import Zygote
from lbcert.topology.plan import DUT_HOST, Host, Plan


def arguments(text: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: shows that it runs, not how fast")
    return parser.parse_args()


def figure(name: str, value: float, unit: str, target: float | None = None) -> None:
    """One line per figure."""
    note = "" if target is None else f"   (target {target:g}: {'met' if value <= target else 'missed'})"
    print(f"{name}: {value:.4g} {unit}{note}", flush=True)


class Bench:
    """One deployment and labs with it."""

    def __init__(self, reference: str):
        self.product = resolve(reference)
        self.deployment = self.product.deployments[0]
        self.driver = driver_for(self.product)
        self.zygote = Zygote()
        self.lag = LagProbe()
        self._folder = tempfile.TemporaryDirectory(prefix="lbcert-bench-")
        self.folder = Path(self._folder.name)
        self.count = 0
        self.discovery = self._discover()

    def _discover(self) -> Discovery:
        free = {"ipv4/ip_nonlocal_bind": "1", "ipv6/ip_nonlocal_bind": "1"}
        scratch = self.zygote.start(Plan((), (Host(DUT_HOST, (), sysctls=free),)))
        try:
            return self.driver.discover(scratch, self.deployment, self.folder / "discovery.log")
        finally:
            scratch.close()

    def lab(self) -> Lab:
        """A lab that is ready: its servers and the deployment's VIP accept."""
        self.count += 1
        files = Files(*(self.folder / f"{self.count}.{kind}" for kind in ("jsonl", "pcapng", "log")))
        return Lab(self.zygote, self.driver, self.deployment, self.discovery, files, self.lag, seed=self.count)

    def close(self) -> None:
        self.zygote.close()
        self.lag.close()
        self._folder.cleanup()
