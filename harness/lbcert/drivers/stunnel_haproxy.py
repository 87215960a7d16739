"""stunnel in front of HAProxy: two programs of one machine, where TLS ends in the first.

`config` is HAProxy's file, and `stunnel.conf` beside it is stunnel's. Both run unmodified. What the product is asked, it is
asked at HAProxy's admin socket; stunnel has none. Sources: stunnel(8), `foreground`, `pid`, `transparent`; and module
`haproxy`.
"""

from __future__ import annotations

import re
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..deadlines import PATIENCE
from ..dut_model import Deployment, Product
from ..topology.interface import Broker
from ..topology.plan import DUT_HOST
from .base import CONFIG_FOLDER, Build, Discovery, DriverError, ProductRejected, sha256
from .haproxy import HAProxy
from .program import Program

DEFAULT = Path("/usr/bin/stunnel4")
CONFIG = "stunnel.conf"
_INSTALL = "apt-get install stunnel4"


class StunnelHAProxy(HAProxy):
    """The driver of HAProxy, with stunnel started beside it."""

    faster_clock = False  # stunnel would live by another clock than HAProxy
    parts = ("HAProxy", "stunnel")

    def __init__(self, product: Product):
        super().__init__(product)
        if not DEFAULT.is_file():
            raise DriverError(f"{DEFAULT} does not exist: install stunnel ({_INSTALL})")
        if not (product.folder / CONFIG).is_file():
            raise DriverError(f"{product.folder / CONFIG} does not exist: the driver stunnel-haproxy reads stunnel's "
                              "configuration there, beside HAProxy's")  # fmt: skip
        self.stunnel = Program("stunnel", DEFAULT)

    def discover(self, scratch: Broker, deployment: Deployment, output: Path) -> Discovery:
        found = super().discover(scratch, deployment, output)
        return replace(found, build=self._identify_both(scratch, output, found.build))

    def start(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        super().start(lab, deployment, output)
        self._start_stunnel(lab, output)

    def restart(self, lab: Broker, deployment: Deployment, output: Path, part: str) -> None:
        if part == "HAProxy":
            super().restart(lab, deployment, output, part)
            return
        running = [int(pid) for pid, title in lab.request("processes")["titles"].items() if CONFIG in title]
        for pid in running:
            lab.request("signal", pid=pid, number=int(signal.SIGTERM), wait=True)
        self._start_stunnel(lab, output)

    def _start_stunnel(self, lab: Broker, output: Path) -> int:
        return self.stunnel.spawn(lab, output, [f"{CONFIG_FOLDER}/{CONFIG}"])

    def _listening(self, scratch: Broker, deployment: Deployment, output: Path) -> tuple[tuple[str, int], ...]:
        """What both listen on. stunnel has its sockets before it becomes a daemon, or else says why not and ends with 1."""
        ended: dict[int, int] = {}

        def note(event: dict[str, Any]) -> None:
            if event["event"] == "exit":
                ended[event["pid"]] = event["status"]

        scratch.on_event = note
        before = _pairs(scratch)
        offset = output.stat().st_size
        pid = self._start_stunnel(scratch, output)
        deadline = time.monotonic() + PATIENCE["ready"]
        while True:
            over = pid in ended
            found = _pairs(scratch)
            if ended.get(pid):
                said = output.read_bytes()[offset:].decode(errors="replace")
                # [!] stands before what went wrong, and [ ] and [.] before everything else.
                wrong = "\n".join(line for line in said.splitlines() if line.startswith("[!]")) or said
                raise ProductRejected(f"stunnel ended at start with status {ended[pid]}:\n"
                                      f"{self.stunnel.readable(wrong, deployment)}")  # fmt: skip
            if over or set(found) - set(before) or time.monotonic() > deadline:
                return found
            scratch.request("tick")

    def _identify_both(self, scratch: Broker, output: Path, haproxy: Build) -> Build:
        status, text = self.stunnel.run(scratch, output, ["-version"])
        version = re.search(r"stunnel (\S+) on", text)
        if status or not version:
            raise DriverError(f"{DEFAULT} is no working stunnel: `-version` ended with {status}: {text.strip()[:300]}")
        details = f"stunnel {version[1]}: {DEFAULT}, sha256 {sha256(DEFAULT)}; HAProxy {haproxy.version}: {haproxy.details}"
        return Build(f"{version[1]} and {haproxy.version}", f"{DEFAULT}; {haproxy.origin}", haproxy.sha256, details)


def _pairs(scratch: Broker) -> tuple[tuple[str, int], ...]:
    return tuple((ip, port) for ip, port in scratch.request("listening", host=DUT_HOST)["listening"])
