"""nginx with its stream module: Debian's package, or any binary.

The configuration file is run unmodified. nginx has no admin socket, so its real servers are found by where it connects
(`destinations`), and nobody can be drained: the documented way is another configuration and a reload, which would no
longer be the configuration under test. Sources: nginx documentation, "Command-line parameters" (`-t`, `-c`, `-s`),
"Controlling nginx" (reload, the processes' titles), ngx_stream_core_module.
"""

from __future__ import annotations

import contextlib
import re
import signal
import time
from pathlib import Path
from typing import Any

from ..deadlines import PATIENCE
from ..dut_model import Deployment, Product
from ..offers import SECURE, offer_of
from ..topology.interface import Broker, LabError
from ..topology.plan import DUT_HOST
from . import destinations
from .base import Build, Discovery, DriverError, NotAble, ProductRejected, choose_services, sha256
from .program import Program, binary_of, config_path

DEFAULT = Path("/usr/sbin/nginx")
_INSTALL = "apt-get install nginx-light libnginx-mod-stream libnginx-mod-stream-js"
_ETC = Path("/etc/nginx")
_COPIED = ("modules-enabled/*.conf", "mime.types")
"""what a configuration of Debian's package includes and no user's secret stands in"""
_DIRECTORIES = ["/run/lbcert", "/var/log/nginx", "/var/lib/nginx"]
_WORKER = "nginx: worker process"
"""a worker's title; one that finishes its sessions after a reload says more"""


