"""Programs that are not ours, run in a lab: Debian's RDP clients and servers, and the screens that they want.

They make traffic. What came of it is read from our servers' events and from the capture, never from what they print.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lbcert.clients.rdp import Visit
from lbcert.deadlines import Deadline, patience
from lbcert.drivers import driver_for
from lbcert.drivers.furnish import furnish
from lbcert.dut import resolve
from lbcert.evidence.flows import packets
from lbcert.evidence.history import Event
from lbcert.evidence.lag import LagProbe
from lbcert.lab import Files, Lab
from lbcert.topology.interface import LabError
from lbcert.topology.netns import Zygote
from lbcert.topology.plan import CLIENT_HOST, DUT_HOST, Host, Plan
from lbcert.wire import ConnectionRequest, Decoded

PACKAGES = {
    "/usr/bin/xfreerdp": "freerdp2-x11",
    "/usr/bin/rdesktop": "rdesktop",
    "/usr/bin/Xvfb": "xvfb",
    "/usr/bin/freerdp-shadow-cli": "freerdp2-shadow-x11",
    "/usr/sbin/xrdp": "xrdp",
    "/usr/bin/curl": "curl",
    "/usr/bin/openssl": "openssl",
    "/usr/bin/tshark": "tshark",
    "/usr/bin/wrk": "wrk",
    "/usr/sbin/nginx": "nginx-light",
    "/usr/sbin/apache2": "apache2-bin",
}
"""program -> Debian's package"""
IPV4 = b"\x08\x00"
_DESTINATION_PORT = slice(36, 38)
"""in a frame of Ethernet, IPv4 without options, and TCP"""
XFREERDP, RDESKTOP, XVFB, SHADOW, XRDP, CURL, OPENSSL, TSHARK, WRK, NGINX, APACHE = PACKAGES


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where one of `programs` is missing, and say which package brings it."""
    missing = [PACKAGES[program] for program in programs if not os.access(program, os.X_OK)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed; as root: apt-get install {' '.join(missing)}")


def lab_behind(zygote: Zygote, dut: str, folder: Path) -> Lab:
    """A lab with the first deployment of `dut` whose servers can do TLS and CredSSP."""
    product = resolve(dut)
    deployment, driver = product.deployments[0], driver_for(product)
    folder.mkdir(exist_ok=True)
    files = Files(folder / "history.jsonl", folder / "capture.pcapng", folder / "output.log")
    anywhere = {"ipv4/ip_nonlocal_bind": "1", "ipv6/ip_nonlocal_bind": "1"}
    scratch = zygote.start(Plan((), (Host(DUT_HOST, (), sysctls=anywhere),)), deployment.hosts)
    try:
        furnish(scratch, replace(deployment, network={}), product.folder, files.output)
        found = driver.discover(scratch, deployment, files.output)
    finally:
        scratch.close()
    lag = LagProbe()
    try:
        return Lab(zygote, driver, deployment, found, files, lag, seed=1, security=True)
    finally:
        lag.close()


@dataclass(eq=False)
class Program:
    """One that was started; `status` is None while it runs."""

    pid: int
    output: int
    status: int | None = None

    @property
    def said(self) -> str:
        return os.pread(self.output, 1 << 20, 0).decode(errors="replace")


class Programs:
    """Whatever runs in a lab besides what is ours. All of it ends with the lab."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self._started: list[Program] = []
        self._tell = lab.broker.on_event
        lab.broker.on_event = self._on_event
        self.screens: dict[str, str] = {}

    def _on_event(self, event: dict) -> None:
        for program in self._started:
            if event["event"] == "exit" and event["pid"] == program.pid:
                program.status = event["status"]
        self._tell(event)

    def start(self, host: str, *argv: str, **environment: str) -> Program:
        """Start it in `host`, on the screen there if one has been made."""
        environment |= {"DISPLAY": self.screens[host]} if host in self.screens else {}
        output = os.memfd_create("output")
        pid = self.lab.broker.request("spawn", [output], host=host, argv=list(argv), env=environment)["pid"]
        program = Program(pid, output)
        self._started.append(program)
        return program

    def stop(self, program: Program) -> None:
        if program.status is not None:
            return
        try:
            self.lab.broker.kill(program.pid)
        except LabError:
            # It ended by itself meanwhile, and the broker said so before it refused.
            assert program.status is not None
        else:
            program.status = -9

    def wait(self, what: str, done: Callable[[], object], program: Program | None = None,
             deadline: Deadline | None = None) -> None:  # fmt: skip
        """Wait for it. A program that ends has shown all it will; its last words are in the failure's message."""

        def over() -> bool:
            return bool(done()) or (program is not None and program.status is not None)

        self.lab.watch(what, over, deadline or patience("ready"))
        # What it did just before its end may still be on the way to us.
        met = self.lab.watch(what, lambda: bool(done()), patience("report"))
        assert met, f"{what}: not seen; {program.said[-1000:] if program else ''}"

    def screen(self, host: str) -> None:
        """A screen for the programs of `host`."""
        self.lab.broker.put_files(host, {}, ["/tmp/.X11-unix"])
        # Without -noreset it starts anew, deaf for a moment, whenever its last program has gone.
        server = self.start(host, XVFB, "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset")
        self.wait(f"a screen in {host}", lambda: server.said.endswith("\n"), server)
        self.screens[host] = f":{server.said.split()[-1]}"

    def listens(self, host: str, port: int, program: Program) -> None:
        """Wait until something in `host` accepts connections to `port`."""

        def listening() -> bool:
            return any(found == port for _, found in self.lab.broker.request("listening", host=host)["listening"])

        self.wait(f"port {port} of {host}", listening, program)

    def close(self) -> None:
        for program in self._started:
            os.close(program.output)

    # -- evidence

    def came_to_client(self, since: int) -> int:
        """Bytes, headers included, that came to the client host since a time (ns), in the connection that got most."""
        self.lab.broker.request("capture_sync")
        came: Counter[bytes] = Counter()
        for link, t, inbound, data, size in packets(self.lab.files.capture):
            if link == f"{CLIENT_HOST}:eth0" and inbound and t >= since and data[12:14] == IPV4:
                came[data[_DESTINATION_PORT]] += size
        return max(came.values(), default=0)


