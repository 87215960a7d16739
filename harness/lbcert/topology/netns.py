"""The `netns` provider: labs of Linux namespaces, forked from one process of ours.

pytest stays outside. It asks the zygote for a lab, then speaks with the lab's broker alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from . import probe
from .channel import Channel, ChannelClosed
from .interface import BUILD_PATIENCE, Broker, LabError, Unavailable, readable
from .plan import Plan


class Zygote:
    """The process that labs are forked from; one per pytest process, started at the first lab."""

    shared = ("/usr/", "/opt/")

    def __init__(self, log: int | None = None):
        ours, theirs = Channel.pair()
        self.control = ours
        self.closed = False
        self.gone: set[int] = set()
        self.count = 0
        self.process = subprocess.Popen(
            [_interpreter(), "-m", "lbcert.topology.zygote", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if log is None else log,
            stderr=subprocess.DEVNULL if log is None else log,
            start_new_session=True,
            env=_environment(),
        )
        theirs.close()
        try:
            self._receive(BUILD_PATIENCE)
        except ChannelClosed:
            raise LabError("the lab process did not start; its output is in harness.log of the run") from None

    def _receive(self, timeout: float) -> dict[str, Any]:
        if not readable(self.control, timeout):
            raise LabError(f"the lab process did not answer within {timeout:g} s")
        return self.control.receive()[0]

    def start(self, plan: Plan, hosts: dict[str, str] | None = None, modules: Sequence[str] = ()) -> Broker:
        """Build a lab; raises LabError with the system's reason where that is refused.

        `modules` are loaded first, once: what few labs need, and none can load from inside.
        """
        self.count += 1
        number = self.count
        ours, theirs = Channel.pair()
        message = {"lab": number, "plan": plan.to_json(), "hosts": hosts or {}, "modules": list(modules)}
        try:
            self.control.send(message, [theirs.fileno()])
        except ChannelClosed:
            raise LabError("the lab process has ended") from None
        finally:
            theirs.close()
        return Broker(self, number, ours)

    def wait_gone(self, number: int, timeout: float = 10.0) -> None:
        """Wait until every process of lab `number` has ended."""
        deadline = time.monotonic() + timeout
        while number not in self.gone and not self.closed:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LabError(f"lab {number} did not end within {timeout:g} s")
            try:
                self.gone.add(self._receive(left).get("gone", -1))
            except ChannelClosed:
                return

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def probe(self) -> None:
        """Do what a lab does (namespaces, ids, links), once; raises Unavailable."""
        probe.files()
        probe.programs()
        try:
            self.start(probe.SMALLEST).close()
        except LabError as error:
            raise Unavailable(f"{error}{probe.ways_on(str(error))}") from None

    def close(self) -> None:
        """End the zygote, and with it any lab that is left."""
        self.closed = True
        self.control.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _interpreter() -> str:
    """What labs start from: the launcher that `make apparmor` made and its profile is about, else this interpreter."""
    launcher = os.path.join(os.path.dirname(sys.executable), "lbcert-launcher")
    return launcher if os.access(launcher, os.X_OK) else sys.executable


def _environment() -> dict[str, str]:
    """What labs may know of our environment, which a configuration could read in /proc/1/environ: where Python is."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "LD_LIBRARY_PATH") or name.startswith("PYTHON")}
