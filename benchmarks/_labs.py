"""Labs for benchmarks, made as a test run makes them."""

from __future__ import annotations

import os
import re
import resource
import tempfile
from dataclasses import replace
from pathlib import Path

from lbcert.drivers import Discovery, driver_for
from lbcert.drivers.furnish import furnish
from lbcert.dut import resolve
from lbcert.evidence.lag import LagProbe
from lbcert.lab import Files, Lab
from lbcert.topology.netns import Zygote
from lbcert.topology.plan import DUT_HOST, Host, Plan


class Unrecorded(Lab):
    """A lab without the capture, for figures in which it has no part."""

    def _record(self) -> None:
        self.history.add("harness", "unrecorded")


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
        scratch = self.zygote.start(Plan((), (Host(DUT_HOST, (), sysctls=free),)), self.deployment.hosts)
        try:
            furnish(scratch, replace(self.deployment, network={}), self.product.folder, self.folder / "furnish.log")
            return self.driver.discover(scratch, self.deployment, self.folder / "discovery.log")
        finally:
            scratch.close()

    def lab(self, kind: type[Lab] = Lab) -> Lab:
        """A lab that is ready: its servers and the deployment's VIP accept."""
        self.count += 1
        files = Files(*(self.folder / f"{self.count}.{kind}" for kind in ("jsonl", "pcapng", "log")))
        return kind(self.zygote, self.driver, self.deployment, self.discovery, files, self.lag, seed=self.count)

    def close(self) -> None:
        self.zygote.close()
        self.lag.close()
        self._folder.cleanup()


def processor() -> float:
    """Processor seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def processor_of(pid: int) -> float:
    """Processor seconds of another process so far, and of all that it has seen end."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def below(root: int) -> dict[int, str]:
    """The living descendants of a process, with their names."""
    children: dict[int, list[tuple[int, str]]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                head, _, tail = (entry / "stat").read_text().rpartition(")")
            except OSError:
                continue
            children.setdefault(int(tail.split()[1]), []).append((int(entry.name), head.partition("(")[2]))
    found: dict[int, str] = {}
    waiting = [root]
    while waiting:
        for pid, name in children.get(waiting.pop(), ()):
            found[pid] = name
            waiting.append(pid)
    return found


def memory_of(pid: int) -> int:
    """KiB that a process has for itself alone; pages still shared with the process it was forked from are not its own."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(size) for size in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+)", text, re.MULTILINE))