class Home:
    """The server to which a user is sent, and what it reports of this user from now on; the balancer goes by the name."""

    def __init__(self, programs: Programs, user: str):
        lab = programs.lab
        self._user, self._history = user.encode(), lab.history
        (self._first,) = lab.visit([Visit(lab.sources.one(), user)])
        self.server = lab.server(self._first.server)

    @property
    def certificate(self) -> str:
        """SHA-256 of the server's certificate."""
        return self.server.extra["certificate"]["fingerprint"]

    def events(self, kind: str) -> list[Event]:
        """Its reports about connections whose first packet names the user."""
        mine = {event["conn"] for event in self._history.of("request", who=self.server.name)
                if event["conn"] != self._first.connection and first_packet(event).cookie == self._user}  # fmt: skip
        return [event for event in self._history.of(kind, who=self.server.name) if event["conn"] in mine]


def first_packet(event: Event) -> ConnectionRequest:
    """What a `request` event holds; a test that gets something else fails of it."""
    outcome = ConnectionRequest.decode(bytes.fromhex(event["bytes"]))
    assert isinstance(outcome, Decoded), outcome
    return outcome.value


def xfreerdp(vip: tuple[str, int], user: str, password: str, security: str, certificate: str | None = None) -> list[str]:
    """xfreerdp's command line. With `certificate` (SHA-256) it takes that one and no other."""
    pairs = ":".join(certificate[i : i + 2] for i in range(0, 64, 2)) if certificate else ""
    trust = f"/cert:deny,fingerprint:sha256:{pairs}" if certificate else "/cert:ignore"
    return [XFREERDP, f"/v:{vip[0]}:{vip[1]}", f"/u:{user}", f"/p:{password}", f"/sec:{security}", trust, "/size:640x480"]


def rdesktop(vip: tuple[str, int], user: str, *options: str) -> list[str]:
    """rdesktop's command line. It asks on its standard input whether it may trust the certificate."""
    line = f"echo yes | exec {RDESKTOP} -u {user} -r sound:off -g 640x480 {' '.join(options)} {vip[0]}:{vip[1]}"
    return ["/bin/sh", "-c", line]