class Nginx:
    """The driver of one nginx binary."""

    parts: tuple[str, ...] = ("nginx",)

    def __init__(self, product: Product):
        self.product = product
        binary, self.origin = binary_of(product) or (DEFAULT, f"binary: {DEFAULT}")
        if not binary.is_file():
            raise DriverError(f"{binary} does not exist: install nginx with its stream modules ({_INSTALL}), "
                              "or name the program in dut.yaml: binary")  # fmt: skip
        self.program = Program("nginx", binary)

    # -- what a test needs ------------------------------------------------------------------------

    def discover(self, scratch: Broker, deployment: Deployment, output: Path) -> Discovery:
        self._put(scratch, deployment)
        build = self._identify(scratch, output)
        self._check(scratch, deployment, output)
        listening = self._restart(scratch, deployment, output)
        keeps_port = deployment.declares.raw.get("transparency", {}).get("port", False)
        for name, vip in choose_services(deployment, listening).items():
            try:
                servers = destinations.find(scratch, vip, lambda: self._restart(scratch, deployment, output),
                                            offer_of(deployment.profile).opening, keeps_port, name in SECURE)  # fmt: skip
                break
            except DriverError as error:
                # One of several services that leads nowhere is for the requirements to judge.
                lost = error
        else:
            raise lost
        return Discovery(build, listening, tuple(servers), _lowered(output.read_text(errors="replace")))

    def start(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        self._put(lab, deployment)
        self.program.spawn(lab, output, ["-c", config_path(deployment)])

    def drain(self, lab: Broker, deployment: Deployment, address: str) -> None:
        raise NotAble("nginx has no command for it; its way is `down` in the server's line and a reload, which is another "
                      "configuration than the one under test (nginx Plus has an API)")  # fmt: skip

    ready = drain

    def reload(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        """`nginx -s reload`; returns when every worker of before has stopped accepting and new ones run."""
        before = {pid for pid, title in _titles(lab).items() if title == _WORKER}
        status, text = self.program.run(lab, output, ["-c", config_path(deployment), "-s", "reload"])
        if status:
            raise DriverError(f"nginx -s reload: {self.program.readable(text, deployment)}")
        deadline = time.monotonic() + PATIENCE["ready"]
        while True:
            working = {pid for pid, title in _titles(lab).items() if title == _WORKER}
            if working and not working & before:
                return
            if time.monotonic() > deadline:
                raise DriverError(f"nginx -s reload: workers of before still accept after {PATIENCE['ready']:g} s; "
                                  "see its error log")  # fmt: skip
            lab.request("tick")

    def restart(self, lab: Broker, deployment: Deployment, output: Path, part: str) -> None:
        for pid, title in _titles(lab).items():
            if title.startswith("nginx: master"):
                lab.request("signal", pid=int(pid), number=int(signal.SIGTERM), wait=True)
        self.program.spawn(lab, output, ["-c", config_path(deployment)])

    # -- steps ------------------------------------------------------------------------------------

    def _put(self, lab: Broker, deployment: Deployment) -> None:
        more = {str(path): path.read_bytes() for pattern in _COPIED for path in sorted(_ETC.glob(pattern)) if path.is_file()}
        self.program.put(lab, deployment, more, _DIRECTORIES)

    def _identify(self, scratch: Broker, output: Path) -> Build:
        status, text = self.program.run(scratch, output, ["-V"])
        version = re.search(r"nginx version: \S+?/(\S+)", text)
        if status or not version:
            raise DriverError(f"{self.program.binary} is no working nginx: `-V` ended with {status}: {text.strip()[:300]}")
        details = "; ".join(line for line in text.splitlines() if line.startswith(("built ", "TLS ")))
        return Build(version[1], self.origin, sha256(self.program.binary), details)

    def _check(self, scratch: Broker, deployment: Deployment, output: Path) -> None:
        status, text = self.program.run(scratch, output, ["-t", "-c", config_path(deployment)])
        if status:
            said = self.program.readable(text, deployment)
            raise ProductRejected(f"nginx rejects {deployment.config}:\n{said}{_remedy(text)}")

    def _restart(self, scratch: Broker, deployment: Deployment, output: Path) -> tuple[tuple[str, int], ...]:
        """Start nginx anew and read what it listens on. It has all its sockets before it becomes a daemon (status 0)."""
        for pid in sorted(_titles(scratch), key=int):  # the master first, which would start new workers
            with contextlib.suppress(LabError):  # it has ended with its master
                scratch.kill(int(pid))
        ended: dict[int, int] = {}

        def note(event: dict[str, Any]) -> None:
            if event["event"] == "exit":
                ended[event["pid"]] = event["status"]

        scratch.on_event = note
        pid = self.program.spawn(scratch, output, ["-c", config_path(deployment)])
        deadline = time.monotonic() + PATIENCE["ready"]
        while True:
            over = pid in ended
            found = tuple((ip, port) for ip, port in scratch.request("listening", host=DUT_HOST)["listening"])
            if ended.get(pid):
                said = self.program.readable(output.read_text(errors="replace"), deployment)
                raise ProductRejected(f"nginx ended at start with status {ended[pid]}:\n{said}")
            if over or found and any(title == _WORKER for title in _titles(scratch).values()) or time.monotonic() > deadline:
                return found
            scratch.request("tick")


def _titles(lab: Broker) -> dict[str, str]:
    """Titles of nginx's processes by their pid in the lab."""
    return {pid: title for pid, title in lab.request("processes")["titles"].items() if title.startswith("nginx: ")}


def _remedy(text: str) -> str:
    """What to do where a module is missing, which nginx's own words do not say."""
    if 'unknown directive "stream"' in text or "ngx_stream_module" in text:
        return ("\nThe stream module is missing: apt-get install libnginx-mod-stream, and begin the file with "
                "`load_module modules/ngx_stream_module.so;`")  # fmt: skip
    if re.search(r'unknown directive "js_|ngx_stream_js_module', text):
        return ("\nThe stream module's JavaScript (njs) is missing: apt-get install libnginx-mod-stream-js, and begin the file "
                "with `load_module modules/ngx_stream_js_module.so;` behind the stream module's own line")  # fmt: skip
    return ""


def _lowered(text: str) -> dict[str, str]:
    """Limits that nginx says it could not have."""
    found = re.findall(r"\[warn\][^\n]*?(\d+ worker_connections exceed open file resource limit: \d+)", text)
    return {f"nginx {number + 1}": line for number, line in enumerate(dict.fromkeys(found))}
